"""Puts the verdicts of docs/claims.md into README.md, without the evidence: `python docs/short_verdicts.py`.

`python run.py lecture --readme=docs/claims.md` puts them into docs/claims.md.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from jaxnets.report import claims_page

ROOT = Path(__file__).parents[1]
README, CLAIMS = ROOT / "README.md", ROOT / "docs" / "claims.md"
BEGIN, END = "<!-- verdicts in short -->\n", "<!-- end of verdicts in short -->"
REPEATS = "repeats"


def table(claims: str) -> str:
    """How many verdicts there are of each kind, and the short table, from the text of docs/claims.md."""
    between = claims.partition(claims_page.BEGIN)[2].partition(claims_page.END)[0]
    above, *lines = re.split(r"^(?=\|)", between, flags=re.MULTILINE)
    header, _, *rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    shown = [_row(["claim", "verdict"]), _row(["---"] * 2)]
    for cells in rows:
        claim, name = re.fullmatch(r"(.*) `(\w+)`", cells[0]).groups()
        same, *_ = cells[header.index(REPEATS)].strip("–").split(";")
        verdict = f"[{cells[1]}](docs/claims.md#{name}) {same.replace(' of ', '/')}"
        shown.append(_row([claim, verdict.strip()]))
    return "\n\n".join(filter(None, [above.strip(), "\n".join(shown)])) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def with_table(readme: str, claims: str) -> str:
    """The text of README.md with the table in its place."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table(claims)}{END}{after}"


if __name__ == "__main__":
    text = with_table(README.read_text(encoding="utf-8"), CLAIMS.read_text(encoding="utf-8"))
    README.write_text(text, encoding="utf-8")

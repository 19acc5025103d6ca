"""Puts the verdicts of docs/claims.md into README.md, without the evidence: `python docs/short_verdicts.py`.

`python run.py lecture --readme=docs/claims.md` puts them into docs/claims.md.
"""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README, CLAIMS = ROOT / "README.md", ROOT / "docs" / "claims.md"
BEGIN, END = "<!-- verdicts in short -->\n", "<!-- end of verdicts in short -->"


def table(claims: str) -> str:
    """The short table, from the text of docs/claims.md."""
    rows = re.findall(r"^\| (.*) `(\w+)` \| (\S+ .*?) \|", claims, re.MULTILINE)
    lines = ["| claim | verdict |", "| --- | --- |"]
    lines += [f"| {claim} | [{verdict}](docs/claims.md#{name}) |" for claim, name, verdict in rows]
    return "\n".join(lines) + "\n"


def with_table(readme: str, claims: str) -> str:
    """The text of README.md with the table in its place."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table(claims)}{END}{after}"


if __name__ == "__main__":
    text = with_table(README.read_text(encoding="utf-8"), CLAIMS.read_text(encoding="utf-8"))
    README.write_text(text, encoding="utf-8")

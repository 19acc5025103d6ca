"""Puts what each claim fixes beforehand into docs/claims.md: `python -m docs.write_rules`.

What the lecture says, what is measured, and the rules, as they stand in `experiments/`.
"""

from collections.abc import Mapping
from pathlib import Path

from jaxnets.claims.verdicts import Rule
from jaxnets.experiments.lecture import CLAIMS
from jaxnets.runs.experiment import Claim

PAGE = Path(__file__).parent / "claims.md"
BEGIN, END = "<!-- rules -->\n", "<!-- end of rules -->"


def section(claim: Claim) -> str:
    """What a claim fixes beforehand."""
    head = f"### {claim.name}\n\n*{claim.about}*\n\n"
    told = f"The lecture: {claim.lecture}\n\nMeasured: {claim.measured}\n\n"
    core = {name: rule for name, rule in claim.rules.items() if rule.core}
    side = {name: rule for name, rule in claim.rules.items() if not rule.core}
    return f"{head}{told}{_rules('Core', core)}{_rules('Side', side)}Rules `{claim.fingerprint}`.\n\n"


def _rules(title: str, rules: Mapping[str, Rule]) -> str:
    if not rules:
        return ""
    items = [
        " ".join(filter(None, [f"- `{name}` ({rule.kind}): {rule.statement}", rule.in_words, rule.reason, rule.power]))
        for name, rule in rules.items()
    ]
    return f"{title}:\n\n" + "\n".join(items) + "\n\n"


def with_rules(page: str) -> str:
    """The text of docs/claims.md with the sections in their place."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{''.join(map(section, CLAIMS.values()))}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_rules(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

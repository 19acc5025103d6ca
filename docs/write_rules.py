"""Writes what each claim fixes in advance into docs/claims.md: `python -m docs.write_rules`.

The lecture, what is measured, and the rules, from `experiments/`.
"""

from pathlib import Path

from jaxnets.claims.verdicts import Rule, in_unit
from jaxnets.experiments.lecture import CLAIMS
from jaxnets.runs.experiment import Claim

PAGE = Path(__file__).parent / "claims.md"
BEGIN, END = "<!-- rules -->\n", "<!-- end of rules -->"


def section(claim: Claim) -> str:
    """What a claim fixes in advance: a row for each part, and why its bound is what it is."""
    rows = "\n".join(_row(name, rule) for name, rule in claim.rules.items())
    reasons: dict[str, list[str]] = {}
    for name, rule in claim.rules.items():
        if reason := f"{rule.reason} {rule.power}".strip():
            reasons.setdefault(reason, []).append(f"`{name}`")
    bounds = " ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
    text = (
        f"### {claim.name}\n\n*{claim.about}*\n\nThe lecture: {claim.lecture} Measured: {claim.measured}\n\n"
        f"| part | kind | statement | supported | contradicted |\n| --- | --- | --- | --- | --- |\n{rows}\n\n"
    )
    return f"{text}{bounds}{' ' if bounds else ''}Rules `{claim.fingerprint}`.\n\n"


def _row(name: str, rule: Rule) -> str:
    low, bound, beyond = (in_unit(number, rule.unit) for number in (-rule.bound, rule.bound, rule.beyond))
    supported, contradicted = {
        "exact": ("holds", "does not"),
        "above": (f"> {bound}", f"< {beyond}"),
        "below": (f"< {bound}", f"> {beyond}"),
        "within": (f"{low} to {bound}", "beyond it"),
    }[rule.test]
    tasks = f", {rule.over}" if rule.over else ""
    kind = rule.kind if rule.core else f"{rule.kind}, side"
    return f"| `{name}` | {kind} | {rule.statement} | {supported}{tasks} | {contradicted} |"


def with_rules(page: str) -> str:
    """The text of docs/claims.md with the sections in their place."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{''.join(map(section, CLAIMS.values()))}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_rules(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

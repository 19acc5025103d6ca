"""One page of findings as a single HTML file, and their verdicts as a table in Markdown."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxnets.evidence.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED, count
from jaxnets.report import pages
from jaxnets.report.findings import Finding, cells

MARKS = {SUPPORTED: "✓", CONTRADICTED: "✗", MIXED: "±", INCONCLUSIVE: "?"}
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"


@dataclass(frozen=True)
class Section:
    """One claim of the page.

    Attributes:
      name: of its experiment.
      claim: the sentence.
      finding: of the experiment; None if there is none.
      directory: the run directory that holds the figures.
      problem: why there is no finding.
    """

    name: str
    claim: str
    finding: Finding | None
    directory: Path
    problem: str = ""


def html(title: str, introduction: str, sections: Sequence[Section], about: str) -> str:
    """The page in one file, figures included: it opens without a network.

    Args:
      title: of the page.
      introduction: a paragraph at its top.
      sections: in their order.
      about: when and on what machine it was made.
    """
    return pages.render(
        "page.html",
        title=title,
        introduction=introduction,
        sections=[_content(section) for section in sections],
        count=count([section.finding.verdict.outcome for section in sections if section.finding]),
        about=about,
        marks=MARKS,
    )


def _content(section: Section) -> dict[str, Any]:
    """What the template needs of a section."""
    content: dict[str, Any] = {"name": section.name, "claim": section.claim, "problem": section.problem}
    if section.finding is None:
        return content | {"outcome": "not run"}
    finding = section.finding
    return content | {
        "outcome": finding.verdict.outcome,
        "parts": finding.verdict.parts,
        "setting": finding.setting,
        "command": finding.command,
        "seconds": f"{finding.seconds:.0f}",
        "pictures": [
            {"name": name, "caption": caption, "source": _embedded(section.directory / "figures" / f"{name}.svg")}
            for name, caption in finding.pictures.items()
        ],
        "tables": [
            {"title": title, "columns": list(table.columns), "rows": cells(table)}
            for title, table in finding.tables.items()
        ],
    }


def _embedded(path: Path) -> str:
    """An SVG as a data URL."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"


def markdown(sections: Sequence[Section]) -> str:
    """A row for each claim: the claim, its verdict, and the evidence of the first part with that outcome."""
    lines = ["| claim | verdict | evidence |", "| --- | --- | --- |"]
    for section in sections:
        if section.finding is None:
            lines.append(f"| {section.claim} `{section.name}` | not run | {section.problem} |")
            continue
        verdict = section.finding.verdict
        decisive = verdict.headline
        evidence = f"{decisive.statement} {decisive.evidence}".replace("|", "\\|")
        lines.append(f"| {section.claim} `{section.name}` | {MARKS[verdict.outcome]} {verdict.outcome} | {evidence} |")
    return "\n".join(lines) + "\n"


def insert(text: str, table: str) -> str:
    """A text with the table put between the two marks.

    Raises:
      ValueError: if it lacks one of the marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there are no lines '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n{table}{END}{after}"

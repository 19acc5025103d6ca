"""A finding is what an experiment says of its claim: shown on the console, and stored as JSON for pages."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.text import Text

from jaxnets.evidence.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED, OnTask, Part, Verdict
from jaxnets.report.tables import cell, print_table

FILE = "finding.json"
_STYLES = {SUPPORTED: "bold green", CONTRADICTED: "bold red", MIXED: "bold magenta", INCONCLUSIVE: "bold yellow"}


@dataclass(frozen=True)
class Finding:
    """What an experiment says of its claim.

    Attributes:
      name: of the experiment.
      claim: the sentence that was put to the test.
      lecture: what the lecture says.
      measured: what was measured.
      rules: the hash of what was fixed before any run.
      verdict: on the claim.
      setting: the data and the number of runs that the verdict rests on.
      command: the command line that repeats the experiment.
      programs: that were compiled.
      seconds: the time that the experiment took.
      tables: by title; the names of the columns are for the reader.
      pictures: a caption for each, by the name of its file.
    """

    name: str
    claim: str
    lecture: str
    measured: str
    rules: str
    verdict: Verdict
    setting: str
    command: str
    programs: int
    seconds: float
    tables: Mapping[str, pd.DataFrame]
    pictures: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The finding as lists, dictionaries and texts; the cells of the tables as `cells` gives them."""
        tables = [{"title": title, "columns": list(t.columns), "rows": cells(t)} for title, t in self.tables.items()]
        return {**vars(self), "verdict": asdict(self.verdict), "tables": tables, "pictures": dict(self.pictures)}


def read(directory: Path) -> Finding | None:
    """The finding of a run directory; None if there is none, or it cannot be read."""
    try:
        content = json.loads((directory / FILE).read_text(encoding="utf-8"))
        tables = {one["title"]: pd.DataFrame(one["rows"], columns=one["columns"]) for one in content["tables"]}
        verdict = _verdict(content["verdict"])
        return Finding(**{**content, "verdict": verdict, "tables": tables})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _verdict(content: Mapping[str, Any]) -> Verdict:
    parts = [Part(**{**part, "tasks": tuple(OnTask(**on) for on in part["tasks"])}) for part in content["parts"]]
    return Verdict(tuple(parts), content["blocks"])


def cells(table: pd.DataFrame) -> list[list[str]]:
    """The cells of a table as texts; numbers have three digits."""
    return [[cell(value) for value in row] for row in table.itertuples(index=False)]


def print_finding(console: Console, finding: Finding, directory: Path) -> None:
    """Prints the claim, its setting, the tables, the verdict, and the paths of the pictures."""
    console.print(Text(f"Claim: {finding.claim}", style="bold"))
    console.print(f"Setting: {finding.setting}", highlight=False)
    for title, table in finding.tables.items():
        print_table(console, title, [str(name) for name in table.columns], cells(table))
    for part in finding.verdict.parts:
        mark = Text(f"  {part.outcome}: ", style=_STYLES[part.outcome])
        side = "" if part.core else " (side)"
        console.print(mark + Text(f"{part.statement} {part.evidence}. {part.rule} [{part.kind}{side}]", style="none"))
    outcome, stability = finding.verdict.outcome, finding.verdict.stability
    console.print(
        Text("Verdict: ", style="bold") + Text(outcome, style=_STYLES[outcome]) + Text(stability and f", {stability}")
    )
    for name in finding.pictures:
        console.print(f"Figure: {directory / 'figures' / name}.png", soft_wrap=True, highlight=False)

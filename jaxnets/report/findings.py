"""A finding is what an experiment says of its claim: shown on the console, and stored as JSON for pages."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from jaxnets import schema
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, NOT_TESTED, SUPPORTED, Part, Verdict
from jaxnets.errors import UserError
from jaxnets.report.bars import short_effect
from jaxnets.report.tables import cell, print_table

FILE = "finding.json"
_STYLES = {
    SUPPORTED: "bold green",
    CONTRADICTED: "bold red",
    MIXED: "bold magenta",
    INCONCLUSIVE: "bold yellow",
    NOT_TESTED: "dim",
}


@dataclass(frozen=True)
class Finding:
    """What an experiment says of its claim."""

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
        """The finding as lists, dictionaries and texts, with None for a number that is not finite."""
        tables = [{"title": title, "columns": list(t.columns), "rows": cells(t)} for title, t in self.tables.items()]
        content = {**vars(self), "verdict": asdict(self.verdict), "tables": tables, "pictures": dict(self.pictures)}
        return {name: _finite(value) for name, value in content.items()}


_SHAPE = schema.shape_of(Finding) | {"tables": [{"title": str, "columns": [str], "rows": [[str]]}]}
_NAME = re.compile(r"[\w-]{1,100}")


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: None in their place, at any depth."""
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read(directory: Path) -> Finding | None:
    """The finding of a run directory; None if there is none, or it cannot be read."""
    try:
        content = schema.read_json(directory / FILE, _SHAPE)
    except (FileNotFoundError, UserError):
        return None
    ragged = any(len(row) != len(one["columns"]) for one in content["tables"] for row in one["rows"])
    if ragged or not all(_NAME.fullmatch(name) for name in content["pictures"]):  # these are names of files
        return None
    tables = {one["title"]: pd.DataFrame(one["rows"], columns=one["columns"]) for one in content["tables"]}
    return Finding(**{**content, "verdict": schema.made(Verdict, content["verdict"]), "tables": tables})


def cells(table: pd.DataFrame) -> list[list[str]]:
    """The cells of a table as texts; numbers have three digits."""
    return [[cell(value) for value in row] for row in table.itertuples(index=False)]


def print_finding(console: Console, finding: Finding, directory: Path) -> None:
    """Prints the claim, its setting, the tables, what decides and by which rule, the rest, and the verdict."""
    console.print(Text(f"Claim: {finding.claim}", style="bold"))
    console.print(Text(f"Setting: {finding.setting}"))
    for title, table in finding.tables.items():
        print_table(console, title, [str(name) for name in table.columns], cells(table))
    verdict = finding.verdict
    console.print(Text("What decides", style="bold"))
    for rule, same in groupby(verdict.core, lambda part: part.rule):
        for part in same:
            _print_part(console, part)
            console.print(Padding(Text(_sentence(part.evidence)), (0, 0, 0, 4)))
        console.print(Padding(Text(f"Rule: {rule}", style="dim"), (0, 0, 0, 4)))
    if side := [part for part in verdict.parts if not part.core]:
        console.print(Text("What we add; it decides nothing", style="bold"))
    for part in side:
        _print_part(console, part, short_effect(part))
    stability = f" ({verdict.stability})" if verdict.stability else ""
    console.print(Text.assemble(("Verdict: ", "bold"), (verdict.in_words, _STYLES[verdict.outcome]), stability))
    for name in finding.pictures:
        console.print(Text(f"Figure: {directory / 'figures' / name}.png"), soft_wrap=True)


def _print_part(console: Console, part: Part, more: str = "") -> None:
    """The outcome, the kind and the statement; what goes on in the next line is indented."""
    told = f" ({part.kind}): {part.statement} {more}".rstrip()
    text = Text.assemble((part.outcome, _STYLES[part.outcome]), told)
    console.print(Padding(text, (0, 0, 0, 2)))


def _sentence(text: str) -> str:
    """A text that ends with a full stop."""
    return text if text.endswith(".") else f"{text}."

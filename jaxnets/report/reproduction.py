"""What training a run directory again has given, on the console."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rich.console import Console

from jaxnets.evidence.repetition import Repeated
from jaxnets.report.tables import table


class Reproduced(Protocol):
    """See `jaxnets.lab.reproducing.Reproduction`."""

    tables: Sequence[Repeated]
    verdicts: Sequence[str]
    causes: Sequence[str]
    left_out: int
    outcome: str


def print_reproduction(console: Console, directory: Path, found: Reproduced) -> None:
    """Prints a line for each table, the verdicts, the outcome, and what may be its cause."""
    rows = [[one.table, f"{one.rows:,}", one.outcome, _worst(one)] for one in found.tables]
    console.print(table(f"{directory}, trained again", ["table", "rows", "outcome", "differs most"], rows))
    if found.left_out:
        console.print(f"{found.left_out:,} runs had been interrupted, and are left out.")
    if found.verdicts:
        before, now = found.verdicts
        console.print(f"Verdict: {now}, as before." if before == now else f"Verdict: {before} before, {now} now.")
    console.print(f"{found.outcome.capitalize()}.")
    for cause in found.causes:
        console.print(f"  {cause}", soft_wrap=True)
    if found.outcome != "bit-equal" and not found.causes:
        console.print("  Versions, devices, code and data are the same.")


def _worst(one: Repeated) -> str:
    return f"{one.worst} by {one.difference:.2g} at {one.first}" if one.worst else ""

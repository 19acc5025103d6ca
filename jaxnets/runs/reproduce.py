"""A run directory, trained again beside itself: whether the same numbers came out, and if not, why that may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from jaxnets.claims import repetition
from jaxnets.claims.repetition import Repeated
from jaxnets.engine import sweep
from jaxnets.errors import UserError
from jaxnets.plugins import Trust
from jaxnets.report import claims_page
from jaxnets.report.console import Table, Terminal
from jaxnets.runs import directory as run_directory
from jaxnets.runs.experiment import Experiment, repeated, run


@dataclass(frozen=True)
class Reproduction:
    """What training again gave: a comparison of each table, the verdicts of a claim, and what differs around it."""

    tables: tuple[Repeated, ...]
    verdicts: tuple[str, ...]
    causes: tuple[str, ...]
    left_out: int

    @property
    def outcome(self) -> repetition.Outcome:
        """That of all tables together."""
        return repetition.whole(self.tables)


def reproduce(
    directory: Path, experiment: Experiment, output: Path, trusted: Trust, tolerance: float, progress: Console | None
) -> Reproduction:
    """Trains again what the `config.json` of a run directory asks for, into another folder, and compares the tables."""
    if objects := run_directory.read_config(directory).get("not_repeatable"):
        raise UserError(f"'{directory}' cannot be repeated: {objects}")
    before = run_directory.read_tables(directory)
    changed = {"output": str(output), "export": None, "tensorboard": False}
    config = repeated(experiment, directory / run_directory.CONFIG, changed, trusted)
    sweep.configure(config)
    results, _ = run(experiment, config, Terminal(quiet=True), progress)
    if results.interrupted:
        raise KeyboardInterrupt
    left_out = set(before["runs"]["run"][before["runs"]["status"] == "interrupted"])
    tables = []
    for name, old in before.items():
        if len(old):
            there = (output / f"{name}.parquet").exists()
            new = run_directory.read_table(output, name) if there else pd.DataFrame({"run": []})
            kept, again = (one[~one["run"].isin(left_out)] for one in (old, new))
            tables.append(repetition.compare(name, kept, again, tolerance))
    found = [claims_page.read(folder) for folder in (directory, output) if (folder / claims_page.FILE).exists()]
    verdicts = tuple(one.verdict.outcome for one in found if one) if len(found) == 2 else ()
    then, now = (run_directory.read_environment(folder) for folder in (directory, output))
    return Reproduction(tuple(tables), verdicts, causes(then, now), len(left_out))


def causes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """In what two `environment.json` differ that can change numbers, a sentence each.

    >>> causes({"python": "3.11.7", "versions": {"jax": "0.9"}}, {"python": "3.11.7", "versions": {"jax": "0.10"}})
    ('jax: 0.9 was used, and 0.10 is.',)
    """

    def facts(environment: Mapping[str, Any]) -> dict[str, Any]:
        machine = {name: environment.get(name) for name in ("python", "machine", "devices", "git_commit")}
        data = {f"data '{one['name']}'": one["fingerprint"][:12] for one in environment.get("data", [])}
        return {**machine, **environment.get("versions", {}), **data}

    before, now = facts(old), facts(new)

    def shown(value: Any) -> str:
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    return tuple(
        f"{name}: {shown(before[name])} was used, and {shown(now.get(name))} is."
        for name in before
        if before[name] != now.get(name)
    )


def show(console: Console, directory: Path, found: Reproduction) -> None:
    """Prints a line for each table, the verdicts, the outcome, and what may be its cause."""
    worst = [f"{one.worst} by {one.difference:.2g} at {one.first}" if one.worst else "" for one in found.tables]
    about = zip(found.tables, worst, strict=True)
    rows = [[one.table, f"{one.rows:,}", one.outcome, differs] for one, differs in about]
    console.print(Table(f"{directory}, trained again", ["table", "rows", "outcome", "differs most"], rows))
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

"""A run directory, trained again beside itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from jaxnets.engine import sweep
from jaxnets.errors import UserError
from jaxnets.evidence import repetition
from jaxnets.evidence.repetition import Repeated
from jaxnets.lab import run_directory, runner
from jaxnets.lab.experiment import Experiment, repeated
from jaxnets.plugins import Trust
from jaxnets.report import findings
from jaxnets.report.console import Terminal

_ENVIRONMENT = ("python", "machine", "devices", "git_commit")


@dataclass(frozen=True)
class Reproduction:
    """What training again gave."""

    tables: tuple[Repeated, ...]
    verdicts: tuple[str, ...]
    causes: tuple[str, ...]
    left_out: int

    @property
    def outcome(self) -> repetition.Outcome:
        """That of all tables together."""
        return repetition.whole(self.tables)


def reproduce(
    directory: Path,
    experiment: Experiment,
    output: Path,
    trusted: Trust,
    tolerance: float,
    progress: Console | None,
) -> Reproduction:
    """Trains again what a run directory holds."""
    before = {name: _table(directory, name) for name in repetition.KEYS}
    train_again(directory, experiment, output, trusted, progress)
    left_out = set(before["runs"]["run"][before["runs"]["status"] == "interrupted"])
    tables = []
    for name, table in before.items():
        if not table.empty:
            old, new = (one[~one["run"].isin(left_out)] for one in (table, _table(output, name)))
            tables.append(repetition.compare(name, old, new, tolerance))
    then, now = (run_directory.read_environment(folder) for folder in (directory, output))
    return Reproduction(tuple(tables), _verdicts(directory, output), causes(then, now), len(left_out))


def train_again(
    directory: Path, experiment: Experiment, output: Path, trusted: Trust, progress: Console | None
) -> None:
    """Carries out what the `config.json` of a run directory asks for, with another folder for its results."""
    if objects := run_directory.read_config(directory).get("not_repeatable"):
        raise UserError(f"'{directory}' cannot be repeated: {objects}")
    changed = {"output": str(output), "export": None, "tensorboard": False}
    config = repeated(experiment, directory / run_directory.CONFIG, changed, trusted)
    sweep.configure(config)
    results, _ = runner.run(experiment, config, Terminal(quiet=True), progress)
    if results.interrupted:
        raise KeyboardInterrupt


def _table(directory: Path, name: str) -> pd.DataFrame:
    """A table; an empty one if the sweep was not asked for it."""
    if name == "predictions" and not (directory / "predictions.parquet").exists():
        return pd.DataFrame()
    return run_directory.read_table(directory, name)


def _verdicts(*folders: Path) -> tuple[str, ...]:
    found = [findings.read(folder) for folder in folders if (folder / findings.FILE).exists()]
    return tuple(one.verdict.outcome for one in found if one) if len(found) == len(folders) else ()


def causes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """In what two `environment.json` differ that can change numbers, a sentence each.

    >>> causes({"python": "3.11.7", "versions": {"jax": "0.9"}}, {"python": "3.11.7", "versions": {"jax": "0.10"}})
    ('jax: 0.9 was used, and 0.10 is.',)
    """
    both = [{name: env.get(name) for name in _ENVIRONMENT} | dict(env.get("versions", {})) for env in (old, new)]
    data = [{f"data '{one['name']}'": one["fingerprint"][:12] for one in env.get("data", [])} for env in (old, new)]
    before, now = ({**environment, **of_data} for environment, of_data in zip(both, data, strict=True))
    return tuple(
        f"{name}: {_shown(before[name])} was used, and {_shown(now.get(name))} is."
        for name in before
        if before[name] != now.get(name)
    )


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""A comparison's tables: the runs that tuned, the final runs, and the protocol that they followed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxnets import io, metrics, schema
from jaxnets.errors import UserError
from jaxnets.stats import estimates, selection

FILE, FORMAT = "comparison.json", 1
TUNING, FINAL = "tuning", "final"
COLUMNS: dict[str, dict[str, str]] = {
    "runs": {
        "run": "whole",
        "model": "text",
        "optimizer": "text",
        "learning_rate": "number",
        "num_steps": "whole",
        "seed": "whole",
        "status": "text",
        **dict.fromkeys(metrics.columns(["dev", "test"]), "number"),
    },
    "curves": {"run": "whole", "step": "whole", **dict.fromkeys(["train_loss", *metrics.columns(["dev"])], "number")},
    "predictions": {"run": "whole", "example": "whole", "label": "whole", "prediction": "whole"},
}
"""What the tables of every run directory have, beside what they have of their own."""


@dataclass(frozen=True)
class TaskFacts:
    """What a reader must know of a task."""

    name: str
    about: str
    target: float
    chance: float
    num_classes: int
    num_train: int
    num_dev: int
    num_test: int
    independent: bool = False

    @property
    def test_share(self) -> float:
        """Examples of a test split over those of its training split, by which repetitions are correlated.

        It is 0 where they share no examples, and NaN where the sizes are unknown. Source: Nadeau & Bengio (2003).
        """
        return 0.0 if self.independent else self.num_test / self.num_train if self.num_train else np.nan


@dataclass(frozen=True)
class Protocol:
    """How the methods were tuned and confirmed; the same for all of them."""

    search: str
    num_trials: int
    num_seeds: int
    final_seeds: int
    num_repeats: int
    spaces: Mapping[str, str] = field(default_factory=dict)
    steps_taken: int = 0
    steps_saved: int = 0
    score: str = metrics.SCORE


SHAPE = {
    "format": FORMAT,
    "by": str,
    "tasks": [schema.shape_of(TaskFacts)],
    "protocol": schema.shape_of(Protocol),
    "unfinished?": [str],
}
"""Of `comparison.json`."""


@dataclass(frozen=True)
class Comparison:
    """The tables of a comparison; `level` is that of the intervals that are made from them."""

    runs: pd.DataFrame
    curves: pd.DataFrame
    predictions: pd.DataFrame
    by: str
    tasks: tuple[TaskFacts, ...]
    protocol: Protocol
    unfinished: tuple[str, ...] = ()
    level: float = estimates.LEVEL

    @cached_property
    def whole(self) -> "Comparison":
        """The tables without the runs of unfinished tasks: half a task compares nothing."""
        runs = self.runs[~self.runs["task"].isin(self.unfinished)]
        others = (self.curves, self.predictions)
        curves, predictions = (table[table["run"].isin(runs["run"])] if len(table) else table for table in others)
        return replace(self, runs=runs, curves=curves, predictions=predictions)

    @property
    def methods(self) -> list[str]:
        """What is compared, in the order of the runs."""
        return list(dict.fromkeys(self.runs[self.by]))

    @cached_property
    def tuned(self) -> tuple[str, ...]:
        """The hyperparameters that were tuned: those that vary within a method, the learning rate in any case."""
        groups = self.phase(TUNING).groupby(["task", self.by], sort=False)
        return tuple(dict.fromkeys(["learning_rate", *(name for _, own in groups for name in selection.varying(own))]))

    @cached_property
    def unit(self) -> str:
        """What repetitions are counted by: `repeat` or `fold` where there are several, else `seed`."""
        return selection.unit(self.runs)

    @cached_property
    def groups(self) -> list[str]:
        """What a setting is chosen for: each method, in each repeat."""
        return [self.by, "repeat"] if self.unit == "repeat" else [self.by]

    @cached_property
    def reporting(self) -> pd.DataFrame:
        """The runs that report: those that confirm, or where there are none those of the chosen settings."""
        final = self.phase(FINAL)
        if len(final):
            return final
        tasks = self.phase(TUNING).groupby("task", sort=False)
        chosen = [selection.at_best(runs, self.groups, self.protocol.score) for _, runs in tasks]
        return pd.concat(chosen) if chosen else self.runs.iloc[:0]

    def phase(self, name: str) -> pd.DataFrame:
        """The runs that tuned, or those that confirm."""
        return self.runs[self.runs["phase"] == name]


def write(directory: Path, comparison: Comparison) -> None:
    """Writes a comparison into a run directory, the runs last."""
    about = {
        "format": FORMAT,
        "by": comparison.by,
        "tasks": [{**asdict(task), "target": None if isnan(task.target) else task.target} for task in comparison.tasks],
        "protocol": asdict(comparison.protocol),
        "unfinished": list(comparison.unfinished),
    }
    io.write_json(directory / FILE, about)
    io.write_table(directory / "curves.parquet", comparison.curves)
    if not comparison.predictions.empty:
        io.write_table(directory / "predictions.parquet", comparison.predictions)
    io.write_table(directory / "runs.parquet", comparison.runs)


def read(directory: Path) -> Comparison:
    """The comparison of a run directory."""
    path = directory / FILE
    tables: dict[str, Any] = {"predictions": pd.DataFrame()}
    try:
        about = schema.read_json(path, SHAPE)
        for name, columns in COLUMNS.items():
            own = {about["by"]: "", "task": "text", "phase": "text"} if name == "runs" else {}
            if name != "predictions" or (directory / "predictions.parquet").exists():  # which may not have been kept
                tables[name] = schema.read_table(directory / f"{name}.parquet", own | columns)
    except FileNotFoundError as error:
        raise UserError(f"'{directory}' holds no comparison: there is no {Path(error.filename).name}.") from None
    tasks = tuple(schema.made(TaskFacts, task) for task in about["tasks"])
    unfinished = tuple(about.get("unfinished", ()))
    if unknown := set(tables["runs"]["task"]) - {*unfinished, *(task.name for task in tasks)}:
        raise UserError(f"{path}: cannot be read: it tells nothing of the task '{min(map(str, unknown))}'.")
    protocol = schema.made(Protocol, about["protocol"])
    return Comparison(**tables, by=about["by"], tasks=tasks, protocol=protocol, unfinished=unfinished)

"""Carries out a comparison: contestants are tuned alike, and their choices confirmed on fresh seeds, task by task."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from jaxnets import tasks
from jaxnets.comparison import table as comparison_table
from jaxnets.comparison.table import CONFIRMATION, TUNING, Protocol, Study, TaskFacts
from jaxnets.config.config import Config
from jaxnets.config.values import Range, choices, show
from jaxnets.engine.keep import KEEP_NONE
from jaxnets.engine.results import Trained
from jaxnets.engine.sweep import Sweep, again, prepare
from jaxnets.engine.table import are_independent, check_runs, without_strangers
from jaxnets.plugins import OPTIMIZER, SCHEDULE
from jaxnets.runs import observe, run_directory, session
from jaxnets.stats import selection
from jaxnets.tasks import BenchmarkTask


@dataclass(frozen=True)
class Part:
    """A task of a comparison before its first step."""

    facts: TaskFacts
    sweep: Sweep


@dataclass(frozen=True)
class Contest:
    """Who is compared, and how each is chosen and confirmed."""

    by: str
    confirm_seeds: int
    score: str = "dev_accuracy"
    label: Callable[[pd.DataFrame], pd.Series] | None = None

    def labelled(self, trained: Trained) -> Trained:
        """The runs with their contestants named."""
        return (
            replace(trained, runs=trained.runs.assign(**{self.by: self.label(trained.runs)})) if self.label else trained
        )


@dataclass
class Gathered:
    """What the tasks so far have given."""

    config: Config
    contest: Contest
    tasks: list[TaskFacts] = field(default_factory=list)
    runs: list[pd.DataFrame] = field(default_factory=list)
    curves: list[pd.DataFrame] = field(default_factory=list)
    predictions: list[pd.DataFrame] = field(default_factory=list)
    steps: tuple[int, int] = (0, 0)
    unfinished: list[str] = field(default_factory=list)

    def add(self, trained: Trained, task: TaskFacts, phase: str) -> None:
        """Adds the runs of a sweep, numbered after those before."""
        first = sum(map(len, self.runs))
        self.runs.append(_numbered(trained.runs, first).assign(task=task.name, phase=phase))
        self.curves.append(_numbered(trained.curves, first))
        reports = phase == CONFIRMATION or not self.contest.confirm_seeds
        if reports and len(trained.predictions):
            self.predictions.append(_numbered(trained.predictions, first))
        self.steps = self.steps[0] + trained.steps_taken, self.steps[1] + trained.steps_saved

    def including(self, trained: Trained, task: TaskFacts, phase: str) -> "Gathered":
        """What there is with a sweep that still runs."""
        tables = [list(of_sweeps) for of_sweeps in (self.runs, self.curves, self.predictions)]
        found = replace(self, runs=tables[0], curves=tables[1], predictions=tables[2])
        found.add(trained, task, phase)
        return found

    def study(self) -> Study:
        """The tables, and how they came about."""
        runs = _joined(self.runs)
        protocol = Protocol(
            search=self.config.search,
            num_trials=trials(runs, self.contest.by),
            num_seeds=self.config.num_seeds,
            confirm_seeds=self.contest.confirm_seeds,
            num_blocks=self.config.num_blocks,
            spaces=spaces(self.config, self.contest.by),
            steps_taken=self.steps[0],
            steps_saved=self.steps[1],
            score=self.contest.score,
        )
        predictions = pd.concat(self.predictions, ignore_index=True) if self.predictions else pd.DataFrame()
        curves = pd.concat(self.curves, ignore_index=True)
        of_tasks = tuple(self.tasks), protocol, tuple(self.unfinished)
        return Study(runs, curves, predictions, self.contest.by, *of_tasks)


def _numbered(table: pd.DataFrame, first: int) -> pd.DataFrame:
    return table.assign(run=table["run"] + first)


def parts(
    config: Config,
    wanted: Sequence[str],
    takes: str = "",
    changes: Callable[[BenchmarkTask | None], Mapping[str, Any]] = lambda task: {},
) -> Iterator[Part]:
    """The tasks of a comparison, each checked: those of the suite, or the data set of the configuration."""
    if seeds := config.options.get("confirm_seeds"):
        check_runs({"num_blocks": config.num_blocks, "confirm_seeds": seeds})
    found = tasks.find(",".join(wanted)) if list(wanted) != ["own"] else (None,)
    for task in found:
        values = changes(task)
        own = (config if task is None else of_task(config, task)).changed(**values)
        of_several = task.name if task and len(found) > 1 else ""  # so that tasks do not share the luck of their draws
        sweep = prepare(without_strangers(own, values) if values else own, takes, of_several)
        yield Part(_facts(sweep, task), sweep)


def of_task(config: Config, task: BenchmarkTask) -> Config:
    """The configuration on a task of the suite: its data, model, sizes and budget in place of the configuration's."""
    own = {name: value for name, value in config.arguments.items() if name in _own_arguments(config)}
    plain = without_strangers(config.changed(**dict.fromkeys(config.arguments)), ())
    return without_strangers(plain.changed(**own, **task.values), task.values)


def _own_arguments(config: Config) -> set[str]:
    """The arguments of the optimizers and schedules; those of the model and the data set belong to the task."""
    given = [(OPTIMIZER, config.optimizer), (SCHEDULE, config.schedule)]
    return {name for kind, values in given for value in choices(values) for name in kind.find(value).arguments}


def _facts(sweep: Sweep, task: BenchmarkTask | None) -> TaskFacts:
    """What is to be known of a task; chance is the share of the largest class of the test examples."""
    dataset = sweep.folds[0]
    largest = np.bincount(dataset.test.labels).max() / len(dataset.test)
    return TaskFacts(
        name=task.name if task else dataset.name,
        about=task.about if task else "",
        target=task.target if task else np.nan,
        chance=task.chance if task else float(largest),
        num_classes=dataset.num_classes,
        num_train=len(dataset.train),
        num_dev=len(dataset.dev),
        num_test=len(dataset.test),
        independent=are_independent(sweep.config),
    )


def carry_out(
    config: Config, by: str, wanted: Sequence[Part], directory: Path, console: Console | None
) -> tuple[Study, Trained]:
    """Tunes and confirms on each task; what is found is written as soon as a task is done."""
    contest = Contest(by, config.options["confirm_seeds"])
    gathered = Gathered(config, contest)
    gathered.unfinished = [part.facts.name for part in wanted]
    for part in wanted:
        for phase, trained in stages(part, contest, console, directory, gathered):
            gathered.add(trained, part.facts, phase)
            if trained.interrupted:
                comparison_table.write(directory, gathered.study())
                return gathered.study(), trained
        gathered.tasks.append(part.facts)
        gathered.unfinished.remove(part.facts.name)
        comparison_table.write(directory, gathered.study())
    return gathered.study(), trained


def stages(
    part: Part, contest: Contest, console: Console | None, directory: Path | None, gathered: Gathered | None = None
) -> Iterator[tuple[str, Trained]]:
    """The runs that tune on a task, and those that confirm; only the latter keep their parameters.

    With what the tasks before have gathered, the run directory holds the comparison so far while they are trained.
    """
    seeds, tuning = contest.confirm_seeds, part.sweep
    parts = directory and directory / run_directory.PARTS

    def train(sweep: Sweep, phase: str, notes: Console | None) -> Trained:
        def save(runs: pd.DataFrame, curves: pd.DataFrame) -> None:
            so_far = contest.labelled(Trained(sweep.config, runs, curves))
            if directory is not None and gathered is not None:
                comparison_table.write(directory, gathered.including(so_far, part.facts, phase).study())

        logs = directory / observe.LOGS / f"{part.facts.name} {phase}" if directory and gathered else None
        return contest.labelled(session.carry_out(sweep, None, console, notes, parts, logs, save if logs else None))

    if seeds:
        quiet = part.sweep.config.changed(keep="none", export=None, predictions=False)
        tuning = replace(part.sweep, config=quiet, options=part.sweep.options._replace(keeping=KEEP_NONE))
    tuned = train(tuning, TUNING, console)
    yield TUNING, tuned
    if seeds:
        confirming = confirmation(part.sweep, tuned.runs, contest.by, seeds, contest.score)
        yield CONFIRMATION, train(confirming, CONFIRMATION, None)


def confirmation(sweep: Sweep, runs: pd.DataFrame, by: str, seeds: int, score: str = "dev_accuracy") -> Sweep:
    """The chosen setting of each contestant, in each block, in all folds, on seeds that had no part in the choice."""
    best = selection.best_configurations(runs, [by, "block"] if "block" in runs else [by], score)
    fresh = int(runs["seed"].max()) + 1
    rows = []
    for _, one in best.iterrows():
        first = fresh + int(one.get("block", 0)) * seeds
        members = runs[runs["run"].isin(one["members"])]
        chosen = members.drop_duplicates("fold") if "fold" in members else members.head(1)
        rows += [(int(run), first + number) for run in chosen["run"] for number in range(seeds)]
    return again(sweep, rows)


def _joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The runs of all tasks; what only some tasks have as a hyperparameter stands among the hyperparameters."""
    names = list(dict.fromkeys(name for table in tables for name in selection.hyperparameters(table)))
    rest = [name for name in tables[0].columns if name not in ("run", *names)] if tables else []
    return pd.concat(tables, ignore_index=True)[["run", *names, *rest]] if tables else pd.DataFrame()


def trials(runs: pd.DataFrame, by: str) -> int:
    """The settings of each contestant in a block, of that which has the most."""
    tuning = runs[runs["phase"] == TUNING]
    keys = [name for name in ("task", by, "block", "fold") if name in tuning]
    return int((tuning.groupby(keys).size() / tuning.groupby(keys)["seed"].nunique()).max())


def spaces(config: Config, by: str) -> dict[str, str]:
    """What is tuned, in words: the values or the range of each hyperparameter that has several."""
    values = {name: value for name, value in config.values().items() if name not in (by, "seed")}
    return {name: _space(value, config.search) for name, value in values.items() if isinstance(value, list | Range)}


def _space(value: Any, search: str) -> str:
    if isinstance(value, Range):
        spaced = "in its logarithm" if value.logarithmic else "evenly"
        count = f", {value.count} values" if value.count and search == "grid" else ""
        return f"{value.low:g} to {value.high:g} {spaced}{count}"
    return ", ".join(str(show(one)) for one in value)

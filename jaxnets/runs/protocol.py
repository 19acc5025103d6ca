"""The protocol of a comparison: methods are tuned alike, and confirmed on fresh seeds, task by task."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console

from jaxnets import tasks
from jaxnets.comparison import table as comparison_table
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol, TaskFacts
from jaxnets.config.config import Config
from jaxnets.config.values import Range, choices, show
from jaxnets.engine.keep import KEEP_NONE
from jaxnets.engine.results import Trained
from jaxnets.engine.sweep import Sweep, again, prepare
from jaxnets.engine.table import are_independent, check_runs, without_strangers
from jaxnets.plugins import OPTIMIZER, SCHEDULE
from jaxnets.runs import directory as run_directory
from jaxnets.runs import observe, train
from jaxnets.stats import selection
from jaxnets.tasks import BenchmarkTask

Changes = Callable[[BenchmarkTask | None], Mapping[str, Any]]
"""From a task (None for the configuration's own data) to values that take the place of its own."""


@dataclass(frozen=True)
class Part:
    """A task of a comparison before its first step."""

    facts: TaskFacts
    sweep: Sweep


@dataclass(frozen=True)
class Contest:
    """Who is compared, and how each is chosen and confirmed."""

    by: str
    final_seeds: int
    score: str = "dev_accuracy"
    label: Callable[[pd.DataFrame], pd.Series] | None = None


class Stage(NamedTuple):
    """The runs that tuned on a task, or those that confirmed."""

    task: TaskFacts
    phase: str
    trained: Trained


@dataclass(frozen=True)
class Studied:
    """What a comparison gave; `reporting` are by task the runs that report."""

    comparison: Comparison
    stages: Sequence[Stage]

    @property
    def trained(self) -> tuple[Trained, ...]:
        """All sweeps, in their order."""
        return tuple(stage.trained for stage in self.stages)

    @property
    def reporting(self) -> Mapping[str, Trained]:
        """The runs that report, by task."""
        return {stage.task.name: stage.trained for stage in self.stages}


def parts(config: Config, wanted: Sequence[str], takes: str = "", changes: Changes = lambda task: {}) -> Iterator[Part]:
    """The tasks of a comparison, each checked: those of the suite, or the data set of the configuration."""
    if seeds := config.options.get("final_seeds"):
        check_runs({"num_repeats": config.num_repeats, "final_seeds": seeds})
    found = tasks.find(",".join(wanted)) if list(wanted) != ["own"] else (None,)
    for task in found:
        values = changes(task)
        own = (config if task is None else of_task(config, task)).changed(**values)
        of_several = task.name if task and len(found) > 1 else ""  # so that tasks do not share the luck of their draws
        sweep = prepare(without_strangers(own, values) if values else own, takes, of_several)
        data = sweep.folds[0]
        facts = TaskFacts(
            name=task.name if task else data.name,
            about=task.about if task else "",
            target=task.target if task else np.nan,
            chance=task.chance if task else run_directory.chance(data),
            num_classes=data.num_classes,
            num_train=len(data.train),
            num_dev=len(data.dev),
            num_test=len(data.test),
            independent=are_independent(sweep.config),
        )
        yield Part(facts, sweep)


def of_task(config: Config, task: BenchmarkTask) -> Config:
    """The configuration on a task of the suite: its data, model, sizes and budget in place of the configuration's."""
    given = [(OPTIMIZER, config.optimizer), (SCHEDULE, config.schedule)]
    names = {name for kind, values in given for value in choices(values) for name in kind.find(value).arguments}
    own = {name: value for name, value in config.arguments.items() if name in names}
    plain = without_strangers(config.changed(**dict.fromkeys(config.arguments)), ())
    return without_strangers(plain.changed(**own, **task.values), task.values)


def carry_out(
    config: Config,
    contest: Contest,
    wanted: Iterable[Part],
    console: Console | None,
    directory: Path | None = None,
    *,
    writes: bool = False,
) -> Studied:
    """Tunes and confirms on each task, the parts of both in the run directory.

    Where it writes, the directory holds the comparison so far while it runs, and Ctrl-C ends it with what there is.
    """
    stages: list[Stage] = []
    wanted = list(wanted) if writes else wanted
    unfinished = [part.facts.name for part in wanted] if writes else []

    def save(*of_running: Stage) -> None:
        if writes and directory:
            comparison_table.write(directory, comparison_of(config, contest, [*stages, *of_running], unfinished))

    def carried_out(task: TaskFacts, sweep: Sweep, phase: str) -> bool:
        def stage(trained: Trained) -> Stage:
            names = {contest.by: contest.label(trained.runs)} if contest.label else {}
            return Stage(task, phase, replace(trained, runs=trained.runs.assign(**names)))

        trained = train.carry_out(
            sweep,
            None,
            console,
            notes=phase == TUNING,
            parts=directory and directory / run_directory.PARTS,
            logs=directory / observe.LOGS / f"{task.name} {phase}" if directory and writes else None,
            save=(lambda runs, curves: save(stage(Trained(sweep.config, runs, curves)))) if writes else None,
        )
        stages.append(stage(trained))
        if trained.interrupted and not writes:
            raise KeyboardInterrupt
        return not trained.interrupted

    for part in wanted:
        tuning, seeds = part.sweep, contest.final_seeds
        if seeds:  # only the final runs keep their parameters
            quiet = part.sweep.config.changed(keep="none", export=None, predictions=False)
            tuning = replace(part.sweep, config=quiet, options=part.sweep.options._replace(keeping=KEEP_NONE))
        whole = carried_out(part.facts, tuning, TUNING)
        if whole and seeds:
            final = final_runs(part.sweep, stages[-1].trained.runs, contest.by, seeds, contest.score)
            whole = carried_out(part.facts, final, FINAL)
        if whole and writes:
            unfinished.remove(part.facts.name)
        save()
        if not whole:
            break
    return Studied(comparison_of(config, contest, stages, unfinished), stages)


def final_runs(sweep: Sweep, runs: pd.DataFrame, by: str, seeds: int, score: str = "dev_accuracy") -> Sweep:
    """The chosen setting of each method, in each repeat, in all folds, on seeds that had no part in the choice."""
    best = selection.best_configurations(runs, [by, "repeat"] if "repeat" in runs else [by], score)
    fresh = int(runs["seed"].max()) + 1
    rows = []
    for _, one in best.iterrows():
        first = fresh + int(one.get("repeat", 0)) * seeds
        members = runs[runs["run"].isin(one["members"])]
        chosen = members.drop_duplicates("fold") if "fold" in members else members.head(1)
        rows += [(int(run), first + number) for run in chosen["run"] for number in range(seeds)]
    return again(sweep, rows)


def comparison_of(
    config: Config, contest: Contest, stages: Sequence[Stage], unfinished: Sequence[str] = ()
) -> Comparison:
    """The tables of all stages, their runs numbered through; what only some tasks vary is a hyperparameter of all."""
    tables: dict[str, list[pd.DataFrame]] = {"runs": [], "curves": [], "predictions": []}
    first = 0
    for task, phase, trained in stages:
        reports = phase == FINAL or not contest.final_seeds
        for name, of_sweeps in tables.items():
            table = getattr(trained, name)
            if name != "predictions" or (reports and len(table)):
                about = {"task": task.name, "phase": phase} if name == "runs" else {}
                of_sweeps.append(table.assign(run=table["run"] + first, **about))
        first += len(trained.runs)
    names = list(dict.fromkeys(name for table in tables["runs"] for name in selection.hyperparameters(table)))
    joined = {name: pd.concat(found, ignore_index=True) if found else pd.DataFrame() for name, found in tables.items()}
    runs = joined["runs"]
    runs = runs[["run", *names, *(name for name in tables["runs"][0] if name not in ("run", *names))]]
    protocol = Protocol(
        search=config.search,
        num_trials=trials(runs, contest.by),
        num_seeds=config.num_seeds,
        final_seeds=contest.final_seeds,
        num_repeats=config.num_repeats,
        spaces=spaces(config, contest.by),
        steps_taken=sum(stage.trained.steps_taken for stage in stages),
        steps_saved=sum(stage.trained.steps_saved for stage in stages),
        score=contest.score,
    )
    facts = {stage.task.name: stage.task for stage in stages if stage.task.name not in unfinished}
    of_tasks = tuple(facts.values()), protocol, tuple(unfinished)
    return Comparison(runs, joined["curves"], joined["predictions"], contest.by, *of_tasks)


def trials(runs: pd.DataFrame, by: str) -> int:
    """The settings of each method in a repeat, of that which has the most."""
    tuning = runs[runs["phase"] == TUNING]
    keys = [name for name in ("task", by, "repeat", "fold") if name in tuning]
    return int((tuning.groupby(keys).size() / tuning.groupby(keys)["seed"].nunique()).max())


def spaces(config: Config, by: str) -> dict[str, str]:
    """What is tuned, in words: the values or the range of each hyperparameter that has several."""
    found = {}
    for name, value in config.values().items():
        if isinstance(value, Range):
            spaced = "in its logarithm" if value.logarithmic else "evenly"
            count = f", {value.count} values" if value.count and config.search == "grid" else ""
            found[name] = f"{value.low:g} to {value.high:g} {spaced}{count}"
        elif isinstance(value, list):
            found[name] = ", ".join(str(show(one)) for one in value)
    return {name: space for name, space in found.items() if name not in (by, "seed")}

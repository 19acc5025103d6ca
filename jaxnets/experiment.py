"""An experiment from its configuration to its run directory: everything between the flags and the figures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from jaxnets import __version__, data, saved
from jaxnets.config import Config
from jaxnets.data.dataset import Dataset
from jaxnets.names import UserError, unknown
from jaxnets.report.progress import Progress
from jaxnets.sweep import devices, results, store
from jaxnets.sweep.execute import Compiled, Compiling, Options, Record, execute
from jaxnets.sweep.plan import Program, plan, resolve, with_folds
from jaxnets.sweep.table import Run, dataset_arguments, runs


@dataclass(frozen=True)
class Results:
    """What a sweep has found.

    Attributes:
      config: what was asked for.
      directory: the run directory that holds it.
      runs: a row for each run; see `jaxnets.sweep.results.runs_table`.
      curves: a row for each run and evaluation; see `jaxnets.sweep.results.curves_table`.
      interrupted: whether the user ended the sweep before its time.
      num_programs: how many programs were compiled.
      seconds: from the first compilation to the last record.
      folds: the data set.
    """

    config: Config
    directory: Path
    runs: pd.DataFrame
    curves: pd.DataFrame
    interrupted: bool
    num_programs: int
    seconds: float
    folds: tuple[Dataset, ...] = ()


def run(name: str, config: Config, console: Console | None = None, *, progress: bool = True) -> Results:
    """Trains all runs of a configuration and writes the run directory.

    Args:
      name: the experiment's, recorded in `config.json` and in the directory's default path.
      config: what to train; `jaxnets.sweep.devices.configure` must have been called for its platform.
      console: where progress is shown; the standard error stream by default.
      progress: whether it is shown.

    Raises:
      UserError: for anything in the configuration that cannot be done; then nothing has been written.
    """
    table = runs(config)
    options, select_best, export = _options(config)
    folds = data.load_folds(config.dataset, **dataset_arguments(config))
    table = with_folds([resolve(run, folds[0]) for run in table], len(folds))
    programs = plan(table, folds[0], select_best=select_best)
    for program in programs:
        program.check(folds[0])  # traces the model: its mistakes show before anything is written
    placement = devices.placement(config.number("num_devices"))
    directory = _prepare(name, config, placement.described())
    console = console or Console(stderr=True)
    for note in folds[0].notes if progress else ():
        console.print(f"{folds[0].name}: {note}", highlight=False, soft_wrap=True)
    events = execute(programs, folds, placement, options)
    sink = _Sink(directory, table, folds)
    start = time.perf_counter()
    total_steps = sum(len(program.runs) * program.task.num_steps for program in programs)
    interrupted = False
    with Progress(console, len(table), total_steps, enabled=progress) as display:
        try:
            for event in events:
                sink.take(event)
                _show(display, event, sink)
        except KeyboardInterrupt:
            interrupted = True
    runs_table, curves_table = sink.save()
    if options.predictions:
        store.write_table(directory / "predictions.parquet", results.predictions_table(table, sink.records, folds))
    if export and sink.kept is not None:
        saved.export(export, sink.kept.params)
    return Results(
        config,
        directory,
        runs_table,
        curves_table,
        interrupted,
        sink.num_compiled,
        time.perf_counter() - start,
        folds,
    )


def _options(config: Config) -> tuple[Options, bool, Path | None]:
    """How to carry the sweep out, whether runs are judged at their best, and where the parameters go.

    Raises:
      UserError: if one of the flags has another value than it may have.
    """
    choices = {"select": ("last", "best"), "keep": ("none", "best")}
    for name, known in choices.items():
        if getattr(config, name) not in known:
            raise unknown(f"--{name}", getattr(config, name), known)
    export = Path(config.export) if config.export else None
    if export is not None and export.suffix != ".safetensors":
        raise UserError(f"--export: '{export}' must end in .safetensors.")
    if export is not None and not export.absolute().parent.is_dir():
        raise UserError(f"--export: there is no folder '{export.parent}'.")
    options = Options(
        config.number("evaluate_every"),
        config.number("memory_limit"),
        predictions=config.number("predictions"),
        keep_best=config.keep == "best" or export is not None,
    )
    return options, config.select == "best", export


def _prepare(name: str, config: Config, described: list[str]) -> Path:
    """The run directory, with what is known before the first step."""
    flags = {flag: text for flag, text in config.texts().items() if flag != "output"}  # a repetition has its own
    content = {"experiment": name, "version": __version__, "flags": flags}
    directory = Path(config.output) if config.output else store.default_directory(name, content, datetime.now())
    store.create(directory)
    store.write_json(directory / "config.json", content)
    store.write_json(directory / "environment.json", store.environment(described))
    return directory


@dataclass
class _Sink:
    """Gathers the records of a sweep; the tables are on disk as of the last program that ended."""

    directory: Path
    table: Sequence[Run]
    folds: Sequence[Dataset]
    records: list[Record] = field(default_factory=list)
    num_compiled: int = 0
    best: tuple[float, str] | None = None
    kept: saved.Model | None = None

    def take(self, event: Compiling | Compiled | Record) -> None:
        if isinstance(event, Record):
            self.records.append(replace(event, params=None))
            self._keep_best(event)
            if event.params is not None:
                self._keep_model(event.program, *event.params)
        elif isinstance(event, Compiled):
            self.num_compiled += 1
        elif self.records:
            self.save()

    def _keep_best(self, record: Record) -> None:
        accuracy = np.where(record.outcome.diverged_step < 0, record.outcome.dev_accuracy, -np.inf)
        best = int(np.argmax(accuracy))
        if np.isfinite(accuracy[best]) and (self.best is None or accuracy[best] > self.best[0]):
            run = self.table[record.runs[best]]
            self.best = float(accuracy[best]), f"{record.program.label} at {run['learning_rate']:.3g}"

    def _keep_model(self, program: Program, run: int, params: Any) -> None:
        dataset = self.folds[self.table[run].get("fold", 0)]
        self.kept = saved.model(self.table[run], program, run, dataset, params)
        saved.save(self.directory, self.kept)

    def save(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        runs_table = results.runs_table(self.table, self.records)
        curves_table = results.curves_table(self.records)
        store.write_table(self.directory / "curves.parquet", curves_table)
        store.write_table(self.directory / "runs.parquet", runs_table)
        return runs_table, curves_table


def _show(display: Progress, event: Compiling | Compiled | Record, sink: _Sink) -> None:
    if isinstance(event, Compiling):
        return display.compiling(event.program.label)
    if isinstance(event, Compiled):
        return display.compiled()
    task = event.program.task
    run_steps = (event.step - event.first_step) * len(event.runs)
    diverged = event.outcome.diverged_step
    return display.advance(
        event.program.label,
        run_steps=run_steps,
        examples=run_steps * task.num_examples // task.steps_per_epoch,
        finished_runs=len(event.runs) if event.step == task.num_steps else 0,
        diverged_runs=int(((diverged > event.first_step) & (diverged <= event.step)).sum()),
        best=sink.best[0] if sink.best else None,
        best_label=sink.best[1] if sink.best else "",
    )

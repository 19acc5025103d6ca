"""An experiment from its configuration to its run directory: everything between the flags and the figures."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console

from jaxnets import __version__, data
from jaxnets.config import Config
from jaxnets.report.progress import Progress
from jaxnets.sweep import devices, results, store
from jaxnets.sweep.execute import Compiled, Compiling, Record, execute
from jaxnets.sweep.plan import plan, resolve
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
    """

    config: Config
    directory: Path
    runs: pd.DataFrame
    curves: pd.DataFrame
    interrupted: bool
    num_programs: int
    seconds: float


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
    dataset = data.load(config.dataset, **dataset_arguments(config))
    table = [resolve(run, dataset) for run in table]
    programs = plan(table, dataset)
    for program in programs:
        _ = program.state  # traces the model: its mistakes show before anything is written
    numbers = {setting: config.number(setting) for setting in ("num_devices", "evaluate_every", "memory_limit")}
    placement = devices.placement(numbers["num_devices"])
    directory = _prepare(name, config, placement.described())
    events = execute(programs, dataset, placement, numbers["evaluate_every"], numbers["memory_limit"])
    sink = _Sink(directory, table)
    start = time.perf_counter()
    total_steps = sum(len(program.runs) * program.task.num_steps for program in programs)
    interrupted = False
    with Progress(console or Console(stderr=True), len(table), total_steps, enabled=progress) as display:
        try:
            for event in events:
                sink.take(event)
                _show(display, event, sink)
        except KeyboardInterrupt:
            interrupted = True
    runs_table, curves_table = sink.save()
    return Results(
        config, directory, runs_table, curves_table, interrupted, sink.num_compiled, time.perf_counter() - start
    )


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
    records: list[Record] = field(default_factory=list)
    num_compiled: int = 0
    best: tuple[float, str] | None = None

    def take(self, event: Compiling | Compiled | Record) -> None:
        if isinstance(event, Record):
            self.records.append(event)
            self._keep_best(event)
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

"""An experiment from its configuration to its run directory: everything between the flags and the figures."""

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console

from jaxnets import __version__, data
from jaxnets.basics import files
from jaxnets.basics.errors import UserError, unknown
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, with_train_examples
from jaxnets.engine import devices, store
from jaxnets.engine import tables as results
from jaxnets.engine.devices import Placement
from jaxnets.engine.execute import Compiled, Compiling, Options, Record, execute
from jaxnets.engine.plan import Program, plan, resolve, with_folds
from jaxnets.engine.runs import Run, dataset_arguments, runs, without_strangers
from jaxnets.engine.trained import Trained
from jaxnets.report.progress import Progress
from jaxnets.trained import model as saved

KEPT = ("none", "best", "last", "all")
Event = Compiling | Compiled | Record


@dataclass(frozen=True)
class Results(Trained):
    """What an experiment has found, and where it is written.

    Attributes:
      directory: the run directory.
      further: what `train` was asked for since.
      console: where progress is shown.
      progress: whether it is shown.
    """

    directory: Path = Path()
    further: list[Trained] = field(default_factory=list)
    console: Console = field(default_factory=lambda: Console(stderr=True))
    progress: bool = True

    def train(self, **flags: str) -> Trained:
        """Trains the configuration with some flags changed; nothing of it is written.

        Arguments of plug-ins that are no longer chosen are left out.

        Raises:
          UserError: as `run` does.
          KeyboardInterrupt: if the user ends it.
        """
        sweep = _plan(without_strangers(self.config.changed(**flags), flags))
        trained = _carry_out(sweep, None, self.console, progress=self.progress)
        if trained.interrupted:
            raise KeyboardInterrupt
        self.further.append(trained)
        return trained

    @property
    def num_runs(self) -> int:
        """The runs that were trained, those of `train` among them."""
        return len(self.runs) + sum(len(trained.runs) for trained in self.further)


def run(
    name: str, config: Config, console: Console | None = None, *, progress: bool = True, takes: str = ""
) -> Results:
    """Trains all runs of a configuration and writes the run directory.

    Args:
      name: the experiment's, recorded in `config.json` and in the directory's default path.
      config: what to train; `jaxnets.engine.devices.configure` must have been called for its platform.
      console: where progress is shown; the standard error stream by default.
      progress: whether it is shown.
      takes: `features` or `texts`, if the experiment is made for one of them.

    Raises:
      UserError: for anything in the configuration that cannot be done; then nothing has been written.
    """
    console = console or Console(stderr=True)
    sweep = _plan(config, takes)
    directory = _prepare(name, config, sweep.placement.described())
    for note in sweep.folds[0].notes if progress else ():
        console.print(f"{sweep.folds[0].name}: {note}", highlight=False, soft_wrap=True)
    trained = _carry_out(sweep, directory, console, progress=progress)
    return Results(**vars(trained), directory=directory, console=console, progress=progress)


def without_runs(
    name: str, config: Config, console: Console | None = None, *, progress: bool = True, takes: str = ""
) -> Results:
    """Makes the run directory of an experiment that trains nothing, or only by `Results.train`; see `run`."""
    folds = _folds(config, takes)
    nothing = Trained(config, pd.DataFrame({"run": []}), pd.DataFrame({"run": []}), folds=folds)
    directory = _prepare(name, config, devices.placement(config.number("num_devices")).described())
    console = console or Console(stderr=True)
    return Results(**vars(nothing), directory=directory, console=console, progress=progress)


@dataclass(frozen=True)
class _Sweep:
    """All that is decided before the first step."""

    config: Config
    table: Sequence[Run]
    folds: tuple[Dataset, ...]
    programs: Sequence[Program]
    placement: Placement
    options: Options
    export: Path | None


def _plan(config: Config, takes: str = "") -> _Sweep:
    """What a configuration asks for, checked."""
    table = runs(config)
    options, select_best, export = _options(config)
    folds = _folds(config, takes)
    table = with_folds([resolve(run, folds[0]) for run in table], len(folds))
    programs = plan(table, folds[0], select_best=select_best)
    for program in programs:
        program.check(folds[0])  # traces the model: its mistakes show before anything is written
    return _Sweep(config, table, folds, programs, devices.placement(config.number("num_devices")), options, export)


def _folds(config: Config, takes: str) -> tuple[Dataset, ...]:
    folds = data.load_folds(config.dataset, **dataset_arguments(config))
    has = "texts" if folds[0].is_text else "features"
    if takes not in ("", has):
        raise UserError(f"dataset: '{folds[0].name}' has {has}; this experiment takes {takes}.")
    num_train = config.number("num_train")
    return tuple(with_train_examples(fold, num_train) for fold in folds) if num_train else folds


def _carry_out(sweep: _Sweep, directory: Path | None, console: Console, *, progress: bool) -> Trained:
    """Trains the runs; what they give is written as soon as a program is done, if there is a directory."""
    sink = _Sink(directory, sweep)
    start = time.perf_counter()
    total_steps = sum(len(program.runs) * program.task.num_steps for program in sweep.programs)
    interrupted = False
    with Progress(console, len(sweep.table), total_steps, enabled=progress) as display:
        try:
            for event in _until_interrupted(execute(sweep.programs, sweep.folds, sweep.placement, sweep.options)):
                sink.take(event)
                _show(display, event, sink)
        except KeyboardInterrupt:
            interrupted = True
    runs_table, curves_table = sink.save()
    predictions = sink.predictions()
    sink.write_the_rest(predictions)
    return Trained(
        sweep.config,
        runs_table,
        curves_table,
        predictions,
        sweep.folds,
        tuple(sweep.programs),
        sink.params,
        interrupted,
        sink.num_compiled,
        time.perf_counter() - start,
    )


def _until_interrupted(events: Iterator[Event]) -> Iterator[Event]:
    """The events, until the user presses Ctrl-C.

    Python loses an exception that is raised in a callback of its garbage collector, and JAX has such callbacks; so the
    key is remembered, and asked for after each event.

    Raises:
      KeyboardInterrupt: if the user has pressed it.
    """
    if threading.current_thread() is not threading.main_thread():  # no other gets signals
        yield from events
        return
    pressed = threading.Event()

    def handle(*_: Any) -> None:
        pressed.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        for event in events:
            yield event
            if pressed.is_set():
                raise KeyboardInterrupt
    finally:
        if before is not None:  # one that was not set by Python cannot be put back
            signal.signal(signal.SIGINT, before)


def _options(config: Config) -> tuple[Options, bool, Path | None]:
    """How to carry the sweep out, whether runs are judged at their best, and where the parameters go.

    Raises:
      UserError: if one of the flags has another value than it may have.
    """
    choices = {"select": ("last", "best"), "keep": KEPT}
    for name, known in choices.items():
        if getattr(config, name) not in known:
            raise unknown(f"{name}", getattr(config, name), known)
    export = Path(config.export) if config.export else None
    if export is not None and export.suffix != ".safetensors":
        raise UserError(f"export: '{export}' must end in .safetensors.")
    if export is not None and not export.absolute().parent.is_dir():
        raise UserError(f"export: there is no folder '{export.parent}'.")
    if export is not None and config.keep in ("last", "all"):
        raise UserError(f"export: it writes the best model; keep={config.keep} writes all of them.")
    options = Options(
        config.number("evaluate_every"),
        config.number("memory_limit"),
        predictions=config.number("predictions"),
        keep="best" if export is not None else config.keep,
    )
    return options, config.select == "best", export


def _prepare(name: str, config: Config, described: list[str]) -> Path:
    """The run directory, with what is known before the first step."""
    flags = {flag: text for flag, text in config.texts().items() if flag != "output"}  # a repetition has its own
    content = {"experiment": name, "version": __version__, "flags": flags}
    directory = Path(config.output) if config.output else store.default_directory(name, content, datetime.now())
    store.create(directory)
    files.write_json(directory / "config.json", content)
    files.write_json(directory / "environment.json", store.environment(described))
    return directory


@dataclass
class _Sink:
    """Gathers the records of a sweep; the tables are on disk as of the last program that ended."""

    directory: Path | None
    sweep: _Sweep
    records: list[Record] = field(default_factory=list)
    params: dict[tuple[int, int], Any] = field(default_factory=dict)
    num_compiled: int = 0
    best: tuple[float, str] | None = None
    kept: saved.Model | None = None

    def take(self, event: Compiling | Compiled | Record) -> None:
        if isinstance(event, Record):
            self.records.append(replace(event, params={}))
            self._keep_best(event)
            self._keep(event)
        elif isinstance(event, Compiled):
            self.num_compiled += 1
        elif self.records:
            self.save()

    def _keep_best(self, record: Record) -> None:
        accuracy = np.where(record.outcome.diverged_step < 0, record.outcome.dev_accuracy, -np.inf)
        best = int(np.argmax(accuracy))
        if np.isfinite(accuracy[best]) and (self.best is None or accuracy[best] > self.best[0]):
            run = self.sweep.table[record.runs[best]]
            self.best = float(accuracy[best]), f"{record.program.label} at {run['learning_rate']:.3g}"

    def _keep(self, record: Record) -> None:
        """What the record has of parameters: the best model goes to the disk, others stay in memory until the end."""
        if self.sweep.options.keep != "best":
            self.params.update({(run, record.step): params for run, params in record.params.items()})
            return
        for run, params in record.params.items():
            dataset = self.sweep.folds[self.sweep.table[run].get("fold", 0)]
            self.kept = saved.model(self.sweep.table[run], record.program, run, dataset, params)
            if self.directory:
                saved.save(self.directory, self.kept)

    def save(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        runs_table = results.runs_table(self.sweep.table, self.records)
        curves_table = results.curves_table(self.records)
        if self.directory:
            files.write_table(self.directory / "curves.parquet", curves_table)
            files.write_table(self.directory / "runs.parquet", runs_table)
        return runs_table, curves_table

    def predictions(self) -> pd.DataFrame:
        """What the runs say of the test examples, if it was asked for."""
        if not self.sweep.options.predictions:
            return pd.DataFrame()
        return results.predictions_table(self.sweep.table, self.records, self.sweep.folds)

    def write_the_rest(self, predictions: pd.DataFrame) -> None:
        """Predictions and parameters, where they are asked for."""
        if self.directory is None:
            return
        if self.sweep.options.predictions:
            files.write_table(self.directory / "predictions.parquet", predictions)
        if self.params:
            by_run = {f"run_{run}.step_{step}": params for (run, step), params in self.params.items()}
            saved.export(self.directory / "parameters.safetensors", by_run)
        if self.sweep.export and self.kept is not None:
            saved.export(self.sweep.export, self.kept.params)


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

"""A sweep from its configuration to its results: the one place that shows progress and writes while it runs."""

import time
from datetime import datetime
from pathlib import Path

import pandas as pd
from rich.console import Console

from jaxnets.basics import files
from jaxnets.config.config import Config
from jaxnets.engine import devices
from jaxnets.engine.execute import Compiled, Compiling, Record, execute
from jaxnets.engine.interrupts import until_interrupted
from jaxnets.engine.recorder import Event, Recorder
from jaxnets.engine.runs import without_strangers
from jaxnets.engine.sweep import Sweep, load_folds, prepare
from jaxnets.engine.trained import Trained
from jaxnets.lab import run_directory
from jaxnets.report.progress import Display, display
from jaxnets.trained import model


def retrain(config: Config, console: Console | None, **values: object) -> Trained:
    """Trains a configuration with some values changed, and writes nothing.

    Arguments of plug-ins that are no longer chosen are left out.

    Raises:
      UserError: for anything in the configuration that cannot be done.
      KeyboardInterrupt: if the user ends it.
    """
    changed = config.changed(**values)
    trained = carry_out(prepare(without_strangers(changed, values)), None, console, None)
    if trained.interrupted:
        raise KeyboardInterrupt
    return trained


def untrained(config: Config, takes: str = "") -> Trained:
    """The data of a configuration, and no runs."""
    none = pd.DataFrame({"run": []})
    return Trained(config, none, none, folds=load_folds(config, takes))


def make_directory(experiment: str, config: Config, notes: tuple[str, ...] = ()) -> Path:
    """Makes the run directory, with what is known before the first step.

    Raises:
      UserError: if it cannot be written, or holds results already.
    """
    content = run_directory.configuration(experiment, config)
    default = run_directory.default_directory(experiment, content, datetime.now())
    directory = run_directory.create(Path(config.output) if config.output else default)
    files.write_json(directory / "config.json", content)
    placement = devices.placement(config.num_devices)
    files.write_json(directory / "environment.json", run_directory.environment(placement.described(), notes))
    return directory


def carry_out(sweep: Sweep, directory: Path | None, console: Console | None, notes: Console | None) -> Trained:
    """Trains the runs of a sweep; what they give is written as soon as a program is done.

    Args:
      sweep: from `jaxnets.engine.sweep.prepare`.
      directory: where the results are written, made before; nothing is written if None.
      console: where progress is shown; nothing is shown if None.
      notes: where it is said what the user should know of the data; nothing is said if None.
    """
    if notes is not None:
        for note in sweep.notes:
            notes.print(f"{sweep.folds[0].name}: {note}", highlight=False, soft_wrap=True, markup=False)
    recorder = Recorder(sweep)
    begin = time.perf_counter()
    interrupted = False
    with display(console, len(sweep.table), sweep.num_steps) as progress:
        try:
            for event in until_interrupted(execute(sweep.programs, sweep.folds, sweep.placement, sweep.options)):
                _write_new(directory, recorder, event)
                _show(progress, event, recorder)
        except KeyboardInterrupt:
            interrupted = True
    trained = recorder.trained(interrupted=interrupted, seconds=time.perf_counter() - begin)
    if directory is not None:
        run_directory.write_tables(directory, trained.runs, trained.curves)
        run_directory.write_rest(directory, trained)
    if sweep.config.export and trained.kept_model is not None:
        model.export(Path(sweep.config.export), trained.kept_model.params)
    return trained


def _write_new(directory: Path | None, recorder: Recorder, event: Event) -> None:
    """Takes an event, and writes what became final: the tables when a program ends, a model that is the best so far."""
    before = recorder.kept_model
    recorder.take(event)
    if directory is None:
        return
    if isinstance(event, Compiling) and recorder.records:
        run_directory.write_tables(directory, *recorder.tables())
    if recorder.kept_model is not None and recorder.kept_model is not before:
        model.save(directory, recorder.kept_model)


def _show(progress: Display, event: Event, recorder: Recorder) -> None:
    if isinstance(event, Compiling):
        return progress.compiling(event.program.label)
    if isinstance(event, Compiled):
        return progress.compiled()
    return progress.advance(*_progress(event), recorder.best.accuracy, recorder.leader)


def _progress(record: Record) -> tuple[str, int, int, int, int]:
    """The program, and since the segment before: steps, examples, runs at their end, runs that diverged."""
    task = record.program.task
    run_steps = (record.step - record.first_step) * len(record.runs)
    diverged = record.outcome.diverged_step
    return (
        record.program.label,
        run_steps,
        run_steps * task.num_examples // task.steps_per_epoch,
        len(record.runs) if record.step == task.num_steps else 0,
        int(((diverged > record.first_step) & (diverged <= record.step)).sum()),
    )

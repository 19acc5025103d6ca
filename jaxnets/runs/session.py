"""A sweep from its configuration to its results: the one place that shows progress and writes while it runs."""

import contextlib
import glob
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from jaxnets import io, jax_settings
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, fingerprint
from jaxnets.engine import cluster
from jaxnets.engine.execute import execute
from jaxnets.engine.interrupts import undisturbed, until_interrupted
from jaxnets.engine.keep import Compiled, Compiling, Event, Record
from jaxnets.engine.results import Recorder, Trained
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import Sweep, data_of, devices_of, is_built_in, load_folds, prepare
from jaxnets.engine.table import without_strangers
from jaxnets.errors import UserError
from jaxnets.inference import model
from jaxnets.report.progress import Display
from jaxnets.runs import kept, observe, run_directory


def retrain(config: Config, folds: Sequence[Dataset], console: Console | None, /, **values: object) -> Trained:
    """Trains a configuration with some values changed, and writes nothing.

    Arguments of plug-ins that are no longer chosen are left out.
    """
    changed = without_strangers(config.changed(**{"export": None, **values}), values)
    if data_of(changed) != data_of(config):
        of_others = folds and changed.dataset is config.dataset and not is_built_in(config)
        if of_others and fingerprint(load_folds(config)) != fingerprint(folds):
            raise UserError(f"dataset: the data of '{folds[0].name}' have changed since they were trained on.")
        folds = ()
    trained = carry_out(prepare(changed, folds=folds), None, console, None)
    if trained.interrupted:
        raise KeyboardInterrupt
    return trained


def untrained(config: Config, takes: str = "") -> Trained:
    """The data of a configuration, and no runs."""
    none = pd.DataFrame({"run": []})
    return Trained(config, none, none, folds=load_folds(config, takes))


def make_directory(
    experiment: str,
    config: Config,
    held: contextlib.ExitStack,
    notes: tuple[str, ...] = (),
    datasets: Sequence[Dataset] = (),
) -> Path:
    """Makes the run directory, with what is known before the first step, or goes on with one that was not finished."""
    content = run_directory.configuration(experiment, config)
    default = run_directory.default_directory(experiment, content, datetime.now())
    directory = Path(config.output) if config.output else default
    held.enter_context(run_directory.lock(directory))
    begun = run_directory.is_begun(directory)
    run_directory.create(directory, content)
    if config.export:
        io.clear_temporaries(Path(config.export).parent, glob.escape(Path(config.export).name))
    environment = run_directory.environment(devices_of(config), notes, datasets)
    if begun:
        run_directory.check_data(directory, environment)
    io.write_json(directory / run_directory.CONFIG, content)
    io.write_json(directory / "environment.json", environment)
    return directory


def unmake_directory(directory: Path) -> None:
    """Takes back a run directory in which nothing was done, but for files of others."""
    shutil.rmtree(directory / run_directory.PARTS, ignore_errors=True)
    for name in (run_directory.CONFIG, "environment.json", run_directory.LOCK):
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not empty
        directory.rmdir()


@jax_settings.pinned()
def carry_out(
    sweep: Sweep,
    directory: Path | None,
    console: Console | None,
    notes: Console | None,
    parts: Path | None = None,
    logs: Path | None = None,
    save: Callable[[pd.DataFrame, pd.DataFrame], Any] | None = None,
) -> Trained:
    """Trains the runs of a sweep; what they give is written every few seconds, and at the end.

    `parts` is where chunks are kept until it is over, `logs` where TensorBoard looks if the configuration asks for it,
    and `save` takes the tables so far; all three are those of the run directory if there is one.
    """
    if notes is not None:
        for note in sweep.notes:
            notes.print(f"{sweep.folds[0].name}: {note}", soft_wrap=True)
    recorder, begin = Recorder(sweep), time.perf_counter()
    if directory is not None:
        parts, logs = parts or directory / run_directory.PARTS, logs or directory / observe.LOGS
        save = save or partial(run_directory.write_tables, directory)
    with contextlib.ExitStack() as held:
        board = None
        if logs is not None and sweep.config.tensorboard:
            board = held.enter_context(observe.TensorBoard(logs, recorder.hyperparameters))
        progress = held.enter_context(Display(console, len(sweep.table), sweep.num_steps))
        interrupted = _train(recorder, directory, progress, board, Saver(save), parts)
        if board is not None:
            board.end(recorder.tables()[0])
    observe.took("steps and evaluations", time.perf_counter() - begin - recorder.compile_seconds)
    if notes is not None:
        for note in recorder.not_told():
            notes.print(note, soft_wrap=True)
    with undisturbed() if interrupted else contextlib.nullcontext():
        trained = kept.chosen(recorder.trained(interrupted=interrupted, seconds=time.perf_counter() - begin))
        if directory is not None and trained.kept_model is None and model.is_kept(directory):
            with io.file_errors(directory):
                shutil.rmtree(directory / model.CHECKPOINT)  # of a run that was ahead and did not finish
        if directory is not None:
            run_directory.write_tables(directory, trained.runs, trained.curves)
            run_directory.write_rest(directory, trained)
        if sweep.config.export and trained.kept_model is not None:
            model.export(Path(sweep.config.export), trained.kept_model.params)
    return trained


class Saver:
    """Saves the tables of a sweep while it runs, at most every two seconds, in an eightieth of the time."""

    def __init__(self, save: Callable[[pd.DataFrame, pd.DataFrame], Any] | None) -> None:
        self._save, self._due = save, time.perf_counter() + 2.0

    def follow(self, recorder: Recorder) -> None:
        """Saves them if they are due."""
        if self._save is not None and recorder.records and (start := time.perf_counter()) >= self._due:
            self._save(*recorder.tables())
            end = time.perf_counter()
            self._due = end + max(2.0, 80 * (end - start))


def _train(
    recorder: Recorder,
    directory: Path | None,
    progress: Display,
    board: observe.TensorBoard | None,
    saver: Saver,
    parts: Path | None,
) -> bool:
    """Carries the sweep of a recorder out; whether the user interrupted it."""
    sweep = recorder.sweep
    stored = Parts(parts, sweep.table, sweep.folds, sweep.options, sweep.platform) if parts else None
    try:
        for event in until_interrupted(_events(sweep, stored)):
            best = recorder.kept_model
            recorder.take(event)
            if directory is not None and recorder.kept_model is not None and recorder.kept_model is not best:
                model.save(directory, recorder.kept_model)
            _show(progress, event, recorder)
            if board is not None and isinstance(event, Record):
                board.add(event)
            saver.follow(recorder)
    except KeyboardInterrupt:
        return True
    return False


def _events(sweep: Sweep, stored: Parts | None) -> Iterator[Event]:
    """Carries a sweep out, on this machine or on its cluster."""
    if sweep.workers is None:
        return execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, stored)
    return cluster.execute(sweep.programs, sweep.folds, sweep.workers, sweep.options, stored)


def _show(progress: Display, event: Event, recorder: Recorder) -> None:
    if isinstance(event, Compiling):
        return progress.compiling(event.program.label)
    if isinstance(event, Compiled):
        observe.took("compile", event.seconds)
        return progress.compiled()
    return progress.advance(*_progress(event), recorder.best, recorder.leader)


def _progress(record: Record) -> tuple[str, int, int, int, int, int]:
    """The program, and since the segment before: steps, steps saved, examples, runs that ended, runs that diverged."""
    task = record.program.task
    return (
        record.program.label,
        record.steps_taken,
        record.steps_saved,
        record.steps_taken * task.num_examples // task.steps_per_epoch,
        int((~record.active).sum()),
        int((record.outcome.diverged_step >= 0).sum()),
    )

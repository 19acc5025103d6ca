"""Trains a sweep: the one place that shows progress and writes while it runs."""

import contextlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from jaxnets.engine.keep import Compiled, Compiling
from jaxnets.engine.results import Recorder, Trained
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import Sweep, data_of, is_built_in, load_folds, prepare
from jaxnets.engine.table import without_strangers
from jaxnets.errors import UserError
from jaxnets.inference import model
from jaxnets.report.console import Terminal
from jaxnets.report.progress import Display
from jaxnets.runs import directory as run_directory
from jaxnets.runs import observe
from jaxnets.stats import selection

SAVE_SECONDS, SAVE_SHARE = 2.0, 1 / 80
"""The tables are written at most so often while a sweep runs, and in at most this share of the time."""


def retrain(config: Config, folds: Sequence[Dataset], console: Console | None, /, **values: Any) -> Trained:
    """Trains a configuration with some values changed, and writes nothing.

    Arguments of plug-ins that are no longer chosen are left out.
    """
    changed = without_strangers(config.changed(**{"export": None, **values}), values)
    if data_of(changed) != data_of(config):
        of_others = folds and changed.dataset is config.dataset and not is_built_in(config)
        if of_others and fingerprint(load_folds(config)) != fingerprint(folds):
            raise UserError(f"dataset: the data of '{folds[0].name}' have changed since they were trained on.")
        folds = ()
    trained = carry_out(prepare(changed, folds=folds), None, console, notes=False)
    if trained.interrupted:
        raise KeyboardInterrupt
    return trained


@jax_settings.pinned()
def carry_out(
    sweep: Sweep,
    directory: Path | None,
    console: Console | None,
    *,
    notes: bool = True,
    parts: Path | None = None,
    logs: Path | None = None,
    save: Callable[[pd.DataFrame, pd.DataFrame], Any] | None = None,
) -> Trained:
    """Trains the runs of a sweep, and writes their tables while they train and at the end.

    `parts` is where chunks are kept until it is over, `logs` where TensorBoard looks if the configuration asks for it,
    and `save` takes the tables so far; all three are those of the run directory if there is one.
    """
    if directory is not None:
        parts, logs = directory / run_directory.PARTS, directory / observe.LOGS
        save = partial(run_directory.write_tables, directory)
    said = console if notes and console is not None else Terminal(quiet=True)
    for note in sweep.notes:
        said.print(f"{sweep.folds[0].name}: {note}", soft_wrap=True)
    recorder, begin, interrupted = Recorder(sweep), time.perf_counter(), False
    stored = Parts(parts, sweep.table, sweep.folds, sweep.options, sweep.platform) if parts else None
    if sweep.workers is None:
        events = execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, stored)
    else:
        events = cluster.execute(sweep.programs, sweep.folds, sweep.workers, sweep.options, stored)
    with contextlib.ExitStack() as held:
        board = None
        if logs is not None and sweep.config.tensorboard:
            board = held.enter_context(observe.TensorBoard(logs, recorder.hyperparameters))
        progress = held.enter_context(Display(console, len(sweep.table), sweep.num_steps))
        save_at = begin + SAVE_SECONDS
        try:
            for event in until_interrupted(events):
                best = recorder.kept_model
                recorder.take(event)
                if isinstance(event, Compiling):
                    progress.compiling(event.program.label)
                    continue
                if isinstance(event, Compiled):
                    observe.took("compile", event.seconds)
                    progress.compiled()
                    continue
                if directory is not None and recorder.kept_model is not None and recorder.kept_model is not best:
                    model.save(directory, recorder.kept_model)
                progress.advance(
                    event.program.label,
                    steps=event.steps_taken,
                    saved=event.steps_saved,
                    examples=event.steps_taken * event.program.task.num_examples // event.program.task.steps_per_epoch,
                    ended=int((~event.active).sum()),
                    diverged=int((event.outcome.diverged_step >= 0).sum()),
                    best=recorder.best,
                    leader=recorder.leader,
                )
                if board is not None:
                    board.add(event)
                if save is not None and (start := time.perf_counter()) >= save_at:
                    save(*recorder.tables())
                    end = time.perf_counter()
                    save_at = end + max(SAVE_SECONDS, (end - start) / SAVE_SHARE)
        except KeyboardInterrupt:
            interrupted = True
        if board is not None:
            board.end(recorder.tables()[0])
    observe.took("steps and evaluations", time.perf_counter() - begin - recorder.compile_seconds)
    for note in recorder.not_told():
        said.print(note, soft_wrap=True)
    with undisturbed() if interrupted else contextlib.nullcontext():
        trained = _with_chosen_models(recorder.trained(interrupted=interrupted, seconds=time.perf_counter() - begin))
        if directory is not None:
            if trained.kept_model is None and model.is_kept(directory):
                with io.file_errors(directory):
                    shutil.rmtree(directory / model.CHECKPOINT)  # of a run that was ahead and did not finish
            run_directory.write_tables(directory, trained.runs, trained.curves)
            if sweep.config.predictions:
                io.write_table(directory / "predictions.parquet", trained.predictions)
        if sweep.config.export and trained.kept_model is not None:
            model.export(Path(sweep.config.export), trained.kept_model.params)
    return trained


def _with_chosen_models(trained: Trained) -> Trained:
    """The results with the models that `keep` asks for, where that shows only when a sweep is over.

    With `seeds` they are those of the setting that is best on dev, at the evaluation by which each is judged; where
    there are repeats, of its seeds in one repeat. A run that did not finish has no model.
    """
    if trained.config.keep != "seeds":
        return trained
    finished, best = selection.finished(trained.runs), set[int]()
    if len(finished) and not trained.interrupted:
        groups = [name for name in ("optimizer", "repeat") if name in trained.runs]
        ranked = selection.best_configurations(trained.runs, groups).sort_values(
            ["dev_score", "dev_loss", "learning_rate"], ascending=[False, True, True], kind="stable"
        )
        best = set(finished["run"][finished["run"].isin(ranked["members"].iloc[0])])
    return replace(trained, kept={key: params for key, params in trained.kept.items() if key[0] in best})

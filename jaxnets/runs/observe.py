"""What watches a run: scalars and HParams for TensorBoard, written while it trains, and JAX's profiler."""

import contextlib
import re
import shutil
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import pandas as pd
from rich.console import Console

from jaxnets import io
from jaxnets.engine.keep import Record
from jaxnets.errors import UserError
from jaxnets.metrics import METRICS

if TYPE_CHECKING:  # it takes a moment, which runs without TensorBoard are spared
    from tensorboardX import SummaryWriter

LOGS, TRACE = "tensorboard", "profile"
"""Folders of the run directory."""
CURVES = {f"{metric}/{split}": f"{split}_{metric}" for metric in reversed(METRICS) for split in ("dev", "train")}
FINAL = {f"final/{split}_{metric}": f"{split}_{metric}" for split in ("test", "dev") for metric in reversed(METRICS)}
"""The metrics of the table of runs; beside the curves' tags, so that TensorBoard draws them apart."""
_MOST_OPEN = 64  # writers, each with a thread and an open file
_LONGEST_NAME = 150
TRACED_SECONDS = 1.0


class TensorBoard:
    """A log directory for each run of a sweep, in a folder that is made anew; a context manager."""

    def __init__(self, folder: Path, hyperparameters: pd.DataFrame) -> None:
        try:
            import tensorboardX  # noqa: F401
        except ImportError as error:
            raise UserError(
                f'tensorboard: it needs tensorboardX ({error}); pip install "jaxnets[tensorboard]".'
            ) from None
        varied = [name for name in hyperparameters if name != "run" and hyperparameters[name].nunique() > 1]
        named = hyperparameters[list(dict.fromkeys(["optimizer", "learning_rate", *varied]))]
        self._values = [
            {name: value for name, value in row.items() if not pd.isna(value)} for row in named.to_dict("records")
        ]
        self._folder, self._num_opened = folder, 0
        self._writers = OrderedDict[int, "SummaryWriter"]()  # the one that was used last is the last
        with io.file_errors(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(self, *error: object) -> None:
        while self._writers:
            self._writers.popitem()[1].close()

    def add(self, record: Record) -> None:
        """The losses and accuracies of an evaluation; none of a run that has diverged before it."""
        diverged_step = record.outcome.diverged_step
        sound = (diverged_step < 0) | (diverged_step > record.step)
        for place, run in enumerate(record.runs.tolist()):
            values = {tag: getattr(record.outcome, name)[place] for tag, name in CURVES.items() if sound[place]}
            self._write(run, values, record.step)

    def end(self, runs: pd.DataFrame) -> None:
        """The metrics of the runs that have ended."""
        for row in runs.to_dict("records"):
            if not pd.isna(row["judged_step"]):
                self._write(row["run"], {tag: row[name] for tag, name in FINAL.items()}, row["judged_step"])

    def _write(self, run: int, values: Mapping[str, Any], step: int) -> None:
        with io.file_errors(self._folder):
            writer = self._writer(run)
            for tag, value in values.items():
                if np.isfinite(value):
                    writer.add_scalar(tag, float(value), step)
            writer.flush()

    def _writer(self, run: int) -> "SummaryWriter":
        from tensorboardX import SummaryWriter
        from tensorboardX.summary import hparams

        if run not in self._writers:
            if len(self._writers) == _MOST_OPEN:
                self._writers.popitem(last=False)[1].close()
            values = self._values[run]
            shown = [text if isinstance(text, str) else f"{name}={text:.4g}" for name, text in values.items()]
            name = " ".join([f"{run:0{len(str(len(self._values) - 1))}d}", *shown])
            folder = self._folder / re.sub(r"[^\w .=+-]", "_", name)[:_LONGEST_NAME].rstrip(" .")
            begun = folder.exists()
            self._num_opened += 1  # files of a run are read in the order of their names
            self._writers[run] = SummaryWriter(str(folder), filename_suffix=f".{self._num_opened:08d}")
            if not begun:
                for summary in hparams(values, FINAL)[:2]:  # what may vary, and what this run has
                    self._writers[run].file_writer.add_summary(summary)
        self._writers.move_to_end(run)
        return self._writers[run]


def took(phase: str, seconds: float) -> None:
    """Reports the seconds of a phase of a run to whoever listens; see `profiled`."""
    jax.monitoring.record_event_duration_secs(f"/jaxnets/{phase}", seconds)


@contextlib.contextmanager
def profiled(directory: Path, console: Console | None) -> Iterator[None]:
    """Tells the seconds of each phase, and has JAX's profiler trace a second of training.

    On a CPU each operation of each step is an event: the trace of a whole sweep would take longer than it does.
    """
    folder, start, seconds = directory / TRACE, time.perf_counter(), defaultdict[str, float](float)
    options, tracing = jax.profiler.ProfileOptions(), contextlib.ExitStack()
    options.python_tracer_level = 0
    end = threading.Timer(TRACED_SECONDS, tracing.close)

    def listen(event: str, duration_secs: float, **_: str | int) -> None:
        if event.startswith("/jaxnets/"):
            seconds[event.removeprefix("/jaxnets/")] += duration_secs
            if end.ident is None:  # the first program is compiled
                tracing.enter_context(jax.profiler.trace(str(folder), profiler_options=options))
                end.start()

    with io.file_errors(folder):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder)  # of what was interrupted
        folder.mkdir()
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
        end.cancel()
        if end.ident is not None:
            end.join()
        tracing.close()
    if console is not None:
        rest = time.perf_counter() - start - sum(seconds.values())
        phases = [*seconds.items(), ("data, analysis and report", rest)]
        told = ", ".join(f"{phase} {duration:.1f} s" for phase, duration in phases)
        console.print(f"Profile: {told}; trace in {folder}", soft_wrap=True)

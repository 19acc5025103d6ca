"""What a sweep writes while it runs, for whoever watches its run directory."""

import os
import platform
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from jaxnets import io
from jaxnets.lab import run_directory
from jaxnets.report.progress import Count

FILE, FORMAT = "progress.json", 1
SHAPE: dict[Any, Any] = {
    "format": FORMAT,
    **dict.fromkeys(("state", "stage", "machine", "label", "leader"), str),
    **dict.fromkeys(("process", "runs", "runs_ended", "diverged", "steps", "steps_saved", "total_steps"), int),
    "best_dev_accuracy": (None, float),
    "seconds": float,
    ...: object,
}
"""Of `progress.json`."""
STAGE = "stage"
"""The folder of the tables of a stage, while the work has several."""

State = Literal["running", "finished", "interrupted", "failed"]
Tables = tuple[pd.DataFrame, pd.DataFrame]


class Pace:
    """Says when a piece of work is due again, so that it takes a small share of the time.

    >>> seconds = iter([0, 1, 2.5, 2.75, 5, 7, 7, 7.5, 7.5])
    >>> pace = Pace(least=2, share=1 / 16, clock=lambda: next(seconds))
    >>> [pace.run(lambda: None) for _ in range(4)], pace.run(lambda: None, soon=True)
    ([False, True, False, True], True)
    """

    def __init__(self, least: float, share: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._least, self._share, self._clock = least, share, clock
        self._end, self._rest = clock(), 0.0

    def run(self, work: Callable[[], Any], *, soon: bool = False) -> bool:
        """Does the work if it is due, and says whether it did; if it is due soon, only the share counts."""
        start = self._clock()
        if start - self._end < (self._rest if soon else max(self._rest, self._least)):
            return False
        work()
        self._end = self._clock()
        self._rest = (self._end - start) / self._share
        return True


class Live:
    """Keeps `progress.json` and the tables of a run directory near what a sweep has reached."""

    def __init__(self, directory: Path | None, stage: str = "") -> None:
        self.directory, self.name = directory, stage
        self._progress = Pace(0.5, 0.005)
        self._tables = Pace(2.0, 0.0125)

    def stage(self, name: str) -> "Live":
        """The same directory, with a stage of the work."""
        return Live(self.directory, name)

    def note(self, count: Count) -> None:
        """Says at once how far the sweep is."""
        if self.directory is not None:
            self._write(count, "running")

    def follow(self, count: Count, tables: Callable[[], Tables] | None, *, soon: bool = False) -> None:
        """Writes what is due."""
        if (directory := self.directory) is None:
            return
        folder = self._folder(directory)
        if tables is not None and self._tables.run(lambda: run_directory.write_tables(folder, *tables()), soon=soon):
            self._write(count, "running")
        else:
            self._progress.run(lambda: self._write(count, "running"), soon=soon)

    def end(self, state: State) -> None:
        """Says that the work is over, when all of it is written."""
        if self.directory is None:
            return
        last = run_directory.read_json(self.directory, FILE, SHAPE)
        io.write_json(self.directory / FILE, last | {"state": state, "stage": ""})
        shutil.rmtree(self.directory / STAGE, ignore_errors=True)

    def _folder(self, directory: Path) -> Path:
        if not self.name:
            return directory
        folder = directory / STAGE
        with io.file_errors(folder):
            folder.mkdir(exist_ok=True)
        return folder

    def _write(self, count: Count, state: State) -> None:
        assert self.directory is not None
        about = {
            "format": FORMAT,
            "state": state,
            "stage": self.name,
            "process": os.getpid(),
            "machine": platform.node(),
        }
        io.write_json(self.directory / FILE, about | count.numbers())

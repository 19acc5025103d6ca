"""The state of a run directory while a sweep writes into it: read from its files alone, shown on the console."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.live import Live as Screen

from jaxnets.lab import live, run_directory
from jaxnets.report import live_view
from jaxnets.report.live_view import ENDED, FINISHED, GONE, INTERRUPTED, RUNNING, WAITING, View

TERMINAL_SECONDS, PLAIN_SECONDS = 1.0, 5.0
_COLUMNS = {
    "runs": {"run": "whole", "optimizer": "text", "learning_rate": "number", "status": "text"},
    "curves": {"run": "whole", "step": "whole", "dev_accuracy": "number", "train_loss": "number"},
}
_STATES = {"running": RUNNING, "finished": FINISHED, "interrupted": INTERRUPTED, "failed": GONE}


@dataclass
class Watched:
    """A run directory, read again whenever its files have changed."""

    directory: Path
    _tables: tuple[Any, pd.DataFrame, pd.DataFrame] = field(
        default_factory=lambda: (None, pd.DataFrame(), pd.DataFrame()), repr=False
    )

    def view(self) -> View:
        """What is to be shown now."""
        progress = self._progress()
        version, runs, curves = self._read_tables(progress)
        return View(str(self.directory), self._state(progress), progress, runs, curves, version)

    def _progress(self) -> dict[str, Any]:
        if not (self.directory / live.FILE).exists():
            return {}
        return run_directory.read_json(self.directory, live.FILE, live.SHAPE)

    def _state(self, progress: dict[str, Any]) -> str:
        if not progress:  # nothing is there yet, or an older version has written it
            return FINISHED if (self.directory / "runs.parquet").exists() else WAITING
        state = _STATES.get(progress["state"], GONE)
        return GONE if state == RUNNING and not _alive(progress) else state

    def _read_tables(self, progress: dict[str, Any]) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
        """The tables of the stage that runs, or else those of the directory."""
        staged = self.directory / live.STAGE if progress.get("stage") else self.directory
        paths = [staged / f"{name}.parquet" for name in ("runs", "curves")]
        try:
            version = [(str(path), path.stat().st_mtime_ns) for path in paths]
        except FileNotFoundError:
            return None, pd.DataFrame(), pd.DataFrame()
        if version != self._tables[0]:
            runs, curves = (run_directory.read_table(staged, path.stem, _COLUMNS[path.stem]) for path in paths)
            self._tables = version, runs, curves
        return self._tables


def _alive(progress: dict[str, Any]) -> bool:
    """Whether the process still is; what runs on another machine is taken to be alive."""
    if progress["machine"] != platform.node():
        return True
    try:
        os.kill(progress["process"], 0)
    except (ProcessLookupError, OverflowError):  # the latter for a number that no process can have
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def views(watched: Watched, pause: float, sleep: Callable[[float], None] = time.sleep) -> Iterator[View]:
    """What is to be shown, again and again, until the sweep is over."""
    while True:
        view = watched.view()
        yield view
        if view.state in ENDED:
            return
        sleep(pause)


def follow(watched: Watched, console: Console) -> None:
    """Shows a run directory until its sweep is over: a changing picture on a terminal, lines elsewhere."""
    if not console.is_terminal:
        last = ""
        for view in views(watched, PLAIN_SECONDS):
            if (line := live_view.line(view)) != last:
                console.print(line, soft_wrap=True)
            last = line
        console.print(live_view.runs_table(view))
        return
    with Screen(console=console, auto_refresh=False, vertical_overflow="crop") as screen:
        for view in views(watched, TERMINAL_SECONDS):
            screen.update(live_view.screen(view, console.height), refresh=True)


def once(watched: Watched, console: Console) -> None:
    """Shows a run directory as it is now."""
    console.print(live_view.screen(watched.view(), 0))

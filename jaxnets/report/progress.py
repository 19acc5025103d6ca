"""Progress of a sweep: a bar on a terminal, a line for each tenth of the steps elsewhere."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

SILENT_SECONDS = 15.0
"""After these it is said again that work goes on which has no progress to show."""


@contextlib.contextmanager
def patience(console: Console | None, work: str) -> Iterator[None]:
    """Says now and then that work goes on which has no progress to show."""
    if console is None:
        yield
        return
    start, over = time.monotonic(), threading.Event()

    def say() -> None:
        while not over.wait(SILENT_SECONDS):
            console.print(f"{work}: {time.monotonic() - start:.0f} s", soft_wrap=True, highlight=False, markup=False)

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


class Display:
    """Shows how far a sweep is; a context manager. Without a console it shows nothing."""

    def __init__(
        self,
        console: Console | None,
        total_runs: int,
        total_steps: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._clock, self._tenths = console, clock, 0
        self._total_runs, self._total_steps = total_runs, total_steps
        self._steps = self._saved = self._examples = self._ended = self._diverged = 0
        self._label = self._best = ""
        self._training_seconds, self._last = 0.0, clock()
        self._held, self._compiling = contextlib.ExitStack(), contextlib.ExitStack()
        self._bar: Progress | None = None
        if console is not None and console.is_terminal:
            columns = BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
            self._bar = Progress(*columns, console=console)
            self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> "Display":
        """Starts to show."""
        if self._bar is not None:
            self._held.enter_context(self._bar)
        return self

    def __exit__(self, *error: object) -> None:
        """Shows the last state, and leaves it standing."""
        self._compiling.close()
        self._show(over=True)
        self._held.close()

    def compiling(self, label: str) -> None:
        """A program is being compiled: that time is not counted as training."""
        self._label = f"compiling {label}"
        self._show()
        self._compiling.enter_context(patience(None if self._bar else self._console, self._label))

    def compiled(self) -> None:
        """Training starts."""
        self._compiling.close()
        self._last = self._clock()

    def advance(
        self, label: str, steps: int, saved: int, examples: int, ended: int, diverged: int, best: float, leader: str
    ) -> None:
        """Some runs are further than before: by steps and steps saved, and examples of all runs together."""
        now = self._clock()
        self._training_seconds, self._last = self._training_seconds + now - self._last, now
        self._steps, self._saved, self._examples = self._steps + steps, self._saved + saved, self._examples + examples
        self._ended, self._diverged = self._ended + ended, self._diverged + diverged
        self._label, self._best = label, f" | best dev {best:.1%} ({leader})" if leader else ""
        self._show()

    @property
    def _share(self) -> float:
        return (self._steps + self._saved) / max(1, self._total_steps)

    def text(self) -> str:
        """The progress in a line."""
        seconds, pace = self._training_seconds, ""
        if self._steps and seconds and self._share < 1:
            left = seconds * (1 - self._share) / self._share
            pace = f" | {self._examples / seconds:,.0f} examples·runs/s | {left:.0f} s left"
        saved = f", {self._saved:,} saved" if self._saved else ""
        steps = f"{self._steps:,}/{self._total_steps:,} steps{saved} ({self._share:.0%})"
        ended = f"{self._label}: {self._ended}/{self._total_runs} runs"
        return f"{ended} | {steps}{pace} | {self._diverged} diverged{self._best}"

    def _show(self, *, over: bool = False) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._share, description=self.text())
        elif self._console is not None and (int(10 * self._share) > self._tenths or (over and self._tenths < 10)):
            self._console.print(self.text(), soft_wrap=True)
            self._tenths = int(10 * self._share)

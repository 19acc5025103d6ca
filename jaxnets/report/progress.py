"""Progress of a sweep: a bar on a terminal, a line for each tenth of the steps elsewhere."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

SILENT_SECONDS = 15.0  # after these it is said again that work goes on which has no progress to show


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
        self, console: Console | None, total_runs: int, total_steps: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console, self._clock, self._tenths = console, clock, 0
        self._total_runs, self._total_steps = total_runs, total_steps
        self._steps = self._saved = self._examples = self._ended = self._diverged = 0
        self._label = self._best = ""
        self._seconds, self._last = 0.0, clock()
        self._compiling, self._bar = contextlib.ExitStack(), contextlib.ExitStack()
        self._progress: Progress | None = None
        if console is not None and console.is_terminal:
            columns = BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)
            self._progress = Progress(*columns, console=console)
            self._task = self._progress.add_task("", total=1.0)

    def __enter__(self) -> "Display":
        """Starts to show."""
        if self._progress is not None:
            self._bar.enter_context(self._progress)
        return self

    def __exit__(self, *error: object) -> None:
        """Shows the last state, and leaves it standing."""
        self._compiling.close()
        self._show(over=True)
        self._bar.close()

    def compiling(self, label: str) -> None:
        """A program is being compiled: that time is not counted as training."""
        self._label = f"compiling {label}"
        self._show()
        self._compiling.enter_context(patience(None if self._progress else self._console, self._label))

    def compiled(self) -> None:
        """Training starts."""
        self._compiling.close()
        self._last = self._clock()

    def advance(
        self, label: str, steps: int, saved: int, examples: int, ended: int, diverged: int, best: float, leader: str
    ) -> None:
        """Some runs are further than before: by steps and steps saved, and examples of all runs together."""
        now = self._clock()
        self._seconds, self._last = self._seconds + now - self._last, now
        self._steps, self._saved, self._examples = self._steps + steps, self._saved + saved, self._examples + examples
        self._ended, self._diverged = self._ended + ended, self._diverged + diverged
        self._label, self._best = label, f" | best dev {best:.1%} ({leader})" if leader else ""
        self._show()

    def text(self) -> str:
        """The progress in a line."""
        share, pace = self._share, ""
        if self._steps and self._seconds and share < 1:
            left = self._seconds * (1 - share) / share
            pace = f" | {self._examples / self._seconds:,.0f} examples·runs/s | {left:.0f} s left"
        saved = f", {self._saved:,} saved" if self._saved else ""
        steps = f"{self._steps:,}/{self._total_steps:,} steps{saved} ({share:.0%})"
        ended = f"{self._label}: {self._ended}/{self._total_runs} runs"
        return f"{ended} | {steps}{pace} | {self._diverged} diverged{self._best}"

    @property
    def _share(self) -> float:
        return (self._steps + self._saved) / max(1, self._total_steps)

    def _show(self, *, over: bool = False) -> None:
        if self._progress is not None:
            self._progress.update(self._task, completed=self._share, description=self.text())
        elif self._console is not None and (int(10 * self._share) > self._tenths or (over and self._tenths < 10)):
            self._console.print(self.text(), soft_wrap=True)
            self._tenths = int(10 * self._share)

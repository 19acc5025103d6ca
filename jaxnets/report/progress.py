"""Live progress of a sweep: a changing line on a terminal, a bar in a notebook, plain lines elsewhere."""

import contextlib
import html
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

PLAIN_SECONDS, LIVE_SECONDS = 5.0, 0.1
SILENT_SECONDS = 15.0
"""After these something is said, though nothing has changed."""


class Pulse:
    """Says something from a thread of its own whenever nothing was said for a while; a context manager."""

    def __init__(self, say: Callable[[], None]) -> None:
        self._say, self._over = say, threading.Event()
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Pulse":
        """Starts to watch."""
        self.heard()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ends; nothing is said from then on."""
        self._over.set()
        self._thread.join()

    def heard(self) -> None:
        """Something was said by others."""
        self._last = time.monotonic()

    def _beat(self) -> None:
        while not self._over.wait(max(0.0, self._last + SILENT_SECONDS - time.monotonic())):
            if time.monotonic() - self._last >= SILENT_SECONDS:
                self._say()
                self.heard()


@contextlib.contextmanager
def patience(console: Console | None, work: str) -> Iterator[None]:
    """Says now and then that work goes on which has no progress to show."""
    start = time.monotonic()

    def say() -> None:
        if console is not None:
            passed = f"{work}: {time.monotonic() - start:.0f} s"
            console.print(passed, soft_wrap=True, highlight=False, markup=False)

    with Pulse(say):
        yield


class Count:
    """How far a sweep is."""

    def __init__(self, total_runs: int, total_steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._total_runs, self._total_steps = total_runs, total_steps
        self._steps = self._saved = self._examples = self._finished = self._diverged = 0
        self._training_seconds, self._last_event = 0.0, clock()
        self._label = self._leader = ""
        self._compiling_since: float | None = None
        self._best_accuracy: float | None = None

    @property
    def share(self) -> float:
        """Of the steps, those taken and those saved."""
        return (self._steps + self._saved) / max(1, self._total_steps)

    def compiling(self, label: str) -> None:
        """A program is being compiled: that time is not counted as training."""
        self._label = f"compiling {label}"
        self._compiling_since = self.clock()

    def compiled(self) -> None:
        """Training starts."""
        self._last_event = self.clock()
        self._compiling_since = None

    def advance(
        self, label: str, steps: int, saved: int, examples: int, finished: int, diverged: int, best: float, leader: str
    ) -> None:
        """Some runs are further than before."""
        now = self.clock()
        self._training_seconds += now - self._last_event
        self._last_event = now
        self._steps += steps
        self._saved += saved
        self._examples += examples
        self._finished += finished
        self._diverged += diverged
        self._label = label
        self._best_accuracy, self._leader = (float(best), leader) if leader else (None, "")

    def numbers(self) -> dict[str, Any]:
        """The progress as JSON: the program, the runs, the steps of all runs together, and seconds of training."""
        return {
            "label": self._label,
            "runs": self._total_runs,
            "runs_ended": self._finished,
            "diverged": self._diverged,
            "steps": self._steps,
            "steps_saved": self._saved,
            "total_steps": self._total_steps,
            "best_dev_accuracy": self._best_accuracy,
            "leader": self._leader,
            "seconds": round(self._training_seconds, 3),
        }

    def text(self) -> str:
        """The progress in a line."""
        seconds = self._training_seconds
        saved = f", {self._saved:,} saved" if self._saved else ""
        waited = 0.0 if self._compiling_since is None else self.clock() - self._compiling_since
        label = f"{self._label} ({waited:.0f} s)" if waited >= 1 else self._label
        parts = [
            f"{label}: {self._finished}/{self._total_runs} runs",
            f"{self._steps:,}/{self._total_steps:,} steps{saved} ({self.share:.0%})",
        ]
        if self._steps and seconds and self.share < 1:
            left = seconds * (1 - self.share) / self.share
            parts += [f"{self._examples / seconds:,.0f} examples·runs/s", f"{left:.0f} s left"]
        best = [f"best dev {self._best_accuracy:.1%} ({self._leader})"] if self._leader else []
        return " | ".join([*parts, f"{self._diverged} diverged", *best])


class Display:
    """Shows a count; a context manager. This one shows nothing."""

    def __init__(self, count: Count, pause: float = PLAIN_SECONDS) -> None:
        self.count, self._pause, self._last_shown = count, pause, count.clock()
        self._pulse = Pulse(self.draw)

    def __enter__(self) -> "Display":
        """Starts to show."""
        self._pulse.__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Shows the last state, and leaves it standing."""
        self._pulse.__exit__()
        self.draw()

    def draw(self) -> None:
        """Shows the count as it is now."""

    def compiling(self, label: str) -> None:
        """See `Count.compiling`."""
        self.count.compiling(label)
        self._show()

    def compiled(self) -> None:
        """See `Count.compiled`."""
        self.count.compiled()

    def advance(self, *arguments: Any) -> None:
        """See `Count.advance`."""
        self.count.advance(*arguments)
        now = self.count.clock()
        if now - self._last_shown >= self._pause:
            self._last_shown = now
            self._show()

    def _show(self) -> None:
        self._pulse.heard()
        self.draw()


class PlainDisplay(Display):
    """A line now and then, where there is no terminal."""

    def __init__(self, count: Count, console: Console) -> None:
        super().__init__(count)
        self._console = console

    def draw(self) -> None:
        """Prints the line."""
        self._console.print(self.count.text(), soft_wrap=True)


class LiveDisplay(Display):
    """One line that changes, on a terminal."""

    def __init__(self, count: Count, console: Console) -> None:
        super().__init__(count, LIVE_SECONDS)
        self._live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> "LiveDisplay":
        """Takes the line."""
        self._live.start()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Leaves the line."""
        super().__exit__(*error)
        self._live.stop()

    def draw(self) -> None:
        """Changes the line."""
        self._live.update(Text(self.count.text()), refresh=True)


class NotebookDisplay(Display):
    """A bar in the cell of a notebook."""

    def __init__(self, count: Count) -> None:
        super().__init__(count, LIVE_SECONDS)
        self._handle: Any = None

    def draw(self) -> None:
        """Changes the bar."""
        from IPython.display import HTML
        from IPython.display import display as show

        bar = f'<progress value="{self.count.share:.4f}" max="1" style="width:100%" aria-label="steps"></progress>'
        content = HTML(f"<div>{bar}<br><code>{html.escape(self.count.text())}</code></div>")
        if self._handle is None:
            self._handle = show(content, display_id=True)
        else:
            self._handle.update(content)


def display(
    console: Console | None, total_runs: int, total_steps: int, clock: Callable[[], float] = time.monotonic
) -> Display:
    """What shows the progress of a sweep."""
    count = Count(total_runs, total_steps, clock)
    if console is None:
        return Display(count)
    if in_notebook():
        return NotebookDisplay(count)
    return LiveDisplay(count, console) if console.is_terminal else PlainDisplay(count, console)


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return type(shell).__name__ == "ZMQInteractiveShell"

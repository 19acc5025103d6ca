"""Live progress of a sweep: one line that changes on a terminal, a plain line now and then elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

PLAIN_SECONDS, LIVE_SECONDS = 5.0, 0.1


class Progress:
    """Shows how far a sweep is; a context manager.

    Args:
      console: where to show it.
      total_runs: of the sweep.
      total_steps: the steps of all runs together.
      enabled: whether to show anything.
      clock: seconds, for tests.
    """

    def __init__(
        self,
        console: Console,
        total_runs: int,
        total_steps: int,
        *,
        enabled: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console, self._enabled, self._clock = console, enabled, clock
        self._total_runs, self._total_steps = total_runs, total_steps
        self._steps = self._examples = self._finished = self._diverged = 0
        self._training_seconds = 0.0
        self._label, self._best = "", ""
        self._last_event = self._last_shown = clock()
        self._live = Live(console=console, auto_refresh=False) if enabled and console.is_terminal else None

    def __enter__(self) -> "Progress":
        """Starts to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Shows the last state, and leaves it standing."""
        self._show(force=True)
        if self._live:
            self._live.stop()

    def compiling(self, label: str) -> None:
        """A program is being compiled: that time is not counted as training."""
        self._label = f"compiling {label}"
        self._show(force=True)

    def compiled(self) -> None:
        """Training starts."""
        self._last_event = self._clock()

    def advance(
        self,
        label: str,
        *,
        run_steps: int,
        examples: int,
        finished_runs: int,
        diverged_runs: int,
        best: float | None,
        best_label: str,
    ) -> None:
        """Some runs are further than before.

        Args:
          label: their program.
          run_steps: the steps they have taken since, together.
          examples: the examples in those steps.
          finished_runs: how many of them are at their end.
          diverged_runs: how many of them have diverged since.
          best: the best dev accuracy so far.
          best_label: which run has it.
        """
        now = self._clock()
        self._training_seconds += now - self._last_event
        self._last_event = now
        self._steps += run_steps
        self._examples += examples
        self._finished += finished_runs
        self._diverged += diverged_runs
        self._label = label
        self._best = f" | best dev {best:.1%} ({best_label})" if best is not None else ""
        self._show()

    def text(self) -> str:
        """The line."""
        share = self._steps / max(1, self._total_steps)
        seconds = self._training_seconds
        parts = [
            f"{self._label}: {self._finished}/{self._total_runs} runs",
            f"{self._steps:,}/{self._total_steps:,} steps ({share:.0%})",
        ]
        if self._steps and seconds:
            left = seconds * (1 - share) / share
            parts += [f"{self._examples / seconds:,.0f} examples·runs/s", f"{left:.0f} s left"]
        return " | ".join([*parts, f"{self._diverged} diverged"]) + self._best

    def _show(self, *, force: bool = False) -> None:
        now = self._clock()
        pause = LIVE_SECONDS if self._live else PLAIN_SECONDS
        if not self._enabled or (not force and now - self._last_shown < pause):
            return
        self._last_shown = now
        if self._live:
            self._live.update(Text(self.text()), refresh=True)
        else:
            self._console.print(self.text(), soft_wrap=True, highlight=False)

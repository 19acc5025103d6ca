"""Where the time of a process goes: named spans, noted while somebody asks, and added up afterwards.

Without an account under way a span is an empty `with`.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

IMPORT, DATA, COMPILE, STEPS, EVALUATION = "import", "data", "compile", "steps", "evaluation"
ANALYSIS, WRITING, PROFILE, IDLE = "analysis", "writing", "profile", "idle"
ORDER = (STEPS, EVALUATION, PROFILE, DATA, COMPILE, WRITING, ANALYSIS, IMPORT)
"""Where spans overlap, the time is that of the first of them: what is written while nets train costs nothing."""


class Span(NamedTuple):
    """A stretch of time that was spent on something, in seconds of `time.perf_counter`."""

    name: str
    start: float
    end: float


@dataclass
class Account:
    """What a process has spent its time on."""

    start: float
    spans: list[Span] = field(default_factory=list)
    trained: list[tuple[Any, int]] = field(default_factory=list)
    traces: list[float] = field(default_factory=list)
    directory: Path | None = None

    def trace_folder(self, place: int) -> Path:
        """The folder of a trace, by its place among them."""
        assert self.directory is not None
        return self.directory / f"program_{place}"

    def add(self, name: str, start: float, end: float) -> None:
        """Adds a span."""
        self.spans.append(Span(name, start, end))


_ACCOUNT: ContextVar[Account | None] = ContextVar("account", default=None)


def account() -> Account | None:
    """The account that is under way."""
    return _ACCOUNT.get()


@contextlib.contextmanager
def accounting(start: float) -> Iterator[Account]:
    """Takes an account of all spans within."""
    taken = Account(start)
    token = _ACCOUNT.set(taken)
    try:
        yield taken
    finally:
        _ACCOUNT.reset(token)


@contextlib.contextmanager
def span(name: str) -> Iterator[None]:
    """Notes the time within, if an account is under way; also a decorator of functions.

    >>> with accounting(0.0) as taken:
    ...     with span(DATA):
    ...         pass
    >>> [one.name for one in taken.spans]
    ['data']
    """
    if (taken := _ACCOUNT.get()) is None:
        yield
        return
    start = time.perf_counter()
    try:
        yield
    finally:
        taken.add(name, start, time.perf_counter())


def seconds(spans: Sequence[Span], start: float, end: float) -> dict[str, float]:
    """The seconds of each name between two times, which add up to all of the time between.

    >>> found = seconds([Span("steps", 1, 4), Span("writing", 3, 6), Span("writing", 5, 7)], 0, 10)
    >>> {name: value for name, value in found.items() if value}
    {'steps': 3.0, 'writing': 3.0, 'idle': 4.0}
    """
    total = dict.fromkeys((*ORDER, IDLE), 0.0)
    changes = sorted((min(max(at, start), end), name, by) for name, a, b in spans for at, by in ((a, 1), (b, -1)))
    open_spans, before = dict.fromkeys(ORDER, 0), start
    for at, name, by in [*changes, (end, IDLE, 0)]:
        total[next((one for one in ORDER if open_spans[one]), IDLE)] += at - before
        before = at
        if by:
            open_spans[name] += by
    return total


def process_start() -> float:
    """When this process began, in seconds of `time.perf_counter`; now, where the system does not tell."""
    now = time.perf_counter()
    try:
        content = Path("/proc/self/stat").read_text(encoding="utf-8")
        ticks = int(content.rpartition(")")[2].split()[19])
        return now - (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, AttributeError, ValueError, IndexError):
        return now

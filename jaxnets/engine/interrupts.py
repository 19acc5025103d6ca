"""Ctrl-C, and the signals that end a process, while a sweep runs."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Event = TypeVar("Event")

SIGNALS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))
STATUS = 128
"""A process that a signal has ended has this and the signal's number as its status."""


_LAST: list[int] = []
_HOLDS: list[None] = []


def last_status() -> int:
    """The exit status for the signal that came last; that of Ctrl-C if none came."""
    return STATUS + (_LAST[-1] if _LAST else signal.SIGINT)


def until_interrupted(events: Iterator[Event]) -> Iterator[Event]:
    """The events, until the user presses Ctrl-C, or a signal asks the process to end.

    Python loses an exception that is raised in a callback of its garbage collector, and JAX has such callbacks; so the
    signal is remembered, and asked for after each event. A second one changes nothing while the first is seen to.
    Whoever makes the events and is in the midst of what must not be cut off asks for it himself; see `held`.
    """
    came: list[int] = []

    def handle(number: int, _: Any) -> None:
        came.append(number)
        _LAST.append(number)
        if len(came) == 1 and not _HOLDS:
            raise KeyboardInterrupt

    with _handled(handle):
        for event in events:
            yield event
            if came and not _HOLDS:
                raise KeyboardInterrupt


def pass_on() -> None:
    """Raises the signals again that were to end the process; of Ctrl-C alone, nothing happens."""
    wanted = [number for number in _LAST if number != signal.SIGINT]
    _LAST.clear()
    for stream in (sys.stdout, sys.stderr):  # the process may end here
        if stream is not None:
            stream.flush()
    for number in wanted[-1:]:
        signal.raise_signal(number)


@contextlib.contextmanager
def held() -> Iterator[Callable[[], bool]]:
    """Within, no signal interrupts; the function that is given tells whether one came."""
    before = len(_LAST)
    _HOLDS.append(None)
    try:
        yield lambda: len(_LAST) > before
    finally:
        _HOLDS.pop()


def undisturbed() -> contextlib.AbstractContextManager[None]:
    """No signal disturbs what is done within: what an interrupted sweep has reached is written whole."""
    return _handled(lambda number, _: _LAST.append(number))


@contextlib.contextmanager
def _handled(handle: Callable[[int, Any], None]) -> Iterator[None]:
    """Signals go to a function; not those that the process was told to ignore, as `nohup` tells it of SIGHUP."""
    if threading.current_thread() is not threading.main_thread():  # no other gets signals
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    # Ctrl-C is heard wherever the process was started: a shell ignores it for what it runs in the background
    ours = [number for number, one in before.items() if number == signal.SIGINT or one not in (signal.SIG_IGN, None)]
    for number in ours:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in ours:
            if before[number] is not None:  # one that was not set by Python cannot be put back
                signal.signal(number, before[number])

"""Ctrl-C while a sweep runs."""

import signal
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

Event = TypeVar("Event")


def until_interrupted(events: Iterator[Event]) -> Iterator[Event]:
    """The events, until the user presses Ctrl-C.

    Python loses an exception that is raised in a callback of its garbage collector, and JAX has such callbacks; so the
    key is remembered, and asked for after each event.

    Raises:
      KeyboardInterrupt: if the user has pressed it.
    """
    if threading.current_thread() is not threading.main_thread():  # no other gets signals
        yield from events
        return
    pressed = threading.Event()

    def handle(*_: Any) -> None:
        pressed.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        for event in events:
            yield event
            if pressed.is_set():
                raise KeyboardInterrupt
    finally:
        if before is not None:  # one that was not set by Python cannot be put back
            signal.signal(signal.SIGINT, before)

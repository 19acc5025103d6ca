"""What takes too long is ended."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def limited(seconds: int, late: BaseException) -> Iterator[None]:
    """Raises an error in what is done within, when so many seconds have passed."""

    def ring(*_: object) -> None:
        raise late

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

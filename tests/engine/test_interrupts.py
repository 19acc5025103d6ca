import contextlib
import signal

import pytest

from jaxnets.engine.interrupts import until_interrupted


def test_an_interruption_that_is_lost_is_noticed_at_the_next_event():
    before, given = signal.getsignal(signal.SIGINT), []

    def events():
        for number in range(3):
            if number == 1:
                with contextlib.suppress(KeyboardInterrupt):  # as in a callback, where Python goes on
                    signal.raise_signal(signal.SIGINT)
            given.append(number)
            yield number

    with pytest.raises(KeyboardInterrupt):
        list(until_interrupted(events()))
    assert given == [0, 1]
    assert signal.getsignal(signal.SIGINT) is before
    assert list(until_interrupted(iter("ab"))) == ["a", "b"]

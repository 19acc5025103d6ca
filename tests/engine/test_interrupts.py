import contextlib
import signal

import pytest

from jaxnets.engine.interrupts import last_status, pass_on, undisturbed, until_interrupted


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


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_the_status_tells_which_signal_came_and_a_second_one_disturbs_nothing(number, status):
    given, before = [], signal.signal(number, signal.SIG_DFL)  # a shell may have told this process to ignore it

    def events():
        try:
            yield 1
            signal.raise_signal(number)
        finally:
            signal.raise_signal(number)
            given.append("whole")

    with pytest.raises(KeyboardInterrupt):
        list(until_interrupted(events()))
    with undisturbed():
        signal.raise_signal(number)
        given.append("written")
    signal.signal(number, before)
    assert given == ["whole", "written"]
    assert last_status() == status


@pytest.mark.parametrize(("came", "again"), [((signal.SIGTERM,), True), ((signal.SIGINT,), False)])
@pytest.mark.parametrize("more", [(), (signal.SIGINT,)])
def test_what_is_to_end_the_process_is_raised_again_and_ctrl_c_is_not(came, again, more):
    heard, before = [], signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            for _ in until_interrupted(iter("ab")):
                for number in (*came, *more):
                    with contextlib.suppress(KeyboardInterrupt):
                        signal.raise_signal(number)
        assert heard == []
        pass_on()
        pass_on()  # once
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM] * again


def test_a_signal_that_the_process_ignores_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert list(until_interrupted(iter(range(2)))) == [0, 1]
        for _ in until_interrupted(iter(range(1))):
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)

import time

import numpy as np
import pytest

from jaxnets import spans
from jaxnets.spans import Span


def test_seconds_add_up_whatever_overlaps():
    generator = np.random.default_rng(0)
    starts, lengths = generator.uniform(-1, 11, 200), generator.exponential(0.05, 200)
    names = generator.choice(spans.ORDER, 200)
    taken = [Span(str(n), float(a), float(a + d)) for n, a, d in zip(names, starts, lengths, strict=True)]
    found = spans.seconds(taken, 0.0, 10.0)
    assert set(found) == {*spans.ORDER, spans.IDLE}
    assert sum(found.values()) == pytest.approx(10.0)
    assert min(found.values()) >= 0
    # by brute force: the first name in the order that covers a moment
    moments = (np.arange(20_000) + 0.5) / 2000
    for name in spans.ORDER[:2]:
        covers = {
            n: np.any([(s.start <= moments) & (moments < s.end) for s in taken if s.name == n], axis=0)
            for n in spans.ORDER
        }
        before = spans.ORDER[: spans.ORDER.index(name)]
        own = covers[name] & ~np.any([covers[n] for n in before], axis=0) if before else covers[name]
        assert found[name] == pytest.approx(own.mean() * 10, abs=0.02)


def test_devices_come_before_what_is_written_meanwhile():
    found = spans.seconds([Span(spans.WRITING, 0, 4), Span(spans.STEPS, 1, 2), Span(spans.DATA, 3, 5)], 0, 6)
    assert {name: value for name, value in found.items() if value} == {"writing": 2, "steps": 1, "data": 2, "idle": 1}


def test_a_span_is_noted_only_while_an_account_is_taken():
    @spans.span(spans.DATA)
    def work():
        return spans.account()

    assert work() is None
    with spans.accounting(0.0) as account:
        assert work() is account
        with pytest.raises(ValueError, match="on purpose"), spans.span(spans.WRITING):
            raise ValueError("on purpose")
    assert work() is None
    assert [one.name for one in account.spans] == [spans.DATA, spans.WRITING]
    assert all(one.start <= one.end <= time.perf_counter() for one in account.spans)


def test_the_process_began_before_now():
    began = spans.process_start()
    assert 0 < time.perf_counter() - began < 24 * 3600
    assert spans.process_start() == pytest.approx(began, abs=0.05)

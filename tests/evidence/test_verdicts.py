import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.evidence import verdicts
from jaxnets.evidence.intervals import UNKNOWN, Estimate
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED

BOUNDS = st.tuples(st.floats(-10, 10), st.floats(-10, 10)).map(sorted)


@given(bounds=BOUNDS, threshold=st.floats(-10, 10))
def test_more_and_less_are_mirror_images(bounds, threshold):
    effect = Estimate(sum(bounds) / 2, *bounds)
    more = verdicts.more_than("More.", effect, threshold).outcome
    less = verdicts.less_than("Less.", Estimate(-effect.value, -effect.high, -effect.low), -threshold).outcome
    assert more == less
    expected = SUPPORTED if bounds[0] > threshold else NOT_SUPPORTED if bounds[1] <= threshold else INCONCLUSIVE
    assert more == expected


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.6, 0.9, SUPPORTED),
        (0.5, 1.0, SUPPORTED),
        (0.4, 0.9, INCONCLUSIVE),
        (0.4, 1.1, INCONCLUSIVE),
        (1.1, 1.2, NOT_SUPPORTED),
        (0.1, 0.4, NOT_SUPPORTED),
    ],
)
def test_between(low, high, outcome):
    assert verdicts.between("Near.", Estimate(0.7, low, high), 0.5, 1.0).outcome == outcome


@pytest.mark.parametrize("rule", [verdicts.more_than, verdicts.less_than])
def test_without_an_interval_nothing_is_decided(rule):
    part = rule("It is.", Estimate(5.0, math.nan, math.nan))
    assert part.outcome == INCONCLUSIVE
    assert "no interval" in part.evidence
    assert rule("It is.", UNKNOWN).evidence.startswith("unknown")


@pytest.mark.parametrize(("holds", "outcome"), [(True, SUPPORTED), (False, NOT_SUPPORTED), (None, INCONCLUSIVE)])
def test_exact(holds, outcome):
    assert verdicts.exact("It is.", holds, "3 of 3", "all are").outcome == outcome


@pytest.mark.parametrize(
    ("outcomes", "outcome"),
    [
        ((True, True), SUPPORTED),
        ((True, None), INCONCLUSIVE),
        ((True, False, None), NOT_SUPPORTED),
        ((None,), INCONCLUSIVE),
    ],
)
def test_a_verdict_needs_all_its_parts(outcomes, outcome):
    parts = [verdicts.exact("It is.", holds, "", "") for holds in outcomes]
    assert verdicts.verdict(*parts).outcome == outcome


def test_a_verdict_of_nothing_is_none():
    with pytest.raises(ValueError, match="needs a part"):
        verdicts.verdict()


def test_evidence_has_its_unit():
    part = verdicts.more_than("A is faster.", Estimate(2.0, 1.5, 3.0), 1.0, unit="×")
    assert part.evidence == "2× (95% interval 1.5× to 3×)"
    assert part.rule == "the 95% interval lies above 1×"

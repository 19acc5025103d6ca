import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jaxnets.stats import estimates


def drawn(values, counts):
    """The resamples, one after another, as lists of values."""
    return [np.repeat(values, row.astype(int)) for row in counts]


def test_resamples_are_drawn_within_strata_and_are_the_same_in_each_call():
    counts = estimates.resamples((3, 5))
    assert counts.shape == (estimates.RESAMPLES, 8)
    assert (counts[:, :3].sum(axis=1) == 3).all()
    estimates.resamples.cache_clear()
    assert (estimates.resamples((3, 5)) == counts).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(8), abs=4 * (0.8 / estimates.RESAMPLES) ** 0.5)


def test_the_bootstrap_t_against_a_loop_over_the_resamples():
    values = np.exp(0.8 * np.random.default_rng(0).normal(size=20))
    mean, error = values.mean(), values.std(ddof=1) / 20**0.5
    samples = drawn(values, estimates.resamples((20,)))
    ratios = np.sort([(one.mean() - mean) / (one.std(ddof=1) / 20**0.5) for one in samples])
    student = scipy.stats.t.ppf(0.975, 19) * error
    low, high = estimates.studentized(values[None])
    rank = int(0.025 * 2001)
    assert low[0] == pytest.approx(mean - max(student, min(ratios[-rank] * error, 2 * student)))
    assert high[0] == pytest.approx(mean + max(student, min(-ratios[rank - 1] * error, 2 * student)))
    assert high[0] - mean > 1.2 * student  # the sample is skewed


def test_bounds_of_means_move_and_grow_with_the_values():
    values = np.random.default_rng(1).normal(size=(3, 18))
    for bounds in (estimates.student, estimates.studentized):
        moved = np.array(bounds(7 + 3 * values))
        assert moved == pytest.approx(7 + 3 * np.array(bounds(values)))
        assert np.array(bounds(-values))[::-1] == pytest.approx(-np.array(bounds(values)), abs=0.1)


def test_one_value_far_off_does_not_make_the_bounds_endless():
    values = np.append(0.97 + 0.001 * np.arange(15), 0.1)[None]
    student, both = estimates.student(values), estimates.studentized(values)
    assert both[0][0] == pytest.approx(values.mean() - 2 * (values.mean() - student[0][0]))
    assert both[1][0] == student[1][0]


@pytest.mark.parametrize("size", [6, 7, 8, 11, 16, 33])
def test_bounds_of_a_median_lie_between_the_order_statistics_around_95_percent(size):
    values = np.random.default_rng(size).normal(size=size)
    low, high = (bound[0] for bound in estimates.median_bounds(values[None]))
    exact = scipy.stats.quantile_test(values, q=np.median(values), p=0.5).confidence_interval(0.95)
    ordered = np.sort(values)
    depth = int(np.flatnonzero(ordered == exact.low)[0])  # the exact interval covers 95% or more
    assert exact.low <= low <= ordered[depth + 1]
    assert ordered[-depth - 2] <= high <= exact.high


def test_a_median_of_eight_by_the_published_formula():
    # Hettmansperger & Sheather (1986): 99.22% from end to end, 92.97% one value further in
    share = (0.9921875 - 0.95) / (0.9921875 - 0.9296875)
    weight = 7 * share / (1 + 6 * share)
    low, high = estimates.median_bounds(np.arange(8.0)[None])
    assert (low[0], high[0]) == pytest.approx((weight, 7 - weight))


def test_five_values_have_no_interval_of_the_median():
    with pytest.raises(ValueError, match="5 values"):
        estimates.median_bounds(np.zeros((1, 5)))


def test_a_median_may_be_unbounded_above():
    low, high = estimates.median_bounds(np.array([[1.0, 2.0, 3.0, 4.0, 5.0, np.inf, np.inf, np.inf]]))
    assert low[0] < 2
    assert high[0] == np.inf


@given(arrays.arrays(float, st.integers(8, 30), elements=st.floats(-1e6, 1e6)), st.integers(0, 1000))
def test_interquartile_means_of_resamples_are_those_of_scipy(values, seed):
    ordered = np.sort(values)
    counts = np.random.default_rng(seed).multinomial(len(values), np.full(len(values), 1 / len(values)), 5)
    expected = [scipy.stats.trim_mean(one, 0.25) for one in drawn(ordered, counts)]
    assert estimates.middle_weights(counts.astype(float)) @ ordered == pytest.approx(expected, abs=1e-6)


def test_the_interquartile_bootstrap_against_a_loop_with_strata():
    generator = np.random.default_rng(0)
    values = generator.normal(size=12) + np.repeat([0, 5], 6)
    strata = np.repeat([0, 1], 6)
    order = np.argsort(values)
    low, high = estimates.interquartile_bounds(values[order][None], strata[order])
    resamples = [generator.choice(values[strata == stratum], (20000, 6)) for stratum in (0, 1)]
    means = scipy.stats.trim_mean(np.concatenate(resamples, axis=1), 0.25, axis=1)
    tail = scipy.stats.norm.cdf(-1.959964 * (6 / 5) ** 0.5)
    assert (low[0], high[0]) == pytest.approx(np.quantile(means, [tail, 1 - tail]), abs=0.1)

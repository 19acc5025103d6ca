"""Comparisons of methods: improvement, outcomes, profiles and ranks."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.stats import estimates, hypothesis


def test_the_probability_of_improvement_counts_pairs():
    first, second = [3, 1, 2, 2], [2, 0, 4]
    wins = [(a > b) + 0.5 * (a == b) for a, b in itertools.product(first, second)]
    estimate = hypothesis.probability_of_improvement([first], [second])
    assert estimate.value == pytest.approx(np.mean(wins))
    reverse = hypothesis.probability_of_improvement([second], [first])
    assert (1 - reverse.high, 1 - reverse.low) == pytest.approx((estimate.low, estimate.high))


def test_the_bounds_of_an_improvement_solve_newcombes_equation():
    first, second = np.random.default_rng(0).normal([[0.5], [0]], size=(2, 12))
    estimate = hypothesis.probability_of_improvement([first], [second])
    for bound in (estimate.low, estimate.high):
        spread = 1 + 11 * ((1 - bound) / (2 - bound) + bound / (1 + bound))
        error = np.sqrt(bound * (1 - bound) * spread / 144)
        assert abs(bound - estimate.value) == pytest.approx(1.959964 * error, rel=1e-5)


def test_an_improvement_in_all_pairs_is_not_certain():
    estimate = hypothesis.probability_of_improvement([[0.9, 0.91, 0.92, 0.93]], [[0.1, 0.2, 0.3, 0.4]])
    assert estimate.value == estimate.high == 1
    assert 0.4 < estimate.low < 0.8
    assert hypothesis.probability_of_improvement([[1.0, 1.0]], [[1.0, 1.0]]).note == "all are equal"
    assert hypothesis.probability_of_improvement([[1.0]], [[0.0]]).note == "one value"
    assert np.isnan(hypothesis.probability_of_improvement([[]], [[0.0]]).value)
    assert np.isnan(hypothesis.probability_of_improvement([], []).value)


def test_improvements_are_means_over_repeats_of_all_pairs_of_runs_within_each():
    first, second = [[1.0, 3.0], [11.0], [20.0], [30.0]], [[2.0], [10.0, 12.0], [20.0], [29.0]]
    estimate = hypothesis.probability_of_improvement(first, second)
    assert estimate.value == pytest.approx(np.mean([0.5, 0.5, 0.5, 1.0]))
    assert estimate == estimates.mean([0.5, 0.5, 0.5, 1.0], estimates.SHARE)
    wider = hypothesis.probability_of_improvement(first, second, 1 / 3)
    assert wider.low < estimate.low < estimate.high < wider.high <= 1
    assert hypothesis.probability_of_improvement(first[:2] + first[3:], second[:2] + second[3:]).values == (0.5, 0.5, 1)


@pytest.mark.parametrize(("runs", "value"), [([1.0, 2.0], 1.0), ([-1.0], 0.0), ([0.0, 0.0], 0.5)])
def test_where_all_repeats_say_the_same_the_interval_is_wilsons_over_the_repeats(runs, value):
    estimate = hypothesis.probability_of_improvement([runs] * 8, [[0.0, 0.0]] * 8)
    share = estimates.share(round(8 * value), 8)
    assert (estimate.value, estimate.low, estimate.high) == (value, share.low, share.high)
    assert estimate.note == "all 8 equal"


@pytest.mark.parametrize(("shift", "size"), [(0.0, 5), (1.0, 8), (2.5, 16)])
def test_improvements_are_covered(shift, size):
    generator, truth, covered = np.random.default_rng(0), scipy.stats.norm.cdf(shift / 2**0.5), 0
    for _ in range(400):
        estimate = hypothesis.probability_of_improvement(
            [generator.normal(shift, 1, size)], [generator.normal(size=size)]
        )
        covered += estimate.low <= truth <= estimate.high
    assert covered / 400 > 0.92


def test_a_paired_interval_is_scipys_with_the_variance_of_other_sources_added():
    differences = np.random.default_rng(0).normal(size=7)
    interval = scipy.stats.ttest_1samp(differences, 0).confidence_interval()
    found = estimates.corrected_difference(differences, 0.0)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    wider = estimates.corrected_difference(differences, 0.2, variance=0.5)
    error = np.sqrt((1 / 7 + 0.2) * differences.var(ddof=1) + 0.5)
    assert wider.half_width == pytest.approx(error * scipy.stats.t.ppf(0.975, 6))
    of_six = scipy.stats.ttest_1samp(differences, 0).confidence_interval(1 - 0.05 / 6)
    assert found.at(0.05 / 6, 6).low == pytest.approx(of_six.low)
    assert found.at(0.05 / 6, 6).level == pytest.approx(1 - 0.05 / 6)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.5))
def test_an_outcome_is_read_off_its_interval(value, half_width, margin):
    effect = estimates.Estimate(value, value - half_width, value + half_width)
    found = hypothesis.outcome(effect, margin, "ahead", "behind")
    assert (found in ("ahead", "behind")) == (effect.low > 0 or effect.high < 0)
    assert found != "tie" or abs(value) + half_width <= margin + 1e-12
    unknown = estimates.Estimate(value, np.nan, np.nan)
    assert hypothesis.outcome(unknown, margin, "ahead", "behind") == "open"


def test_a_profile_is_the_share_of_runs_at_or_above_each_threshold():
    table = hypothesis.profile([0.2, 0.5, 0.5, 1.0], [0.0, 0.5, 0.6, 2.0])
    assert table["share"].tolist() == [1, 0.75, 0.25, 0]
    of_three = estimates.share(3, 4)
    assert table.loc[1, ["low", "high"]].tolist() == [of_three.low, of_three.high]
    assert hypothesis.profile([], [0.1]).isna().any(axis=None)


def test_critical_differences_are_those_of_demsars_table():
    # Demšar (2006), table 5(a): quantiles at 5% for 2 to 10 classifiers
    table = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for methods, quantile in enumerate(table, start=2):
        unit = np.sqrt(methods * (methods + 1) / (6 * 10))
        assert hypothesis.critical_difference(methods, 10) == pytest.approx(quantile * unit, abs=2e-3)
    assert np.isnan(hypothesis.critical_difference(3, 1))


def test_methods_that_cannot_be_told_apart():
    generator = np.random.default_rng(0)
    scores = generator.normal([3.0, 2.9, 0.0, -0.1], size=(40, 4))
    groups = hypothesis.indistinct(scores, ["a", "b", "c", "d"])
    assert [set(group) for group in groups] == [{"a", "b"}, {"c", "d"}]
    alike = hypothesis.indistinct(generator.normal(size=(10, 3)), ["a", "b", "c"])
    assert [set(group) for group in alike] == [{"a", "b", "c"}]
    clear = np.tile([3.0, 2.0, 1.0], (30, 1))
    assert hypothesis.indistinct(clear, ["a", "b", "c"]) == ()
    assert hypothesis.indistinct(clear[:1], ["a", "b", "c"]) == (("a", "b", "c"),)
    assert np.allclose(hypothesis.average_ranks(clear), [1, 2, 3])


def test_one_optimizer_under_two_names_is_seldom_called_different():
    generator, different = np.random.default_rng(0), 0
    for _ in range(400):
        stuck = generator.random((2, 8)) < 0.05
        first, second = np.where(stuck, 0.1, generator.normal(0.97, 0.005, size=(2, 8)))
        effect = estimates.corrected_difference(first - second, 0.0)
        different += hypothesis.outcome(effect, 0.0, "ahead", "ahead") == "ahead"
    assert different / 400 < 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5

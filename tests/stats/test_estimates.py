"""Estimates and their intervals, against formulas by hand, loops and simulation; against packages in test_oracles."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from jaxnets.stats import estimates


def bounds(estimate):
    return estimate.low, estimate.high


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([], "0 are too few"),
        ([0.5], "one value"),
        ([0.5, 0.6], "2 are too few"),
        ([0.5, 0.6, 0.8], "3 are too few"),
        ([1.0] * 8, "all 8 equal"),
        ([0.1 + 0.2, 0.3], "all 2 equal"),  # but for rounding
        ([1.0, np.nan], "not all are finite"),
        ([1.0, np.inf], "not all are finite"),
    ],
)
def test_a_mean_without_bounds_says_why(values, note):
    for estimate in (estimates.mean(values), estimates.corrected_difference(values, 0.1)):
        assert np.isnan(bounds(estimate)).all()
        assert estimate.values == (tuple(values) if note.endswith("too few") else ())
        assert estimate.note == note


@pytest.mark.parametrize("right", [0, 18, 171, 180])
def test_equal_shares_of_known_examples_have_the_exact_interval_of_a_share(right):
    estimate = estimates.mean([right / 180] * 4, estimates.SHARE, examples=180)
    exact = scipy.stats.binomtest(right, 180).proportion_ci(method="exact")
    assert bounds(estimate) == pytest.approx((exact.low, exact.high))
    assert bounds(estimates.corrected_difference([right / 180] * 4, 0.3, kind=estimates.SHARE, examples=180)) == (
        bounds(estimate)
    )
    assert estimate.note == "all 4 equal"


def test_unequal_shares_need_no_examples_and_other_numbers_have_no_exact_interval():
    unequal = [0.9, 1.0, 0.95, 0.9]
    assert estimates.mean(unequal, estimates.SHARE, 180) == estimates.mean(unequal, estimates.SHARE)
    assert np.isnan(estimates.mean([1.5] * 4, estimates.SHARE, examples=180).low)  # this is no share
    assert np.isnan(estimates.mean([0.5] * 4, estimates.POSITIVE, examples=180).low)


@given(
    st.sampled_from(
        [(estimates.SHARE, 0.0, 1.0), (estimates.POSITIVE, 0.0, np.inf), (estimates.DIFFERENCE, -1.0, 1.0)]
    ),
    st.lists(st.floats(0.001, 1), min_size=1, max_size=40),
    st.floats(0, 2),
    st.floats(0, 0.1),
)
def test_intervals_keep_to_the_range_of_their_kind(kind, values, test_share, variance):
    kind, least, most = kind
    found = estimates.mean(values, kind), estimates.corrected_difference(values, test_share, variance, kind)
    for one in (*found, found[0].widened(variance, len(values)), found[1].at(0.001, len(values) - 1)):
        if not np.isnan(one.low):
            assert least <= one.low <= one.value <= one.high <= most


def test_the_interval_of_a_share_is_that_of_its_logit_and_of_a_loss_that_of_its_logarithm():
    values = np.array([0.99, 0.97, 1.0, 0.98, 1.0])
    plain, mean = estimates.mean(values), values.mean()
    logit = estimates.mean(values, estimates.SHARE)
    reach = plain.half_width / (mean * (1 - mean))
    assert scipy.special.logit(bounds(logit)) == pytest.approx(scipy.special.logit(mean) + np.array([-reach, reach]))
    log = estimates.mean(values, estimates.POSITIVE)
    assert np.log(bounds(log)) == pytest.approx(np.log(mean) + np.array([-1, 1]) * plain.half_width / mean)
    far = estimates.mean(np.tile([0.0, 1.0], 4) - 1e-9, estimates.SHARE)  # values that are no shares are numbers
    assert (far.kind, far.low < 0.5 < far.high) == (estimates.NUMBER, True)


def test_equal_differences_of_shares_are_never_too_certain():
    # of 100 examples 30 are right for the first alone: the variance of a difference is 0.3 - 0.09
    estimate = estimates.mean([0.3] * 4, estimates.DIFFERENCE, examples=100)
    reach = 1.96 * (0.21 / 100) ** 0.5
    assert estimate.low < 0.3 - reach
    assert estimate.high > 0.3 + reach
    assert -1 <= estimate.low <= estimate.high <= 1


def test_medians_and_middle_means_need_values():
    assert estimates.median([1.0, 2.0, 3.0, 4.0, 5.0]).note == "5 are too few"
    assert estimates.interquartile_mean(np.arange(7.0)).note == "7 are too few"
    assert estimates.median([2.0] * 9).note == "all 9 equal"
    assert estimates.interquartile_mean([0.1, *[0.9] * 40, 1.0]).note == "the middle half is equal"
    assert estimates.median(np.arange(9.0)).value == 4
    assert estimates.median([1.0] * 3 + [np.inf] * 5).value == np.inf
    assert np.isnan(estimates.median([np.nan] * 9).low)
    assert np.isnan(estimates.median([np.inf] * 9).low)


@given(st.permutations(range(12)))
def test_middle_means_do_not_depend_on_the_order(order):
    values, strata = np.arange(12.0) ** 2, np.arange(12) % 3
    expected = estimates.interquartile_mean(values, strata)
    shuffled = estimates.interquartile_mean(values[order], strata[order])
    assert (shuffled.value, *bounds(shuffled)) == pytest.approx((expected.value, *bounds(expected)))
    assert expected.value == scipy.stats.trim_mean(values, 0.25)


def test_the_difference_of_two_samples_has_the_coverage_that_it_claims():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        estimate = estimates.difference(generator.normal(1, 1, 6), generator.normal(0, 3, 12))
        covered += estimate.low <= 1 <= estimate.high
    assert 0.93 < covered / 1000 < 0.97


def test_differences_of_samples_without_spread_and_of_too_small_ones():
    assert estimates.difference([2] * 4, [1] * 5).note == "all 4 equal"
    assert np.isnan(estimates.difference([2] * 4, [1] * 4).low)
    one_sided = estimates.difference([2] * 4, [1, 1.1, 1.2, 1.3])
    assert one_sided.low < 0.85 < one_sided.high
    assert one_sided.note == "all 4 equal"
    assert estimates.difference([2.0, 2.1, 2.3], [1.0] * 9).note == "3 are too few"
    assert np.isnan(estimates.difference([2.0], [1, 1]).low)
    assert np.isnan(estimates.difference([], [1, 1]).value)


def test_a_ratio_is_a_difference_of_logarithms():
    generator = np.random.default_rng(0)
    a, b = np.exp(generator.normal(size=(2, 8)))
    both = estimates.ratio(a, b), estimates.ratio(b, a)
    assert both[0].value == pytest.approx(1 / both[1].value)
    assert bounds(both[0]) == pytest.approx((1 / both[1].high, 1 / both[1].low))
    assert estimates.ratio(2 * a, a, paired=True).value == pytest.approx(2)
    assert estimates.ratio(2 * a, a, paired=True).note == "all 8 equal"
    assert estimates.ratio([np.inf, 1.0], [1.0, 1.0], paired=True).note == "not all are finite"


def test_a_slope_needs_two_places():
    assert np.isnan(estimates.slope([], []).value)
    assert np.isnan(estimates.slope([1, 1], [2, 3]).value)
    assert estimates.slope([0, 1, 2], [1, 2, 4]).note == "3 are too few"


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


def test_the_variance_of_a_crossed_difference_against_components_by_hand():
    generator = np.random.default_rng(1)
    first, second = generator.random((4, 60)) < 0.8, generator.random((6, 60)) < 0.6
    variance = 0.0
    for correct in (first.astype(float), second.astype(float)):
        seeds, examples = correct.shape
        rows, columns = correct.mean(axis=1, keepdims=True), correct.mean(axis=0, keepdims=True)
        left = ((correct - rows - columns + correct.mean()) ** 2).sum() / ((seeds - 1) * (examples - 1))
        between = max(examples * ((rows - correct.mean()) ** 2).sum() / (seeds - 1) - left, -np.inf) / examples
        variance += between / seeds
    differences = first.mean(axis=0) - second.mean(axis=0)
    variance += differences.var(ddof=1) / 60
    estimate = estimates.crossed_difference(first, second)
    assert estimate.value == pytest.approx(first.mean() - second.mean())
    largest_t, least_t = scipy.stats.t.ppf(0.975, [3, 1000])
    assert least_t * 0.99 <= estimate.half_width / variance**0.5 <= largest_t
    assert bounds(estimates.crossed_difference(second, first)) == pytest.approx((-estimate.high, -estimate.low))


@pytest.mark.parametrize(("seeds", "seed_spread"), [(3, 0.5), (8, 0.0)])
def test_crossed_intervals_cover_the_difference_with_new_seeds_and_new_examples(seeds, seed_spread):
    generator, covered, comparisons = np.random.default_rng(2), 0, 600
    for _ in range(comparisons):
        hard = 2 * generator.normal(size=150)
        first, second = (
            1.0 + hard + seed_spread * generator.normal(size=(seeds, 1)) + generator.logistic(size=(seeds, 150)) > 0
            for _ in range(2)
        )
        estimate = estimates.crossed_difference(first, second)
        covered += estimate.low <= 0 <= estimate.high
    assert 0.93 <= covered / comparisons <= 0.985


def test_crossed_differences_of_what_cannot_be_compared():
    with pytest.raises(ValueError, match="examples: 3 and 2"):
        estimates.crossed_difference(np.ones((2, 3)), np.ones((2, 2)))
    assert estimates.crossed_difference(np.ones((2, 3)), np.zeros((2, 3))).note == "all 3 equal"

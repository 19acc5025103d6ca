import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.stats import estimates


def bounds(estimate):
    return estimate.low, estimate.high


def test_student_interval_of_a_textbook_sample():
    # t quantile of 4 degrees of freedom at 97.5%: 2.776445
    estimate = estimates.mean([1.0, 2.0, 3.0, 4.0, 5.0])
    assert estimate.value == 3
    assert estimate.half_width == pytest.approx(2.776445 * (2.5 / 5) ** 0.5, rel=1e-6)
    assert estimate.note == "5 are too few if skewed"
    assert estimates.mean(np.arange(16.0)).note == ""


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


@given(st.integers(1, 400), st.data())
def test_wilson_against_its_formula(trials, data):
    successes = data.draw(st.integers(0, trials))
    estimate = estimates.share(successes, trials)
    z, p = 1.959963984540054, successes / trials
    centre = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    assert estimate.value == p
    assert estimate.low == pytest.approx(max(0, centre - reach), abs=1e-6)
    assert estimate.high == pytest.approx(min(1, centre + reach), abs=1e-6)


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


@pytest.mark.parametrize("seeds", [1, 8, 31, 58])
def test_failures_that_no_seed_showed(seeds):
    # with this share of failures, as many seeds are all without one in 5% of studies
    said = float(estimates.unseen_failures(seeds).split()[8].strip("%")) / 100
    assert (1 - said) ** seeds == pytest.approx(0.05, abs=0.02)
    assert estimates.unseen_failures(59) == ""


def test_the_difference_of_two_samples_has_the_coverage_that_it_claims():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(1000):
        estimate = estimates.difference(generator.normal(1, 1, 6), generator.normal(0, 3, 12))
        covered += estimate.low <= 1 <= estimate.high
    assert 0.93 < covered / 1000 < 0.97


def test_the_difference_of_two_samples_is_that_of_scipy():
    first, second = np.random.default_rng(3).normal(size=11), 2 * np.random.default_rng(4).normal(size=5)
    interval = scipy.stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert bounds(estimates.difference(first, second)) == pytest.approx((interval.low, interval.high))


def test_paired_differences_are_those_of_a_t_test():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 9))
    interval = scipy.stats.ttest_rel(a, b).confidence_interval()
    assert bounds(estimates.paired_difference(a, b)) == pytest.approx((interval.low, interval.high))
    with pytest.raises(ValueError, match="as many"):
        estimates.paired_difference(a, b[1:])


def test_differences_of_samples_without_spread_and_of_too_small_ones():
    assert estimates.difference([2] * 4, [1] * 5).note == "all 4 equal"
    assert np.isnan(estimates.difference([2] * 4, [1] * 4).low)
    one_sided = estimates.difference([2] * 4, [1, 1.1, 1.2, 1.3])
    assert one_sided.low < 0.85 < one_sided.high
    assert one_sided.note == "all 4 equal"
    assert estimates.difference([2.0, 2.1, 2.3], [1.0] * 9).note == "3 are too few"
    assert np.isnan(estimates.difference([2.0], [1, 1]).low)
    assert np.isnan(estimates.difference([], [1, 1]).value)


def test_the_correction_of_nadeau_and_bengio():
    values = np.array([0.02, 0.01, 0.03, 0.0, 0.015])
    estimate = estimates.corrected_difference(values, 0.25)
    reach = 2.776445 * np.sqrt((1 / 5 + 0.25) * values.var(ddof=1))
    assert bounds(estimate) == pytest.approx((0.015 - reach, 0.015 + reach), rel=1e-6)
    assert bounds(estimates.corrected_difference(values, 0.0)) == pytest.approx(bounds(estimates.mean(values)))


def test_a_ratio_is_a_difference_of_logarithms():
    generator = np.random.default_rng(0)
    a, b = np.exp(generator.normal(size=(2, 8)))
    both = estimates.ratio(a, b), estimates.ratio(b, a)
    assert both[0].value == pytest.approx(1 / both[1].value)
    assert bounds(both[0]) == pytest.approx((1 / both[1].high, 1 / both[1].low))
    assert estimates.ratio(2 * a, a, paired=True).value == pytest.approx(2)
    assert estimates.ratio(2 * a, a, paired=True).note == "all 8 equal"
    assert estimates.ratio([np.inf, 1.0], [1.0, 1.0], paired=True).note == "not all are finite"


def test_the_slope_is_that_of_numpy():
    generator = np.random.default_rng(0)
    x = np.arange(10.0)
    y = 3 * x + generator.normal(size=10)
    coefficients, covariance = np.polyfit(x, y, 1, cov=True)
    estimate = estimates.slope(x, y)
    assert estimate.value == pytest.approx(coefficients[0])
    half_width = scipy.stats.t.ppf(0.975, 8) * covariance[0, 0] ** 0.5
    assert estimate.high - estimate.value == pytest.approx(half_width)
    assert np.isnan(estimates.slope([0, 1], [1, 2]).low)
    assert estimates.slope(x, 2 * x).note == "all 10 on a line"


def test_a_slope_needs_two_places():
    assert np.isnan(estimates.slope([], []).value)
    assert np.isnan(estimates.slope([1, 1], [2, 3]).value)
    assert estimates.slope([0, 1, 2], [1, 2, 4]).note == "3 are too few"

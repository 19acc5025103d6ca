import numpy as np
import pytest
import scipy.stats

from jaxnets.stats.estimates import crossed_difference


def bounds(estimate):
    return estimate.low, estimate.high


def test_without_seeds_the_crossed_interval_is_that_over_examples():
    first, second = np.random.default_rng(0).random((2, 200)) < [[0.8], [0.7]]
    interval = scipy.stats.ttest_rel(first.astype(float), second.astype(float)).confidence_interval()
    assert bounds(crossed_difference(first, second)) == pytest.approx((interval.low, interval.high))


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
    estimate = crossed_difference(first, second)
    assert estimate.value == pytest.approx(first.mean() - second.mean())
    largest_t, least_t = scipy.stats.t.ppf(0.975, [3, 1000])
    assert least_t * 0.99 <= estimate.half_width / variance**0.5 <= largest_t
    assert bounds(crossed_difference(second, first)) == pytest.approx((-estimate.high, -estimate.low))


@pytest.mark.parametrize(("seeds", "seed_spread"), [(3, 0.5), (8, 0.0)])
def test_crossed_intervals_cover_the_difference_with_new_seeds_and_new_examples(seeds, seed_spread):
    generator, covered, studies = np.random.default_rng(2), 0, 600
    for _ in range(studies):
        hard = 2 * generator.normal(size=150)
        first, second = (
            1.0 + hard + seed_spread * generator.normal(size=(seeds, 1)) + generator.logistic(size=(seeds, 150)) > 0
            for _ in range(2)
        )
        estimate = crossed_difference(first, second)
        covered += estimate.low <= 0 <= estimate.high
    assert 0.93 <= covered / studies <= 0.985


def test_crossed_differences_of_what_cannot_be_compared():
    with pytest.raises(ValueError, match="examples: 3 and 2"):
        crossed_difference(np.ones((2, 3)), np.ones((2, 2)))
    assert crossed_difference(np.ones((2, 3)), np.zeros((2, 3))).note == "all 3 equal"

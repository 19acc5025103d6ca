"""The statistics beside those of packages that nobody here wrote: what one of them has is equal."""

import baycomp
import numpy as np
import pandas as pd
import pingouin
import pytest
import scikit_posthocs
import scipy.stats
import statsmodels.api as sm
from statsmodels.stats.nonparametric import rank_compare_2indep
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from jaxnets.stats import estimates, hypothesis

DRAWS = range(8)


def drawn(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


def equal(value, expected):
    """Equal but for the rounding of double precision."""
    assert np.asarray(value) == pytest.approx(np.asarray(expected), rel=1e-13, abs=1e-14)


def bounds(estimate):
    return [estimate.low, estimate.high]


@pytest.mark.parametrize("trials", [1, 4, 30, 1000])
def test_shares_of_trials_have_wilsons_interval(trials):
    for successes in {0, 1, trials // 3, trials}:
        equal(bounds(estimates.share(successes, trials)), proportion_confint(successes, trials, method="wilson"))


@pytest.mark.parametrize("examples", [36, 180, 4000])
def test_equal_shares_have_the_exact_interval(examples):
    for right in (0, 1, examples // 2, examples - 3, examples):
        estimate = estimates.mean([right / examples] * 5, estimates.SHARE, examples)
        exact = proportion_confint(right, examples, method="beta")
        assert bounds(estimate) == pytest.approx(exact, abs=1e-12)  # SciPy looks for the root, statsmodels inverts


def test_failures_that_no_seed_showed_are_those_of_the_exact_one_sided_bound():
    for seeds in (3, 8, 31, 58):
        most = proportion_confint(0, seeds, alpha=0.10, method="beta")[1]
        assert estimates.unseen_failures(seeds) == f"the failure rate may still be up to {most:.0%} (95% upper bound)"


@pytest.mark.parametrize("seed", DRAWS)
def test_means_and_paired_differences_have_the_interval_of_a_t_test(seed):
    first, second = drawn(seed, 2, 4 + seed)
    found = scipy.stats.ttest_rel(first, second)
    equal(bounds(estimates.paired_difference(first, second)), found.confidence_interval())
    equal(bounds(estimates.mean(first)), DescrStatsW(first).tconfint_mean())
    assert bounds(estimates.mean(first - second)) == pytest.approx(
        pingouin.ttest(first, second, paired=True)["CI95"].iloc[0], abs=0.005
    )  # rounded


@pytest.mark.parametrize("error", [0.05, 0.05 / 6, 0.05 / 406])
def test_intervals_that_decide_have_their_level(error):
    differences = drawn(0, 8)
    found, of_all = estimates.corrected_difference(differences, 0.0), DescrStatsW(differences)
    equal(bounds(found.at(error, 7)), of_all.tconfint_mean(alpha=error))
    equal(found.at(2 * error, 7).low, of_all.tconfint_mean(alpha=error, alternative="larger")[0])


@pytest.mark.parametrize("seed", DRAWS)
def test_shares_have_the_delta_interval_of_a_logit_and_losses_that_of_a_logarithm(seed):
    # the mean alone in a generalized linear model whose errors may have any variance (HC0 divides it by n, not n - 1)
    size = 4 + seed
    values = scipy.stats.norm.cdf(1.5 + 0.5 * drawn(seed, size))
    for kind, family, inverse in (
        (estimates.SHARE, sm.families.Binomial(), scipy.special.expit),
        (estimates.POSITIVE, sm.families.Poisson(), np.exp),
    ):
        fit = sm.GLM(values, np.ones(size), family=family).fit(cov_type="HC0", tol=1e-15, maxiter=50)
        reach = scipy.stats.t.ppf([0.025, 0.975], size - 1) * fit.bse * (size / (size - 1)) ** 0.5
        assert bounds(estimates.mean(values, kind)) == pytest.approx(inverse(fit.params + reach), rel=1e-12)


@pytest.mark.parametrize("seed", DRAWS)
def test_differences_of_two_samples_have_welchs_interval(seed):
    first, second = drawn(seed, 4 + seed), 2 * drawn(seed + 100, 12 - seed)
    expected = CompareMeans(DescrStatsW(first), DescrStatsW(second)).tconfint_diff(usevar="unequal")
    equal(bounds(estimates.difference(first, second)), expected)
    ratio = estimates.ratio(np.exp(first), np.exp(second))
    assert bounds(ratio) == pytest.approx(np.exp(expected), rel=1e-12)


@pytest.mark.parametrize("folds", [4, 5, 10])
def test_differences_over_splits_are_those_of_the_corrected_resampled_t_test(folds):
    first, second = 0.9 + 0.02 * drawn(folds, 2, folds)
    mean, variance, freedom = baycomp.CorrelatedTTest.compute_statistics(second, first)
    estimate = estimates.corrected_difference(first - second, 1 / (folds - 1))
    equal(bounds(estimate), scipy.stats.t.interval(0.95, freedom, mean, variance**0.5))


def test_without_chance_of_seeds_a_crossed_difference_is_paired_over_the_examples():
    first, second = np.random.default_rng(0).random((2, 1, 200)) < [[[0.9]], [[0.8]]]
    expected = scipy.stats.ttest_rel(first[0].astype(float), second[0].astype(float)).confidence_interval()
    equal(bounds(estimates.crossed_difference(first, second)), expected)


@pytest.mark.parametrize("ties", [False, True])
def test_the_probability_of_improvement_in_a_repeat_is_the_common_language_effect_size(ties):
    first, second = drawn(0, 9) + 0.5, drawn(1, 7)
    first, second = (np.round(one) if ties else one for one in (first, second))
    found = hypothesis.probability_of_improvement([first], [second]).value
    equal(found, pingouin.mwu(first, second)["CLES"].iloc[0])
    equal(found, rank_compare_2indep(first, second).prob1)
    repeats = [(drawn(seed, 5) + 0.5, drawn(seed + 100, 4)) for seed in DRAWS]
    several = hypothesis.probability_of_improvement(*zip(*repeats, strict=True))
    equal(several.value, np.mean([rank_compare_2indep(*repeat).prob1 for repeat in repeats]))


@pytest.mark.parametrize("ties", [False, True])
def test_friedmans_test_is_that_of_scipy_in_the_form_of_iman_and_davenport(ties):
    scores = drawn(0, 9, 4) + np.array([0, 0.3, 0.6, 0.9])
    scores = np.round(scores) if ties else scores
    chi_square = scipy.stats.friedmanchisquare(*scores.T).statistic
    statistic = 8 * chi_square / (9 * 3 - chi_square)
    equal(hypothesis.friedman_p_value(scores), scipy.stats.f.sf(statistic, 3, 24))
    long = pd.DataFrame(scores).rename_axis("repeat").reset_index().melt("repeat", var_name="method")
    friedman = pingouin.friedman(long, dv="value", within="method", subject="repeat", method="f")
    equal(statistic, friedman["F"].iloc[0])


def test_mean_ranks_differ_where_nemenyis_test_says_so():
    decisions = 0
    for seed in range(10):
        scores = drawn(seed, 10, 5) + np.array([0, 0.5, 1, 1.5, 2])
        ranks, reach = hypothesis.average_ranks(scores), hypothesis.critical_difference(5, 10)
        p_values = scikit_posthocs.posthoc_nemenyi_friedman(scores).to_numpy()
        first, second = np.triu_indices(5, 1)
        differ = np.abs(ranks[first] - ranks[second]) > reach
        assert (differ == (p_values[first, second] < 0.05)).all()
        decisions += differ.sum()
    assert 10 < decisions < 90


@pytest.mark.parametrize("size", [6, 7, 8, 11, 16, 33])
def test_the_interval_of_a_median_lies_inside_the_exact_one_of_order_statistics(size):
    values = drawn(size, size)
    exact = scipy.stats.quantile_test(values, q=np.median(values), p=0.5).confidence_interval(0.95)
    estimate = estimates.median(values)
    assert exact.low <= estimate.low < estimate.value < estimate.high <= exact.high


@pytest.mark.parametrize("seed", DRAWS)
def test_slopes_are_those_of_ordinary_least_squares(seed):
    x, y = drawn(seed, 2, 5 + seed)
    fit = sm.OLS(y, sm.add_constant(x)).fit()
    estimate = estimates.slope(x, y)
    equal([estimate.value, *bounds(estimate)], [fit.params[1], *fit.conf_int()[1]])

"""Contestants compared: pairs, shares, probability of improvement, tests, profiles and ranks."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxnets.evidence.choosing import over_units
from jaxnets.evidence.intervals import UNKNOWN, Estimate, corrected_difference, corrected_error, mean, ratio, share
from jaxnets.evidence.resampling import LEVEL

TIE, OPEN = "tie", "open"
SIGNIFICANT = 0.05


def gain(pairs: pd.DataFrame, better: Any, worse: Any, examples: int | None = None) -> Estimate:
    """The mean of one column less another over the rows that have both; unknown if a column is not there.

    Rows of folds or blocks, by the name of the index, are corrected for what their training sets share. Accuracies over
    as many known `examples` have an interval also where all rows are equal.

    >>> gain(pd.DataFrame({"a": [3.0, 4.0], "b": [1.0, 2.0]}), "a", "b").value
    2.0
    """
    if better not in pairs or worse not in pairs:
        return UNKNOWN
    return over_units((pairs[better] - pairs[worse]).dropna(), examples=examples, least=-1.0)


def paired_ratio(pairs: pd.DataFrame, numerator: Any, denominator: Any) -> Estimate:
    """The geometric mean of one column over another, of the rows that have both; unknown if a column is not there.

    >>> paired_ratio(pd.DataFrame({"a": [1.0, 3.0], "b": [1.0, 3.0]}), "a", "b").value
    1.0
    """
    if numerator not in pairs or denominator not in pairs:
        return UNKNOWN
    both = pairs[[numerator, denominator]].dropna()
    return ratio(both[numerator], both[denominator], paired=True)


def largest_share(table: pd.DataFrame, by: str, column: str, none: str = "none") -> tuple[str, Estimate]:
    """The group with the largest share of true values, and that share; `none` and unknown for an empty table.

    >>> largest_share(pd.DataFrame({"width": ["2", "4", "4"], "solved": [False, True, True]}), "width", "solved")[0]
    '4'
    """
    if table.empty:
        return none, UNKNOWN
    best = str(table.groupby(by, sort=False)[column].mean().idxmax())
    members = table[table[by] == best][column]
    return best, share(int(members.sum()), len(members))


def probability_of_improvement(first: ArrayLike, second: ArrayLike) -> Estimate:
    """How probable it is that a run of the first scores higher than one of the second; a tie counts half.

    It is Mann and Whitney's U over the number of pairs of runs. Sources: Agarwal et al. (2021); of the interval, which
    holds at 0 and 1 too, Newcombe (2006), method 5.

    Args:
      first: scores of one contestant's runs, higher being better.
      second: of another's, drawn independently.

    >>> probability_of_improvement([2.0, 3.0], [1.0, 1.5]).value
    1.0
    """
    from scipy import optimize, stats

    one, other = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    if not len(one) or not len(other) or np.isnan(one).any() or np.isnan(other).any():
        return UNKNOWN
    pairs = len(one) * len(other)
    value = float(stats.mannwhitneyu(one, other).statistic) / pairs
    if min(len(one), len(other)) < 2:
        return Estimate(value, np.nan, np.nan, "one value")
    if np.ptp(np.concatenate([one, other])) == 0:
        return Estimate(value, np.nan, np.nan, "all are equal")
    others = (len(one) + len(other)) / 2 - 1
    quantile = stats.norm.ppf((1 + LEVEL) / 2)

    def outside(true: float) -> float:
        spread = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        return (true - value) ** 2 - quantile**2 * true * (1 - true) * spread / pairs

    inside = min(max(value, 1e-9), 1 - 1e-9)  # at 0 and 1 the variance is 0, and so they are roots as well
    low = 0.0 if value == 0 else optimize.brentq(outside, 0.0, inside)
    high = 1.0 if value == 1 else optimize.brentq(outside, inside, 1.0)
    return Estimate(value, float(low), float(high))


def paired_p_value(first: ArrayLike, second: ArrayLike, variance: float = 0.0) -> float:
    """The p value of a paired t test, two-sided; 1 for equal pairs, NaN where the spread is unknown.

    Args:
      first: scores of one contestant.
      second: of another, on the same seeds or blocks.
      variance: of an independent source that the pairs do not show, which the difference has besides.
    """
    return _p_value(np.asarray(first, np.float64) - np.asarray(second, np.float64), 0.0, variance)


def corrected_p_value(differences: ArrayLike, test_share: float) -> float:
    """The p value of differences over folds or blocks; see `jaxnets.evidence.intervals.corrected_difference`.

    Args:
      differences: one for each split, means over its seeds.
      test_share: examples of a test split over those of its training split; 0 for independent pairs.

    >>> corrected_p_value([0.0, 0.0, 0.0], 0.1)
    1.0
    """
    return _p_value(np.asarray(differences, np.float64).ravel(), test_share, 0.0)


def _p_value(numbers: np.ndarray, test_share: float, variance: float) -> float:
    from scipy import stats

    if len(numbers) < 2 or not np.isfinite(numbers).all():
        return np.nan
    if np.ptp(numbers) <= 1e-12 * np.abs(numbers).max():
        return 1.0 if not numbers.any() else np.nan
    error = float(np.sqrt(corrected_error(numbers, test_share) ** 2 + variance))
    return float(2 * stats.t.sf(abs(numbers.mean()) / error, len(numbers) - 1))


def effect(differences: ArrayLike, test_share: float, variance: float) -> tuple[Estimate, float]:
    """The mean of paired differences with its interval, and the p value.

    Args:
      differences: one for each seed, or for each split (means over its seeds).
      test_share: over splits, examples of a test split over those of its training split; 0 for seeds.
      variance: over seeds, of an independent source that the pairs do not show; splits show it.
    """
    numbers = np.asarray(differences, np.float64)
    if test_share:
        return corrected_difference(numbers, test_share), corrected_p_value(numbers, test_share)
    found = mean(numbers).widened(variance, len(numbers) - 1)
    return found, paired_p_value(numbers, np.zeros(len(numbers)), variance)


def outcome(row: Mapping[Any, Any] | pd.Series, margin: float, ahead: str, behind: str) -> str:
    """What a difference amounts to: ahead or behind by its p value, a tie by its interval, or open.

    Args:
      row: with `difference`, `low`, `high` and `p_holm`.
      margin: the difference below which nobody cares.
      ahead: what a real difference above zero is called.
      behind: what one below zero is called.
    """
    if row["p_holm"] < SIGNIFICANT:
        return ahead if row["difference"] > 0 else behind
    return TIE if row["low"] >= -margin and row["high"] <= margin else OPEN


def holm(p_values: ArrayLike) -> np.ndarray:
    """P values corrected for their number, such that no test rejects wrongly in 95% of families. Source: Holm (1979).

    NaN stays NaN, and is not counted.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(values[known], kind="stable")]
    corrected = np.full(values.shape, np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)), 1.0)
    return corrected


def profile(scores: ArrayLike, thresholds: ArrayLike) -> pd.DataFrame:
    """The share of runs whose score is at least a threshold, with Wilson's interval at each.

    Source: Agarwal et al. (2021), section 4.1; Dolan & Moré (2002).

    Returns:
      A row for each threshold: `threshold`, `share`, `low`, `high`.
    """
    values, places = np.asarray(scores, np.float64).ravel(), np.asarray(thresholds, np.float64).ravel()
    if not len(values):
        return pd.DataFrame({"threshold": places, "share": np.nan, "low": np.nan, "high": np.nan})
    reached = (values[:, None] >= places).sum(axis=0)
    by_count = {count: share(int(count), len(values)) for count in np.unique(reached)}
    rows = [(by_count[count].value, by_count[count].low, by_count[count].high) for count in reached]
    return pd.DataFrame(rows, columns=["share", "low", "high"]).assign(threshold=places)[
        ["threshold", "share", "low", "high"]
    ]


def average_ranks(scores: Float[np.ndarray, "blocks contestants"]) -> Float[np.ndarray, "contestants"]:
    """The mean rank of each contestant over blocks or tasks; 1 is the highest score, ties share their ranks.

    >>> average_ranks(np.array([[0.9, 0.8, 0.8], [0.7, 0.9, 0.1]])).tolist()
    [1.5, 1.75, 2.75]
    """
    from scipy import stats

    return stats.rankdata(-np.asarray(scores, np.float64), axis=1).mean(axis=0)


def critical_difference(num_contestants: int, num_blocks: int) -> float:
    """How far two mean ranks must differ to be told apart in 95%. Sources: Nemenyi (1963); Demšar (2006), section 3.2.

    >>> round(critical_difference(4, 14), 2)
    1.25
    """
    from scipy import stats

    if num_contestants < 2 or num_blocks < 2:
        return np.nan
    quantile = stats.studentized_range.ppf(LEVEL, num_contestants, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(num_contestants * (num_contestants + 1) / (6 * num_blocks)))


def friedman_p_value(scores: Float[np.ndarray, "blocks contestants"]) -> float:
    """The p value of contestants that are all alike. Sources: Friedman (1937), in the form of Iman & Davenport (1980).

    With two contestants Friedman's test is the sign test.
    """
    from scipy import stats

    blocks, contestants = np.shape(scores)
    centred = stats.rankdata(-np.asarray(scores, np.float64), axis=1) - (contestants + 1) / 2
    if not centred.any():
        return 1.0
    chi_square = (contestants - 1) * (centred.sum(axis=0) ** 2).sum() / (centred**2).sum()
    left = blocks * (contestants - 1) - chi_square
    if left <= 1e-12:
        return 0.0
    return float(stats.f.sf((blocks - 1) * chi_square / left, contestants - 1, (contestants - 1) * (blocks - 1)))


def indistinct(scores: Float[np.ndarray, "blocks contestants"], names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The largest groups of contestants that cannot be told apart by their mean ranks, the best first.

    Where Friedman's test finds no difference at all, all are one group. Source: Demšar (2006).
    """
    scores = np.asarray(scores, np.float64)
    ranks = average_ranks(scores)
    order = np.argsort(ranks, kind="stable")
    if len(scores) < 2 or friedman_p_value(scores) >= 1 - LEVEL:
        return (tuple(names[i] for i in order),) if len(names) > 1 else ()
    reach = critical_difference(len(names), len(scores))
    groups: list[tuple[str, ...]] = []
    last = -1
    for place, one in enumerate(order):
        end = max(p for p, other in enumerate(order) if ranks[other] - ranks[one] <= reach)
        if end > max(last, place):
            groups.append(tuple(names[i] for i in order[place : end + 1]))
            last = end
    return tuple(groups)

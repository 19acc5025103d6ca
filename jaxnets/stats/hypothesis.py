"""Tests and comparisons of methods: probability of improvement, outcomes, profiles and ranks."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxnets.stats.estimates import LEVEL, SHARE, UNKNOWN, Estimate, corrected_difference, mean, share

TIE, OPEN = "tie", "open"


def probability_of_improvement(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], test_share: float = 0.0, level: float = LEVEL
) -> Estimate:
    """How probable it is that a run of the first scores higher than one of the second in the same repeat.

    All pairs of runs within a repeat count, a tie half (Mann and Whitney's U over their number; Agarwal et al., 2021);
    the repeats count alike. The interval is over the repeats; where all are equal, it is Wilson's. Of one repeat it is
    over its runs: Newcombe (2006), method 5, which holds at 0 and 1 too.
    """
    sides = [[np.asarray(runs, np.float64).ravel() for runs in side] for side in (first, second)]
    repeats = list(zip(*sides, strict=True))
    if not repeats or any(not len(runs) or np.isnan(runs).any() for both in repeats for runs in both):
        return UNKNOWN
    # a tie counts half
    wins = [(one[:, None] > other) + 0.5 * (one[:, None] == other) for one, other in repeats]
    values = np.array([float(of_repeat.mean()) for of_repeat in wins])
    if len(values) == 1:
        return _of_one_repeat(sides[0][0], sides[1][0], float(values[0]), level)
    if np.ptp(values) == 0:
        value, of_repeats = float(values[0]), share(round(values.sum()), len(values), level)
        bounds = min(of_repeats.low, value), max(of_repeats.high, value)
        return Estimate(value, *bounds, f"all {len(values)} equal", level, SHARE)
    if test_share == 0:
        return mean(values, SHARE, level=level)
    return corrected_difference(values, test_share, kind=SHARE, level=level)


def _of_one_repeat(one: np.ndarray, other: np.ndarray, value: float, level: float) -> Estimate:
    """The interval over the runs of a single repeat."""
    from scipy import optimize, stats

    if min(len(one), len(other)) < 2:
        return Estimate(value, note="one value", level=level, kind=SHARE)
    if np.ptp(np.concatenate([one, other])) == 0:
        return Estimate(value, note="all are equal", level=level, kind=SHARE)
    pairs, others = len(one) * len(other), (len(one) + len(other)) / 2 - 1
    quantile = stats.norm.ppf((1 + level) / 2)

    def outside(true: float) -> float:
        spread = 1 + others * ((1 - true) / (2 - true) + true / (1 + true))
        return (true - value) ** 2 - quantile**2 * true * (1 - true) * spread / pairs

    inside = min(max(value, 1e-9), 1 - 1e-9)  # at 0 and 1 the variance is 0, and so they are roots as well
    low = 0.0 if value == 0 else optimize.brentq(outside, 0.0, inside)
    high = 1.0 if value == 1 else optimize.brentq(outside, inside, 1.0)
    return Estimate(value, float(low), float(high), level=level, kind=SHARE)


def outcome(effect: Estimate, margin: float, ahead: str, behind: str) -> str:
    """What a difference amounts to, read off its interval: ahead or behind, a tie within the margin, or open."""
    if effect.low > 0:
        return ahead
    if effect.high < 0:
        return behind
    return TIE if effect.low >= -margin and effect.high <= margin else OPEN


def profile(scores: ArrayLike, thresholds: ArrayLike, level: float = LEVEL) -> pd.DataFrame:
    """The share of runs whose score is at least a threshold, with Wilson's interval at each.

    Source: Agarwal et al. (2021), section 4.1; Dolan & Moré (2002).
    """
    values, places = np.asarray(scores, np.float64).ravel(), np.asarray(thresholds, np.float64).ravel()
    reached = (values[:, None] >= places).sum(axis=0)
    by_count = {count: share(count, len(values), level) for count in set(reached.tolist())}
    found = [by_count[count] for count in reached.tolist()]
    rows = [(at, one.value, one.low, one.high) for at, one in zip(places, found, strict=True)]
    return pd.DataFrame(rows, columns=["threshold", "share", "low", "high"])


def average_ranks(scores: Float[np.ndarray, "repeats methods"]) -> Float[np.ndarray, "methods"]:
    """The mean rank of each method over repeats or tasks; 1 is the highest score, ties share their ranks."""
    from scipy import stats

    return stats.rankdata(-np.asarray(scores, np.float64), axis=1).mean(axis=0)


def critical_difference(num_methods: int, num_repeats: int, level: float = LEVEL) -> float:
    """How far two mean ranks must differ to be told apart. Sources: Nemenyi (1963); Demšar (2006), section 3.2."""
    from scipy import stats

    if num_methods < 2 or num_repeats < 2:
        return np.nan
    quantile = stats.studentized_range.ppf(level, num_methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(num_methods * (num_methods + 1) / (6 * num_repeats)))


def friedman_p_value(scores: Float[np.ndarray, "repeats methods"]) -> float:
    """The p value of methods that are all alike. Sources: Friedman (1937), in the form of Iman & Davenport (1980).

    With two methods Friedman's test is the sign test.
    """
    from scipy import stats

    repeats, methods = np.shape(scores)
    centred = stats.rankdata(-np.asarray(scores, np.float64), axis=1) - (methods + 1) / 2
    if not centred.any():
        return 1.0
    chi_square = (methods - 1) * (centred.sum(axis=0) ** 2).sum() / (centred**2).sum()
    left = repeats * (methods - 1) - chi_square
    if left <= 1e-12:
        return 0.0
    return float(stats.f.sf((repeats - 1) * chi_square / left, methods - 1, (methods - 1) * (repeats - 1)))


def indistinct(
    scores: Float[np.ndarray, "repeats methods"], names: Sequence[str], level: float = LEVEL
) -> tuple[tuple[str, ...], ...]:
    """The largest groups of methods that cannot be told apart by their mean ranks, the best first.

    Where Friedman's test finds no difference at all, all are one group. Source: Demšar (2006).
    """
    scores = np.asarray(scores, np.float64)
    ranks = average_ranks(scores)
    order = np.argsort(ranks, kind="stable")
    if len(scores) < 2 or friedman_p_value(scores) >= 1 - level:
        return (tuple(names[i] for i in order),) if len(names) > 1 else ()
    reach = critical_difference(len(names), len(scores), level)
    groups: list[tuple[str, ...]] = []
    last = -1
    for place, one in enumerate(order):
        end = max(p for p, other in enumerate(order) if ranks[other] - ranks[one] <= reach)
        if end > max(last, place):
            groups.append(tuple(names[i] for i in order[place : end + 1]))
            last = end
    return tuple(groups)

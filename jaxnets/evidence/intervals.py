"""Estimates with intervals, of 95% unless they say otherwise: means, medians, shares, differences, ratios and slopes.

Which interval is taken, what it assumes and how often it covers is told in `docs/statistics.md`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped
from numpy.typing import ArrayLike

from jaxnets.evidence import crossed, resampling

FEW = 16  # below, no interval of a mean covers skewed values as often as it says
FEW_FOR_MEDIAN, FEW_FOR_MIDDLE = 6, 8
SIZES_UNKNOWN = "the sizes of the splits are unknown"
_MANY = 256  # from here on Student's interval does for skewed values too


@dataclass(frozen=True)
class Estimate:
    """An effect, with the bounds of its interval.

    Attributes:
      value: of the effect.
      low: lower bound; NaN where nothing can be said.
      high: upper bound; likewise.
      note: why there are no bounds, or what should be known of them.
      level: how probable it is that a repetition's interval holds the truth.
    """

    value: float
    low: float
    high: float
    note: str = ""
    level: float = resampling.LEVEL

    def __str__(self) -> str:
        return f"{self.value:.3g} ({percent(self.level)} interval {self.low:.3g} to {self.high:.3g})"

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def widened(self, variance: float, freedom: int) -> "Estimate":
        """The estimate with an independent source of variance added, of which its values tell nothing.

        >>> Estimate(0.0, -3.0, 3.0).widened(0.0, 8).high
        3.0
        """
        from scipy import stats

        added = variance * stats.t.ppf((1 + resampling.LEVEL) / 2, max(freedom, 1)) ** 2
        below, above = (float(np.sqrt(side**2 + added)) for side in (self.value - self.low, self.high - self.value))
        return replace(self, low=self.value - below, high=self.value + above)

    def at(self, error: float, freedom: float = np.inf) -> "Estimate":
        """The estimate with an interval that misses in a share `error` of repetitions, by Student's t on either side.

        Args:
          error: two-sided; 0.05 is the interval as it is.
          freedom: degrees of freedom of its spread.

        >>> round(Estimate(0.0, -1.96, 1.96).at(0.01).high, 2)
        2.58
        """
        from scipy import stats

        quantile = stats.t if np.isfinite(freedom) and freedom >= 1 else stats.norm
        about = (max(freedom, 1),) if quantile is stats.t else ()
        factor = float(quantile.ppf(1 - error / 2, *about) / quantile.ppf((1 + resampling.LEVEL) / 2, *about))
        below, above = (self.value - self.low) * factor, (self.high - self.value) * factor
        return replace(self, low=self.value - below, high=self.value + above, level=1 - error)

    def clipped(self, least: float, most: float) -> "Estimate":
        """The estimate with bounds that keep to what is possible, as that of a share to 0 and 1.

        >>> Estimate(0.9, 0.75, 1.05).clipped(0, 1).high
        1
        """
        return replace(self, low=max(self.low, least), high=min(self.high, most))


UNKNOWN = Estimate(np.nan, np.nan, np.nan)


def percent(level: float) -> str:
    """A level of confidence, with as many decimals as keep it from looking like certainty.

    >>> percent(0.95), percent(1 - 0.05 / 6), percent(1 - 0.05 / 406)
    ('95%', '99.2%', '99.99%')
    """
    decimals = max(1, -int(np.floor(np.log10(100 * (1 - level)))))
    return f"{100 * level:.{decimals}f}".removesuffix(".0") + "%"


def _without_bounds(value: float, note: str) -> Estimate:
    return Estimate(float(value), np.nan, np.nan, note)


def _why_no_bounds(values: np.ndarray, least: int = 2) -> str:
    """Why values tell nothing of their spread; nothing if they do."""
    if not np.isfinite(values).all():
        return "not all are finite"
    if len(values) < least:
        return "one value" if len(values) == 1 else f"{len(values)} are too few"
    return f"all {len(values)} equal" if _equal(values) else ""


def _equal(values: np.ndarray) -> bool:
    """Whether values are equal but for rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0))


def _too_few(size: int) -> str:
    return f"{size} are too few if skewed" if size < FEW else ""


def mean(values: ArrayLike, examples: int | None = None, least: float = 0.0) -> Estimate:
    """The mean of values, with Student's t interval, widened by the bootstrap-t from 16 values on.

    Args:
      values: one for each seed, block or other independent unit.
      examples: of shares that are counted over as many known examples: where all are equal, the interval is that of
        the share (Wilson, 1927). Without it there is none.
      least: what the values cannot fall below: 0 for shares, -1 for differences of shares, of which the interval is at
        least as wide as it should be. Their most is 1.

    >>> mean([1.0, 1.0, 1.0]).note
    'all 3 equal'
    >>> round(mean([1.0, 1.0, 1.0], examples=180).low, 3)
    0.979
    """
    numbers = np.asarray(values, np.float64).ravel()
    value = float(numbers.mean()) if len(numbers) else np.nan
    if note := _why_no_bounds(numbers):
        if examples and least <= value <= 1 and _equal(numbers):
            return _of_equal(value, examples, least, note)
        return _without_bounds(value, note)
    bounds = resampling.studentized if FEW <= len(numbers) <= _MANY else resampling.student
    low, high = bounds(numbers[None])
    return Estimate(value, float(low[0]), float(high[0]), _too_few(len(numbers)))


def _of_equal(value: float, examples: int, least: float, note: str) -> Estimate:
    """What equal shares, or differences of shares from -1, tell by the number of examples alone."""
    span = 1 - least
    of_examples = share(round((value - least) / span * examples), examples)
    low, high = least + span * of_examples.low, least + span * of_examples.high
    return Estimate(value, min(low, value), max(high, value), note)


def median(values: ArrayLike) -> Estimate:
    """The median of values, with an interval of order statistics that holds for any distribution.

    Values may be infinite, as the steps of runs that never arrive. The bounds are NaN below 6 values. Source:
    Hettmansperger & Sheather (1986).

    >>> median([3.0, 1.0, 2.0]).value
    2.0
    """
    numbers = np.asarray(values, np.float64).ravel()
    value = float(np.median(numbers)) if len(numbers) else np.nan
    if np.isnan(value) or len(numbers) < FEW_FOR_MEDIAN or (numbers == value).all():
        return _without_bounds(value, _why_no_bounds(np.nan_to_num(numbers), FEW_FOR_MEDIAN) or "not all are numbers")
    low, high = (float(bound[0]) for bound in resampling.median(numbers[None]))
    return Estimate(value, low, high) if high > low else _without_bounds(value, "those in the middle are equal")


def interquartile_mean(values: ArrayLike, strata: Sequence[object] | ArrayLike | None = None) -> Estimate:
    """The mean of the middle half of values, with a stratified bootstrap interval. Source: Agarwal et al. (2021).

    Args:
      values: one for each run.
      strata: the stratum of each, such as its task, of which there would be the same in a repetition of the study.

    >>> interquartile_mean([0.0, 1.0, 2.0, 9.0]).value
    1.5
    """
    from scipy import stats

    numbers = np.asarray(values, np.float64).ravel()
    if not len(numbers):
        return _without_bounds(np.nan, "0 are too few")
    value = float(stats.trim_mean(numbers, 0.25))
    if note := _why_no_bounds(numbers, FEW_FOR_MIDDLE):
        return _without_bounds(value, note)
    order = np.argsort(numbers, kind="stable")
    names = None if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1][order]
    low, high = (float(bound[0]) for bound in resampling.interquartile_mean(numbers[order][None], names))
    equal = _equal(np.array([low, high]))
    return _without_bounds(value, "the middle half is equal") if equal else Estimate(value, low, high)


def share(successes: int, trials: int) -> Estimate:
    """A share of trials, with Wilson's (1927) interval; unknown if there were none.

    >>> share(0, 10).low
    0.0
    """
    from scipy import stats

    if trials == 0:
        return UNKNOWN
    interval = stats.binomtest(successes, trials).proportion_ci(resampling.LEVEL, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def unseen_failures(num_seeds: int) -> str:
    """What seeds without a failure do not rule out, by the rule of three; nothing from 59 seeds on.

    Source: Hanley & Lippman-Hand (1983), in its exact form.

    >>> unseen_failures(8), unseen_failures(59)
    ('up to 31% of seeds could fail unseen', '')
    """
    most = 1 - (1 - resampling.LEVEL) ** (1 / num_seeds) if num_seeds else 1.0
    return f"up to {most:.0%} of seeds could fail unseen" if most >= 0.05 else ""


def paired_difference(first: ArrayLike, second: ArrayLike) -> Estimate:
    """The mean of first - second over pairs, such as the same seeds or blocks.

    Raises:
      ValueError: if they are not as many.
    """
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape:
        raise ValueError(f"pairs need as many values on both sides, not {one.shape} and {other.shape}")
    return mean(one - other)


def corrected_difference(differences: ArrayLike, test_share: float, variance: float = 0.0) -> Estimate:
    """The mean of differences (or of scores) over seeds, folds or other splits, with Student's t interval.

    The training sets of splits overlap: the variance of the mean is that of independent ones and `test_share` times the
    variance of one split. Source: Nadeau & Bengio (2003), section 3.

    Args:
      differences: one for each unit, means over its seeds.
      test_share: examples of a test split over those of its training split; 0 for independent units, NaN if unknown.
      variance: of independent sources of chance that the units do not show.
    """
    from scipy import stats

    numbers = np.asarray(differences, np.float64).ravel()
    value = float(numbers.mean()) if len(numbers) else np.nan
    if note := _why_no_bounds(numbers) or (SIZES_UNKNOWN if np.isnan(test_share) else ""):
        return _without_bounds(value, note)
    error = np.sqrt((1 / len(numbers) + test_share) * numbers.var(ddof=1) + variance)
    half_width = float(error * stats.t.ppf((1 + resampling.LEVEL) / 2, len(numbers) - 1))
    return Estimate(value, value - half_width, value + half_width, _too_few(len(numbers)))


def crossed_difference(
    first: Shaped[np.ndarray, "seeds examples"], second: Shaped[np.ndarray, "others examples"]
) -> Estimate:
    """The difference of two contestants' accuracies, with other seeds and other test examples.

    Seeds and examples are both random, and crossed: each net meets each example; see `jaxnets.evidence.crossed`. Seeds
    count as independent between contestants; where they share more than chance, the interval is too wide.

    Args:
      first: whether each net (row) is right on each test example (column); a system without chance has one row.
      second: likewise, on the same examples.

    Raises:
      ValueError: if the examples are not as many.
    """
    from scipy import stats

    one, other = np.atleast_2d(np.asarray(first, np.float64)), np.atleast_2d(np.asarray(second, np.float64))
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"examples: {one.shape[1]} and {other.shape[1]} of them cannot be compared")
    value = float(one.mean() - other.mean())
    if note := _why_no_bounds(one.mean(axis=0) - other.mean(axis=0)):
        return _without_bounds(value, note)
    variance, freedom = crossed.variance(one, other)
    half_width = float(np.sqrt(variance) * stats.t.ppf((1 + resampling.LEVEL) / 2, freedom))
    return Estimate(value, value - half_width, value + half_width)


def difference(first: ArrayLike, second: ArrayLike) -> Estimate:
    """The difference of the means of two independent samples, first - second. Source: Welch (1947)."""
    from scipy import stats

    one, other = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    value = float(one.mean() - other.mean()) if len(one) and len(other) else np.nan
    notes = [_why_no_bounds(one), _why_no_bounds(other)]
    both_equal = all(note.startswith("all") for note in notes)
    if both_equal or any(note and not note.startswith("all") for note in notes):
        return _without_bounds(value, next(note for note in notes if note))
    squares = np.array([sample.var(ddof=1) / len(sample) for sample in (one, other)])
    freedom = squares.sum() ** 2 / (squares**2 / (np.array([len(one), len(other)]) - 1)).sum()
    half_width = float(np.sqrt(squares.sum()) * stats.t.ppf((1 + resampling.LEVEL) / 2, freedom))
    note = next(filter(None, notes), _too_few(min(len(one), len(other))))
    return Estimate(value, value - half_width, value + half_width, note)


def ratio(first: ArrayLike, second: ArrayLike, *, paired: bool = False) -> Estimate:
    """The ratio of the geometric means of two samples of positive numbers, first / second.

    >>> ratio([2.0, 2.0], [1.0, 1.0]).value
    2.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = np.log(np.asarray(first, np.float64)), np.log(np.asarray(second, np.float64))
        found = paired_difference(one, other) if paired else difference(one, other)
    value, low, high = (float(np.exp(number)) for number in (found.value, found.low, found.high))
    return Estimate(value, low, high, found.note)


def slope(x: ArrayLike, y: ArrayLike) -> Estimate:
    """The slope of the least-squares line of y over x, with Student's t interval; NaN bounds for points on a line.

    It is unknown where x has fewer than two values.

    >>> slope([0, 1, 2], [1, 3, 5]).value
    2.0
    """
    from scipy import stats

    xs, ys = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
    if len(np.unique(xs)) < 2:
        return UNKNOWN
    fit = stats.linregress(xs, ys)
    if len(xs) < 3 or fit.stderr <= 1e-12 * abs(fit.slope):
        return _without_bounds(fit.slope, "two points" if len(xs) < 3 else f"all {len(xs)} on a line")
    half_width = float(fit.stderr * stats.t.ppf((1 + resampling.LEVEL) / 2, len(xs) - 2))
    return Estimate(float(fit.slope), float(fit.slope - half_width), float(fit.slope + half_width))

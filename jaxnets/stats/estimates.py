"""Estimates with intervals: means, medians, shares, differences, ratios and slopes.

An `Estimate` carries the level of its interval. Which interval is taken, what it assumes and how often it covers is
told in `docs/statistics.md`. Resamples are the same in every call, so that a table always has the same interval.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Shaped
from numpy.typing import ArrayLike

from jaxnets import metrics
from jaxnets.metrics import Kind

RESAMPLES = 2000
LEVEL = 0.95  # of an interval, unless another is asked for
FEW = 16  # below, no interval of a mean covers skewed values as often as it says
FEWEST = 4  # below, there is no interval by Student's t: the values themselves are shown
FEW_FOR_MEDIAN, FEW_FOR_MIDDLE = 6, 8
SIZES_UNKNOWN = "the sizes of the splits are unknown"
_MANY = 256  # from here on Student's interval does for skewed values too
_MOST_TIMES_STUDENT = 2.0

NUMBER: Final = "number"
SHARE: Final = "share"
POSITIVE: Final = "positive"
DIFFERENCE: Final = "difference"
_RANGES: dict[Kind, tuple[float, float]] = {
    NUMBER: (-np.inf, np.inf),
    SHARE: (0.0, 1.0),
    POSITIVE: (0.0, np.inf),
    DIFFERENCE: (-1.0, 1.0),
}

Bounds = tuple[np.ndarray, np.ndarray]


def kind_of(column: str) -> Kind:
    """The kind of the values of a column, by its name."""
    metric = metrics.of_column(column)
    return metric.kind if metric else NUMBER


def _t(level: float, freedom: float) -> float:
    """How many standard errors an interval of Student's t reaches to either side."""
    from scipy import special

    return float(special.stdtrit(freedom, (1 + level) / 2))  # the bits of scipy.stats, in a hundredth of the time


# ---- bounds of many samples at once, `float[samples, values]` ---------------------------------------------------


@functools.lru_cache(maxsize=32)
def resamples(sizes: tuple[int, ...]) -> Float[np.ndarray, "resamples values"]:
    """How often each value is drawn in each resample; strata of these sizes are drawn from separately."""
    generator = np.random.default_rng(0)
    drawn = [generator.multinomial(size, np.full(size, 1 / size), RESAMPLES) for size in sizes]
    return np.concatenate([one.astype(np.float64) for one in drawn], axis=1)


def student(samples: Float[np.ndarray, "samples values"], level: float = LEVEL) -> Bounds:
    """Bounds of the mean of each sample by Student's t."""
    size = samples.shape[1]
    half_width = _t(level, size - 1) * samples.std(axis=1, ddof=1) / np.sqrt(size)
    return samples.mean(axis=1) - half_width, samples.mean(axis=1) + half_width


def studentized(samples: Float[np.ndarray, "samples values"], level: float = LEVEL) -> Bounds:
    """Bounds of the mean of each sample: on each side the wider of Student's t and the bootstrap-t.

    The bootstrap-t reaches further where a sample is skewed, but without limit where one value lies far from all
    others; it may be twice as far as Student's t. Source of the bootstrap-t: Efron & Tibshirani (1993), section 12.5.
    """
    size, means = samples.shape[1], samples.mean(axis=1)
    low, high = student(samples, level)
    weights, centred = resamples((size,)) / size, samples - means[:, None]
    shifts = centred @ weights.T
    spreads = np.sqrt(np.maximum(centred**2 @ weights.T - shifts**2, 0) * size / (size - 1))
    errors = samples.std(axis=1, ddof=1)
    # a resample of one value alone has no spread: it counts as infinitely far
    spreads = np.where(spreads > 1e-9 * errors[:, None], spreads, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(shifts == 0, 0.0, shifts / spreads)
    first = int((1 - level) / 2 * (RESAMPLES + 1)) - 1  # infinite ratios cannot be interpolated
    ordered = np.partition(ratios, (first, RESAMPLES - 1 - first), axis=1)
    limit = _MOST_TIMES_STUDENT * (high - means)
    reach_down, reach_up = (np.minimum(q * errors, limit) for q in (ordered[:, -1 - first], -ordered[:, first]))
    return np.minimum(low, means - reach_down), np.maximum(high, means + reach_up)


def median_bounds(samples: np.ndarray, level: float = LEVEL) -> Bounds:
    """Bounds of the median of each sample: order statistics, interpolated to the coverage.

    They hold for any continuous distribution, to a fraction of a percent; values may be infinite. Source:
    Hettmansperger & Sheather (1986).
    """
    from scipy import stats

    size, ordered = samples.shape[1], np.sort(samples, axis=1)
    coverages = 1 - 2 * stats.binom.cdf(np.arange(size // 2), size, 0.5)
    if coverages[0] < level:
        raise ValueError(f"{size} values have no {percent(level)} interval of the median")
    depth = int(np.flatnonzero(coverages >= level)[-1]) + 1
    inner = coverages[depth] if depth < len(coverages) else 0.0
    excess = (coverages[depth - 1] - level) / (coverages[depth - 1] - inner)
    weight = (size - depth) * excess / (depth + (size - 2 * depth) * excess)

    def between(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # of two infinite ends
            return np.where(outer == inner, outer, (1 - weight) * outer + weight * inner)

    return between(ordered[:, depth - 1], ordered[:, depth]), between(ordered[:, -depth], ordered[:, -depth - 1])


def interquartile_bounds(
    samples: np.ndarray, strata: Sequence[int] | np.ndarray | None = None, level: float = LEVEL
) -> Bounds:
    """Bounds of the mean of the middle half of each sample, by a percentile bootstrap within strata.

    The percentiles are moved out to make up for what a resample of `n` has too little spread, a factor of
    sqrt(n / (n - 1)). Sources: Agarwal et al. (2021) for the resampling, Hesterberg (2015) for the factor.
    """
    from scipy import stats

    size = samples.shape[1]
    names = np.zeros(size, int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    sizes = np.bincount(names)
    counts = np.empty((RESAMPLES, size))
    counts[:, np.argsort(names, kind="stable")] = resamples(tuple(sizes.tolist()))
    means = samples @ middle_weights(counts).T
    smallest = max(int(sizes.min()), 2)
    tail = stats.norm.cdf(stats.norm.ppf((1 - level) / 2) * np.sqrt(smallest / (smallest - 1)))
    low, high = np.quantile(means, [tail, 1 - tail], axis=1)
    return low, high


def middle_weights(counts: Float[np.ndarray, "resamples values"]) -> Float[np.ndarray, "resamples values"]:
    """What each of the values, in ascending order, weighs in the interquartile mean of each resample."""
    size = counts.shape[1]
    cut, ends = size // 4, np.cumsum(counts, axis=1)
    inside = np.minimum(ends, size - cut) - np.maximum(ends - counts, cut)
    return np.maximum(inside, 0) / (size - 2 * cut)


# ---- estimates --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimate:
    """An effect, with the bounds of its interval and their level; without bounds a note says why."""

    value: float
    low: float = np.nan
    high: float = np.nan
    note: str = ""
    level: float = LEVEL
    kind: Kind = NUMBER
    values: tuple[float, ...] = ()

    def __str__(self) -> str:
        if np.isnan(self.low):
            return f"{self.value:.3g} ({self.reason()}: no interval)"
        return f"{self.value:.3g} ({percent(self.level)} CI {self.low:.3g} to {self.high:.3g})"

    def reason(self, show: Callable[[float], str] | None = None) -> str:
        """Why there are no bounds: the values themselves where they are too few.

        >>> mean([0.91, 0.95, 0.96], SHARE).reason()
        'of 3: 91.0%, 95.0%, 96.0%'
        """
        if not self.values:
            return self.note or "nothing known"
        form = "{:.1%}" if self.kind == SHARE else "{:+.2%}" if self.kind == DIFFERENCE else "{:.3g}"
        return f"of {len(self.values)}: {', '.join(map(show or form.format, self.values))}"

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2

    def widened(self, variance: float, freedom: int) -> "Estimate":
        """The estimate with an independent source of variance added, of which its values tell nothing.

        >>> Estimate(0.0, -3.0, 3.0).widened(0.0, 8).high
        3.0
        """
        added = variance * _t(self.level, max(freedom, 1)) ** 2
        return self.reaching(*(float(np.sqrt(side**2 + added)) for side in self._reach()))

    def at(self, error: float, freedom: float = np.inf) -> "Estimate":
        """The estimate with an interval that misses in a share `error` of repetitions, by Student's t."""
        from scipy import special

        normal = not np.isfinite(freedom) or freedom < 1
        wanted, given = (
            float(special.ndtri(one)) if normal else float(special.stdtrit(freedom, one))
            for one in (1 - error / 2, (1 + self.level) / 2)
        )
        return replace(self.reaching(*(wanted / given * side for side in self._reach())), level=1 - error)

    def _reach(self) -> tuple[float, float]:
        """How far the bounds lie below and above the value, on the scale of its kind; the inverse of `reaching`."""
        from scipy import special

        def distance(bound: float) -> float:
            if self._scale == SHARE:
                return float((special.logit(bound) - special.logit(self.value)) * self.value * (1 - self.value))
            return float(np.log(bound / self.value) * self.value) if self._scale == POSITIVE else bound - self.value

        return -distance(self.low), distance(self.high)

    def reaching(self, below: float, above: float) -> "Estimate":
        """The estimate with bounds so far below and above it, on the scale of its kind, so that they keep to its range.

        A share moves on the scale of its logit and what is positive on that of its logarithm, by the delta method;
        a difference of shares stops at its ends.
        """
        from scipy import special

        def moved(distance: float) -> float:
            if self._scale == SHARE:
                spread = self.value * (1 - self.value)
                return float(special.expit(special.logit(self.value) + distance / spread))
            if self._scale == POSITIVE:
                return float(self.value * np.exp(distance / self.value))
            bound = self.value + distance
            return bound if self.kind == NUMBER else float(np.clip(bound, *_RANGES[self.kind]))

        return replace(self, low=moved(-below), high=moved(above))

    @property
    def _scale(self) -> Kind:
        """The kind whose scale serves: at the ends of a range there is no logarithm, nor beyond them."""
        low, high = _RANGES[self.kind]
        return self.kind if low < self.value < high else NUMBER


UNKNOWN = Estimate(np.nan)


def percent(level: float) -> str:
    """A level of confidence, with as many decimals as keep it from looking like certainty.

    >>> percent(0.95), percent(1 - 0.05 / 6), percent(1 - 0.05 / 406)
    ('95%', '99.2%', '99.99%')
    """
    decimals = max(1, -int(np.floor(np.log10(100 * (1 - level)))))
    return f"{100 * level:.{decimals}f}".removesuffix(".0") + "%"


def bounded(name: str, estimate: Estimate) -> dict[str, Any]:
    """The columns of an estimate: its value, its bounds, and why there are none."""
    reason = estimate.reason() if np.isnan(estimate.low) else ""
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high, f"{name}_note": reason}


def _why_no_bounds(values: np.ndarray, least: int = FEWEST) -> str:
    """Why values tell nothing of their spread; nothing if they do."""
    if not np.isfinite(values).all():
        return "not all are finite"
    if len(values) < 2:
        return "one value" if len(values) else "0 are too few"
    if _equal(values):
        return f"all {len(values)} equal"
    return f"{len(values)} are too few" if len(values) < least else ""


def _equal(values: np.ndarray) -> bool:
    """Whether values are equal but for rounding."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0))


def _too_few(size: int) -> str:
    return f"{size} are too few if skewed" if size < FEW else ""


def mean(values: ArrayLike, kind: Kind = NUMBER, examples: int | None = None, level: float = LEVEL) -> Estimate:
    """The mean of values, with Student's t interval, widened by the bootstrap-t from 16 values on.

    The interval keeps to the range of the kind; see `docs/statistics.md`.

    >>> mean([1.0, 1.0, 1.0]).note
    'all 3 equal'
    >>> round(mean([1.0, 1.0, 1.0], SHARE, examples=180).low, 3)
    0.98
    """
    numbers = np.asarray(values, np.float64).ravel()
    if note := _why_no_bounds(numbers):
        return _of_too_few(numbers, kind, examples, note, level)
    bounds = studentized if FEW <= len(numbers) <= _MANY else student
    low, high = bounds(numbers[None], level)
    return _about(numbers, float(numbers.mean() - low[0]), float(high[0] - numbers.mean()), kind, level)


def _about(numbers: np.ndarray, below: float, above: float, kind: Kind, level: float) -> Estimate:
    """The mean of numbers, with bounds so far from it, on the scale of their kind."""
    least, most = _RANGES[kind]
    scale = kind if least <= numbers.min() and numbers.max() <= most else NUMBER
    middle = Estimate(float(numbers.mean()), note=_too_few(len(numbers)), level=level, kind=scale)
    return middle.reaching(below, above)


def _of_too_few(numbers: np.ndarray, kind: Kind, examples: int | None, note: str, level: float) -> Estimate:
    """The mean of equal or too few numbers: with what the number of examples tells, else with the numbers.

    Of equal shares of examples there are the exact bounds; of a difference, as far off as if all examples differed.
    """
    from scipy import stats

    found = Estimate(float(numbers.mean()) if len(numbers) else np.nan, note=note, level=level, kind=kind)
    least, most = _RANGES[kind]
    if examples and kind in (SHARE, DIFFERENCE) and _equal(numbers) and least <= found.value <= most:
        successes = round((found.value - least) / (most - least) * examples)
        exact = stats.binomtest(min(max(successes, 0), examples), examples).proportion_ci(level, method="exact")
        low, high = (float(least + (most - least) * bound) for bound in (exact.low, exact.high))
        return replace(found, low=min(low, found.value), high=max(high, found.value))
    return replace(found, values=tuple(numbers.tolist())) if note.endswith("too few") else found


def median(values: ArrayLike, level: float = LEVEL) -> Estimate:
    """The median of values, with an interval of order statistics that holds for any distribution.

    Values may be infinite, as the steps of runs that never arrive. The bounds are NaN below 6 values. Source:
    Hettmansperger & Sheather (1986).
    """
    numbers = np.asarray(values, np.float64).ravel()
    found = Estimate(float(np.median(numbers)) if len(numbers) else np.nan, level=level)
    least = max(FEW_FOR_MEDIAN, int(np.ceil(1 - np.log2(1 - level))))  # whose ends reach the level
    if np.isnan(found.value) or len(numbers) < least or (numbers == found.value).all():
        note = _why_no_bounds(np.nan_to_num(numbers), least) or "not all are numbers"
        return replace(found, note=note)
    low, high = (float(bound[0]) for bound in median_bounds(numbers[None], level))
    return replace(found, low=low, high=high) if high > low else replace(found, note="those in the middle are equal")


def interquartile_mean(
    values: ArrayLike, strata: Sequence[object] | ArrayLike | None = None, level: float = LEVEL
) -> Estimate:
    """The mean of the middle half of values, with a stratified bootstrap interval. Source: Agarwal et al. (2021)."""
    from scipy import stats

    numbers = np.asarray(values, np.float64).ravel()
    value = float(stats.trim_mean(numbers, 0.25)) if len(numbers) else np.nan
    if note := _why_no_bounds(numbers, FEW_FOR_MIDDLE):
        return Estimate(value, note=note, level=level)
    order = np.argsort(numbers, kind="stable")
    names = None if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1][order]
    low, high = (float(bound[0]) for bound in interquartile_bounds(numbers[order][None], names, level))
    if _equal(np.array([low, high])):
        return Estimate(value, note="the middle half is equal", level=level)
    return Estimate(value, low, high, level=level)


def share(successes: int, trials: int, level: float = LEVEL) -> Estimate:
    """A share of trials, with Wilson's (1927) interval; unknown if there were none."""
    from scipy import stats

    if trials == 0:
        return UNKNOWN
    interval = stats.binomtest(successes, trials).proportion_ci(level, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high), level=level, kind=SHARE)


def unseen_failures(num_runs: int, level: float = LEVEL) -> str:
    """What runs without a failure do not rule out, by the rule of three; nothing from 59 runs on.

    Source: Hanley & Lippman-Hand (1983), in its exact form.

    >>> unseen_failures(8), unseen_failures(59)
    ('the failure rate may still be up to 31% (95% upper bound)', '')
    """
    most = 1 - (1 - level) ** (1 / num_runs) if num_runs else 1.0
    return f"the failure rate may still be up to {most:.0%} ({percent(level)} upper bound)" if most >= 0.05 else ""


# ---- differences, ratios and slopes -----------------------------------------------------------------------------


def paired_difference(first: ArrayLike, second: ArrayLike, kind: Kind = NUMBER, level: float = LEVEL) -> Estimate:
    """The mean of first - second over pairs, such as the same seeds or repeats."""
    one, other = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != other.shape:
        raise ValueError(f"pairs need as many values on both sides, not {one.shape} and {other.shape}")
    return mean(one - other, kind, level=level)


def corrected_difference(
    differences: ArrayLike,
    test_share: float,
    variance: float = 0.0,
    kind: Kind = NUMBER,
    examples: int | None = None,
    level: float = LEVEL,
) -> Estimate:
    """The mean of differences (or of scores) over seeds, folds or other splits, with Student's t interval.

    The training sets of splits overlap: the variance of the mean is that of independent ones and `test_share` times the
    variance of one split. Source: Nadeau & Bengio (2003), section 3.
    """
    numbers = np.asarray(differences, np.float64).ravel()
    if note := _why_no_bounds(numbers) or (SIZES_UNKNOWN if np.isnan(test_share) else ""):
        return _of_too_few(numbers, kind, examples, note, level)
    error = np.sqrt((1 / len(numbers) + test_share) * numbers.var(ddof=1) + variance)
    half_width = float(error * _t(level, len(numbers) - 1))
    return _about(numbers, half_width, half_width, kind, level)


_Correct = Shaped[np.ndarray, "seeds examples"]


def crossed_difference(
    first: _Correct, second: Shaped[np.ndarray, "others examples"], level: float = LEVEL
) -> Estimate:
    """The difference of two methods' accuracies, with other seeds and other test examples.

    Seeds and examples are both random, and crossed: each net meets each example. Seeds count as independent between
    methods; where they share more than chance, the interval is too wide. The mean squares of examples and of seeds
    both hold what is left, so that it is subtracted once. The degrees of freedom are those of Satterthwaite (1946).
    """
    one, other = np.atleast_2d(np.asarray(first, np.float64)), np.atleast_2d(np.asarray(second, np.float64))
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"examples: {one.shape[1]} and {other.shape[1]} of them cannot be compared")
    value, differences = float(one.mean() - other.mean()), one.mean(axis=0) - other.mean(axis=0)
    if note := _why_no_bounds(differences):
        return Estimate(value, note=note, level=level)
    of_examples = differences.var(ddof=1) / len(differences)
    parts = [(of_examples, len(differences) - 1), *_variance_of_seeds(one), *_variance_of_seeds(other)]
    of_seeds = sum(square for square, _ in parts[1:] if square > 0)
    # what is subtracted is an estimate too: neither source of chance can be less than it is alone
    total = max(sum(square for square, _ in parts), of_examples, of_seeds)
    freedom = total**2 / sum(square**2 / degrees for square, degrees in parts)
    half_width = float(np.sqrt(total) * _t(level, freedom))
    return Estimate(value, level=level, kind=DIFFERENCE).reaching(half_width, half_width)


def variance_of_examples(differences: Float[np.ndarray, "seeds examples"]) -> float:
    """What examples add to the variance of a mean over seeds and examples, beyond what shows from seed to seed."""
    alone = float(differences.mean(axis=0).var(ddof=1)) / differences.shape[1]
    return max(alone + sum(square for square, _ in _variance_of_seeds(differences) if square < 0), 0.0)


def _variance_of_seeds(correct: Float[np.ndarray, "seeds examples"]) -> list[tuple[float, float]]:
    """What the seeds of a method add to the variance, and what is counted twice by it, with degrees of freedom."""
    seeds, examples = correct.shape
    if seeds < 2 or examples < 2:
        return []
    means = correct.mean(axis=1)
    left = correct - means[:, None] - correct.mean(axis=0) + correct.mean()
    degrees = (seeds - 1) * (examples - 1)
    return [(means.var(ddof=1) / seeds, seeds - 1), (-(left**2).sum() / degrees / (seeds * examples), degrees)]


def difference(first: ArrayLike, second: ArrayLike, kind: Kind = NUMBER, level: float = LEVEL) -> Estimate:
    """The difference of the means of two independent samples, first - second. Source: Welch (1947)."""
    one, other = np.asarray(first, np.float64).ravel(), np.asarray(second, np.float64).ravel()
    value = float(one.mean() - other.mean()) if len(one) and len(other) else np.nan
    if (fewest := min(len(one), len(other))) < FEWEST:
        return Estimate(value, note="one value" if fewest == 1 else f"{fewest} are too few", level=level)
    notes = [_why_no_bounds(one), _why_no_bounds(other)]
    equal = [note.startswith("all") for note in notes]
    if all(equal) or any(note for note, same in zip(notes, equal, strict=True) if not same):
        return Estimate(value, note=next(filter(None, notes)), level=level)
    squares = np.array([sample.var(ddof=1) / len(sample) for sample in (one, other)])
    freedom = squares.sum() ** 2 / (squares**2 / (np.array([len(one), len(other)]) - 1)).sum()
    half_width = float(np.sqrt(squares.sum()) * _t(level, freedom))
    note = next(filter(None, notes), _too_few(fewest))
    return Estimate(value, note=note, level=level, kind=kind).reaching(half_width, half_width)


def ratio(first: ArrayLike, second: ArrayLike, *, paired: bool = False, level: float = LEVEL) -> Estimate:
    """The ratio of the geometric means of two samples of positive numbers, first / second."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = np.log(np.asarray(first, np.float64)), np.log(np.asarray(second, np.float64))
        found = (paired_difference if paired else difference)(one, other, level=level)
    value, low, high, *few = (float(np.exp(number)) for number in (found.value, found.low, found.high, *found.values))
    return Estimate(value, low, high, found.note, level, POSITIVE, tuple(few))


def slope(x: ArrayLike, y: ArrayLike, level: float = LEVEL) -> Estimate:
    """The slope of the least-squares line of y over x, with Student's t interval; NaN bounds for points on a line.

    It is unknown where x has fewer than two values.
    """
    from scipy import stats

    xs, ys = np.asarray(x, np.float64).ravel(), np.asarray(y, np.float64).ravel()
    if len(np.unique(xs)) < 2:
        return UNKNOWN
    fit = stats.linregress(xs, ys)
    if len(xs) < FEWEST or fit.stderr <= 1e-12 * abs(fit.slope):
        note = f"{len(xs)} are too few" if len(xs) < FEWEST else f"all {len(xs)} on a line"
        return Estimate(float(fit.slope), note=note, level=level)
    half_width = float(fit.stderr * _t(level, len(xs) - 2))
    return Estimate(float(fit.slope), float(fit.slope - half_width), float(fit.slope + half_width), level=level)

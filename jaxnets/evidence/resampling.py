"""Bounds of 95% intervals by Student's t and by resampling, for many samples at once.

The resamples are the same in every call, so that a table always has the same interval.
"""

import functools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

RESAMPLES = 2000
LEVEL = 0.95

_MOST_TIMES_STUDENT = 2.0

Bounds = tuple[np.ndarray, np.ndarray]


@functools.lru_cache(maxsize=32)
def draws(sizes: tuple[int, ...]) -> Float[np.ndarray, "resamples values"]:
    """How often each value is drawn in each resample; strata of these sizes are drawn from separately.

    >>> bool((draws((3, 2)).sum(axis=1) == 5).all())
    True
    """
    generator = np.random.default_rng(0)
    return np.concatenate([_drawn(generator, size) for size in sizes], axis=1)


def _drawn(generator: np.random.Generator, size: int) -> np.ndarray:
    return generator.multinomial(size, np.full(size, 1 / size), RESAMPLES).astype(np.float64)


def student(samples: Float[np.ndarray, "samples values"]) -> Bounds:
    """Bounds of the mean of each sample by Student's t."""
    from scipy import stats

    size = samples.shape[1]
    half_width = stats.t.ppf((1 + LEVEL) / 2, size - 1) * samples.std(axis=1, ddof=1) / np.sqrt(size)
    return samples.mean(axis=1) - half_width, samples.mean(axis=1) + half_width


def studentized(samples: Float[np.ndarray, "samples values"]) -> Bounds:
    """Bounds of the mean of each sample: on each side the wider of Student's t and the bootstrap-t.

    The bootstrap-t reaches further where a sample is skewed, but without limit where one value lies far from all
    others; it may be twice as far as Student's t. Source of the bootstrap-t: Efron & Tibshirani (1993), section 12.5.
    """
    size, means = samples.shape[1], samples.mean(axis=1)
    low, high = student(samples)
    weights, centred = draws((size,)) / size, samples - means[:, None]
    shifts = centred @ weights.T
    spreads = np.sqrt(np.maximum(centred**2 @ weights.T - shifts**2, 0) * size / (size - 1))
    errors = samples.std(axis=1, ddof=1)
    # a resample of one value alone has no spread: it counts as infinitely far
    spreads = np.where(spreads > 1e-9 * errors[:, None], spreads, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(shifts == 0, 0.0, shifts / spreads)
    below, above = _at_ranks(ratios, (1 - LEVEL) / 2)
    limit = _MOST_TIMES_STUDENT * (high - means)
    reach_down, reach_up = (np.minimum(q * errors, limit) for q in (above, -below))
    return np.minimum(low, means - reach_down), np.maximum(high, means + reach_up)


def _at_ranks(values: np.ndarray, tail: float) -> Bounds:
    """The values of each row that leave a tail below and above; infinite ones are not interpolated."""
    first = int(tail * (values.shape[1] + 1)) - 1
    last = values.shape[1] - 1 - first
    ordered = np.partition(values, (first, last), axis=1)
    return ordered[:, first], ordered[:, last]


def median(samples: np.ndarray) -> Bounds:
    """Bounds of the median of each sample: order statistics, interpolated to a coverage of 95%.

    They hold for any continuous distribution, to a fraction of a percent; values may be infinite. Source:
    Hettmansperger & Sheather (1986).
    """
    from scipy import stats

    size, ordered = samples.shape[1], np.sort(samples, axis=1)
    coverages = 1 - 2 * stats.binom.cdf(np.arange(size // 2), size, 0.5)
    if coverages[0] < LEVEL:
        raise ValueError(f"{size} values have no 95% interval of the median")
    depth = int(np.flatnonzero(coverages >= LEVEL)[-1]) + 1
    inner = coverages[depth] if depth < len(coverages) else 0.0
    excess = (coverages[depth - 1] - LEVEL) / (coverages[depth - 1] - inner)
    weight = (size - depth) * excess / (depth + (size - 2 * depth) * excess)
    outer_low, inner_low, inner_high, outer_high = (ordered[:, i] for i in (depth - 1, depth, -depth - 1, -depth))
    return _between(outer_low, inner_low, weight), _between(outer_high, inner_high, weight)


def _between(outer: np.ndarray, inner: np.ndarray, weight: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # of two infinite ends
        return np.where(outer == inner, outer, (1 - weight) * outer + weight * inner)


def interquartile_mean(samples: np.ndarray, strata: Sequence[int] | np.ndarray | None = None) -> Bounds:
    """Bounds of the mean of the middle half of each sample, by a percentile bootstrap within strata.

    The percentiles are moved out to make up for what a resample of `n` has too little spread, a factor of
    sqrt(n / (n - 1)). Sources: Agarwal et al. (2021) for the resampling, Hesterberg (2015) for the factor.
    """
    from scipy import stats

    size = samples.shape[1]
    names = np.zeros(size, int) if strata is None else np.unique(np.asarray(strata), return_inverse=True)[1]
    sizes = np.bincount(names)
    counts = np.empty((RESAMPLES, size))
    counts[:, np.argsort(names, kind="stable")] = draws(tuple(sizes.tolist()))
    means = samples @ middle_weights(counts).T
    smallest = max(int(sizes.min()), 2)
    tail = stats.norm.cdf(stats.norm.ppf((1 - LEVEL) / 2) * np.sqrt(smallest / (smallest - 1)))
    low, high = np.quantile(means, [tail, 1 - tail], axis=1)
    return low, high


def middle_weights(counts: Float[np.ndarray, "resamples values"]) -> Float[np.ndarray, "resamples values"]:
    """What each of the values, in ascending order, weighs in the interquartile mean of each resample.

    >>> middle_weights(np.array([[0.0, 3.0, 0.0, 1.0]]))
    array([[0., 1., 0., 0.]])
    """
    size = counts.shape[1]
    cut, ends = size // 4, np.cumsum(counts, axis=1)
    inside = np.minimum(ends, size - cut) - np.maximum(ends - counts, cut)
    return np.maximum(inside, 0) / (size - 2 * cut)

"""MNIST-1D: ten shapes of a line, moved, stretched and noisy."""

import numpy as np

from jaxnets.data.dataset import Dataset, random_generator, stratified
from jaxnets.data.features import in_splits
from jaxnets.errors import UserError

TEMPLATES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)
LEAST_PADDING, MOST_PADDING = 36, 60  # zeros after a template
NUM_PLACES = len(TEMPLATES[0]) + MOST_PADDING
NUM_SHIFTS = 48
AMPLITUDES, SHEARS = (0.8, 1.2), (-0.375, 0.375)
NOISE, BACKGROUND = 0.02, 0.25  # standard deviations: everywhere; and of the correlated noise before it is smoothed
SMOOTHING, REACH = 2.0, 8  # the deviation of the Gaussian that smooths it, and where that is cut off
LENGTH = 40


def mnist1d(num_examples: int = 5500, data_seed: int = 0) -> Dataset:
    """Lines of 40 points with one of ten shapes, moved, stretched, tilted, and with noise around and on it.

    A shape is a template of 12 points, followed by 36 to 60 zeros and stretched to 72 points; its height is scaled by
    0.8 to 1.2, it is moved around by 0 to 47 points, smoothed noise takes the place of the zeros, noise is added, the
    line is tilted, and cut down to 40 points. All points together have mean 0 and deviation 1 in training. 8 of 11
    parts are train, 1 dev, 2 test: 4,000, 500 and 1,000, where the original has 4,000 and 1,000. Source: Greydanus and
    Kobak (2024), "Scaling down deep learning with MNIST-1D"; templates and constants are those of their package
    `mnist1d` 0.0.2.

    Args:
      num_examples: how many lines there are.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 110 lines, or the seed is negative.
    """
    if num_examples < 110:
        raise UserError(f"num_examples: {num_examples} are too few to split; take 110 or more.")
    generator = random_generator("data_seed", data_seed)
    labels = np.arange(num_examples) % len(TEMPLATES)
    lines = _drawn(templates()[labels], generator)
    num_dev, num_test = num_examples // 11, 2 * num_examples // 11
    rows = stratified(labels, (num_examples - num_dev - num_test, num_dev, num_test), generator)
    seen = lines[rows[0]]
    return in_splits("mnist1d", (lines - seen.mean()) / seen.std(), labels, tuple("0123456789"), rows)


def templates() -> np.ndarray:
    """The shapes `float64[10, 12]`: each of deviation 1/6, from 0 at its first point."""
    heights = np.array(TEMPLATES)
    return (heights - heights[:, :1]) / heights.std(axis=1, keepdims=True) / 6


def _drawn(shapes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A line `float64[examples, 40]` for each template `float64[examples, 12]`."""
    count = len(shapes)
    lengths = shapes.shape[1] + generator.integers(LEAST_PADDING, MOST_PADDING + 1, count)
    # something above 0, so that points of a shape at height 0 are told from those beside it
    padded = np.pad(shapes + 1e-8, ((0, 0), (0, MOST_PADDING)))
    lines = _interpolated(padded, np.linspace(0, 1, NUM_PLACES) * (lengths[:, None] - 1))
    lines *= generator.uniform(*AMPLITUDES, (count, 1))
    shifts = generator.integers(NUM_SHIFTS, size=(count, 1))
    lines = np.take_along_axis(lines, (np.arange(NUM_PLACES) - shifts) % NUM_PLACES, axis=1)
    lines = np.where(lines == 0, _smoothed(BACKGROUND * generator.normal(size=lines.shape)), lines)
    lines += NOISE * generator.normal(size=lines.shape)
    lines -= generator.uniform(*SHEARS, (count, 1)) * np.linspace(-0.5, 0.5, NUM_PLACES)
    return _interpolated(lines, np.broadcast_to(np.linspace(0, NUM_PLACES - 1, LENGTH), (count, LENGTH)))


def _interpolated(lines: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The heights of lines at places between their points, `float64[examples, places]`."""
    before = np.minimum(places.astype(int), lines.shape[1] - 2)
    left, right = (np.take_along_axis(lines, at, axis=1) for at in (before, before + 1))
    return left + (places - before) * (right - left)


def _smoothed(noise: np.ndarray) -> np.ndarray:
    """Each row filtered with a Gaussian; it is mirrored at its ends."""
    weights = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SMOOTHING) ** 2)
    mirrored = np.pad(noise, ((0, 0), (REACH, REACH)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, 2 * REACH + 1, axis=1)
    return windows @ (weights / weights.sum())

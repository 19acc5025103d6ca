"""Small data sets of features: scikit-learn's tables, generated points and bits, MNIST-1D, and patterns of two bits."""

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxnets.data.dataset import Dataset, Split, random_generator, stratified
from jaxnets.data.splits import in_splits, standardized
from jaxnets.errors import UserError


def xor() -> Dataset:
    """The four patterns of two bits, 0 and 1, labelled by whether the bits differ; all splits are these four.

    Source: Minsky and Papert (1969); coded with 0 and 1 as in Rumelhart, Hinton and Williams (1986).
    """
    split = Split(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0], np.int32))
    return Dataset("xor", split, split, split, ("same", "different"))


def negation() -> Dataset:
    """Features of a sentence: it has a good word, it has a bad word, it has "not".

    The patterns are "good", "bad", "not good" and "not bad", labelled positive, negative, negative, positive. No linear
    classifier fits them: the sum of the two positive patterns is the sum of the two negative ones.
    """
    split = Split(np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]], np.float32), np.array([1, 0, 0, 1], np.int32))
    return Dataset("negation", split, split, split, ("negative", "positive"))


DIGITS, SIZES = tuple("0123456789"), (1437, 180, 180)


def digits(split_seed: int = 0) -> Dataset:
    """1,797 images of 8 × 8 pixels in 10 classes, as rows of 64 features.

    1,437 train, 180 dev and 180 test examples, drawn at random with the classes in proportion; standardized with the
    mean and deviation of the training examples. Source: Alpaydin and Kaynak (1998), by way of scikit-learn.

    Args:
      split_seed: the seed of the draw of train, dev and test.

    Raises:
      UserError: if the seed is negative.
    """
    generator = random_generator("split_seed", split_seed)
    return _sklearn_table("digits", "load_digits", "digits.csv.gz", DIGITS, SIZES, generator)


def digits_noise(label_noise: float = 0.2, split_seed: int = 0) -> Dataset:
    """The digits with a share of the training labels wrong: each is one of the nine other classes, drawn at random.

    The labels of dev and test are right. Source: label noise that is uniform over the classes, as in Zhang et al.
    (2017), "Understanding deep learning requires rethinking generalization".

    Args:
      label_noise: share of the training labels that are wrong.
      split_seed: the seed of the draws of the splits and of the wrong labels.

    Raises:
      UserError: if the share is not between 0 and 1, or the seed is negative.
    """
    if not 0 <= label_noise <= 1:
        raise UserError(f"label_noise: {label_noise:g} is not between 0 and 1.")
    generator = random_generator("split_seed", split_seed)
    clean = _sklearn_table("digits_noise", "load_digits", "digits.csv.gz", DIGITS, SIZES, generator)
    count, labels = len(clean.train), clean.train.labels.copy()
    wrong = generator.choice(count, round(label_noise * count), replace=False)
    labels[wrong] = (labels[wrong] + generator.integers(1, 10, len(wrong))) % 10
    return replace(clean, train=Split(clean.train.inputs, labels))


def _sklearn_table(
    name: str,
    loader: str,
    file: str,
    class_names: tuple[str, ...],
    sizes: Sequence[int],
    generator: np.random.Generator,
) -> Dataset:
    """One of scikit-learn's tables in splits that the generator draws, standardized over the training rows."""
    package = importlib.util.find_spec("sklearn")
    path = Path(package.origin if package and package.origin else "").parent / "datasets" / "data" / file
    if path.is_file():  # to import scikit-learn takes longer than the rest of a start
        table = np.loadtxt(path, delimiter=",", skiprows=0 if file.endswith(".gz") else 1)
        features, labels = table[:, :-1], table[:, -1].astype(np.int32)
    else:
        features, labels = getattr(importlib.import_module("sklearn.datasets"), loader)(return_X_y=True)
    rows = stratified(labels, sizes, generator)
    return in_splits(name, standardized(features, rows[0]), labels, class_names, rows)


def breast_cancer(split_seed: int = 0) -> Dataset:
    """569 tumours, malignant or benign, by 30 measurements of the nuclei of their cells.

    60% train, 20% dev, 20% test, drawn at random with the classes in proportion; standardized with the mean and
    deviation of the training examples. Source: Street, Wolberg and Mangasarian (1993), by way of scikit-learn.

    Args:
      split_seed: the seed of the draw of train, dev and test.

    Raises:
      UserError: if the seed is negative.
    """
    generator = random_generator("split_seed", split_seed)
    names, sizes = ("malignant", "benign"), (341, 114, 114)
    return _sklearn_table("breast_cancer", "load_breast_cancer", "breast_cancer.csv", names, sizes, generator)


def wine(split_seed: int = 0) -> Dataset:
    """178 wines of three cultivars, by 13 measurements of their chemistry.

    60% train, 20% dev, 20% test, drawn at random with the classes in proportion; standardized with the mean and
    deviation of the training examples. Source: Aeberhard, Coomans and de Vel (1994), by way of scikit-learn.

    Args:
      split_seed: the seed of the draw of train, dev and test.

    Raises:
      UserError: if the seed is negative.
    """
    generator = random_generator("split_seed", split_seed)
    names, sizes = ("class_0", "class_1", "class_2"), (106, 36, 36)
    return _sklearn_table("wine", "load_wine", "wine_data.csv", names, sizes, generator)


MIN_EXAMPLES = 20
WIDTH = 20  # of the teacher's layers
MOST_BITS = 24  # all rows of bits are numbered to draw from them


def spirals(num_examples: int = 1000, num_turns: float = 1.5, noise: float = 0.05, data_seed: int = 0) -> Dataset:
    """Points in the plane on one of two spirals around each other, with noise.

    The radius is uniform from 0 to 1, the angle grows with it, and the second spiral is the first turned by half a
    circle. 60% train, 20% dev, 20% test. Source: Lang and Witbrock (1988), "Learning to tell two spirals apart", with
    random radii and noise.

    Args:
      num_examples: how many points there are.
      num_turns: of each spiral around the other.
      noise: standard deviation of what is added to each coordinate.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 20 points, the turns or the noise are negative, or the seed is.
    """
    for name, value in {"num_turns": num_turns, "noise": noise}.items():
        if value < 0:
            raise UserError(f"{name}: {value:g} is negative.")
    generator = _drawing(num_examples, MIN_EXAMPLES, data_seed)
    labels = np.arange(num_examples) % 2
    radii = generator.uniform(size=num_examples)
    angles = 2 * np.pi * num_turns * radii + np.pi * labels
    points = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points += noise * generator.normal(size=points.shape)
    return _in_fifths("spirals", points, labels, ("first", "second"), generator)


def parity(num_examples: int = 2000, num_bits: int = 12, num_relevant: int = 3, data_seed: int = 0) -> Dataset:
    """Rows of random bits, -1 or 1, labelled by whether the number of ones among a few of them is odd.

    Which bits count is drawn as well. No row occurs twice. Fewer of the relevant bits than all tell nothing. 60% train,
    20% dev, 20% test. Source: Minsky and Papert (1969); sparse, as in Barak et al. (2022), "Hidden progress in deep
    learning".

    Args:
      num_examples: how many rows there are.
      num_bits: in each row.
      num_relevant: bits that determine the label.
      data_seed: the seed of the draws.

    Raises:
      UserError: if there are fewer than 20 rows or more than can differ, more than 24 bits, fewer bits than relevant
        ones, or the seed is negative.
    """
    if not 1 <= num_relevant <= num_bits <= MOST_BITS:
        raise UserError(f"num_relevant: of {num_bits} bits {num_relevant} count; 1 to all of at most {MOST_BITS} can.")
    if num_examples > 2**num_bits:
        raise UserError(f"num_examples: {num_bits} bits make {2**num_bits:,} rows that differ, not {num_examples:,}.")
    generator = _drawing(num_examples, MIN_EXAMPLES, data_seed)
    relevant = generator.choice(num_bits, num_relevant, replace=False)
    numbers = generator.choice(2**num_bits, num_examples, replace=False)
    bits = numbers[:, None] >> np.arange(num_bits) & 1
    return _in_fifths("parity", 2.0 * bits - 1, bits[:, relevant].sum(axis=1) % 2, ("even", "odd"), generator)


def teacher_student(
    num_examples: int = 3000, num_features: int = 4, num_layers: int = 4, data_seed: int = 0
) -> Dataset:
    """Normal features, labelled by whether the output of a random deep net, the teacher, is above its median.

    The teacher has tanh layers of 20 units, whose weights are normal with the variance 4 over the number of inputs and
    whose biases are normal with the variance 1, so that its output is far from linear. 60% train, 20% dev, 20% test.
    Source: teacher and student as in Seung, Sompolinsky and Tishby (1992), "Statistical mechanics of learning from
    examples", with a deep teacher.

    Args:
      num_examples: how many there are.
      num_features: of each.
      num_layers: hidden layers of the teacher.
      data_seed: the seed of the draws, those of the teacher among them.

    Raises:
      UserError: if there are fewer than 20 examples, no feature, a negative number of layers, or a negative seed.
    """
    for name, value, least in (("num_features", num_features, 1), ("num_layers", num_layers, 0)):
        if value < least:
            raise UserError(f"{name}: {value} is below {least}.")
    generator = _drawing(num_examples, MIN_EXAMPLES, data_seed)
    inputs = hidden = generator.normal(size=(num_examples, num_features))
    for _ in range(num_layers):
        weights = generator.normal(size=(hidden.shape[1], WIDTH)) * 2 / np.sqrt(hidden.shape[1])
        hidden = np.tanh(hidden @ weights + generator.normal(size=WIDTH))
    outputs = hidden @ generator.normal(size=hidden.shape[1])
    labels = outputs > np.median(outputs)
    return _in_fifths("teacher_student", inputs, labels, ("below", "above"), generator)


def _drawing(num_examples: int, least: int, data_seed: int) -> np.random.Generator:
    if num_examples < least:
        raise UserError(f"num_examples: {num_examples} are too few to split; take {least} or more.")
    return random_generator("data_seed", data_seed)


def _in_fifths(
    name: str, features: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], generator: np.random.Generator
) -> Dataset:
    """60% train, 20% dev, 20% test."""
    held_out = len(labels) // 5
    rows = stratified(labels, (len(labels) - 2 * held_out, held_out, held_out), generator)
    return in_splits(name, features, labels, class_names, rows)


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
    generator = _drawing(num_examples, 110, data_seed)
    labels = np.arange(num_examples) % len(TEMPLATES)
    lines = _drawn(templates()[labels], generator)
    num_dev, num_test = num_examples // 11, 2 * num_examples // 11
    rows = stratified(labels, (num_examples - num_dev - num_test, num_dev, num_test), generator)
    seen = lines[rows[0]]
    return in_splits("mnist1d", (lines - seen.mean()) / seen.std(), labels, DIGITS, rows)


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

"""Generated features that tell optimizers and nets apart: two spirals, the parity of bits, the labels of a net."""

import numpy as np

from jaxnets.data.dataset import Dataset, random_generator, stratified
from jaxnets.data.features import in_splits
from jaxnets.errors import UserError

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
    generator = _generator(num_examples, data_seed)
    labels = np.arange(num_examples) % 2
    radii = generator.uniform(size=num_examples)
    angles = 2 * np.pi * num_turns * radii + np.pi * labels
    points = radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points += noise * generator.normal(size=points.shape)
    return _split("spirals", points, labels, ("first", "second"), generator)


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
    generator = _generator(num_examples, data_seed)
    relevant = generator.choice(num_bits, num_relevant, replace=False)
    numbers = generator.choice(2**num_bits, num_examples, replace=False)
    bits = numbers[:, None] >> np.arange(num_bits) & 1
    return _split("parity", 2.0 * bits - 1, bits[:, relevant].sum(axis=1) % 2, ("even", "odd"), generator)


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
    generator = _generator(num_examples, data_seed)
    inputs = hidden = generator.normal(size=(num_examples, num_features))
    for _ in range(num_layers):
        weights = generator.normal(size=(hidden.shape[1], WIDTH)) * 2 / np.sqrt(hidden.shape[1])
        hidden = np.tanh(hidden @ weights + generator.normal(size=WIDTH))
    outputs = hidden @ generator.normal(size=hidden.shape[1])
    labels = outputs > np.median(outputs)
    return _split("teacher_student", inputs, labels, ("below", "above"), generator)


def _generator(num_examples: int, data_seed: int) -> np.random.Generator:
    if num_examples < MIN_EXAMPLES:
        raise UserError(f"num_examples: {num_examples} are too few to split; take {MIN_EXAMPLES} or more.")
    return random_generator("data_seed", data_seed)


def _split(
    name: str, features: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], generator: np.random.Generator
) -> Dataset:
    num_held_out = len(labels) // 5
    rows = stratified(labels, (len(labels) - 2 * num_held_out, num_held_out, num_held_out), generator)
    return in_splits(name, features, labels, class_names, rows)

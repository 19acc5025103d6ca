"""Images of handwritten digits, also with some training labels wrong."""

from dataclasses import replace

import numpy as np

from jaxnets.data import bundled
from jaxnets.data.dataset import Dataset, Split, random_generator, stratified
from jaxnets.data.features import in_splits, standardized
from jaxnets.errors import UserError

SIZES = (1437, 180, 180)  # train, dev, test


def digits(split_seed: int = 0) -> Dataset:
    """1,797 images of 8 × 8 pixels in 10 classes, as rows of 64 features.

    1,437 train, 180 dev and 180 test examples, drawn at random with the classes in proportion; standardized with the
    mean and deviation of the training examples. Source: Alpaydin and Kaynak (1998), by way of scikit-learn.

    Args:
      split_seed: the seed of the draw of train, dev and test.

    Raises:
      UserError: if the seed is negative.
    """
    return _digits("digits", random_generator("split_seed", split_seed))


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
    clean = _digits("digits_noise", generator)
    return replace(clean, train=Split(clean.train.inputs, _with_noise(clean.train.labels, label_noise, generator)))


def _with_noise(labels: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """The labels of 10 classes, a share of them changed."""
    changed = generator.choice(len(labels), round(share * len(labels)), replace=False)
    noisy = labels.copy()
    noisy[changed] = (labels[changed] + generator.integers(1, 10, len(changed))) % 10
    return noisy


def _digits(name: str, generator: np.random.Generator) -> Dataset:
    """The digits in splits that the generator draws."""
    pixels, labels = _load()
    rows = stratified(labels, SIZES, generator)
    return in_splits(name, standardized(pixels, rows[0]), labels, tuple("0123456789"), rows)


def _load() -> tuple[np.ndarray, np.ndarray]:
    """Pixels `float64[1797, 64]` and labels `int32[1797]`."""
    return bundled.table("load_digits", "digits.csv.gz", (sum(SIZES), 65))

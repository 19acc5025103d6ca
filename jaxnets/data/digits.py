"""The handwritten digits that come with scikit-learn: real images, always at hand."""

import importlib.util
from pathlib import Path

import numpy as np

from jaxnets.data.dataset import Dataset, Split, random_generator, stratified
from jaxnets.data.features import standardized

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
    pixels, labels = _load()
    rows = stratified(labels, SIZES, random_generator("split_seed", split_seed))
    features = standardized(pixels, rows[0])
    train, dev, test = (Split(features[of_split], labels[of_split].astype(np.int32)) for of_split in rows)
    return Dataset("digits", train, dev, test, tuple("0123456789"))


def _load() -> tuple[np.ndarray, np.ndarray]:
    """Pixels `float64[1797, 64]` and labels `int[1797]`."""
    table = _bundled_table()
    if table is None:
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    return table[:, :-1], table[:, -1].astype(np.int32)


def _bundled_table() -> np.ndarray | None:
    """The table in scikit-learn's private data folder, `float64[1797, 65]`; None if it is not where or what it was.

    Importing scikit-learn to load it takes longer than all else before the first training step.
    """
    package = importlib.util.find_spec("sklearn")
    folders = package.submodule_search_locations if package else None
    try:
        (path,) = (Path(folder, "datasets", "data", "digits.csv.gz") for folder in folders or ())
        table = np.loadtxt(path, delimiter=",")
    except (OSError, ValueError, EOFError):  # not a single folder, no such file, or not a table of numbers
        return None
    return table if table.shape == (sum(SIZES), 65) else None

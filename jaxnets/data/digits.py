"""The handwritten digits that come with scikit-learn: real images, always at hand."""

import importlib.util
from pathlib import Path

import numpy as np

from jaxnets.data.dataset import Dataset, Split, random_generator, stratified
from jaxnets.data.features import standardized

SIZES = (1437, 180, 180)  # train, dev, test


def digits(split_seed: int = 0) -> Dataset:
    """1,797 images of 8 × 8 pixels in 10 classes, as rows of 64 features.

    1,437 train, 180 dev and 180 test examples, drawn at random with the classes in their shares; standardized with the
    mean and deviation of the training examples. Source: Alpaydin and Kaynak (1998), by way of scikit-learn.

    Args:
      split_seed: of the draw.

    Raises:
      UserError: if the seed is negative.
    """
    pixels, labels = _load()
    parts = stratified(labels, SIZES, random_generator("split_seed", split_seed))
    features = standardized(pixels, parts[0])
    train, dev, test = (Split(features[rows], labels[rows].astype(np.int32)) for rows in parts)
    return Dataset("digits", train, dev, test, tuple("0123456789"))


def _load() -> tuple[np.ndarray, np.ndarray]:
    """Pixels `float64[1797, 64]` and labels."""
    path = _file()
    if path is None:
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    # the file itself: importing scikit-learn takes longer than all else before the first step
    table = np.loadtxt(path, delimiter=",")
    return table[:, :-1], table[:, -1].astype(np.int32)


def _file() -> Path | None:
    """The table that comes with scikit-learn, found without importing it; None if it is not where it was."""
    package = importlib.util.find_spec("sklearn")
    folders = package.submodule_search_locations if package else None
    paths = [Path(folder, "datasets", "data", "digits.csv.gz") for folder in folders or ()]
    return next((path for path in paths if path.exists()), None)

"""The handwritten digits that come with scikit-learn: real images, always at hand."""

import importlib.util
from pathlib import Path

import numpy as np

from jaxnets.data.dataset import Dataset, Split

NUM_DEV = NUM_TEST = 180


def digits(split_seed: int = 0) -> Dataset:
    """1,797 images of 8 × 8 pixels in 10 classes, as rows of 64 features.

    1,437 train, 180 dev and 180 test examples, drawn at random with equal shares of the classes; standardized with the
    mean and deviation of the training examples. Source: Alpaydin and Kaynak (1998), by way of scikit-learn.

    Args:
      split_seed: of the draw.
    """
    pixels, labels = _load()
    test, dev, train = np.split(_stratified_order(labels, split_seed), [NUM_TEST, NUM_TEST + NUM_DEV])
    mean, deviation = pixels[train].mean(axis=0), pixels[train].std(axis=0)
    # a pixel that is the same in all training images tells nothing, and stays at zero in them
    features = (pixels - mean) / np.where(deviation > 0, deviation, 1)

    def split(rows: np.ndarray) -> Split:
        rows = np.sort(rows)
        return Split(features[rows].astype(np.float32), labels[rows].astype(np.int32))

    return Dataset("digits", split(train), split(dev), split(test), tuple("0123456789"))


def _stratified_order(labels: np.ndarray, seed: int) -> np.ndarray:
    """An order of the examples in which every stretch has the classes in their shares."""
    generator = np.random.default_rng(seed)
    # each class is shuffled and spread evenly over 0 to 1; sorting merges the classes
    position = np.empty(len(labels))
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        position[rows] = (generator.permutation(len(rows)) + generator.random()) / len(rows)
    return np.argsort(position, kind="stable")


def _load() -> tuple[np.ndarray, np.ndarray]:
    """Pixels `float64[1797, 64]` and labels."""
    package = importlib.util.find_spec("sklearn")
    folder = Path(next(iter(package.submodule_search_locations or ()))) if package else Path()
    path = folder / "datasets" / "data" / "digits.csv.gz"
    if not path.exists():
        from sklearn.datasets import load_digits

        return load_digits(return_X_y=True)
    # the file itself: importing scikit-learn takes longer than all else before the first step
    table = np.loadtxt(path, delimiter=",")
    return table[:, :-1], table[:, -1].astype(np.int32)

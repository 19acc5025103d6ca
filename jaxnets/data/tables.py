"""Small tables of measurements: tumours of the breast, and wines."""

import numpy as np

from jaxnets.data import bundled
from jaxnets.data.dataset import Dataset, random_generator, stratified
from jaxnets.data.features import in_splits, standardized


def breast_cancer(split_seed: int = 0) -> Dataset:
    """569 tumours, malignant or benign, by 30 measurements of the nuclei of their cells.

    60% train, 20% dev, 20% test, drawn at random with the classes in proportion; standardized with the mean and
    deviation of the training examples. Source: Street, Wolberg and Mangasarian (1993), by way of scikit-learn.

    Args:
      split_seed: the seed of the draw of train, dev and test.

    Raises:
      UserError: if the seed is negative.
    """
    features, labels = bundled.table("load_breast_cancer", "breast_cancer.csv", (569, 31), header=1)
    return _split("breast_cancer", features, labels, ("malignant", "benign"), split_seed)


def wine(split_seed: int = 0) -> Dataset:
    """178 wines of three cultivars, by 13 measurements of their chemistry.

    60% train, 20% dev, 20% test, drawn at random with the classes in proportion; standardized with the mean and
    deviation of the training examples. Source: Aeberhard, Coomans and de Vel (1994), by way of scikit-learn.

    Args:
      split_seed: the seed of the draw of train, dev and test.

    Raises:
      UserError: if the seed is negative.
    """
    features, labels = bundled.table("load_wine", "wine_data.csv", (178, 14), header=1)
    return _split("wine", features, labels, ("class_0", "class_1", "class_2"), split_seed)


def _split(
    name: str, features: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], split_seed: int
) -> Dataset:
    num_held_out = round(len(labels) * 0.2)
    sizes = (len(labels) - 2 * num_held_out, num_held_out, num_held_out)
    rows = stratified(labels, sizes, random_generator("split_seed", split_seed))
    return in_splits(name, standardized(features, rows[0]), labels, class_names, rows)

"""Features in the form in which nets learn well from them."""

import numpy as np

from jaxnets.data.assemble import Encoding, draw_parts
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.raw import RawDataset


def standardized(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Features with mean 0 and deviation 1 over the training rows; 0 everywhere where the training rows do not differ.

    No weight of such a feature could learn anything: its initial value would only disturb the dev and test examples.
    """
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    constant = np.ptp(features[train], axis=0) == 0
    return np.where(constant, 0, (features - mean) / np.where(constant, 1, deviation)).astype(np.float32)


def assemble(raw: RawDataset, encoding: Encoding) -> tuple[Dataset, ...]:
    """The folds of a data set of features, one if there is a test split; each standardized by its training rows."""
    present = {name: split for name in ("train", "dev", "test") if (split := getattr(raw, name)) is not None}
    pool = np.concatenate([np.asarray(split.inputs) for split in present.values()])
    labels = np.concatenate([split.labels for split in present.values()])
    folds = []
    for parts in draw_parts(labels, {name: len(split) for name, split in present.items()}, encoding):
        features = standardized(pool, parts.train)
        train, dev, test = (Split(features[rows], labels[rows]) for rows in (parts.train, parts.dev, parts.test))
        folds.append(Dataset(raw.name, train, dev, test, raw.class_names))
    return tuple(folds)

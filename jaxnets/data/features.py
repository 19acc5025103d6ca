"""From features to data sets that a sweep can train on."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jaxnets.data import notes
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.folds import FoldRows, Splitting, draw_folds
from jaxnets.data.raw import RawDataset


def standardized(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Features with mean 0 and deviation 1 over the training rows; 0 everywhere if a feature is constant there.

    The weight of a constant feature learns nothing: its initial value would only disturb the dev and test examples.
    """
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    constant = np.ptp(features[train], axis=0) == 0
    return np.where(constant, 0, (features - mean) / np.where(constant, 1, deviation)).astype(np.float32)


def in_splits(
    name: str, features: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], rows: Sequence[np.ndarray]
) -> Dataset:
    """A data set of features."""
    features, labels = features.astype(np.float32, copy=False), labels.astype(np.int32, copy=False)
    train, dev, test = (Split(features[of_split], labels[of_split]) for of_split in rows)
    return Dataset(name, train, dev, test, class_names)


def assemble_features(raw: RawDataset, splitting: Splitting, *, standardize: bool) -> tuple[Dataset, ...]:
    """The folds of a data set of features; a single one if there is a test split."""
    pool = np.concatenate([np.asarray(split.inputs) for split in raw.splits.values()])
    labels = np.concatenate([split.labels for split in raw.splits.values()])
    folds = draw_folds(labels, {name: len(split) for name, split in raw.splits.items()}, splitting)
    on_classes, on_examples = notes.on_classes(labels, raw.class_names, folds), notes.on_examples(pool, labels, folds)
    shared_notes = (*raw.notes, *on_classes, *on_examples)

    def dataset(fold: FoldRows) -> Dataset:
        features = standardized(pool, fold.train) if standardize else pool
        plain = in_splits(raw.name, features, labels, raw.class_names, (fold.train, fold.dev, fold.test))
        return replace(plain, notes=shared_notes, label_type=raw.label_type)

    return tuple(map(dataset, folds))

"""The tables of measurements: every row in one split, standardized by the training rows."""

import numpy as np
import pytest
import sklearn.datasets
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from jaxnets import data
from jaxnets.errors import UserError

SIZES = {"breast_cancer": (341, 114, 114), "wine": (106, 36, 36)}


def joined(dataset):
    """Inputs and labels of all splits."""
    splits = (dataset.train, dataset.dev, dataset.test)
    return np.concatenate([s.inputs for s in splits]), np.concatenate([s.labels for s in splits])


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("seed", [0, 1])
def test_rows_are_those_of_scikit_learn_each_in_one_split(name, seed):
    dataset = data.load(name, split_seed=seed)
    assert (len(dataset.train), len(dataset.dev), len(dataset.test)) == SIZES[name]
    table, classes = getattr(sklearn.datasets, f"load_{name}")(return_X_y=True)
    inputs, labels = joined(dataset)
    # both scaled over all rows, so that they can be compared and sorted
    own, expected = (
        np.c_[StandardScaler().fit_transform(f).round(3), y] for f, y in ((inputs, labels), (table, classes))
    )
    own, expected = (rows[np.lexsort(rows.T[[1, 0, -1]])] for rows in (own, expected))
    np.testing.assert_allclose(own, expected, atol=0.0021)
    np.testing.assert_allclose(dataset.train.inputs.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(dataset.train.inputs.std(axis=0), 1, atol=1e-5)
    counts = np.bincount(classes)
    for split in (dataset.train, dataset.dev, dataset.test):
        assert (np.abs(np.bincount(split.labels) - counts * len(split) / len(classes)) < 1).all()


@pytest.mark.parametrize(("name", "least"), [("breast_cancer", 0.94), ("wine", 0.91)])
def test_a_linear_classifier_is_as_good_as_is_known(name, least):
    accuracies = []
    for seed in range(3):
        dataset = data.load(name, split_seed=seed)
        model = LogisticRegression(max_iter=1000).fit(dataset.train.inputs, dataset.train.labels)
        accuracies.append(model.score(dataset.test.inputs, dataset.test.labels))
    assert np.mean(accuracies) > least


@pytest.mark.parametrize("name", SIZES)
def test_another_seed_draws_another_split_and_a_negative_one_is_reported(name):
    assert (data.load(name).test.inputs != data.load(name, split_seed=1).test.inputs).any()
    with pytest.raises(UserError, match="split_seed: -1 is negative"):
        data.load(name, split_seed=-1)

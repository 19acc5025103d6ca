import gzip
import importlib
import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.datasets
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from jaxnets.basics.errors import UserError
from jaxnets.data.digits import digits
from jaxnets.data.features import standardized

# the package gives this name to the function
module = importlib.import_module("jaxnets.data.digits")

SEEDS = [0, 1, 2]
PIXELS, LABELS = load_digits(return_X_y=True)


def splits_of(dataset):
    return dataset.train, dataset.dev, dataset.test


def rows_of(monkeypatch, split_seed):
    """The rows of scikit-learn's table that each split holds: read off a 65th feature that counts them."""
    numbered = np.c_[PIXELS, np.arange(len(PIXELS))]
    with monkeypatch.context() as patch:
        patch.setattr(module, "_load", lambda: (numbered, LABELS))
        splits = splits_of(digits(split_seed))
    counted = np.concatenate([split.inputs[:, -1] for split in splits])
    assert len(np.unique(counted)) == len(PIXELS)  # standardizing keeps the order
    return np.split(counted.argsort().argsort(), np.cumsum([len(split) for split in splits])[:-1])


def test_the_file_holds_what_scikit_learn_loads():
    pixels, labels = module._load()
    np.testing.assert_array_equal(pixels, PIXELS)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("spec", [None, importlib.util.find_spec("sys"), importlib.util.find_spec("json")])
def test_without_the_file_scikit_learn_loads_the_same(monkeypatch, spec):
    expected, calls = digits(), []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(sklearn.datasets, "load_digits", lambda **given: calls.append(given) or load_digits(**given))
    for one, other in zip(splits_of(digits()), splits_of(expected), strict=True):
        np.testing.assert_array_equal(one.inputs, other.inputs, strict=True)
        np.testing.assert_array_equal(one.labels, other.labels, strict=True)
    assert len(calls) == 1


@pytest.mark.parametrize("content", ["1,2,3\n", "no numbers\n", None])
def test_a_file_of_another_form_is_not_used(tmp_path, monkeypatch, content):
    folder = tmp_path / "datasets" / "data"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "digits.csv.gz").write_bytes(gzip.compress(content.encode()))
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    pixels, labels = module._load()
    np.testing.assert_array_equal(pixels, PIXELS)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_image_is_in_one_split_standardized_with_training_rows_alone(monkeypatch, seed):
    splits, rows = splits_of(digits(seed)), rows_of(monkeypatch, seed)
    assert [len(split) for split in splits] == [1437, 180, 180]
    assert sorted(np.concatenate(rows)) == list(range(1797))
    scaler = StandardScaler().fit(PIXELS[rows[0]])
    constant = scaler.var_ == 0
    for split, own in zip(splits, rows, strict=True):
        np.testing.assert_array_equal(split.labels, LABELS[own])
        expected = np.where(constant, 0, scaler.transform(PIXELS[own]))
        np.testing.assert_allclose(split.inputs, expected, rtol=1e-5, atol=1e-6)


def test_pixels_that_are_constant_in_training_are_zero_everywhere():
    pixels = np.array([[0.0, 3.0, 1.0], [0.0, 3.0, 2.0], [5.0, 3.0, 3.0]])
    features = standardized(pixels, np.array([0, 1]))
    np.testing.assert_array_equal(features, np.array([[0, 0, -1], [0, 0, 1], [0, 0, 3]], np.float32), strict=True)


@pytest.mark.parametrize("seed", [*SEEDS, 12, 123])
def test_classes_are_in_their_shares_in_each_split(seed):
    counts = np.bincount(LABELS)
    for split in splits_of(digits(seed)):
        assert (np.abs(np.bincount(split.labels) - counts * len(split) / 1797) < 1).all()


def test_another_seed_draws_another_split():
    assert (digits(0).test.inputs != digits(1).test.inputs).any()


def test_a_negative_seed_is_reported():
    with pytest.raises(UserError, match="split_seed: -1 is negative"):
        digits(-1)

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from jaxnets.data.dataset import random_generator, stratified
from jaxnets.data.splits import standardized
from jaxnets.data.toy import SIZES, digits, digits_noise
from jaxnets.errors import UserError

SEEDS = [0, 1, 2]
PIXELS, LABELS = load_digits(return_X_y=True)


def splits_of(dataset):
    return dataset.train, dataset.dev, dataset.test


def rows_of(split_seed):
    """The rows of scikit-learn's table that each split holds."""
    return stratified(LABELS, SIZES, random_generator("split_seed", split_seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_image_is_in_one_split_standardized_with_training_rows_alone(seed):
    splits, rows = splits_of(digits(seed)), rows_of(seed)
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


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_noise_changes_a_share_of_the_training_labels_and_nothing_else(share):
    clean, noisy = digits(3), digits_noise(share, 3)
    for split in ("train", "dev", "test"):
        np.testing.assert_array_equal(getattr(noisy, split).inputs, getattr(clean, split).inputs)
    np.testing.assert_array_equal(noisy.dev.labels, clean.dev.labels)
    np.testing.assert_array_equal(noisy.test.labels, clean.test.labels)
    changed = noisy.train.labels != clean.train.labels
    assert changed.sum() == round(share * 1437)
    moved = (noisy.train.labels - clean.train.labels)[changed] % 10
    counts = np.bincount(moved, minlength=10)[1:]
    expected = changed.sum() / 9
    assert (np.abs(counts - expected) <= 3.5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_a_share_out_of_range_is_reported(share):
    with pytest.raises(UserError, match="is not between 0 and 1"):
        digits_noise(share)

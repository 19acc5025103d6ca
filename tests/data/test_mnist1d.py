"""MNIST-1D: each step of the generator against SciPy, the whole against the published accuracies."""

import importlib

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.ndimage import gaussian_filter1d
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from jaxnets import data

# the package gives this name to the function
module = importlib.import_module("jaxnets.data.toy")
GENERATOR = np.random.default_rng(0)


def test_templates_begin_and_end_at_zero_and_are_of_one_deviation():
    shapes = module.templates()
    assert shapes.shape == (10, 12)
    np.testing.assert_allclose(shapes[:, [0, -1]], 0, atol=1e-12)
    np.testing.assert_allclose(shapes.std(axis=1), 1 / 6)
    assert min(np.abs(one - two).max() for row, one in enumerate(shapes) for two in shapes[:row]) > 0.1


def test_lines_are_interpolated_and_noise_is_smoothed_as_by_scipy():
    lines = GENERATOR.normal(size=(5, 30))
    places = GENERATOR.uniform(0, 29, size=(5, 17))
    places[0, :2] = 0, 29
    expected = [interp1d(np.arange(30), line)(at) for line, at in zip(lines, places, strict=True)]
    np.testing.assert_allclose(module._interpolated(lines, places), expected)
    np.testing.assert_allclose(module._smoothed(lines), gaussian_filter1d(lines, 2, axis=1), atol=1e-12)


def test_without_noise_and_movement_a_line_is_its_stretched_template(monkeypatch):
    for name, value in {"NOISE": 0, "BACKGROUND": 0, "NUM_SHIFTS": 1, "AMPLITUDES": (1, 1), "SHEARS": (0, 0)}.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "LEAST_PADDING", 60)
    shapes = module.templates()
    lines = module._drawn(shapes, np.random.default_rng(0))
    padded = np.pad(shapes, ((0, 0), (0, 60)))
    expected = interp1d(np.linspace(0, 1, 72), padded)(np.linspace(0, 1, 40))
    np.testing.assert_allclose(lines, expected, atol=1e-7)


def test_sizes_classes_and_seeds():
    dataset, other = data.load("mnist1d"), data.load("mnist1d", data_seed=1)
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [4000, 500, 1000]
    assert dataset.train.inputs.shape == (4000, 40)
    for split in (dataset.train, dataset.dev, dataset.test):
        assert set(np.bincount(split.labels)) == {len(split) // 10}
    assert dataset.train.inputs.mean() == pytest.approx(0, abs=1e-5)
    assert dataset.train.inputs.std() == pytest.approx(1, abs=1e-5)
    assert (dataset.test.inputs != other.test.inputs).any()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_classifiers_come_near_the_published_accuracies():
    """Greydanus and Kobak (2024): logistic regression about 32%, an MLP about 68%; this short training gives 66%."""
    dataset = data.load("mnist1d")

    def score(model):
        return model.fit(dataset.train.inputs, dataset.train.labels).score(dataset.test.inputs, dataset.test.labels)

    with threadpool_limits(1):  # small matrices, which threads would slow down
        assert 0.28 < score(LogisticRegression(max_iter=50)) < 0.37
        mlp = MLPClassifier((100, 100), learning_rate_init=0.01, batch_size=100, max_iter=20, random_state=0)
        assert 0.61 < score(mlp) < 0.72

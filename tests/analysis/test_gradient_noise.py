import numpy as np
import pytest

import jaxnets
from jaxnets.analysis import gradient_noise


def test_the_spread_over_batches_is_that_of_all_pairs():
    gradients = np.array([[0.0, 1.0], [3.0, 0.0], [1.0, 1.0], [0.0, -2.0]])
    pairs = [gradients[[i, j]].mean(axis=0) for i in range(4) for j in range(4)]  # with replacement, each as likely
    squares = ((np.array(pairs) - gradients.mean(axis=0)) ** 2).sum(axis=1)
    mean, deviation = gradient_noise.expected_variance(gradients, 2)
    assert mean == pytest.approx(squares.mean() * 2 / 3)  # (N - B)/(N - 1)
    assert deviation == pytest.approx(squares.std() * 2 / 3)


@pytest.fixture(scope="module")
def kept():
    """Runs of a linear net on wine, of two batch sizes, with their parameters at each evaluation."""
    sizes = {"batch_size": [16, 32], "num_seeds": 2, "num_epochs": 2, "learning_rate": 0.03}
    return jaxnets.sweep(dataset="wine", hidden_units=0, optimizer="sgd", keep="all", progress=False, **sizes)


def softmax_gradients(params, inputs, labels):
    """Of the loss of a linear net on each example, in float64, by hand: (p - y) x."""
    kernel, bias = (np.asarray(params["output"][name], np.float64) for name in ("kernel", "bias"))
    logits = inputs.astype(np.float64) @ kernel + bias
    errors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(3)[labels]
    return np.concatenate([errors, (inputs[:, :, None] * errors[:, None, :]).reshape(len(labels), -1)], axis=1)


def test_the_noise_at_ends_is_that_of_sampling_the_examples_gradients_without_replacement(kept):
    table = gradient_noise.at_ends(kept, 1, [2, 8, 53, 106], draws=1000)
    train = kept.folds[0].train
    each = softmax_gradients(kept.params(0), np.asarray(train.inputs), train.labels)
    spread = each.var(axis=0, ddof=1).sum()
    expected = np.array([spread / size * (1 - size / 106) for size in (2, 8, 53, 106)])  # Cochran (1977), theorem 2.2
    assert table["expected"].tolist() == pytest.approx(expected.tolist(), rel=1e-3, abs=1e-9)
    assert table["variance"].tolist() == pytest.approx(expected.tolist(), rel=0.12, abs=1e-9)
    assert (abs(table["variance"] - expected) < 5 * table["error"])[:3].all()
    assert table["variance"].iloc[3] < 1e-12  # the whole set has no noise


def test_angles_are_those_of_the_batches_drawn(kept):
    table = gradient_noise.angles(kept, 16, [4, 106], draws=50, seed=3)
    assert len(table) == 2 * 2 * 2  # runs of that size, early and late, sizes
    whole = table[table["batch_size"] == 106]["degrees"]
    assert (whole < 0.2).all()  # a batch of all examples goes the same way
    train, first = kept.folds[0].train, kept.steps(0)[0]
    each = softmax_gradients(kept.params(0, first), np.asarray(train.inputs), train.labels)
    full, draw = each.mean(axis=0), np.random.default_rng(0)
    batches = np.stack([each[draw.choice(106, 4, replace=False)].mean(axis=0) for _ in range(2000)])
    cosines = batches @ full / (np.linalg.norm(batches, axis=1) * np.linalg.norm(full))
    found = table[(table["seed"] == 0) & (table["step"] == first) & (table["batch_size"] == 4)]["degrees"].item()
    degrees = np.degrees(np.arccos(cosines))
    assert found == pytest.approx(degrees.mean(), abs=5 * degrees.std() / 50**0.5)

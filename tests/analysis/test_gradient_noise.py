import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jax.flatten_util import ravel_pytree

import jaxnets
from jaxnets.analysis import gradient_noise
from jaxnets.data.dataset import Split
from jaxnets.models import MLP
from jaxnets.training.heads import Softmax

RNG = np.random.default_rng(0)
EXAMPLES = Split(RNG.normal(size=(40, 3)).astype(np.float32), RNG.integers(0, 2, 40).astype(np.int32))


@pytest.mark.parametrize("size", [2, 8])
def test_the_variance_is_that_of_sampling_without_replacement(size):
    model = MLP(2, (4,), jnp.tanh)
    params = model.init(jax.random.key(0), jnp.asarray(EXAMPLES.inputs))["params"]

    def loss(params, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply({"params": params}, x[None])[0], y)

    each = jax.vmap(lambda x, y: ravel_pytree(jax.grad(loss)(params, x, y))[0])(
        *map(jnp.asarray, vars(EXAMPLES).values())
    )
    spread = np.asarray(each, np.float64).var(axis=0, ddof=1).sum()
    expected = spread / size * (40 - size) / 40  # Cochran (1977), theorem 2.2
    mean, deviation = gradient_noise.expected_variance(np.asarray(each, np.float64), size)
    assert mean == pytest.approx(expected)
    noise = gradient_noise.measure(model, Softmax(), params, EXAMPLES, size, 4000, seed=0)
    assert noise["variance"] == pytest.approx(expected, rel=0.06)
    assert abs(noise["variance"] - mean) < 5 * deviation / 4000**0.5


def test_the_spread_over_batches_is_that_of_all_pairs():
    gradients = np.array([[0.0, 1.0], [3.0, 0.0], [1.0, 1.0], [0.0, -2.0]])
    pairs = [gradients[[i, j]].mean(axis=0) for i in range(4) for j in range(4)]  # with replacement, each as likely
    squares = ((np.array(pairs) - gradients.mean(axis=0)) ** 2).sum(axis=1)
    mean, deviation = gradient_noise.expected_variance(gradients, 2)
    assert mean == pytest.approx(squares.mean() * 2 / 3)  # (N - B)/(N - 1)
    assert deviation == pytest.approx(squares.std() * 2 / 3)


def test_the_whole_set_has_no_noise():
    model = MLP(2, ())
    params = model.init(jax.random.key(0), jnp.asarray(EXAMPLES.inputs))["params"]
    assert gradient_noise.measure(model, Softmax(), params, EXAMPLES, 40, 3, seed=0)["variance"] < 1e-12


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


def test_the_noise_at_ends_is_that_of_the_examples_gradients(kept):
    table = gradient_noise.at_ends(kept, 1, [8, 53], draws=300)
    train = kept.folds[0].train
    each = softmax_gradients(kept.params(0), np.asarray(train.inputs), train.labels)
    spread = each.var(axis=0, ddof=1).sum()
    expected = [spread / 8 * (1 - 8 / 106), spread / 53 * (1 - 53 / 106)]
    assert table["expected"].tolist() == pytest.approx(expected, rel=1e-3)
    assert (abs(table["variance"] - expected) < 5 * table["error"]).all()


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


def test_seconds_come_by_round_and_size(kept):
    table = gradient_noise.size_seconds(kept, rounds=3, steps=2)
    assert table.groupby("contestant")["round"].apply(list).to_dict() == {16: [0, 1, 2], 32: [0, 1, 2]}
    assert (table["seconds"] > 0).all()

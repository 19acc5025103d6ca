"""What every model must do, and what each of them is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets import models
from jaxnets.models import MLP
from jaxnets.models.blocks import POOLINGS, MeanPooling, TextBatch
from jaxnets.models.mlp import SigmoidMLP, scaled_sigmoid

ROWS = [[2, 3, 4, 5, 6], [7, 2], []]


def text_batch(rows, left_over=0):
    """The texts of these rows of word ids, with so many positions left over."""
    words = [word for row in rows for word in row] + [0] * left_over
    owner = [number for number, row in enumerate(rows) for _ in row] + [len(rows)] * left_over
    lengths = [len(row) for row in rows]
    return TextBatch(*(jnp.array(values, jnp.int32) for values in (words, owner, lengths)))


def one_of(inputs, row):
    return text_batch(ROWS[row : row + 1], 1) if isinstance(inputs, TextBatch) else inputs[row : row + 1]


WORDS = text_batch(ROWS, left_over=2)
FEATURES = jnp.array(np.random.default_rng(0).normal(size=(3, 6)), jnp.float32)

CASES = {
    "mlp": ({"hidden_units": (5, 4)}, FEATURES),
    "mlp linear": ({"hidden_units": ()}, FEATURES),
    "dan": ({"hidden_units": (5,), "embedding_dim": 7, "vocabulary_size": 9}, WORDS),
    "text_cnn": ({"filter_widths": (2, 3), "num_filters": 4, "embedding_dim": 7, "vocabulary_size": 9}, WORDS),
    "text_cnn mean": ({"pooling": MeanPooling, "filter_widths": (2,), "embedding_dim": 7, "vocabulary_size": 9}, WORDS),
}


NUM_PARAMETERS = {
    "mlp": 6 * 5 + 5 + 5 * 4 + 4 + 4 * 3 + 3,
    "mlp linear": 6 * 3 + 3,
    "dan": 9 * 7 + 7 * 5 + 5 + 5 * 3 + 3,
    "text_cnn": 9 * 7 + (2 + 3) * 7 * 4 + 2 * 4 + 8 * 3 + 3,
    "text_cnn mean": 9 * 7 + 2 * 7 * 64 + 64 + 64 * 3 + 3,
}


def build(case, **changes):
    arguments, inputs = CASES[case]
    model = models.KNOWN[case.split()[0]](num_outputs=3, **{**arguments, **changes})
    return model, inputs, jax.jit(model.init)(jax.random.key(0), inputs)


@pytest.mark.parametrize("case", CASES)
def test_what_every_model_must_do(case):
    model, inputs, variables = build(case)
    apply = jax.jit(model.apply, static_argnames="train")
    logits = apply(variables, inputs)
    assert logits.shape == (3, 3)
    assert np.isfinite(logits).all()
    np.testing.assert_array_equal(apply(variables, inputs, train=True), logits)  # no random numbers without dropout
    for row in range(3):
        np.testing.assert_allclose(apply(variables, one_of(inputs, row))[0], logits[row], rtol=1e-5, atol=1e-6)
    gradient = jax.jit(jax.grad(lambda v: (model.apply(v, inputs) ** 2).sum()))(variables)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == NUM_PARAMETERS[case]
    if case != "mlp linear":
        dropping = build(case, dropout_rate=0.5)[0]
        rngs = {"dropout": jax.random.key(1)}
        np.testing.assert_array_equal(dropping.apply(variables, inputs), logits)
        assert not np.array_equal(dropping.apply(variables, inputs, train=True, rngs=rngs), logits)


@pytest.mark.parametrize("case", ["dan", "text_cnn", "text_cnn mean"])
def test_what_is_left_over_changes_nothing(case):
    model, words, variables = build(case)
    np.testing.assert_allclose(
        model.apply(variables, text_batch(ROWS, 9)), model.apply(variables, words), rtol=1e-5, atol=1e-6
    )


def test_dan_against_numpy():
    model, words, variables = build("dan")
    p = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    mlp = p["MLP_0"]
    for row, logits in zip(ROWS, model.apply(variables, words), strict=True):
        vectors = p["WordVectors_0"]["vectors"][row]
        average = vectors.mean(axis=0) if len(vectors) else np.zeros(7)
        hidden = np.maximum(average @ mlp["Linear_0"]["kernel"] + mlp["Linear_0"]["bias"], 0)
        np.testing.assert_allclose(logits, hidden @ mlp["output"]["kernel"] + mlp["output"]["bias"], rtol=1e-4)


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_text_cnn_against_numpy(pooling):
    model, words, variables = build("text_cnn", pooling=POOLINGS[pooling])
    p = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), variables["params"])
    row = np.array(ROWS[0])
    vectors, pooled = p["WordVectors_0"]["vectors"][row], []
    for width in (2, 3):
        kernel, bias = p[f"windows_{width}"]["kernel"], p[f"windows_{width}"]["bias"]
        windows = [np.einsum("kd,kdf->f", vectors[t : t + width], kernel) + bias for t in range(len(row) - width + 1)]
        pooled.append(getattr(np, pooling)(np.maximum(windows, 0), axis=0))
    expected = np.concatenate(pooled) @ p["output"]["kernel"] + p["output"]["bias"]
    np.testing.assert_allclose(model.apply(variables, words)[0], expected, rtol=1e-4, atol=1e-6)


def test_a_mean_pooled_network_of_single_words_cannot_see_their_order_and_one_of_windows_can():
    one, two = text_batch([[2, 3, 4, 5]]), text_batch([[5, 3, 2, 4]])
    dan, _, variables = build("dan")
    np.testing.assert_allclose(dan.apply(variables, one), dan.apply(variables, two), rtol=1e-5, atol=1e-6)
    cnn, _, variables = build("text_cnn")
    assert not np.allclose(cnn.apply(variables, one), cnn.apply(variables, two), rtol=1e-3)


def test_words_that_are_dropped_leave_the_average_of_the_others():
    model, words, variables = build("dan", word_dropout_rate=0.5, hidden_units=())
    p = variables["params"]
    logits = model.apply(variables, words, train=True, rngs={"dropout": jax.random.key(3)})
    subsets = [
        np.mean([p["WordVectors_0"]["vectors"][word] for word in kept] or [np.zeros(7)], axis=0)
        for kept in ([w for w, k in zip(ROWS[1], keep, strict=True) if k] for keep in np.ndindex(2, 2))
    ]
    possible = np.array(subsets) @ p["MLP_0"]["output"]["kernel"] + p["MLP_0"]["output"]["bias"]
    assert np.isclose(possible, logits[1], rtol=1e-4, atol=1e-5).all(axis=1).any()
    np.testing.assert_allclose(logits[2], p["MLP_0"]["output"]["bias"], atol=1e-6)  # an empty text has no words to drop
    assert not np.allclose(logits, model.apply(variables, words))


X = np.linspace(-5, 5, 11)
CORNERS = {
    (1.0, 0.0): 1 / (1 + np.exp(-X)),
    (1.0, 0.5): 1 / (1 + np.exp(-X)) - 0.5,
    (2.0, 0.0): np.tanh(X) + 1,
    (2.0, 0.5): np.tanh(X),
}


@pytest.mark.parametrize("corner", CORNERS, ids=str)
def test_the_corners_are_sigmoids_and_tanhs(corner):
    np.testing.assert_allclose(scaled_sigmoid(jnp.asarray(X), *corner), CORNERS[corner], rtol=1e-5, atol=1e-6)
    assert float(jax.grad(scaled_sigmoid)(0.0, *corner)) == pytest.approx(corner[0] ** 2 / 4)


@pytest.mark.parametrize(("corner", "activation"), [((1.0, 0.0), jax.nn.sigmoid), ((2.0, 0.5), jnp.tanh)])
def test_it_is_the_mlp_of_its_corner(corner, activation):
    inputs = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
    plain = MLP(2, (5, 6), activation)
    variables = plain.init(jax.random.key(0), inputs)
    np.testing.assert_allclose(
        SigmoidMLP(2, (5, 6), *corner).apply(variables, inputs), plain.apply(variables, inputs), rtol=1e-5, atol=1e-6
    )

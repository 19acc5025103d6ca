import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.models import blocks

RNG = np.random.default_rng(0)
VECTORS = jnp.array(RNG.normal(size=(10, 4)), jnp.float32)
LENGTHS = [5, 2, 0]
OWNER = jnp.array([0, 0, 0, 0, 0, 1, 1, 3, 3, 3])  # three positions are left over
BATCH = blocks.TextBatch(jnp.arange(10), OWNER, jnp.array(LENGTHS))


def padded(lengths, longest):
    """Where packed words stand as `[texts, longest]`, the layout that texts are usually defined in, and a mask."""
    mask = np.arange(longest) < np.array(lengths)[:, None]
    return np.where(mask, np.arange(longest) + (np.cumsum(lengths) - lengths)[:, None], 0), mask


def test_linear_is_an_affine_map():
    inputs = VECTORS
    output, variables = blocks.Linear(5).init_with_output(jax.random.key(0), inputs)
    kernel, bias = (np.asarray(variables["params"][name], np.float64) for name in ("kernel", "bias"))
    np.testing.assert_allclose(output, np.asarray(inputs, np.float64) @ kernel + bias, rtol=1e-5)


FUNCTIONS = {
    "identity": lambda x: x,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "softplus": lambda x: np.log1p(np.exp(x)),
}


def test_nonlinearities_are_the_elementwise_functions_of_jax_nn():
    known, x = blocks.nonlinearities(), np.linspace(-3, 3, 13)
    for name, function in FUNCTIONS.items():
        np.testing.assert_allclose(known[name](jnp.asarray(x, jnp.float32)), function(x), rtol=1e-5, atol=1e-6)
    assert {"elu", "gelu", "silu", "leaky_relu", "mish", "selu"} <= set(known)
    assert not {"softmax", "one_hot", "logsumexp", "dot_product_attention"} & set(known)
    for name, function in known.items():
        assert jax.eval_shape(function, VECTORS).shape == VECTORS.shape, name


POOLINGS = {
    "mean": lambda rows, mask: jnp.where(mask[..., None], rows, 0).sum(1) / np.maximum(mask.sum(1), 1)[:, None],
    "max": lambda rows, mask: jnp.where(mask.any(1)[:, None], jnp.where(mask[..., None], rows, -jnp.inf).max(1), 0.0),
}


@pytest.mark.parametrize("name", POOLINGS)
@given(lengths=st.lists(st.integers(0, 4), min_size=5, max_size=5).filter(any), seed=st.integers(0, 99))
def test_pooling_and_its_gradient_are_those_of_the_padded_layout(name, lengths, seed):
    # always as many texts and positions, so that each example does not compile anew
    owner = jnp.array(np.repeat(range(6), [*lengths, 20 - sum(lengths)]), jnp.int32)
    # few values, so that some are equally large
    vectors = jnp.array(np.random.default_rng(seed).integers(-2, 3, (20, 3)), jnp.float32)
    weights = jnp.arange(1.0, 16).reshape(5, 3)
    block = blocks.POOLINGS[name](5)
    places, mask = padded(lengths, longest=4)

    def by_definition(vectors):
        return POOLINGS[name](vectors[places], mask)

    np.testing.assert_allclose(block.apply({}, vectors, owner), by_definition(vectors), rtol=1e-6)
    np.testing.assert_allclose(
        jax.grad(lambda v: (weights * block.apply({}, v, owner)).sum())(vectors),
        jax.grad(lambda v: (weights * by_definition(v)).sum())(vectors),
        rtol=1e-5,
    )


@pytest.mark.parametrize("width", [1, 3, 5])
def test_windows_are_a_convolution_that_ends_with_the_text(width):
    block = blocks.Windows(width, 7)
    output, variables = block.init_with_output(jax.random.key(0), VECTORS, OWNER)
    kernel, bias = (np.asarray(variables["params"][name], np.float64) for name in ("kernel", "bias"))
    for text, length in enumerate(LENGTHS):
        words = np.asarray(VECTORS, np.float64)[np.asarray(OWNER) == text]
        words = np.concatenate([words, np.zeros((width - 1, 4))])
        expected = [np.einsum("kd,kdf->f", words[t : t + width], kernel) + bias for t in range(length)]
        np.testing.assert_allclose(output[text == OWNER], np.reshape(expected, (length, 7)), rtol=1e-4, atol=1e-5)
    lowered = jax.jit(lambda v: block.apply(variables, v, OWNER)).lower(VECTORS).as_text()
    assert "conv" not in lowered.replace("convert", "")


def test_which_windows_lie_within_a_text():
    # 5 words have 3 windows of 3; a short text has one, at its start; an empty one none
    assert blocks.window_owner(BATCH, 3).tolist()[:7] == [0, 0, 0, 3, 3, 1, 3]
    assert blocks.window_owner(BATCH, 1).tolist() == OWNER.tolist()


def test_word_vectors_are_looked_up():
    words = jnp.array([[0, 2, 1]])
    output, variables = blocks.WordVectors(3, 5).init_with_output(jax.random.key(0), words)
    np.testing.assert_array_equal(output[0], variables["params"]["vectors"][jnp.array([0, 2, 1])])
    assert np.abs(variables["params"]["vectors"]).max() <= 0.25


def test_dropout_keeps_the_mean_and_is_off_in_evaluation():
    ones = jnp.ones((200, 500))
    for rate in (0.0, 0.5):
        dropped = jax.jit(
            lambda rate: blocks.Dropout(rate).apply({}, ones, train=True, rngs={"dropout": jax.random.key(0)})
        )(jnp.float32(rate))
        assert abs(float((dropped == 0).mean()) - rate) < 0.01
        assert abs(float(dropped.mean()) - 1) < 0.02
    np.testing.assert_array_equal(blocks.Dropout(0.5).apply({}, ones), ones)

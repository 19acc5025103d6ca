import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets import blocks
from jaxnets.names import UserError

RNG = np.random.default_rng(0)
VECTORS = jnp.array(RNG.normal(size=(3, 6, 4)), jnp.float32)
LENGTHS = [6, 2, 0]
MASK = jnp.array([[place < length for place in range(6)] for length in LENGTHS])


def test_linear_is_an_affine_map():
    inputs = VECTORS[:, 0]
    output, variables = blocks.Linear(5).init_with_output(jax.random.key(0), inputs)
    kernel, bias = (np.asarray(variables["params"][name], np.float64) for name in ("kernel", "bias"))
    np.testing.assert_allclose(output, np.asarray(inputs, np.float64) @ kernel + bias, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("identity", lambda x: x),
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("tanh", np.tanh),
        ("relu", lambda x: np.maximum(x, 0)),
        ("softplus", lambda x: np.log1p(np.exp(x))),
    ],
)
def test_nonlinearities(name, function):
    x = np.linspace(-3, 3, 13)
    np.testing.assert_allclose(
        blocks.nonlinearity(name)(jnp.asarray(x, jnp.float32)), function(x), rtol=1e-5, atol=1e-6
    )


def test_any_elementwise_function_of_jax_nn():
    assert {"elu", "gelu", "silu", "leaky_relu", "mish", "selu"} <= set(blocks.nonlinearities())
    assert not {"softmax", "one_hot", "logsumexp", "dot_product_attention"} & set(blocks.nonlinearities())
    with pytest.raises(UserError, match="Did you mean 'relu'"):
        blocks.nonlinearity("rellu")


def test_every_offered_nonlinearity_keeps_the_shape():
    for name in blocks.nonlinearities():
        assert blocks.nonlinearity(name)(VECTORS).shape == VECTORS.shape, name


def test_pooling_leaves_padding_out():
    mean = blocks.MeanPooling().apply({}, VECTORS, MASK)
    largest = blocks.MaxPooling().apply({}, VECTORS, MASK)
    for row, length in enumerate(LENGTHS):
        words = np.asarray(VECTORS[row, :length], np.float64)
        np.testing.assert_allclose(mean[row], words.mean(axis=0) if length else np.zeros(4), rtol=1e-5)
        np.testing.assert_allclose(largest[row], words.max(axis=0) if length else np.zeros(4), rtol=1e-6)


def test_the_gradient_of_an_empty_text_is_zero():
    for block in (blocks.MeanPooling(), blocks.MaxPooling()):
        gradient = jax.grad(lambda v, block=block: block.apply({}, v, MASK).sum())(VECTORS)
        assert np.isfinite(gradient).all()
        assert not np.any(gradient[2])


@pytest.mark.parametrize("width", [1, 3, 5])
def test_windows_are_a_convolution(width):
    block = blocks.Windows(width, 7)
    output, variables = block.init_with_output(jax.random.key(0), VECTORS)
    kernel, bias = (np.asarray(variables["params"][name], np.float64) for name in ("kernel", "bias"))
    padded = np.concatenate([np.asarray(VECTORS, np.float64), np.zeros((3, width - 1, 4))], axis=1)
    expected = [np.einsum("bkd,kdf->bf", padded[:, t : t + width], kernel) + bias for t in range(6)]
    np.testing.assert_allclose(output, np.stack(expected, axis=1), rtol=1e-4, atol=1e-5)
    assert "conv" not in jax.jit(lambda v: block.apply(variables, v)).lower(VECTORS).as_text().replace("convert", "")


def test_which_windows_lie_within_a_text():
    masks = np.asarray(blocks.window_mask(MASK, 3)).sum(axis=1)
    assert list(masks) == [4, 1, 0]  # 6 words have 4 windows of 3; a short text has one; an empty one none


def test_word_vectors_are_looked_up():
    words = jnp.array([[0, 2, 1]])
    output, variables = blocks.WordVectors(3, 5).init_with_output(jax.random.key(0), words)
    np.testing.assert_array_equal(output[0], variables["params"]["vectors"][jnp.array([0, 2, 1])])
    assert np.abs(variables["params"]["vectors"]).max() <= 0.25


def test_dropout_keeps_the_mean_and_is_off_in_evaluation():
    ones = jnp.ones((200, 500))
    for rate in (0.0, 0.25, 0.5):
        dropped = jax.jit(
            lambda rate: blocks.Dropout(rate).apply({}, ones, train=True, rngs={"dropout": jax.random.key(0)})
        )(jnp.float32(rate))
        assert abs(float((dropped == 0).mean()) - rate) < 0.01
        assert abs(float(dropped.mean()) - 1) < 0.02
    np.testing.assert_array_equal(blocks.Dropout(0.5).apply({}, ones), ones)

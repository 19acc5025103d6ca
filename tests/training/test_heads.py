import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.errors import UserError
from jaxnets.training import heads

LOGITS = jnp.array(np.random.default_rng(0).normal(scale=3, size=(7, 4)), jnp.float32)
LABELS = jnp.array([0, 1, 2, 3, 3, 2, 1], jnp.int32)


def softmax64(logits):
    logits = np.asarray(logits, np.float64)
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def test_softmax_against_float64():
    head, expected = heads.KNOWN["softmax"], softmax64(LOGITS)
    np.testing.assert_allclose(head.losses(LOGITS, LABELS), -np.log(expected[np.arange(7), LABELS]), rtol=1e-5)
    np.testing.assert_allclose(head.probabilities(LOGITS), expected, rtol=1e-5)
    np.testing.assert_array_equal(head.predictions(LOGITS), LOGITS.argmax(axis=1))


def test_sigmoid_against_float64():
    head, logit, labels = heads.KNOWN["sigmoid"], LOGITS[:, :1], LABELS % 2
    p = 1 / (1 + np.exp(-np.asarray(logit[:, 0], np.float64)))
    np.testing.assert_allclose(head.losses(logit, labels), -np.log(np.where(labels == 1, p, 1 - p)), rtol=1e-5)
    np.testing.assert_allclose(head.probabilities(logit), np.stack([1 - p, p], axis=1), rtol=1e-5)
    np.testing.assert_array_equal(head.predictions(logit), p > 0.5)


@given(st.floats(-50, 50), st.integers(0, 1))
def test_the_sigmoid_is_the_softmax_of_zero_and_the_logit(z, label):
    one, two = jnp.array([[z]], jnp.float32), jnp.array([[0.0, z]], jnp.float32)
    labels = jnp.array([label], jnp.int32)
    sigmoid, softmax = heads.KNOWN["sigmoid"], heads.KNOWN["softmax"]
    np.testing.assert_allclose(sigmoid.losses(one, labels), softmax.losses(two, labels), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sigmoid.probabilities(one), softmax.probabilities(two), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("name", "width"), [("softmax", 2), ("sigmoid", 1)])
def test_huge_logits_give_finite_losses_and_probabilities_that_sum_to_one(name, width):
    head = heads.KNOWN[name]
    logits = jnp.array([[1e4], [-1e4], [0.0]]) * jnp.array([1.0, -1.0])[:width]
    labels = jnp.array([0, 0, 1], jnp.int32)
    assert np.isfinite(head.losses(logits, labels)).all()
    assert np.isfinite(jax.grad(lambda z: head.losses(z, labels).sum())(logits)).all()
    np.testing.assert_allclose(head.probabilities(logits).sum(axis=1), 1, rtol=1e-6)


def test_the_sigmoid_is_for_two_classes():
    assert heads.KNOWN["sigmoid"].num_outputs(2) == 1
    assert heads.KNOWN["softmax"].num_outputs(5) == 5
    with pytest.raises(UserError, match="two classes, and there are 3"):
        heads.KNOWN["sigmoid"].num_outputs(3)


def test_gradients_against_float64():
    for head, logits, expected in (
        ("softmax", LOGITS, softmax64(LOGITS) - np.eye(4)[LABELS]),
        ("sigmoid", LOGITS[:, :1], 1 / (1 + np.exp(-np.asarray(LOGITS[:, :1], np.float64))) - (LABELS % 2)[:, None]),
    ):
        labels = LABELS if head == "softmax" else LABELS % 2
        gradient = jax.grad(lambda z, head=head, labels=labels: heads.KNOWN[head].losses(z, labels).sum())(logits)
        np.testing.assert_allclose(gradient, expected, atol=1e-5)

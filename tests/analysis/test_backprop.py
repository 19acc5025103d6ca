import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn.metrics import log_loss

import jaxnets
from jaxnets.analysis import backprop

RNG = np.random.default_rng(0)
LAYERS = [(RNG.normal(size=(4, 5)), RNG.normal(size=5)), (RNG.normal(size=(5, 3)), RNG.normal(size=3))]
INPUTS, LABELS = RNG.normal(size=(7, 4)), RNG.integers(0, 3, 7)


def test_the_loss_is_that_of_scikit_learn():
    logits = np.tanh(INPUTS @ LAYERS[0][0] + LAYERS[0][1]) @ LAYERS[1][0] + LAYERS[1][1]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert backprop.loss(LAYERS, INPUTS, LABELS) == pytest.approx(log_loss(LABELS, p, labels=[0, 1, 2]), rel=1e-12)


def test_the_gradient_by_hand_is_that_of_autodiff():
    def loss(layers):
        hidden = jnp.tanh(INPUTS @ layers[0][0] + layers[0][1])
        logits = hidden @ layers[1][0] + layers[1][1]
        return optax.softmax_cross_entropy_with_integer_labels(logits, LABELS).mean()

    by_autodiff = jax.grad(loss)([tuple(jnp.asarray(a, jnp.float32) for a in layer) for layer in LAYERS])
    for ours, theirs in zip(backprop.gradient(LAYERS, INPUTS, LABELS), by_autodiff, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("kind", "step", "tolerance"), [("central", 1e-5, 1e-8), ("one-sided", 1e-7, 1e-5)])
def test_finite_differences_come_near(kind, step, tolerance):
    places = [(0, 3), (0, 19), (1, 14)]
    exact = [backprop.gradient(LAYERS, INPUTS, LABELS)[layer][0].flat[place] for layer, place in places]
    near = backprop.finite_differences(LAYERS, INPUTS, LABELS, places, step, kind)
    np.testing.assert_allclose(near, exact, atol=tolerance)
    far = backprop.finite_differences(LAYERS, INPUTS, LABELS, places, 0.5, kind)
    assert np.abs(far - exact).max() > 1e-4


def test_errors_are_smallest_at_a_step_between():
    table = backprop.errors_by_step(LAYERS, INPUTS, LABELS, 4)
    for _, errors in table.groupby("kind"):
        best = errors.loc[errors["error"].idxmin()]
        assert 1e-10 < best["step"] < 1e-3
        assert best["error"] < 1e-5 < errors["error"].iloc[-1]


def test_what_rounding_makes_of_small_steps_is_bounded():
    table = backprop.errors_by_step(LAYERS, INPUTS, LABELS, 4)
    small = table[table["step"] < 1e-9]  # the steps themselves play no part
    assert (small["error"] < small["rounding"]).all()
    other = backprop.errors_by_step(LAYERS, INPUTS, LABELS, 4, seed=1)
    assert not table["error"].equals(other["error"])


def test_autodiff_of_a_run_keeps_to_the_bound_on_rounding():
    values = {"hidden_units": (5,), "activation": "tanh", "num_steps": 1, "keep": "last", "progress": False}
    results = jaxnets.sweep(dataset="digits", **values)
    found = backprop.autodiff_against_hand(results, 0, num_examples=16)
    assert 0 < found["error"] < 1e-5
    assert 0 < found["share"] < 1

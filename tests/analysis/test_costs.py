import jax
import jax.numpy as jnp
import numpy as np

from jaxnets.analysis import costs


def test_a_function_alone_gives_its_derivative_times_the_numbers():
    x = np.linspace(-4, 4, 9)
    given = {name: np.asarray(call()) for name, call in costs.alone(9).items()}
    sigmoid = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(given["sigmoid"], x * sigmoid * (1 - sigmoid), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(given["tanh"], x * (1 - np.tanh(x) ** 2), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(given["relu"], np.maximum(x, 0), rtol=1e-6)


def test_a_step_lowers_the_loss_of_a_net():
    call = costs.in_a_step(width=6, examples=12)["relu"]
    before, after = call.args[0], call()
    assert jax.tree.map(jnp.shape, before) == jax.tree.map(jnp.shape, after)
    inputs = np.sin(np.arange(72.0)).reshape(12, 6)
    assert loss(after, inputs) < loss(before, inputs)


def loss(params, inputs):
    """The mean cross-entropy in float64."""
    hidden = inputs
    for name in ("Linear_0", "Linear_1"):
        hidden = np.maximum(hidden @ np.float64(params[name]["kernel"]) + np.float64(params[name]["bias"]), 0)
    logits = hidden @ np.float64(params["output"]["kernel"]) + np.float64(params["output"]["bias"])
    return float((np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(12), np.arange(12) % 10]).mean())

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets.models import MLP
from jaxnets.models.sigmoid_mlp import SigmoidMLP, scaled_sigmoid

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

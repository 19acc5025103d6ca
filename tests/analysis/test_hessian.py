import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxnets.analysis import hessian
from jaxnets.models import MLP

RNG = np.random.default_rng(0)


def test_eigenvalues_of_a_matrix():
    matrix = RNG.normal(size=(30, 30))
    matrix = jnp.asarray(matrix + matrix.T, jnp.float32)
    diagonal, beside = hessian.lanczos(lambda v: matrix @ v, jnp.ones(30), 30)
    found = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrix), rtol=1e-3, atol=1e-3)


def test_it_ends_where_there_is_no_further_direction():
    diagonal, beside = hessian.lanczos(lambda v: 3 * v, jnp.ones(10), 5)
    assert diagonal == pytest.approx([3])
    assert len(beside) == 0


def test_the_sharpness_is_that_of_the_dense_hessian():
    inputs, model = jnp.asarray(RNG.normal(size=(20, 4)), jnp.float32), MLP(3, (5,), "tanh")
    params = model.init(jax.random.key(0), inputs)["params"]

    def loss(params):
        return (model.apply({"params": params}, inputs) ** 2).mean()

    flat, unravel = ravel_pytree(params)
    dense = np.linalg.eigvalsh(jax.hessian(lambda v: loss(unravel(v)))(flat))
    assert hessian.largest_eigenvalue(loss, params, jax.random.key(1)) == pytest.approx(dense[-1], rel=1e-4)


def test_descent_on_a_quadratic_is_stable_below_two_over_the_sharpness():
    sharpness = jnp.array([4.0, 1.0])
    rates = jnp.array([0.1, 0.49, 0.51, 1.0])
    found = hessian.descends(lambda x: (sharpness * x**2).sum() / 2, jnp.array([0.1, 1.0]), rates, 60)
    assert found.tolist() == [True, True, False, False]

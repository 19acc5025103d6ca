import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from jax.flatten_util import ravel_pytree

import jaxnets
from jaxnets.analysis import hessian, landscape
from jaxnets.models import MLP

INPUTS = jnp.asarray(np.random.default_rng(0).normal(size=(20, 4)), jnp.float32)
MODEL = MLP(3, (5,), jnp.tanh)


def loss(params):
    return (MODEL.apply({"params": params}, INPUTS) ** 2).mean()


@jax.jit
def dense_hessian(params):
    flat, unravel = ravel_pytree(params)
    return jax.hessian(lambda point: loss(unravel(point)))(flat)


@pytest.mark.parametrize("seed", range(2))
def test_the_sharpness_is_that_of_the_dense_hessian(seed):
    flat, unravel = ravel_pytree(MODEL.init(jax.random.key(seed), INPUTS)["params"])
    dense = np.linalg.eigvalsh(np.asarray(dense_hessian(unravel(flat)), np.float64))
    sharpness = hessian.largest_eigenvalue(loss, unravel(flat), jax.random.key(1))
    assert sharpness == pytest.approx(dense[-1], rel=1e-6)


def test_a_linear_loss_has_no_curvature():
    assert hessian.largest_eigenvalue(lambda x: x.sum(), jnp.ones(5), jax.random.key(0)) == 0


def test_where_the_loss_is_not_finite_nothing_is_known():
    lost = jnp.full(5, jnp.nan)
    assert np.isnan(hessian.largest_eigenvalue(lambda x: (x**3).sum(), lost, jax.random.key(0)))
    assert not hessian.descends(lambda x: (x**3).sum(), lost, jnp.full(2, jnp.nan), 3).any()
    table = pd.DataFrame({"net": [0, 0, 1, 1], "ratio": [1.0, 2.0] * 2, "stable": [False, True, True, True]})
    found = hessian.edges(table)
    assert np.isnan(found[0])
    assert found[1] == 2


def test_descent_on_a_quadratic_is_stable_below_two_over_the_sharpness():
    sharpness = jnp.array([4.0, 1.0])
    rates = jnp.array([0.1, 0.49, 0.51, 1.0])
    stable = hessian.descends(lambda x: (sharpness * x**2).sum() / 2, jnp.array([0.1, 1.0]), rates, 60)
    assert stable.tolist() == [True, True, False, False]


def test_the_nets_of_a_sweep_have_their_losses_and_edges():
    nets = {"hidden_units": 4, "activation": "tanh", "num_epochs": 1, "num_seeds": 2, "keep": "last"}
    trained = jaxnets.sweep(dataset="wine", optimizer="sgd", learning_rate=0.1, batch_size=16, progress=False, **nets)
    of_params = landscape.mean_loss(*landscape.loss_parts(trained, 1), trained.params(1))
    assert float(of_params) == pytest.approx(trained.runs["train_loss"][1], rel=1e-4)
    table = hessian.stability_of_runs(trained, np.array([0.01, 100.0]), num_steps=5)
    assert table["net"].tolist() == [0, 0, 1, 1]
    assert hessian.edges(table).tolist() == [0.01, 0.01]

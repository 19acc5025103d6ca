"""The largest eigenvalue of the Hessian, the sharpness of the loss, without ever forming it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, PRNGKeyArray
from scipy.sparse.linalg import LinearOperator, eigsh

from jaxnets import jax_settings
from jaxnets.analysis import landscape
from jaxnets.engine.results import Trained

TOLERANCE = 1e-6  # of an eigenvalue, relative to it: the products are made in float32


@jax_settings.pinned()
def stability_of_runs(trained: Trained, ratios: Float[np.ndarray, "rates"], num_steps: int) -> pd.DataFrame:
    """Which learning rates, in units of 2/λ, lower the loss at every step from the end of each run; see `descends`.

    The runs are those of a sweep of one net on features.
    """
    runs, tables = trained.runs["run"].astype(int).tolist(), []
    loss = partial(landscape.mean_loss, *landscape.loss_parts(trained, runs[0]))
    for run in runs:
        params = jax.tree.map(jnp.asarray, trained.params(run))
        sharpness = largest_eigenvalue(loss, params, jax.random.key(run))
        stable = descends(loss, params, jnp.asarray(ratios * 2 / sharpness), num_steps)
        tables.append(pd.DataFrame({"sharpness": sharpness, "ratio": ratios, "stable": stable, "net": run}))
    return pd.concat(tables, ignore_index=True)


def edges(table: pd.DataFrame) -> pd.Series:
    """The largest ratio below the first unstable one, for each net; NaN if the first is unstable."""
    ordered = table.sort_values("ratio")
    return ordered.groupby("net")[["ratio", "stable"]].apply(lambda own: own["ratio"][own["stable"].cummin()].max())


def largest_eigenvalue(loss: Callable[[Any], Array], params: Any, key: PRNGKeyArray) -> float:
    """The largest eigenvalue of the Hessian of a loss, by Lanczos' method; NaN if it is not finite."""
    size = ravel_pytree(params)[0].size

    def multiply(vector: np.ndarray) -> np.ndarray:
        return np.asarray(_product(loss, params, jnp.asarray(vector.ravel(), jnp.float32)), np.float64)

    start = np.asarray(jax.random.normal(key, (size,)), np.float64)
    product = multiply(start)
    if not np.isfinite(product).all():
        return float("nan")
    if not product.any():  # ARPACK refuses the matrix of zeros
        return 0.0
    operator = LinearOperator((size, size), matvec=multiply, dtype=np.float64)
    return float(eigsh(operator, k=1, which="LA", v0=start, tol=TOLERANCE, return_eigenvectors=False)[0])


@partial(jax.jit, static_argnums=0)
def _product(loss: Callable[[Any], Array], params: Any, vector: Float[Array, "size"]) -> Float[Array, "size"]:
    """The product of the Hessian with a vector."""
    flat, unravel = ravel_pytree(params)
    return jax.jvp(jax.grad(lambda point: loss(unravel(point))), (flat,), (vector,))[1]


def descends(
    loss: Callable[[Any], Array], params: Any, rates: Float[Array, "rates"], num_steps: int
) -> Bool[np.ndarray, "rates"]:
    """Whether descent along the full gradient lowers the loss at every step, for each learning rate.

    On a quadratic it does so below 2/λ, λ the largest eigenvalue. Source: Cohen et al. (2021), section 2.
    """
    losses = np.asarray(_descents(loss, params, rates, num_steps))
    before = np.full((len(losses), 1), float(loss(params)))
    with np.errstate(invalid="ignore"):  # of infinite losses
        rises = np.diff(np.concatenate([before, losses], axis=1)) > 1e-6  # what rounding may add
    return np.isfinite(losses).all(axis=1) & ~rises.any(axis=1)


@partial(jax.jit, static_argnums=(0, 3))
def _descents(
    loss: Callable[[Any], Array], params: Any, rates: Float[Array, "rates"], num_steps: int
) -> Float[Array, "rates steps"]:
    """The loss after each step of each descent."""

    def one(rate: Array) -> Array:
        def step(params: Any, _: None) -> tuple[Any, Array]:
            params = jax.tree.map(lambda p, g: p - rate * g, params, jax.grad(loss)(params))
            return params, loss(params)

        return jax.lax.scan(step, params, length=num_steps)[1]

    return jax.lax.map(one, rates)

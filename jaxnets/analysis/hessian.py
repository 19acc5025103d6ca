"""The largest eigenvalue of the Hessian, the sharpness of the loss, without ever forming it."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, PRNGKeyArray


def lanczos(
    multiply: Callable[[Float[Array, "size"]], Float[Array, "size"]], start: Float[Array, "size"], num_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """The tridiagonal matrix of a symmetric one, with full re-orthogonalization. Source: Lanczos (1950).

    Args:
      multiply: the product with the matrix.
      start: any vector that is not zero.
      num_steps: products to make, at most `size`.

    Returns:
      Its diagonal `float64[k]` and the one beside it `float64[k - 1]`; k is less than `num_steps` only where those
      reached are all that the matrix can reach.
    """
    vectors, diagonal, beside = [start / jnp.linalg.norm(start)], [], []
    for _ in range(num_steps):
        product = multiply(vectors[-1])
        diagonal.append(float(product @ vectors[-1]))
        basis = jnp.stack(vectors)
        for _ in range(2):  # once is not enough in float32
            product = product - basis.T @ (basis @ product)
        norm = float(jnp.linalg.norm(product))
        if norm < 1e-6 * max(abs(value) for value in diagonal) or len(diagonal) == num_steps:
            break
        beside.append(norm)
        vectors.append(product / norm)
    return np.array(diagonal), np.array(beside[: len(diagonal) - 1])


def largest_eigenvalue(loss: Callable[[Any], Array], params: Any, key: PRNGKeyArray, num_steps: int = 20) -> float:
    """The largest eigenvalue of the Hessian of a loss at some parameters, by Hessian-vector products.

    Args:
      loss: from parameters to a number.
      params: arrays in nested containers.
      key: of the vector to start from.
      num_steps: Hessian-vector products to make, each as dear as two gradients.
    """
    from scipy.linalg import eigh_tridiagonal

    flat, unravel = ravel_pytree(params)
    gradient = jax.grad(lambda vector: loss(unravel(vector)))
    multiply = jax.jit(lambda vector: jax.jvp(gradient, (flat,), (vector,))[1])
    diagonal, beside = lanczos(multiply, jax.random.normal(key, flat.shape), min(num_steps, flat.size))
    return float(eigh_tridiagonal(diagonal, beside, eigvals_only=True)[-1])


def descends(
    loss: Callable[[Any], Array], params: Any, rates: Float[Array, "rates"], num_steps: int
) -> Bool[np.ndarray, "rates"]:
    """Whether descent along the full gradient lowers the loss at every step, for each learning rate.

    On a quadratic it does so below 2/λ, λ the largest eigenvalue. Source: Cohen et al. (2021), section 2.
    """

    def one(rate: Array) -> Array:
        def step(params: Any, _: None) -> tuple[Any, Array]:
            params = jax.tree.map(lambda p, g: p - rate * g, params, jax.grad(loss)(params))
            return params, loss(params)

        return jax.lax.scan(step, params, length=num_steps)[1]

    losses = np.asarray(jax.jit(lambda rates: jax.lax.map(one, rates))(rates))
    before = np.full((len(losses), 1), float(loss(params)))
    # what rounding may add
    rises = np.diff(np.concatenate([before, losses], axis=1)) > 1e-6
    return np.isfinite(losses).all(axis=1) & ~rises.any(axis=1)

"""How far the gradient of a batch is from that of all examples."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float, Int

from jaxnets import jax_settings
from jaxnets.analysis import landscape
from jaxnets.engine.results import Trained
from jaxnets.stats import selection
from jaxnets.training.heads import Head


@jax_settings.pinned()
def at_ends(trained: Trained, count: int, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """The noise at the ends of some runs, on features, by batch size: measured, and as sampling theory has it."""
    rows = []
    for run in map(int, selection.finished(trained.runs)["run"].head(count)):
        parts, params = landscape.loss_parts(trained, run), jax.tree.map(jnp.asarray, trained.params(run))
        each = np.asarray(_gradients(*parts, params), np.float64)
        for size in sizes:
            batches = jnp.asarray(_batches(len(each), size, draws, seed + run))
            squares, norm = _squared_distances(*parts, params, batches)
            variance = float(squares.mean())
            expected, error = expected_variance(each, size)
            rows.append((run, size, variance, variance**0.5 / float(norm), expected, error / draws**0.5))
    return pd.DataFrame(rows, columns=["net", "batch_size", "variance", "relative_noise", "expected", "error"])


def expected_variance(gradients: Float[np.ndarray, "examples parameters"], size: int) -> tuple[float, float]:
    """The squared distance of a batch's gradient from the full one, for batches drawn without replacement.

    Its mean is S²/B · (1 - B/N), where S² is the variance of the examples' gradients with N - 1 in its denominator,
    summed over the parameters: Cochran (1977), "Sampling Techniques", theorem 2.2. Its standard deviation is that of
    draws with replacement, from the fourth moments, by the same factor (N - B)/(N - 1). What the draws themselves
    spread is too little where a few examples that they missed have most of the gradient.
    """
    count = len(gradients)
    away = gradients - gradients.mean(axis=0)
    squares = (away**2).sum(axis=1)
    trace, fourth, cross = squares.mean(), (squares**2).mean(), ((away @ away.T) ** 2).mean()
    left = (count - size) / (count - 1)
    with_replacement = (fourth - trace**2 + 2 * (size - 1) * cross) / size**3
    return float(left * trace / size), float(left * with_replacement**0.5)


@jax_settings.pinned()
def angles(trained: Trained, size: int, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """The mean angle between the gradients of batches and that of all examples, at nets early and late in training."""
    rows = []
    runs = selection.finished(trained.runs)
    runs = runs[runs["batch_size"] == size].assign(repeat=runs.get("repeat", 0))
    for run, repeat, of_run in runs[["run", "repeat", "seed"]].itertuples(index=False):
        parts, steps = landscape.loss_parts(trained, run), trained.steps(run)
        shares = np.zeros((len(sizes), draws, len(parts[-1])), np.float32)  # of each example in the mean over a batch
        for share, batch_size in zip(shares, sizes, strict=True):
            batches = _batches(len(parts[-1]), batch_size, draws, seed + run)
            np.put_along_axis(share, batches, np.float32(1 / batch_size), axis=1)
        for step in sorted({steps[0], steps[-1]}):
            params = jax.tree.map(jnp.asarray, trained.params(run, step))
            cosines = np.asarray(_cosines(*parts, params, shares.reshape(-1, shares.shape[-1])), np.float64)
            degrees = np.degrees(np.arccos(np.clip(cosines, -1, 1))).reshape(len(sizes), draws).mean(axis=1)
            rows += [(repeat, of_run, step, *pair) for pair in zip(sizes, degrees.tolist(), strict=True)]
    return pd.DataFrame(rows, columns=["repeat", "seed", "step", "batch_size", "degrees"])


def _batches(num_examples: int, size: int, draws: int, seed: int) -> Int[np.ndarray, "draws size"]:
    """The rows of batches drawn without replacement."""
    generator = np.random.default_rng([seed, size])
    return np.stack([generator.choice(num_examples, size, replace=False) for _ in range(draws)])


def _gradient(model: nn.Module, head: Head, inputs: Array, labels: Array, params: Any) -> Float[Array, "parameters"]:
    return ravel_pytree(jax.grad(partial(landscape.mean_loss, model, head, inputs, labels))(params))[0]


@partial(jax.jit, static_argnums=(0, 1))  # compiled once for a size of batches, not for each net
def _gradients(
    model: nn.Module, head: Head, inputs: Array, labels: Array, params: Any
) -> Float[Array, "examples parameters"]:
    """The gradient of the loss on each example alone."""
    return jax.vmap(lambda x, y: _gradient(model, head, x[None], y[None], params))(inputs, labels)


@partial(jax.jit, static_argnums=(0, 1))
def _cosines(
    model: nn.Module, head: Head, inputs: Array, labels: Array, params: Any, shares: Float[Array, "batches examples"]
) -> Float[Array, "batches"]:
    """The cosine of the angle between each batch's gradient and the mean gradient."""
    each = _gradients(model, head, inputs, labels, params)
    of_batches, whole = shares @ each, each.mean(axis=0)
    return of_batches @ whole / (jnp.linalg.norm(of_batches, axis=1) * jnp.linalg.norm(whole))


@partial(jax.jit, static_argnums=(0, 1))
def _squared_distances(
    model: nn.Module, head: Head, inputs: Array, labels: Array, params: Any, batches: Int[Array, "draws size"]
) -> tuple[Array, Array]:
    """The squared distance of each batch's gradient from that of all examples, and the norm of the latter."""
    whole = _gradient(model, head, inputs, labels, params)
    gradient = partial(_gradient, model, head)
    squares = jax.lax.map(lambda rows: ((gradient(inputs[rows], labels[rows], params) - whole) ** 2).sum(), batches)
    return squares, jnp.linalg.norm(whole)

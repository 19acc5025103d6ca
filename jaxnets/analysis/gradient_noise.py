"""How far the gradient of a batch is from that of all examples, and how long a step takes."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from jaxnets import jax_settings, training
from jaxnets.analysis.timing import in_turns
from jaxnets.data.dataset import Split
from jaxnets.engine.trained import Trained
from jaxnets.stats import selection
from jaxnets.training import precision
from jaxnets.training.batches import Examples
from jaxnets.training.heads import Head
from jaxnets.training.state import TrainState

_LEAST_OF = 5


@jax_settings.pinned()
def at_ends(trained: Trained, count: int, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """The noise at the ends of some runs, on features, by batch size: measured, and as sampling theory has it."""
    rows = []
    for run in map(int, selection.finished(trained.runs)["run"].head(count)):
        model, head, examples = trained.module(run), trained.program(run)[0].task.head, trained.dataset(run).train
        params = jax.tree.map(jnp.asarray, trained.params(run))
        each = np.asarray(_gradients(model, head, params, *_arrays(examples)), np.float64)
        for size in sizes:
            noise = measure(model, head, params, examples, size, draws, seed=seed + run)
            expected, error = expected_variance(each, size)
            rows.append({"net": run, "batch_size": size, **noise, "expected": expected, "error": error / draws**0.5})
    return pd.DataFrame(rows, columns=["net", "batch_size", "variance", "relative_noise", "expected", "error"])


def expected_variance(gradients: Float[np.ndarray, "examples parameters"], size: int) -> tuple[float, float]:
    """The squared distance of a batch's gradient from the full one, for batches drawn without replacement.

    Its mean is S²/B · (1 - B/N), where S² is the variance of the examples' gradients with N - 1 in its denominator,
    summed over the parameters: Cochran (1977), "Sampling Techniques", theorem 2.2. Its standard deviation is that of
    draws with replacement, from the fourth moments, by the same factor (N - B)/(N - 1). What the draws themselves
    spread is too little where a few examples that they missed have most of the gradient.

    >>> expected_variance(np.array([[0.0], [1.0], [2.0]]), 3)
    (0.0, 0.0)
    """
    count = len(gradients)
    away = gradients - gradients.mean(axis=0)
    squares = (away**2).sum(axis=1)
    trace, fourth, cross = squares.mean(), (squares**2).mean(), ((away @ away.T) ** 2).mean()
    left = (count - size) / (count - 1)
    with_replacement = (fourth - trace**2 + 2 * (size - 1) * cross) / size**3
    return float(left * trace / size), float(left * with_replacement**0.5)


@jax_settings.pinned()
def measure(
    model: nn.Module, head: Head, params: Any, examples: Split, size: int, draws: int, seed: int
) -> dict[str, float]:
    """The variance of a batch's gradient about the full one, over batches drawn without replacement."""
    batches = jnp.asarray(_batches(len(examples), size, draws, seed))
    arrays = jax.tree.map(jnp.asarray, params)
    squares, norm = _squared_distances(model, head, arrays, *_arrays(examples), batches)
    variance = float(squares.mean())
    return {"variance": variance, "relative_noise": variance**0.5 / float(norm)}


@jax_settings.pinned()
def angles(trained: Trained, size: int, sizes: Sequence[int], draws: int, seed: int = 0) -> pd.DataFrame:
    """The angle between the gradient of a batch and that of all examples, at nets along their training, on features."""
    rows = []
    runs = selection.finished(trained.runs)
    runs = runs[runs["batch_size"] == size].assign(block=runs.get("block", 0))
    for run, block, of_run in runs[["run", "block", "seed"]].itertuples(index=False):
        steps = trained.steps(run)
        for step in sorted({steps[0], steps[-1]}):
            degrees = _degrees(trained, run, step, sizes, draws, seed)
            rows += [(block, of_run, step, *pair) for pair in zip(sizes, degrees, strict=True)]
    return pd.DataFrame(rows, columns=["block", "seed", "step", "batch_size", "degrees"])


def _degrees(trained: Trained, run: int, step: int, sizes: Sequence[int], draws: int, seed: int) -> list[float]:
    """The mean angle for each size, at one net."""
    model, head, examples = trained.module(run), trained.program(run)[0].task.head, trained.dataset(run).train
    shares = np.concatenate([_shares(len(examples), size, draws, seed + run) for size in sizes])
    params = jax.tree.map(jnp.asarray, trained.params(run, step))
    cosines = np.asarray(_cosines(model, head, params, *_arrays(examples), jnp.asarray(shares)), np.float64)
    return np.degrees(np.arccos(np.clip(cosines, -1, 1))).reshape(len(sizes), draws).mean(axis=1).tolist()


def _arrays(examples: Split) -> tuple[jax.Array, jax.Array]:
    return jnp.asarray(examples.inputs), jnp.asarray(examples.labels)


def _batches(num_examples: int, size: int, draws: int, seed: int) -> np.ndarray:
    """The rows of batches drawn without replacement, `int[draws, size]`."""
    generator = np.random.default_rng([seed, size])
    return np.stack([generator.choice(num_examples, size, replace=False) for _ in range(draws)])


def _shares(num_examples: int, size: int, draws: int, seed: int) -> Float[np.ndarray, "draws examples"]:
    """The share of each example in the mean over a batch."""
    shares = np.zeros((draws, num_examples), np.float32)
    np.put_along_axis(shares, _batches(num_examples, size, draws, seed), np.float32(1 / size), axis=1)
    return shares


@partial(jax.jit, static_argnums=(0, 1))
def _gradients(
    model: nn.Module, head: Head, params: Any, inputs: jax.Array, labels: jax.Array
) -> Float[Array, "examples parameters"]:
    """The gradient of the loss on each example alone."""
    one = jax.vmap(lambda x, y: _gradient(model, head, params, x[None], y[None]))
    return one(inputs, labels)


def _gradient(
    model: nn.Module, head: Head, params: Any, inputs: jax.Array, labels: jax.Array
) -> Float[Array, "parameters"]:
    """The gradient of the mean loss."""

    def loss(params: Any) -> jax.Array:
        logits = precision.widened(model.apply({"params": params}, inputs))
        return head.losses(logits, labels).mean()

    return ravel_pytree(jax.grad(loss)(params))[0]


@partial(jax.jit, static_argnums=(0, 1))
def _cosines(
    model: nn.Module, head: Head, params: Any, inputs: jax.Array, labels: jax.Array, shares: jax.Array
) -> Float[Array, "batches"]:
    """The cosine of the angle between each batch's gradient and the mean gradient."""
    each = _gradients(model, head, params, inputs, labels)
    of_batches, whole = shares @ each, each.mean(axis=0)
    return of_batches @ whole / (jnp.linalg.norm(of_batches, axis=1) * jnp.linalg.norm(whole))


@partial(jax.jit, static_argnums=(0, 1))  # compiled once for a size of batches, not for each net
def _squared_distances(
    model: nn.Module, head: Head, params: Any, inputs: jax.Array, labels: jax.Array, batches: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The squared distance of each batch's gradient from that of all examples, and the norm of the latter."""
    whole = _gradient(model, head, params, inputs, labels)
    gradient = partial(_gradient, model, head, params)
    squares = jax.lax.map(lambda rows: ((gradient(inputs[rows], labels[rows]) - whole) ** 2).sum(), batches)
    return squares, jnp.linalg.norm(whole)


@jax_settings.pinned()
def step_seconds(runs: Mapping[Any, tuple[Trained, int]], rounds: int, steps: int = 20) -> pd.DataFrame:
    """Seconds of a training step of single runs, on features, each alone on one device and from its start."""
    starts = {name: (trained, run, trained.start(run)) for name, (trained, run) in runs.items()}
    return _timed(starts, rounds, steps)


@jax_settings.pinned()
def size_seconds(trained: Trained, rounds: int, steps: int = 20) -> pd.DataFrame:
    """Seconds of a step by batch size, of runs on features: from one start, as that does not depend on the size.

    Each is the least of five measurements in turns, as whatever else the machine does only adds to one.
    """
    firsts = trained.runs.drop_duplicates("batch_size").set_index("batch_size")["run"].sort_index()
    start = trained.start(int(firsts.iloc[0]))
    turns = _timed({size: (trained, int(run), start) for size, run in firsts.items()}, rounds * _LEAST_OF, steps)
    table = turns.groupby(turns.index // _LEAST_OF).min().rename_axis("round").reset_index()
    return table.melt("round", var_name="contestant", value_name="seconds")


def _timed(runs: Mapping[Any, tuple[Trained, int, TrainState]], rounds: int, steps: int) -> pd.DataFrame:
    functions = {}
    for name, (trained, run, start) in runs.items():
        examples = Examples(*_arrays(trained.dataset(run).train))
        train = jax.jit(partial(training.train, trained.program(run)[0].task))
        functions[name] = partial(train, start, examples, jnp.int32(0), jnp.int32(steps))
    return in_turns(functions, rounds) / steps

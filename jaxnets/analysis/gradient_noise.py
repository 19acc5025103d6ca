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

from jaxnets import training
from jaxnets.analysis.timing import in_turns
from jaxnets.data.dataset import Split
from jaxnets.engine.trained import Trained
from jaxnets.evidence import intervals
from jaxnets.training.batches import Examples
from jaxnets.training.heads import Head


def by_size(trained: Trained, sizes: Sequence[int], draws: int) -> pd.DataFrame:
    """The noise at the ends of all runs, on features, by batch size.

    Returns:
      A row for each run, `net`, and `batch_size`, with what `measure` gives.
    """
    rows = []
    for run in map(int, trained.runs["run"]):
        model, head, examples = trained.module(run), trained.program(run)[0].task.head, trained.dataset(run).train
        for size in sizes:
            noise = measure(model, head, trained.params(run), examples, size, draws, seed=run)
            rows.append({"net": run, "batch_size": size, **noise})
    return pd.DataFrame(rows)


def powers(noise: pd.DataFrame) -> list[float]:
    """The power of the batch size with which the variance goes, by least squares, for each net of `by_size`.

    The factor for drawing without replacement is taken out. A batch of all examples has no noise, and no part in it.
    """
    noise = noise[(noise["population_factor"] > 0) & (noise["variance"] > 0)]
    logs = noise.assign(x=np.log(noise["batch_size"]), y=np.log(noise["variance"] / noise["population_factor"]))
    several = [net for _, net in logs.groupby("net") if net["x"].nunique() > 1]
    return [intervals.slope(net["x"], net["y"]).value for net in several]


def measure(
    model: nn.Module, head: Head, params: Any, examples: Split, size: int, draws: int, seed: int
) -> dict[str, float]:
    """The variance of a batch's gradient about the full one, over batches drawn without replacement.

    Args:
      model: of features.
      head: gives the loss.
      params: where the gradient is taken.
      examples: all of them.
      size: of a batch.
      draws: the number of batches.
      seed: of the draws.

    Returns:
      `variance`, the mean squared distance; `relative_noise`, its root by the norm of the full gradient; and
      `population_factor`, (N - B)/(N - 1), by which drawing without replacement makes the variance smaller.
    """
    inputs, labels = jnp.asarray(examples.inputs), jnp.asarray(examples.labels)
    generator = np.random.default_rng(seed)
    batches = np.stack([generator.choice(len(labels), size, replace=False) for _ in range(draws)])
    arrays = jax.tree.map(jnp.asarray, params)
    squares, norm = _squared_distances(model, head, arrays, inputs, labels, jnp.asarray(batches))
    variance = float(squares.mean())
    return {
        "variance": variance,
        "relative_noise": variance**0.5 / float(norm),
        "population_factor": (len(labels) - size) / (len(labels) - 1),
    }


@partial(jax.jit, static_argnums=(0, 1))  # compiled once for a size of batches, not for each net
def _squared_distances(
    model: nn.Module, head: Head, params: Any, inputs: jax.Array, labels: jax.Array, batches: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The squared distance of each batch's gradient from that of all examples, and the norm of the latter."""

    def gradient(x: jax.Array, y: jax.Array) -> jax.Array:
        def loss(params: Any) -> jax.Array:
            logits: Any = model.apply({"params": params}, x)
            return head.losses(logits, y).mean()

        return ravel_pytree(jax.grad(loss)(params))[0]

    whole = gradient(inputs, labels)
    squares = jax.lax.map(lambda rows: ((gradient(inputs[rows], labels[rows]) - whole) ** 2).sum(), batches)
    return squares, jnp.linalg.norm(whole)


def step_seconds(runs: Mapping[Any, tuple[Trained, int]], rounds: int, steps: int = 20) -> pd.DataFrame:
    """Seconds of a training step of single runs, on features, each alone on one device and from its start.

    Args:
      runs: by name, each with what holds it.
      rounds: of measurements; every round takes each run in turn.
      steps: in a row, that make one measurement.

    Returns:
      A row for each round, a column for each name.
    """
    functions = {}
    for name, (trained, run) in runs.items():
        data = trained.dataset(run).train
        examples = Examples(jnp.asarray(data.inputs), jnp.asarray(data.labels))
        train = jax.jit(partial(training.train, trained.program(run)[0].task))
        functions[name] = partial(train, trained.start(run), examples, jnp.int32(0), jnp.int32(steps))
    return in_turns(functions, rounds) / steps

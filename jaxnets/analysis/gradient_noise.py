"""How far the gradient of a batch is from that of all examples, and how long a step takes."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from flax import linen as nn
from jax.flatten_util import ravel_pytree

from jaxnets import training
from jaxnets.analysis.timing import in_turns
from jaxnets.batches import Split
from jaxnets.data.dataset import Split as HostSplit
from jaxnets.experiment import Results


def measure(model: nn.Module, params: Any, examples: HostSplit, size: int, draws: int, seed: int) -> dict[str, float]:
    """The variance of a batch's gradient about the full one, over batches drawn without replacement.

    Args:
      model: of features.
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
    flat, unravel = ravel_pytree(jax.tree.map(jnp.asarray, params))

    def gradient(rows: jax.Array) -> jax.Array:
        def loss(flat: jax.Array) -> jax.Array:
            logits = model.apply({"params": unravel(flat)}, inputs[rows])
            return optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]).mean()  # type: ignore[arg-type]

        return jax.grad(loss)(flat)

    whole = gradient(jnp.arange(len(labels)))
    generator = np.random.default_rng(seed)
    batches = np.stack([generator.choice(len(labels), size, replace=False) for _ in range(draws)])
    squares = jax.jit(lambda rows: jax.lax.map(lambda one: ((gradient(one) - whole) ** 2).sum(), rows))(batches)
    variance = float(squares.mean())
    factor = (len(labels) - size) / (len(labels) - 1)
    return {
        "variance": variance,
        "relative_noise": variance**0.5 / float(jnp.linalg.norm(whole)),
        "population_factor": factor,
    }


def step_seconds(results: Results, sizes: list[int], rounds: int, steps: int = 20) -> pd.DataFrame:
    """Seconds of a training step of one run by batch size, in rounds; the columns are the sizes as texts."""
    functions = {}
    for size in sizes:
        trained = results.train(batch_size=str(size), num_steps="1", seed="0", learning_rate="0.01", num_seeds="1")
        program, _ = trained.program(0)
        data = trained.folds[0].train
        examples = Split(jnp.asarray(data.inputs), jnp.asarray(data.labels))
        train = jax.jit(partial(training.train, program.task))
        functions[str(size)] = partial(train, trained.start(0), examples, jnp.int32(0), jnp.int32(steps))
    return in_turns(functions, rounds) / steps

"""How far solutions are apart: distances, the loss on the straight line between them, and alignment of hidden units."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from scipy.optimize import linear_sum_assignment

from jaxnets import training
from jaxnets.engine.trained import Trained
from jaxnets.models.layers import OUTPUT, hidden_layers
from jaxnets.training.batches import Examples

POINTS = 15


def distance(first: Any, second: Any) -> float:
    """The distance of two solutions, relative to the geometric mean of their norms."""
    a, b = (np.asarray(ravel_pytree(params)[0], np.float64) for params in (first, second))
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) * np.linalg.norm(b)) ** 0.5)


def training_loss(trained: Trained, run: int) -> Callable[[Any], Array]:
    """The mean loss on all training examples, features, as a function of the parameters of a run."""
    model, head, examples = trained.module(run), trained.program(run)[0].task.head, _examples(trained)

    def loss(params: Any) -> Array:
        logits: Any = model.apply({"params": params}, examples.inputs)
        return head.losses(logits, examples.labels).mean()

    return loss


def reshuffled(trained: Trained, runs: Sequence[int], offset: int = 1_000_003) -> list[Any]:
    """The parameters that runs of one program, of features, end with if their batches come in another order.

    Each starts where it did, and then draws its batches (and dropout, if any) from the streams of another seed.

    Args:
      trained: holds the runs.
      runs: their numbers, one at least.
      offset: added to the seeds after the start.
    """
    task = trained.program(runs[0])[0].task
    states = [trained.start(run) for run in runs]
    stacked = jax.tree.map(lambda *arrays: jnp.stack(arrays), *(replace(s, seed=s.seed + offset) for s in states))
    train = jax.vmap(partial(training.train, task), in_axes=(0, None, None, None))
    ended, _ = jax.jit(train)(stacked, _examples(trained), jnp.int32(0), jnp.int32(task.num_steps))
    params = jax.tree.map(np.asarray, ended.params)
    return [jax.tree.map(lambda array, place=place: array[place], params) for place in range(len(runs))]


def _examples(trained: Trained) -> Examples:
    data = trained.folds[0].train
    return Examples(jnp.asarray(data.inputs), jnp.asarray(data.labels))


def along_the_line(loss: Callable[[Any], Array], first: Any, second: Any) -> Float[np.ndarray, "points"]:
    """The loss at `POINTS` points on the straight line from one solution to another, ends included.

    `loss` is compiled once if it is the same object each time.
    """
    return np.asarray(_losses(loss, first, second))


@partial(jax.jit, static_argnums=0)
def _losses(loss: Callable[[Any], Array], first: Any, second: Any) -> Array:
    def at(share: Array) -> Array:
        return loss(jax.tree.map(lambda a, b: (1 - share) * a + share * b, first, second))

    return jax.lax.map(at, jnp.linspace(0.0, 1.0, POINTS))


def barrier(losses: Float[np.ndarray, "points"]) -> float:
    """By how much the loss rises at most above the line between its ends. Source: Frankle et al. (2020), section 2."""
    ends = np.linspace(losses[0], losses[-1], len(losses))
    return float(np.max(losses - ends))


def aligned(params: Mapping[str, Any], reference: Mapping[str, Any], rounds: int = 10) -> dict[str, Any]:
    """An MLP with its hidden units in the order in which its weights come closest to those of another.

    It computes the same. Layers are matched in turn, by weights that enter and leave a unit, until nothing changes.
    Source: Ainsworth, Hayase and Srinivasa (2023), section 3.2.
    """
    names = [*hidden_layers(params), OUTPUT]
    ours = {name: {kind: np.asarray(array) for kind, array in params[name].items()} for name in names}
    theirs = {name: {kind: np.asarray(array) for kind, array in reference[name].items()} for name in names}
    for _ in range(rounds):
        changes = [_match(ours, theirs, name, after) for name, after in pairwise(names)]
        if not any(changes):
            break
    return ours


def _match(ours: dict[str, Any], theirs: Mapping[str, Any], name: str, after: str) -> bool:
    """Puts the units of a layer in the best order, in place; whether that changed anything."""
    gain = theirs[name]["kernel"].T @ ours[name]["kernel"] + theirs[after]["kernel"] @ ours[after]["kernel"].T
    gain += np.outer(theirs[name]["bias"], ours[name]["bias"])
    order = linear_sum_assignment(gain, maximize=True)[1]
    ours[name] = {"kernel": ours[name]["kernel"][:, order], "bias": ours[name]["bias"][order]}
    ours[after] = {**ours[after], "kernel": ours[after]["kernel"][order]}
    return bool((order != np.arange(len(order))).any())

"""How far solutions are apart: distances, the loss on the straight line between them, and alignment of hidden units."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Float, Int
from scipy.optimize import linear_sum_assignment

from jaxnets import jax_settings
from jaxnets.data.dataset import Dataset, Split
from jaxnets.engine import devices
from jaxnets.engine.events import Options
from jaxnets.engine.execute import execute
from jaxnets.engine.keeping import KeepLast
from jaxnets.engine.recorder import Recorder
from jaxnets.engine.sweep import Sweep
from jaxnets.engine.trained import Trained
from jaxnets.models.blocks import OUTPUT, hidden_layers
from jaxnets.training import precision
from jaxnets.training.heads import Head

POINTS = 11


def distance(first: Any, second: Any) -> float:
    """The distance of two solutions, relative to the geometric mean of their norms."""
    a, b = (
        np.concatenate([np.asarray(leaf, np.float64).ravel() for leaf in jax.tree.leaves(params)])
        for params in (first, second)
    )
    return float(np.linalg.norm(a - b) / (np.linalg.norm(a) * np.linalg.norm(b)) ** 0.5)


def in_another_order(trained: Trained, seed: int = 0) -> Trained:
    """The runs of a sweep of features once more, each from its own start, but with its batches in another order.

    The training examples are put in another order, so that the same seeds draw other batches; right after the sweep, in
    the same process, nothing is compiled. Batches of all examples have no order: their runs are left out.
    """
    programs = [one for one in trained.programs if one.task.batch_size < one.task.num_examples]
    steps = max((one.task.num_steps for one in programs), default=1)
    options = Options(steps, trained.config.memory_limit, keeping=KeepLast())
    folds = tuple(_reordered(fold, np.random.default_rng([seed, place])) for place, fold in enumerate(trained.folds))
    placement = devices.placement(trained.config.num_devices)
    sweep = Sweep(trained.config, trained.table, folds, programs, placement, options, trained.notes)
    recorder = Recorder(sweep)
    for event in execute(programs, folds, placement, options) if programs else ():
        recorder.take(event)
    return recorder.trained(interrupted=False, seconds=0.0)


def _reordered(dataset: Dataset, generator: np.random.Generator) -> Dataset:
    rows = generator.permutation(len(dataset.train))
    return replace(dataset, train=Split(np.asarray(dataset.train.inputs)[rows], dataset.train.labels[rows]))


@jax_settings.pinned()
def along_lines(
    trained: Trained, runs: Sequence[int], firsts: Sequence[Any], seconds: Sequence[Any]
) -> Float[np.ndarray, "lines points"]:
    """The training loss, in nats, at `POINTS` points on straight lines between solutions, ends included."""
    if not runs:
        return np.zeros((0, POINTS))
    inputs, labels = (
        jnp.asarray(np.stack([getattr(fold.train, name) for fold in trained.folds])) for name in ("inputs", "labels")
    )
    folds = jnp.array([int(trained.numbers(run).get("fold", 0)) for run in runs])
    model, head = trained.module(runs[0]), trained.program(runs[0])[0].task.head
    return np.asarray(_losses(model, head, inputs, labels, folds, _stacked(firsts), _stacked(seconds)))


def _stacked(params: Sequence[Any]) -> Any:
    return jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *params)


@partial(jax.jit, static_argnums=(0, 1))
def _losses(
    model: nn.Module, head: Head, inputs: Array, labels: Array, folds: Int[Array, " lines"], firsts: Any, seconds: Any
) -> Float[Array, "lines points"]:
    def at(share: Array, fold: Array, ends: tuple[Any, Any]) -> Array:
        params = jax.tree.map(lambda a, b: (1 - share) * a + share * b, *ends)
        logits = precision.widened(model.apply({"params": params}, inputs[fold]))
        return head.losses(logits, labels[fold]).mean()

    def line(one: tuple[Array, Any, Any]) -> Array:
        fold, *ends = one
        return jax.lax.map(lambda share: at(share, fold, tuple(ends)), jnp.linspace(0.0, 1.0, POINTS))

    return jax.lax.map(line, (folds, firsts, seconds))


def barrier(losses: Float[np.ndarray, "points"]) -> float:
    """By how much the loss rises at most above the line between its ends; negative where it lies below throughout.

    Source: Frankle et al. (2020), section 2, with the ends themselves left out.
    """
    ends = np.linspace(losses[0], losses[-1], len(losses))
    return float(np.max((losses - ends)[1:-1]))


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

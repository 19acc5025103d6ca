"""What a program computes: the steps of its runs between two evaluations, and the evaluations."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxnets import training
from jaxnets.engine.device_data import DeviceFolds
from jaxnets.training.state import Metrics, Task, TrainState


class Outcome(NamedTuple):
    """What a segment tells of a run: means over the examples.

    The `final` ones are NaN before the last step, those of `test` wherever the run is not judged.
    """

    train_loss: Float[Array, "..."]
    train_accuracy: Float[Array, "..."]
    dev_loss: Float[Array, "..."]
    dev_accuracy: Float[Array, "..."]
    diverged_step: Int[Array, "..."]
    final_train_loss: Float[Array, "..."]
    final_train_accuracy: Float[Array, "..."]
    test_loss: Float[Array, "..."]
    test_accuracy: Float[Array, "..."]
    test_probabilities: Float[Array, "... batches examples classes"]


def segment_of_runs(
    task: Task,
    predictions: bool,
    states: TrainState,
    hyperparameters: dict[str, Array],
    seeds: Int[Array, "blocks lanes"],
    counts: Int[Array, "1"],
    splits: DeviceFolds,
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """One device's part of a segment: the steps of its runs from `first` to `last`, and their evaluation."""
    segment = partial(_segment_of_run, task, predictions, splits, first, last)
    return in_blocks(segment, counts, states, hyperparameters, seeds)


def in_blocks(function: Any, counts: Int[Array, "1"], carried: Any, *inputs: Any) -> tuple[Any, Any]:
    """A function of one run on a device's part: its blocks one after another, the lanes of a block side by side.

    The number of blocks is an array, so the compiled code is the same for one run as for a thousand.
    """
    # one lane goes without an axis of its own: XLA's kernels for plain matrices are the better tuned ones
    blocks, num_lanes = jax.tree.leaves(carried)[0].shape[:2]
    lanes = jax.vmap(function) if num_lanes > 1 else _without_lanes(function)
    side_by_side = jax.jit(lanes, inline=True)  # traced once, for its shapes and for the loop

    def one_block(block: Array, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        carried, outcomes = carry
        at = partial(jax.lax.dynamic_index_in_dim, index=block, keepdims=False)
        new, outcome = side_by_side(*jax.tree.map(at, (carried, *inputs)))
        put = partial(jax.lax.dynamic_update_index_in_dim, index=block, axis=0)
        return jax.tree.map(put, carried, new), jax.tree.map(put, outcomes, outcome)

    one = jax.tree.map(lambda leaf: leaf[0], (carried, *inputs))
    _, of_block = jax.eval_shape(side_by_side, *one)
    nothing = jax.tree.map(lambda leaf: jnp.zeros((blocks, *leaf.shape), leaf.dtype), of_block)
    return jax.lax.fori_loop(0, counts[0], one_block, (carried, nothing))


def _without_lanes(function: Any) -> Any:
    """A function of one run as a function of a block of one run."""

    def of_block(*block: Any) -> Any:
        result = function(*jax.tree.map(lambda leaf: jnp.squeeze(leaf, 0), block))
        return jax.tree.map(lambda leaf: leaf[None], result)

    return of_block


def _segment_of_run(
    task: Task,
    predictions: bool,
    splits: DeviceFolds,
    first: Int[Array, ""],
    last: Int[Array, ""],
    state: TrainState,
    hyperparameters: dict[str, Array],
    seed: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """The steps of one run from `first` to `last`, and its evaluation after them."""
    splits = of_fold(splits, hyperparameters.get("fold"))
    assert splits.train is not None  # they are not streamed
    state = started(task, splits, first, state, hyperparameters, seed)
    state, sums = training.train(task, state, splits.train, first, last)
    on_train = partial(training.evaluate, task, split=splits.train_in_batches or splits.train)
    return evaluated(task, predictions, splits, last, state, sums, on_train)


def started(
    task: Task,
    splits: DeviceFolds,
    first: Int[Array, ""],
    state: TrainState,
    hyperparameters: dict[str, Array],
    seed: Int[Array, ""],
) -> TrainState:
    """The state of a run before the steps from `first`: that of its beginning, if there were none."""
    start = partial(training.init, task, hyperparameters, seed, splits.word_vectors)
    return jax.lax.cond(first == 0, start, lambda: state)


def evaluated(
    task: Task,
    predictions: bool,
    splits: DeviceFolds,
    last: Int[Array, ""],
    state: TrainState,
    sums: Metrics,
    on_train: Callable[[TrainState], Metrics],
) -> tuple[TrainState, Outcome]:
    """The outcome of a run after the steps of a segment."""
    train_loss, train_accuracy = sums.mean()
    shown = training.judged(task, state)
    dev_loss, dev_accuracy = training.evaluate(task, shown, splits.dev).mean()
    ended = last == task.num_steps
    judged = dev_accuracy > state.best_dev_accuracy if task.select_best else ended
    state = replace(
        state,
        diverged_step=training.mark_divergence(state.diverged_step, state.step, dev_loss),
        best_dev_accuracy=jnp.fmax(state.best_dev_accuracy, dev_accuracy),
    )
    unknown = jnp.float32(jnp.nan)
    final_train = jax.lax.cond(ended, lambda: on_train(shown).mean(), lambda: (unknown, unknown))
    probabilities = partial(training.probabilities, task, shown, splits.test)
    shape = jax.eval_shape(probabilities).shape if predictions else (0, 0, 0)  # without, an array of nothing
    test = jax.lax.cond(
        judged,
        lambda: (
            *training.evaluate(task, shown, splits.test).mean(),
            probabilities() if predictions else jnp.zeros(shape),
        ),
        lambda: (unknown, unknown, jnp.full(shape, jnp.nan)),
    )
    outcome = Outcome(train_loss, train_accuracy, dev_loss, dev_accuracy, state.diverged_step, *final_train, *test)
    return state, outcome


def of_fold(splits: DeviceFolds, fold: Int[Array, ""] | None) -> DeviceFolds:
    """The splits of one fold: the only one, if a run has none."""
    word_vectors = splits.word_vectors  # all folds share them
    if fold is None:
        of_fold = jax.tree.map(lambda leaf: jnp.squeeze(leaf, 0), splits._replace(word_vectors=None))
    else:
        at = partial(jax.lax.dynamic_index_in_dim, index=fold, keepdims=False)
        of_fold = jax.tree.map(at, splits._replace(word_vectors=None))
    return of_fold._replace(word_vectors=word_vectors)

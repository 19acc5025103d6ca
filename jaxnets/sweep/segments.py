"""What a program computes: the steps of its runs between two evaluations, and the evaluations."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxnets import training
from jaxnets.batches import Split
from jaxnets.sweep.splits import Splits
from jaxnets.training import Task, TrainState


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
    splits: Splits,
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """One device's part of a segment: its blocks one after another, the lanes of a block side by side.

    The number of blocks is an array, so the compiled code is the same for one run as for a thousand.
    """
    segment = partial(_segment_of_run, task, predictions, splits, first, last)
    # one lane goes without an axis of its own: XLA's kernels for plain matrices are the better tuned ones
    side_by_side = jax.vmap(segment) if seeds.shape[1] > 1 else _without_lanes(segment)

    def one_block(block: Array, carry: tuple[TrainState, Outcome]) -> tuple[TrainState, Outcome]:
        states, outcomes = carry
        at = partial(jax.lax.dynamic_index_in_dim, index=block, keepdims=False)
        state, outcome = side_by_side(*jax.tree.map(at, (states, hyperparameters, seeds)))
        put = partial(jax.lax.dynamic_update_index_in_dim, index=block, axis=0)
        return jax.tree.map(put, states, state), jax.tree.map(put, outcomes, outcome)

    one = jax.tree.map(lambda leaf: leaf[0], (states, hyperparameters, seeds))
    _, of_block = jax.eval_shape(side_by_side, *one)
    nothing = jax.tree.map(lambda leaf: jnp.zeros((seeds.shape[0], *leaf.shape), leaf.dtype), of_block)
    return jax.lax.fori_loop(0, counts[0], one_block, (states, nothing))


def _without_lanes(function: Any) -> Any:
    """A function of one run as a function of a block of one run."""

    def of_block(*block: Any) -> Any:
        result = function(*jax.tree.map(lambda leaf: jnp.squeeze(leaf, 0), block))
        return jax.tree.map(lambda leaf: leaf[None], result)

    return of_block


def _segment_of_run(
    task: Task,
    predictions: bool,
    splits: Splits,
    first: Int[Array, ""],
    last: Int[Array, ""],
    state: TrainState,
    hyperparameters: dict[str, Array],
    seed: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """The steps of one run from `first` to `last`, and its evaluation after them."""
    splits = _of_fold(splits, hyperparameters.get("fold"))
    start = partial(training.init, task, hyperparameters, seed, splits.word_vectors)
    state = jax.lax.cond(first == 0, start, lambda: state)
    state, sums = training.train(task, state, splits.train, first, last)
    train_loss, train_accuracy = sums.mean()
    dev_loss, dev_accuracy = training.evaluate(task, state, splits.dev).mean()
    ended = last == task.num_steps
    judged = dev_accuracy > state.best_dev_accuracy if task.select_best else ended
    state = state._replace(
        diverged_step=training.mark_divergence(state.diverged_step, state.step, dev_loss),
        best_dev_accuracy=jnp.fmax(state.best_dev_accuracy, dev_accuracy),
    )
    final_train = _if(ended, lambda: training.evaluate(task, state, splits.train_in_batches or splits.train).mean())
    test = _if(judged, lambda: _test(task, predictions, state, splits.test))
    outcome = Outcome(train_loss, train_accuracy, dev_loss, dev_accuracy, state.diverged_step, *final_train, *test)
    return state, outcome


def _of_fold(splits: Splits, fold: Int[Array, ""] | None) -> Splits:
    """The splits of one fold: the only one, if a run has none."""
    word_vectors = splits.word_vectors  # all folds share them
    if fold is None:
        of_fold = jax.tree.map(lambda leaf: jnp.squeeze(leaf, 0), splits._replace(word_vectors=None))
    else:
        at = partial(jax.lax.dynamic_index_in_dim, index=fold, keepdims=False)
        of_fold = jax.tree.map(at, splits._replace(word_vectors=None))
    return of_fold._replace(word_vectors=word_vectors)


def _if(condition: Array, function: Any) -> Any:
    """What a function of no arguments gives, or NaN in all of it."""
    nothing = jax.tree.map(lambda leaf: jnp.full(leaf.shape, jnp.nan, leaf.dtype), jax.eval_shape(function))
    return jax.lax.cond(condition, function, lambda: nothing)


def _test(task: Task, predictions: bool, state: TrainState, split: Split) -> tuple[Array, Array, Array]:
    """Loss, accuracy and probabilities on the test examples; the last without batches if they are not asked for."""
    loss, accuracy = training.evaluate(task, state, split).mean()
    if predictions:
        return loss, accuracy, training.probabilities(task, state, split)
    return loss, accuracy, jnp.zeros((0, 0, 0))

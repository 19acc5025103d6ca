"""One training run as pure functions: `init`, `step`, `evaluate`. They know nothing of sweeps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from jaxtyping import Array, Float, Int, PRNGKeyArray, Shaped

from jaxnets import initializers, optimizers, schedules
from jaxnets.losses import Head
from jaxnets.shuffling import permutation

EVALUATION_BATCH = 256

# Each purpose has a random stream of its own, so that using one more often leaves the others as they are.
STREAMS = {"model": 0, "initializer": 1, "shuffle": 2, "dropout": 3, "optimizer": 4}


class Split(NamedTuple):
    """Examples on the device. Without weights, each example counts once; an example of weight zero is padding."""

    inputs: Shaped[Array, "examples ..."]
    labels: Int[Array, "examples"]
    weights: Float[Array, "examples"] | None = None


class Metrics(NamedTuple):
    """Sums over examples; `mean` turns them into averages."""

    loss: Float[Array, ""]
    correct: Float[Array, ""]
    examples: Float[Array, ""]

    def __add__(self, other: "Metrics") -> "Metrics":  # type: ignore[override]
        """The metrics of the examples of both."""
        return Metrics(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def mean(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """The average loss and the accuracy."""
        return self.loss / self.examples, self.correct / self.examples


class TrainState(NamedTuple):
    """All that a run carries from step to step."""

    step: Int[Array, ""]
    params: Any
    optimizer_state: Any
    seed: Int[Array, ""]
    hyperparameters: dict[str, Array]
    diverged_step: Int[Array, ""]  # the first step whose loss was not finite; -1 as long as there is none


@dataclass(frozen=True)
class Plugin:
    """A function or class with its arguments: some static, some named in the hyperparameters of each run."""

    function: Callable[..., Any]
    static: Mapping[str, Any] = field(default_factory=dict)
    traced: tuple[str, ...] = ()

    def arguments(self, hyperparameters: Mapping[str, Array]) -> dict[str, Any]:
        """The keyword arguments for one run."""
        return {**self.static, **{name: hyperparameters[name] for name in self.traced}}

    def __call__(self, hyperparameters: Mapping[str, Array]) -> Any:
        """The function's value for one run."""
        return self.function(**self.arguments(hyperparameters))


@dataclass(frozen=True)
class Task:
    """What the runs of one program share: all that shapes the traced computation."""

    model: Plugin
    optimizer: Plugin
    schedule: Plugin
    head: Head
    batch_size: int
    num_steps: int
    num_examples: int
    input_shape: tuple[int, ...]
    input_dtype: Any
    own_initializer: bool = False
    """Whether the linear maps start as the model's own code draws them; otherwise the initializer is traced."""

    @property
    def steps_per_epoch(self) -> int:
        """Batches in a pass over the data; the last one may be smaller."""
        return -(-self.num_examples // self.batch_size)


def stream(seed: Int[Array, ""], purpose: str, index: Int[Array, ""] | int = 0) -> PRNGKeyArray:
    """The random key of a seed for one purpose at one index (a step or an epoch)."""
    # the two words of a threefry key are any two numbers: here the seed and the purpose
    words = jnp.stack([jnp.asarray(seed), jnp.int32(STREAMS[purpose])]).astype(jnp.uint32)
    return jax.random.fold_in(jax.random.wrap_key_data(words, impl="threefry2x32"), index)


def init(task: Task, hyperparameters: Mapping[str, Array], seed: Int[Array, ""]) -> TrainState:
    """The state of a run before its first step.

    Args:
      task: what the run shares with others.
      hyperparameters: its traced numbers by name: `learning_rate`, `warmup_steps`, `initializer` (its index),
        `initializer_scale`, those that the task's plug-ins name, and optionally `weight_decay` and `gradient_clip`.
      seed: of all the run's random streams.
    """
    example = jnp.zeros((1, *task.input_shape), task.input_dtype)
    params = task.model(hyperparameters).init(stream(seed, "model"), example)["params"]
    params = initializers.initialize(
        hyperparameters["initializer"],
        hyperparameters["initializer_scale"],
        params,
        stream(seed, "initializer"),
        own=task.own_initializer,
    )
    optimizer_state = _optimizer(task, hyperparameters, seed, jnp.int32(0)).init(params)
    return TrainState(jnp.int32(0), params, optimizer_state, seed, dict(hyperparameters), jnp.int32(-1))


def step(task: Task, state: TrainState, batch: Split) -> tuple[TrainState, Metrics]:
    """One update from one batch; the metrics are those of the batch before the update."""

    def loss(params: Any) -> tuple[Float[Array, ""], Metrics]:
        metrics = _metrics(task, _logits(task, state, params, batch.inputs, train=True), batch)
        return metrics.loss / metrics.examples, metrics

    (value, metrics), gradient = jax.value_and_grad(loss, has_aux=True)(state.params)
    updates, optimizer_state = _optimizer(task, state.hyperparameters, state.seed, state.step).update(
        gradient, state.optimizer_state, state.params, value=value, grad=gradient, value_fn=lambda p: loss(p)[0]
    )
    params = optax.apply_updates(state.params, updates)
    next_step = state.step + 1
    diverged_step = mark_divergence(state.diverged_step, next_step, value)
    return state._replace(
        step=next_step, params=params, optimizer_state=optimizer_state, diverged_step=diverged_step
    ), metrics


def evaluate(task: Task, state: TrainState, split: Split) -> Metrics:
    """Loss and accuracy of a run on a split, each example counted once, without dropout."""
    num_examples = split.labels.shape[0]
    size = min(num_examples, EVALUATION_BATCH)
    batches = _in_batches(split, size)

    def one_batch(batch: Split) -> Metrics:
        return _metrics(task, _logits(task, state, state.params, batch.inputs, train=False), batch)

    sums = jax.lax.map(one_batch, batches)
    return Metrics(sums.loss.sum(), sums.correct.sum(), jnp.float32(num_examples))


def train(task: Task, state: TrainState, examples: Split, first_step: Array, last_step: Array):
    """The steps from `first_step` to `last_step` (not included) of one run.

    Each epoch is a permutation of the examples, partitioned into batches. The bounds may be traced, but must be the
    same for all runs of a `vmap`: the run's own step counter is not looked at.

    Returns:
      The state after the steps and the sums of the metrics of all their batches.
    """

    def one_step(index: Array, carry: tuple) -> tuple:
        state, order, sums = carry
        new_epoch = (index % task.steps_per_epoch == 0) | (index == first_step)
        order = jax.lax.cond(new_epoch, lambda: _order(task, state.seed, index), lambda: order)
        state, metrics = step(task, state, _batch(task, examples, order, index % task.steps_per_epoch))
        return state, order, sums + metrics

    zero = Metrics(jnp.float32(0), jnp.float32(0), jnp.float32(0))
    no_order = jnp.zeros_like(jax.eval_shape(partial(_order, task), state.seed, first_step))
    state, _, sums = jax.lax.fori_loop(first_step, last_step, one_step, (state, no_order, zero))
    return state, sums


def mark_divergence(diverged_step: Array, now: Array, loss: Float[Array, ""]) -> Int[Array, ""]:
    """The step at which a run diverged: `now` if its loss is the first that is not finite."""
    return jnp.where((diverged_step < 0) & ~jnp.isfinite(loss), now, diverged_step)


def _optimizer(
    task: Task, hyperparameters: Mapping[str, Array], seed: Array, step: Array
) -> optax.GradientTransformationExtraArgs:
    """The gradient transformation of a run at a step, its learning rate already scheduled."""
    factor = schedules.factor(
        task.schedule.function,
        step,
        task.num_steps,
        hyperparameters["warmup_steps"],
        task.schedule.arguments(hyperparameters),
    )
    return optimizers.build(
        task.optimizer.function,
        hyperparameters["learning_rate"] * factor,
        task.optimizer.arguments(hyperparameters),
        weight_decay=hyperparameters.get("weight_decay"),
        gradient_clip=hyperparameters.get("gradient_clip"),
        key=stream(seed, "optimizer"),
    )


def _logits(task: Task, state: TrainState, params: Any, inputs: Array, *, train: bool) -> Float[Array, "batch outputs"]:
    model: nn.Module = task.model(state.hyperparameters)
    if not train:
        return cast(Array, model.apply({"params": params}, inputs))
    rngs = {"dropout": stream(state.seed, "dropout", state.step)}
    return cast(Array, model.apply({"params": params}, inputs, train=True, rngs=rngs))


def _metrics(task: Task, logits: Array, batch: Split) -> Metrics:
    losses = task.head.losses(logits, batch.labels)
    correct = (task.head.predictions(logits) == batch.labels).astype(jnp.float32)
    if batch.weights is None:
        return Metrics(losses.sum(), correct.sum(), jnp.float32(batch.labels.shape[0]))
    # not a product: padding may have given an infinite loss
    real = batch.weights > 0
    return Metrics(jnp.where(real, losses, 0).sum(), jnp.where(real, correct, 0).sum(), batch.weights.sum())


def _order(task: Task, seed: Array, index: Array) -> Int[Array, "examples"]:
    """The order of the examples in the epoch of a step, followed by enough padding for the last batch."""
    if task.batch_size == task.num_examples:
        return jnp.arange(task.num_examples)
    shuffled = permutation(stream(seed, "shuffle", index // task.steps_per_epoch), task.num_examples)
    return jnp.pad(shuffled, (0, task.steps_per_epoch * task.batch_size - task.num_examples))


def _batch(task: Task, examples: Split, order: Array, number: Array) -> Split:
    """The batch of a number within its epoch; the last is filled up with examples of weight zero."""
    if task.batch_size == task.num_examples:
        return examples
    start = number * task.batch_size
    rows = jax.lax.dynamic_slice(order, (start,), (task.batch_size,))
    batch = Split(examples.inputs[rows], examples.labels[rows])
    if task.num_examples % task.batch_size == 0:
        return batch
    return batch._replace(weights=(start + jnp.arange(task.batch_size) < task.num_examples).astype(jnp.float32))


def _in_batches(split: Split, size: int) -> Split:
    """A split as a stack of batches of one size, the last filled up with examples of weight zero."""
    num_examples = split.labels.shape[0]
    missing = -num_examples % size

    def stack(array: Array) -> Array:
        padded = jnp.pad(array, ((0, missing), *((0, 0),) * (array.ndim - 1)))
        return padded.reshape(-1, size, *array.shape[1:])

    return Split(stack(split.inputs), stack(split.labels), stack(jnp.ones(num_examples)))

"""One training run as pure functions: `init`, `step`, `evaluate`. They know nothing of sweeps."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import optax
from flax import linen as nn
from flax import traverse_util
from jaxtyping import Array, Float, Int, PRNGKeyArray

from jaxnets.errors import UserError
from jaxnets.models.blocks import OUTPUT, TextBatch
from jaxnets.training import batches, initializers, optimizers, schedules, word_rows
from jaxnets.training.batches import Examples, TextStream
from jaxnets.training.state import COLLECTIONS, Metrics, Task, TrainState, narrowed, takes_mask, widened
from jaxnets.training.word_rows import GivenVectors

# Each purpose has a random stream of its own, so that using one more often leaves the others as they are.
STREAMS = {"model": 0, "initializer": 1, "shuffle": 2, "dropout": 3, "optimizer": 4}


def stream(seed: Int[Array, ""], purpose: str, index: Int[Array, ""] | int = 0) -> PRNGKeyArray:
    """The random key of a seed for one purpose at one index (a step or an epoch)."""
    # the two words of a threefry key are any two numbers: here the seed and the purpose
    words = jnp.stack([jnp.asarray(seed), jnp.int32(STREAMS[purpose])]).astype(jnp.uint32)
    return jax.random.fold_in(jax.random.wrap_key_data(words, impl="threefry2x32"), index)


def init(
    task: Task, hyperparameters: Mapping[str, Array], seed: Int[Array, ""], vectors: GivenVectors | None = None
) -> TrainState:
    """The state of a run before its first step.

    Args:
      task: what the run shares with others.
      hyperparameters: its traced numbers by name: `learning_rate`, `warmup_steps`, `initializer` (its index),
        `initializer_scale`, those that the task's plug-ins name, and optionally `weight_decay`, `gradient_clip` and
        `max_norm`.
      seed: of all the run's random streams.
      vectors: given for some of the words.
    """
    with initializers.noting() as noted:
        collections = task.functions(hyperparameters).init(stream(seed, "model"), _example(task))
    # leaf by leaf: their order is that of the draws
    flat = traverse_util.flatten_dict(collections.pop("params"))
    params = traverse_util.unflatten_dict({path: nn.unbox(leaf) for path, leaf in flat.items()})
    params = initializers.initialize(
        hyperparameters["initializer"],
        hyperparameters["initializer_scale"],
        params,
        stream(seed, "initializer"),
        noted=noted,
        own=task.own_initializer,
        guest=task.guest_initializer,
    )
    if vectors is not None:
        params = word_rows.start_from(vectors, params)
    trained, _ = word_rows.partition(params, task.train_word_vectors)
    return TrainState(
        step=jnp.int32(0),
        params=params,
        collections=nn.unbox(collections),
        optimizer_state=optimizer(task, hyperparameters, seed, jnp.int32(0)).init(trained),
        seed=seed,
        hyperparameters=dict(hyperparameters),
        diverged_step=jnp.int32(-1),
        best_dev_accuracy=jnp.float32(-1),
    )


def _example(task: Task) -> Examples:
    """One example, to make the parameters from."""
    zero = jnp.zeros(1, jnp.int32)
    if task.input_shape is not None:
        return Examples(jnp.zeros((1, *task.input_shape), jnp.float32), zero)
    return Examples(TextBatch(words=zero, owner=zero, lengths=zero + 1), zero)


def step(task: Task, state: TrainState, batch: Examples) -> tuple[TrainState, Metrics]:
    """One update from one batch; the metrics are those of the batch before the update."""
    if not task.word_rows:
        return _update(task, state, batch)
    inputs = cast(TextBatch, batch.inputs)
    rows, places = word_rows.distinct(inputs.words, dict(task.model.static)["vocabulary_size"])
    of_run = optimizer(task, state.hyperparameters, state.seed, state.step)
    small_model = task.model.with_static(vocabulary_size=rows.shape[0])
    small_batch = batch._replace(inputs=inputs._replace(words=places))
    of_batch = word_rows.gather(state, rows, of_run)
    updated, metrics = _update(replace(task, model=small_model), of_batch, small_batch)
    return word_rows.scatter(state, updated, rows, of_run), metrics


def _update(task: Task, state: TrainState, batch: Examples) -> tuple[TrainState, Metrics]:
    """One update of all parameters in the state."""
    trained, fixed = word_rows.partition(state.params, task.train_word_vectors)

    def loss(trained: Any) -> tuple[Float[Array, ""], tuple[Metrics, Any]]:
        rngs = {"dropout": stream(state.seed, "dropout", state.step)}
        variables = {"params": word_rows.combine(trained, fixed), **state.collections}
        logits, collections = task.functions(state.hyperparameters).apply(variables, batch, train=True, rngs=rngs)
        metrics = _metrics(task, widened(logits), batch)
        return metrics.loss / metrics.examples, (metrics, collections)

    def value_fn(params: Any) -> Float[Array, ""]:
        return loss(narrowed(params, trained))[0]

    def grad_fn(params: Any, *_: Any) -> Any:
        return widened(jax.grad(loss, has_aux=True)(narrowed(params, trained))[0])

    (value, (metrics, collections)), gradient = jax.value_and_grad(loss, has_aux=True)(trained)
    # an optimizer computes in float32 at least: in bfloat16 Adam's b2 of 0.999 is 1
    wide = widened((gradient, state.optimizer_state, trained))
    extras = {"value": value, "grad": wide[0], "value_fn": value_fn, "obj_fn": value_fn, "grad_fn": grad_fn}
    updates, optimizer_state = optimizer(task, state.hyperparameters, state.seed, state.step).update(*wide, **extras)
    params = word_rows.combine(optax.apply_updates(trained, updates), fixed)
    if "max_norm" in state.hyperparameters:
        params = limit_norm(params, state.hyperparameters["max_norm"])
    next_step = state.step + 1
    state = replace(
        state,
        step=next_step,
        params=params,
        collections=collections,
        optimizer_state=narrowed(optimizer_state, state.optimizer_state),
        diverged_step=mark_divergence(state.diverged_step, next_step, value),
    )
    return state, metrics


def check_collections(task: Task, state: TrainState, batch: Examples) -> None:
    """Refuses a model whose collections a step would spoil by padding, or change in form; traced, not computed."""
    if not state.collections:
        return
    model, names = f"model: '{task.model.function.__name__}'", ", ".join(state.collections)
    if COLLECTIONS in state.params:
        raise UserError(f"{model} has a layer named '{COLLECTIONS}'; give it another name.")
    if task.pads and not takes_mask(task.model.function):
        of_texts = task.input_shape is None
        filled = "batches of texts are" if of_texts else "the last batch of an epoch is"
        or_else = "" if of_texts else f", or take a batch_size that divides {task.num_examples}"
        raise UserError(
            f"{model} keeps {names}, and {filled} filled up with padding that it would see; give its __call__ an "
            f"argument mask=None (True where an example is real){or_else}."
        )
    after = jax.eval_shape(partial(_update, task), state, batch)[0].collections
    before, after = (dict(jax.tree.leaves_with_path(tree)) for tree in (state.collections, after))
    for path in {**before, **after}:
        of_both = (tree.get(path) for tree in (before, after))
        was, made = ("nothing" if leaf is None else f"{leaf.dtype}{leaf.shape}" for leaf in of_both)
        if was != made:
            name = jax.tree_util.keystr(path)
            raise UserError(f"{model} makes {made} of {name} in a step, which starts as {was}.")


def limit_norm(params: Any, max_norm: Float[Array, ""]) -> Any:
    """Shortens the weights of each unit of the last layer, `output`, to the norm `max_norm`, where they are longer.

    Source: Hinton et al. (2012), section 2; as in Kim (2014), on the last layer alone.
    """
    flat = traverse_util.flatten_dict(params)
    kernels = [path for path in flat if path[-2:] == (OUTPUT, "kernel")]
    if not kernels:
        raise UserError(f"max_norm: the model has no layer named '{OUTPUT}'.")
    for path in kernels:
        kernel = widened(flat[path])
        norm = jnp.linalg.norm(kernel, axis=0, keepdims=True)
        limited = kernel * jnp.minimum(1.0, max_norm / jnp.maximum(norm, 1e-12))
        flat[path] = narrowed(limited, flat[path])
    return traverse_util.unflatten_dict(flat)


def judged(task: Task, state: TrainState) -> TrainState:
    """The state with the parameters that the run is evaluated and kept at, where its optimizer defines others."""
    factory = task.optimizer.function
    if not optimizers.judges(factory, state.optimizer_state):
        return state
    trained, fixed = word_rows.partition(state.params, task.train_word_vectors)
    params = optimizers.eval_params(factory, state.optimizer_state, trained)
    return replace(state, params=word_rows.combine(params, fixed))


def evaluate(task: Task, state: TrainState, split: Examples) -> Metrics:
    """Loss and accuracy of a run on a split, each example counted once, without dropout.

    Args:
      task: of the run.
      state: of the run.
      split: features, or texts laid out in batches.
    """
    return total(evaluate_batches(task, state, batches.in_batches(split)))


def total(sums: Metrics) -> Metrics:
    """The metrics of all batches together."""
    return Metrics(sums.loss.sum(), sums.correct.sum(), sums.examples.sum())


def evaluate_batches(task: Task, state: TrainState, stacked: Examples) -> Metrics:
    """The metrics of each batch of a stack, `float32[batches]`, as `evaluate` adds them up."""

    def one_batch(batch: Examples) -> Metrics:
        return _metrics(task, _logits(task, state, batch), batch)

    return jax.lax.map(one_batch, stacked)


def probabilities(task: Task, state: TrainState, split: Examples) -> Float[Array, "batches examples classes"]:
    """The probability of each class for each example, in the batches in which `evaluate` takes them."""
    return jax.lax.map(
        lambda batch: task.head.probabilities(_logits(task, state, batch)),
        batches.in_batches(split),
    )


def train(task: Task, state: TrainState, examples: Examples, first_step: Array, last_step: Array):
    """The steps from `first_step` to `last_step` (not included) of one run.

    Each epoch is a permutation of the examples, partitioned into batches. The bounds may be traced, but must be the
    same for all runs of a `vmap`: the run's own step counter is not looked at.

    Returns:
      The state after the steps and the sums of the metrics of all their batches.
    """

    def order_in(seed: Array, index: Array) -> Array:
        """The order of the examples in the epoch of a step."""
        key = stream(seed, "shuffle", index // task.steps_per_epoch)
        return batches.order(key, task.num_examples, task.batch_size)

    def one_step(index: Array, carry: tuple) -> tuple:
        state, order, sums = carry
        new_epoch = (index % task.steps_per_epoch == 0) | (index == first_step)
        order = jax.lax.cond(new_epoch, lambda: order_in(state.seed, index), lambda: order)
        number = index % task.steps_per_epoch
        state, metrics = _step_on(task, state, examples, batches.rows(order, number, task.batch_size), number)
        return state, order, sums + metrics

    no_order = jnp.zeros_like(jax.eval_shape(order_in, state.seed, first_step))
    state, _, sums = jax.lax.fori_loop(first_step, last_step, one_step, (state, no_order, no_metrics()))
    return state, sums


def train_on(
    task: Task,
    state: TrainState,
    sums: Metrics,
    examples: Examples,
    order: Int[Array, "places"],
    first_step: Array,
    last_step: Array,
) -> tuple[TrainState, Metrics]:
    """As `train`, to the same bits, on what the host has read for these steps: `order` says where in `examples`."""

    def one_step(index: Array, carry: tuple[TrainState, Metrics]) -> tuple[TrainState, Metrics]:
        state, sums = carry
        rows = batches.rows(order, index - first_step, task.batch_size)
        state, metrics = _step_on(task, state, examples, rows, index % task.steps_per_epoch)
        return state, sums + metrics

    return jax.lax.fori_loop(first_step, last_step, one_step, (state, sums))


def no_metrics() -> Metrics:
    """The metrics of no examples."""
    return Metrics(jnp.float32(0), jnp.float32(0), jnp.float32(0))


def order_of_steps(
    task: Task, seed: Int[Array, ""], first_step: Int[Array, ""], num_steps: int
) -> Int[Array, "places"]:
    """The examples of some steps of a run, batch after batch, in the order in which `train` takes them."""

    def of_step(index: Array) -> Array:
        places = index % task.steps_per_epoch * task.batch_size + jnp.arange(task.batch_size)
        key = stream(seed, "shuffle", index // task.steps_per_epoch)
        return batches.order_at(key, places, task.num_examples, task.batch_size)

    return jax.vmap(of_step)(first_step + jnp.arange(num_steps)).reshape(-1)


def mark_divergence(diverged_step: Array, now: Array, loss: Float[Array, ""]) -> Int[Array, ""]:
    """The step at which a run diverged: `now` if its loss is the first that is not finite."""
    return jnp.where((diverged_step < 0) & ~jnp.isfinite(loss), now, diverged_step)


def optimizer(
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
        scheduled=task.scheduled,
    )


def _logits(task: Task, state: TrainState, batch: Examples) -> Float[Array, "batch outputs"]:
    """The logits of a run in evaluation."""
    variables = {"params": state.params, **state.collections}
    return widened(task.functions(state.hyperparameters).apply(variables, batch, train=False)[0])


def _metrics(task: Task, logits: Array, batch: Examples) -> Metrics:
    losses = widened(task.head.losses(logits, batch.labels))
    correct = (task.head.predictions(logits) == batch.labels).astype(jnp.float32)
    if batch.weights is None:
        return Metrics(losses.sum(), correct.sum(), jnp.float32(batch.labels.shape[0]))
    # not a product: padding may have given an infinite loss
    real = batch.weights > 0
    return Metrics(jnp.where(real, losses, 0).sum(), jnp.where(real, correct, 0).sum(), batch.weights.sum())


def _step_on(
    task: Task, state: TrainState, examples: Examples, rows: Array, number: Array
) -> tuple[TrainState, Metrics]:
    """A step on the batch of some rows, which has a number within its epoch."""
    texts, weights = examples.inputs, batches.weights(number, task.num_examples, task.batch_size)
    if not isinstance(texts, TextStream):
        whole = task.batch_size == task.num_examples
        return step(task, state, examples if whole else batches.batch(examples, rows, weights))
    lengths = texts.lengths[rows]
    lengths = lengths if weights is None else jnp.where(weights > 0, lengths, 0)

    def within(budget: int, carry: tuple[TrainState, Metrics]) -> tuple[TrainState, Metrics]:
        packed = batches.text_batch(texts, rows, lengths, budget)
        return step(task, carry[0], Examples(packed, examples.labels[rows], weights))

    needed = (lengths.sum() > jnp.array(task.budgets[:-1], jnp.int32)).sum()
    carry = state, no_metrics()
    if len(task.budgets) == 1:
        return within(task.budgets[0], carry)
    # A loop of one turn or none for each: unlike a switch, XLA lets a loop change the word vectors in place.
    for place, budget in enumerate(task.budgets):
        turns = (needed == place).astype(jnp.int32)
        carry = jax.lax.fori_loop(0, turns, lambda _, carry, budget=budget: within(budget, carry), carry)
    return carry

"""What an optimizer does with its learning rate and with the rows of word vectors, found by trying it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import traverse_util
from jax.extend.core import Literal as Constant

from jaxnets.models.blocks import VECTORS
from jaxnets.training import optimizers, run, schedules, word_rows
from jaxnets.training.batches import Examples
from jaxnets.training.state import Bound, Task, TrainState

_NUMBERS = {"learning_rate": 1.0, "warmup_steps": 0.0}  # large, so that what bounds steps has something to do
_WORDS, _STEPS = 4, 4
_TOLERANCE = 1e-3  # of an update: rounding is far below


def ignored_rate(
    task: Task, hyperparameters: Mapping[str, Any], seed: Any, batch: Examples
) -> Literal["", "kept", "unread"]:
    """Why a schedule does not reach the optimizer of a task; empty if it does."""

    def started(rate: Any, numbers: Mapping[str, Any], seed: Any) -> Any:
        return optimizers.without_injected(run.init(task, {**numbers, "learning_rate": rate}, seed).optimizer_state)

    def stepped(rate: Any, state: TrainState, batch: Examples) -> Any:
        state = replace(state, hyperparameters={**state.hyperparameters, "learning_rate": rate})
        return run.step(task, state, batch)[0].params

    rate = hyperparameters["learning_rate"]
    if _depends_on_first(started, rate, hyperparameters, seed):
        return "kept"
    state = jax.eval_shape(partial(run.init, task), hyperparameters, seed)
    return "" if _depends_on_first(stepped, rate, state, batch) else "unread"


def _depends_on_first(function: Callable[..., Any], *arguments: Any) -> bool:
    """Whether anything that a function gives is computed from its first argument, a number."""
    traced = jax.make_jaxpr(function)(*arguments).jaxpr
    reached = {traced.invars[0]}
    for equation in traced.eqns:
        if reached.intersection(value for value in equation.invars if not isinstance(value, Constant)):
            reached.update(equation.outvars)
    return not reached.isdisjoint(value for value in traced.outvars if not isinstance(value, Constant))


def rows_fit(task: Task, hyperparameters: Mapping[str, Any]) -> bool:
    """Whether an optimizer does to the words of a batch what it does to them among all words.

    It takes a few steps along made up gradients of the word vectors: first of one word, then of another alone, whose
    way must be the same where the first one is not. Nor do rows fit where a word rests in spite of its gradient, as
    while gradients are accumulated, or is judged at an average over all steps.
    """
    numbers = {name: jnp.asarray(value) for name, value in {**hyperparameters, **_NUMBERS}.items()}
    small_model, zero = task.model.with_static(vocabulary_size=_WORDS), jnp.int32(0)
    small = replace(task, model=small_model, schedule=Bound(schedules.constant))
    try:
        optimizer = run.optimizer(small, numbers, zero, zero)
        state = jax.eval_shape(partial(run.init, small), numbers, zero)
        if optimizers.judges(task.optimizer.function, state.optimizer_state):
            return False
        jax.eval_shape(lambda state: word_rows.gather(state, jnp.arange(2), optimizer), state)
        return _same_way(optimizer, state.params)
    except Exception:  # what it complains of shows when it is traced for the sweep
        return False


def _same_way(optimizer: optax.GradientTransformationExtraArgs, shapes: Any) -> bool:
    """Whether a word moves at each step, and by the same whether or not others moved before."""
    generator = np.random.default_rng(0)
    flat = {path: leaf for path, leaf in traverse_util.flatten_dict(shapes).items() if path[-1] == VECTORS}
    params, gradient = (
        traverse_util.unflatten_dict(
            {path: generator.normal(size=leaf.shape).astype("f") for path, leaf in flat.items()}
        )
        for _ in range(2)
    )

    def way(words: slice, first: int, then: int) -> Any:
        """The updates of a word after a step for another one; there is no other one below 0."""

        def step(carry: tuple[Any, Any], present: Any) -> tuple[tuple[Any, Any], Any]:
            params, state = carry
            now = jax.tree.map(lambda leaf: leaf[words] * present[:, None], gradient)

            def value_fn(params: Any) -> Any:
                return sum(jax.tree.leaves(jax.tree.map(jnp.vdot, now, params)), start=jnp.float32(1))

            extras = {"value_fn": value_fn, "obj_fn": value_fn, "grad_fn": lambda *_: now}
            updates, state = optimizer.update(now, state, params, value=value_fn(params), grad=now, **extras)
            return (optax.apply_updates(params, updates), state), jax.tree.map(lambda leaf: leaf[then], updates)

        own = jax.tree.map(lambda leaf: jnp.asarray(leaf[words]), params)
        order = jnp.array([first, *[then] * _STEPS])
        present = (jnp.arange(len(jax.tree.leaves(own)[0])) == order[:, None]).astype(jnp.float32)
        return jax.lax.scan(step, (own, optimizer.init(own)), present)[1]

    ways = jax.jit(lambda: (way(slice(None), first=2, then=1), way(slice(1, 3), first=-1, then=0)))()
    for pair in zip(*map(jax.tree.leaves, ways), strict=True):
        among_all, alone = (np.asarray(updates[1:]) for updates in pair)
        moves = among_all.any(axis=1).all()
        if not (moves and np.abs(among_all - alone).max() <= _TOLERANCE * np.abs(among_all).max()):  # nor NaN
            return False
    return True

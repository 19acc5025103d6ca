"""The same steps in JAX by hand, without an engine: all runs by one `vmap`, or one after another on each core.

Both update all word vectors at each step; so does jaxnets with `--word_vector_updates=dense`.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int

from benchmarks.many_runs import Losses, Peer, Problem
from jaxnets.engine.devices import num_cores

Params = Mapping[str, Array]


def by_vmap(problem: Problem) -> Peer:
    """All runs side by side on the one device that JAX has on a CPU."""
    return _peer(problem, jax.jit(jax.vmap(_train(problem)), donate_argnums=0), lambda values: jax.device_put(values))


def loop(problem: Problem) -> Peer:
    """A device for each core, and the runs of each one after another: the least that a loop over runs must do."""
    cores = num_cores()
    jax.config.update("jax_num_cpu_devices", cores)
    devices = jax.devices()[: math.gcd(problem.num_runs, len(jax.devices()))]
    mesh, runs = Mesh(np.array(devices), ("runs",)), PartitionSpec("runs")
    train = _train(problem)
    of_device = jax.shard_map(
        lambda *of_runs: jax.lax.map(lambda of_run: train(*of_run), of_runs),
        mesh=mesh,
        in_specs=runs,
        out_specs=runs,
        check_vma=False,
    )
    return _peer(
        problem, jax.jit(of_device, donate_argnums=0), lambda values: jax.device_put(values, NamedSharding(mesh, runs))
    )


def _peer(problem: Problem, train: Callable, put: Callable[[Any], Any]) -> Peer:
    """Holds the states of the runs on the devices between calls."""
    params = put(dict(problem.params))
    state = [put((params, jax.vmap(_optimizer(problem, 0.0).init)(params)))]
    rates, placed = put(problem.learning_rates), {}

    def go_on(orders: Int[np.ndarray, "runs steps batch"]) -> Losses:
        if id(orders) not in placed:
            placed[id(orders)] = put(orders), orders  # kept, so that no other array gets its id
        state[0], losses = train(state[0], rates, placed[id(orders)][0])
        return np.asarray(losses)

    return go_on


def _optimizer(problem: Problem, rate: Any) -> optax.GradientTransformation:
    return optax.adam(rate) if problem.optimizer == "adam" else optax.sgd(rate)


def _train(problem: Problem) -> Callable:
    """The steps of one run: `(state, learning rate, rows[steps, batch]) -> state, losses[steps]`."""
    inputs, labels = jnp.asarray(problem.inputs), jnp.asarray(problem.labels)
    lengths = None if problem.lengths is None else jnp.asarray(problem.lengths)

    def loss(params: Params, rows: Int[Array, "batch"]) -> Float[Array, ""]:
        logits = _logits(problem, params, inputs[rows], None if lengths is None else lengths[rows])
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels[rows]).mean()

    def train(state: Any, rate: Array, orders: Int[Array, "steps batch"]) -> Any:
        optimizer = _optimizer(problem, rate)

        def step(state: Any, rows: Array) -> Any:
            value, gradient = jax.value_and_grad(loss)(state[0], rows)
            updates, optimizer_state = optimizer.update(gradient, state[1])
            return (optax.apply_updates(state[0], updates), optimizer_state), value

        return jax.lax.scan(step, state, orders)

    return train


def _logits(problem: Problem, params: Params, inputs: Array, lengths: Array | None) -> Array:
    hidden = inputs if lengths is None else _pooled(problem, params, inputs, lengths)
    for layer in problem.layers[:-1]:
        hidden = jax.nn.relu(hidden @ params[f"{layer}/kernel"] + params[f"{layer}/bias"])
    last = problem.layers[-1]
    return hidden @ params[f"{last}/kernel"] + params[f"{last}/bias"]


def _pooled(problem: Problem, params: Params, words: Int[Array, "texts words"], lengths: Array) -> Array:
    """The mean of each text's word vectors; or the maxima over its windows, for texts of equal length."""
    vectors = params[problem.vectors][words]
    if problem.model == "dan":
        real = jnp.arange(words.shape[1]) < lengths[:, None]
        return jnp.where(real[..., None], vectors, 0.0).sum(1) / lengths[:, None]
    return jnp.concatenate([_windows(params, name, width, vectors) for width, name in problem.windows.items()], axis=-1)


def _windows(params: Params, name: str, width: int, vectors: Float[Array, "texts words dim"]) -> Array:
    count = vectors.shape[1] - width + 1
    side_by_side = jnp.concatenate([vectors[:, start : start + count] for start in range(width)], axis=-1)
    kernel = params[f"{name}/kernel"].reshape(side_by_side.shape[-1], -1)
    return jax.nn.relu(side_by_side @ kernel + params[f"{name}/bias"]).max(axis=1)

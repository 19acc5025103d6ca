"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of records."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, Int

from jaxnets import training
from jaxnets.data.dataset import Dataset
from jaxnets.sweep import devices
from jaxnets.sweep.devices import Placement
from jaxnets.sweep.layout import Layout, layout
from jaxnets.sweep.plan import Program
from jaxnets.training import Split, Task, TrainState

_NAN = np.float32(np.nan)


class Splits(NamedTuple):
    """The data set on the device, shared by all runs."""

    train: Split
    dev: Split
    test: Split


class Outcome(NamedTuple):
    """What a segment tells of a run: means over the examples. `final` ones are NaN before the last step."""

    train_loss: Float[Array, "..."]
    train_accuracy: Float[Array, "..."]
    dev_loss: Float[Array, "..."]
    dev_accuracy: Float[Array, "..."]
    diverged_step: Int[Array, "..."]
    final_train_loss: Float[Array, "..."]
    final_train_accuracy: Float[Array, "..."]
    test_loss: Float[Array, "..."]
    test_accuracy: Float[Array, "..."]


class Compiling(NamedTuple):
    """A program is about to be compiled."""

    program: Program


class Compiled(NamedTuple):
    """A program is ready to run."""

    program: Program
    seconds: float


@dataclass(frozen=True)
class Record:
    """A segment of some runs of a program is done.

    Attributes:
      program: theirs.
      runs: their numbers in the table.
      first_step: the steps that each had behind it before the segment.
      step: the steps that each has behind it now.
      outcome: NumPy arrays, `[runs]` each.
      seconds: since the segment before, shared out among the runs.
    """

    program: Program
    runs: np.ndarray
    first_step: int
    step: int
    outcome: Outcome
    seconds: float


def execute(
    programs: Sequence[Program],
    dataset: Dataset,
    placement: Placement,
    evaluate_every: int = 0,
    memory_limit: float = 0.0,
) -> Iterator[Compiling | Compiled | Record]:
    """Trains all runs of all programs.

    Args:
      programs: from `plan`.
      dataset: that they were planned for.
      placement: the devices.
      evaluate_every: steps between two evaluations; 0 for an epoch.
      memory_limit: GiB that the runs may fill at a time; 0 for half of what is free.

    Yields:
      A `Compiling` and a `Compiled` for each program, and a `Record` for each segment of each chunk of its runs.
    """
    splits = put_splits(dataset, placement)
    for program in programs:
        yield Compiling(program)
        plan = layout(program, placement, memory_limit)
        start = time.perf_counter()
        compiled = compile_program(program, plan, splits, placement)
        yield Compiled(program, time.perf_counter() - start)
        for chunk in plan.chunks:
            yield from _run_chunk(program, chunk, plan, compiled, splits, placement, evaluate_every)


def compile_program(program: Program, layout: Layout, splits: Splits, placement: Placement) -> jax.stages.Compiled:
    """The executable: `(states, hyperparameters, seeds, counts, splits, first, last) -> states, outcomes`."""
    runs, shared = PartitionSpec(devices.AXIS), PartitionSpec()
    on_devices = jax.shard_map(
        partial(_segment_of_runs, program.task),
        mesh=placement.mesh,
        in_specs=(runs, runs, runs, runs, shared, shared, shared),
        out_specs=runs,
        check_vma=False,
    )
    states = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct((*layout.shape, *leaf.shape), leaf.dtype, sharding=placement.sharded),
        program.state,
    )
    inputs = _inputs(program, layout.chunks[0], layout, placement)
    step = jax.ShapeDtypeStruct((), np.int32, sharding=placement.replicated)
    return jax.jit(on_devices, donate_argnums=0).lower(states, *inputs, splits, step, step).compile()


def _inputs(
    program: Program, chunk: range, layout: Layout, placement: Placement
) -> tuple[dict[str, Array], Array, Array]:
    """A chunk's hyperparameters, seeds and block counts, on the devices."""
    hyperparameters = {name: layout.place(values, chunk) for name, values in program.hyperparameters.items()}
    return jax.device_put(
        (hyperparameters, layout.place(program.seeds, chunk), layout.counts(chunk)), placement.sharded
    )


def _run_chunk(
    program: Program,
    chunk: range,
    layout: Layout,
    compiled: jax.stages.Compiled,
    splits: Splits,
    placement: Placement,
    evaluate_every: int,
) -> Iterator[Record]:
    """Trains a chunk of runs, segment by segment; the next segment is under way while one is reported."""
    inputs = _inputs(program, chunk, layout, placement)
    states = jax.device_put(
        jax.tree.map(lambda leaf: _zeros((*layout.shape, *leaf.shape), leaf.dtype), program.state),
        placement.sharded,
    )
    evaluate_every = evaluate_every or program.task.steps_per_epoch
    clock = time.perf_counter()
    pending: tuple[int, int, Outcome] | None = None
    for first in (*range(0, program.task.num_steps, evaluate_every), None):
        ready, pending = pending, None
        if first is not None:
            last = min(first + evaluate_every, program.task.num_steps)
            states, outcomes = compiled(states, *inputs, splits, *_steps(placement, first, last))
            pending = first, last, outcomes
        if ready is not None:
            first_step, step, outcomes = ready
            outcome = _fetch(outcomes, len(chunk))
            now = time.perf_counter()
            runs = program.runs[chunk.start : chunk.stop]
            yield Record(program, runs, first_step, step, outcome, (now - clock) / len(chunk))
            clock = now


def _zeros(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros, made without compiling anything; an optimizer's state may hold random keys, which NumPy does not know."""
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(np.zeros((*shape, 2), np.uint32)))
    return np.zeros(shape, dtype)


def _steps(placement: Placement, first: int, last: int) -> tuple[Array, Array]:
    return jax.device_put((np.int32(first), np.int32(last)), placement.replicated)


def _fetch(outcomes: Outcome, num_runs: int) -> Outcome:
    """The outcomes of the runs on the host, without what fills up the blocks."""
    return jax.tree.map(lambda values: np.asarray(values).reshape(-1)[:num_runs], outcomes)


def put_splits(dataset: Dataset, placement: Placement) -> Splits:
    """The data set on the devices."""
    splits = (dataset.train, dataset.dev, dataset.test)
    return Splits(*(Split(*jax.device_put((split.inputs, split.labels), placement.replicated)) for split in splits))


def _segment_of_runs(
    task: Task,
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
    segment = partial(_segment_of_run, task, splits, first, last)
    # one lane goes without an axis of its own: XLA's kernels for plain matrices are the better tuned ones
    side_by_side = jax.vmap(segment) if seeds.shape[1] > 1 else _without_lanes(segment)

    def one_block(block: Array, carry: tuple[TrainState, Outcome]) -> tuple[TrainState, Outcome]:
        states, outcomes = carry
        at = partial(jax.lax.dynamic_index_in_dim, index=block, keepdims=False)
        state, outcome = side_by_side(*jax.tree.map(at, (states, hyperparameters, seeds)))
        put = partial(jax.lax.dynamic_update_index_in_dim, index=block, axis=0)
        return jax.tree.map(put, states, state), jax.tree.map(put, outcomes, outcome)

    dtypes = {name: jnp.int32 if name == "diverged_step" else jnp.float32 for name in Outcome._fields}
    nothing = Outcome(**{name: jnp.zeros(seeds.shape, dtype) for name, dtype in dtypes.items()})
    return jax.lax.fori_loop(0, counts[0], one_block, (states, nothing))


def _without_lanes(function: Any) -> Any:
    """A function of one run as a function of a block of one run."""

    def of_block(*block: Any) -> Any:
        result = function(*jax.tree.map(lambda leaf: jnp.squeeze(leaf, 0), block))
        return jax.tree.map(lambda leaf: leaf[None], result)

    return of_block


def _segment_of_run(
    task: Task,
    splits: Splits,
    first: Int[Array, ""],
    last: Int[Array, ""],
    state: TrainState,
    hyperparameters: dict[str, Array],
    seed: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """The steps of one run from `first` to `last`, and its evaluation after them."""
    state = jax.lax.cond(first == 0, lambda: training.init(task, hyperparameters, seed), lambda: state)
    state, sums = training.train(task, state, splits.train, first, last)
    train_loss, train_accuracy = sums.mean()
    dev_loss, dev_accuracy = training.evaluate(task, state, splits.dev).mean()
    state = state._replace(diverged_step=training.mark_divergence(state.diverged_step, state.step, dev_loss))
    final_train, test = jax.lax.cond(
        last == task.num_steps,
        lambda: tuple(training.evaluate(task, state, split).mean() for split in (splits.train, splits.test)),
        lambda: ((_NAN, _NAN), (_NAN, _NAN)),
    )
    return state, Outcome(train_loss, train_accuracy, dev_loss, dev_accuracy, state.diverged_step, *final_train, *test)

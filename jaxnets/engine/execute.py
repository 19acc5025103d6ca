"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of records."""

import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Int

from jaxnets.data.dataset import Dataset
from jaxnets.engine import device_data, devices
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.keeping import KEEP_NONE, Keeping
from jaxnets.engine.layout import Layout, layout
from jaxnets.engine.plan import Program
from jaxnets.engine.segments import Outcome, segment_of_runs


class Compiling(NamedTuple):
    """A program is about to be compiled."""

    program: Program


class Compiled(NamedTuple):
    """A program is ready to run.

    Attributes:
      program: the program.
      seconds: that it took.
      anew: whether it was compiled now; otherwise an earlier sweep of this process had left it.
    """

    program: Program
    seconds: float
    anew: bool


@dataclass(frozen=True)
class Record:
    """A segment of some runs of a program is done.

    Attributes:
      program: the program of these runs.
      runs: their numbers in the table.
      first_step: the steps that each had behind it before the segment.
      step: the steps that each has behind it now.
      outcome: NumPy arrays, `[runs]` each; the probabilities of the test examples `[runs, examples, classes]`, in the
        order of the split, without examples where they are not kept.
      params: of those runs that are to be kept, by their numbers.
      seconds: since the segment before, shared out among the runs.
    """

    program: Program
    runs: np.ndarray
    first_step: int
    step: int
    outcome: Outcome
    seconds: float
    params: Mapping[int, Any] = field(default_factory=dict)


class Options(NamedTuple):
    """How the programs are carried out.

    Attributes:
      evaluate_every: steps between two evaluations; 0 for an epoch.
      memory_limit: GiB that the runs may fill at a time; 0 for half of what is free.
      predictions: whether the probabilities of the test examples are asked for.
      keeping: whose parameters are asked for.
    """

    evaluate_every: int = 0
    memory_limit: float = 0.0
    predictions: bool = False
    keeping: Keeping = KEEP_NONE


DEFAULT_OPTIONS = Options()


def execute(
    programs: Sequence[Program], folds: Sequence[Dataset], placement: Placement, options: Options = DEFAULT_OPTIONS
) -> Iterator[Compiling | Compiled | Record]:
    """Trains all runs of all programs.

    Args:
      programs: from `plan`.
      folds: that they were planned for; one without cross-validation.
      placement: the devices.
      options: how.

    Yields:
      A `Compiling` and a `Compiled` for each program, and a `Record` for each segment of each chunk of its runs.
    """
    placed = device_data.put(folds, placement)
    for program in programs:
        yield Compiling(program)
        plan = layout(program, placement, options.memory_limit)
        start = time.perf_counter()
        compiled, anew = _program(program, plan, placed, placement, options)
        yield Compiled(program, time.perf_counter() - start, anew)
        for chunk in plan.chunks:
            yield from _run_chunk(program, chunk, plan, compiled, placed, placement, options)


_PROGRAMS: OrderedDict[Hashable, jax.stages.Compiled] = OrderedDict()
_MOST_PROGRAMS = 32


def forget_programs() -> None:
    """Lets go of the compiled programs of earlier sweeps."""
    _PROGRAMS.clear()


def _program(
    program: Program, layout: Layout, placed: PlacedFolds, placement: Placement, options: Options
) -> tuple[jax.stages.Compiled, bool]:
    """The executable of a program, and whether it was compiled now: new numbers and seeds need no new one."""
    leaves, structure = jax.tree.flatten(placed.folds)
    data = structure, *((leaf.shape, str(leaf.dtype)) for leaf in leaves)
    hyperparameters = tuple((name, str(values.dtype)) for name, values in program.hyperparameters.items())
    key = (program.task, options.predictions, layout.shape, hyperparameters, *placement.mesh.devices.flat, *data)
    try:
        hash(key)
    except TypeError:  # a guest without a hash
        return compile_program(program, layout, placed, placement, options), True
    if anew := key not in _PROGRAMS:
        _PROGRAMS[key] = compile_program(program, layout, placed, placement, options)
    _PROGRAMS.move_to_end(key)
    if len(_PROGRAMS) > _MOST_PROGRAMS:
        _PROGRAMS.popitem(last=False)
    return _PROGRAMS[key], anew


def compile_program(
    program: Program, layout: Layout, placed: PlacedFolds, placement: Placement, options: Options = DEFAULT_OPTIONS
) -> jax.stages.Compiled:
    """The executable: `(states, hyperparameters, seeds, counts, splits, first, last) -> states, outcomes`."""
    runs, shared = PartitionSpec(devices.AXIS), PartitionSpec()
    task = program.task
    if layout.lanes > 1:  # lanes would go through the loops of all budgets
        task = replace(task, budgets=task.budgets[-1:])
    on_devices = jax.shard_map(
        partial(segment_of_runs, task, options.predictions),
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
    return jax.jit(on_devices, donate_argnums=0).lower(states, *inputs, placed.folds, step, step).compile()


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
    placed: PlacedFolds,
    placement: Placement,
    options: Options,
) -> Iterator[Record]:
    """Trains a chunk of runs, segment by segment; the next segment is under way while one is reported."""
    inputs = _inputs(program, chunk, layout, placement)
    states = jax.device_put(
        jax.tree.map(lambda leaf: _zeros((*layout.shape, *leaf.shape), leaf.dtype), program.state),
        placement.sharded,
    )
    evaluate_every = options.evaluate_every or program.task.steps_per_epoch
    runs = program.runs[chunk.start : chunk.stop]
    fold = program.hyperparameters.get("fold", np.zeros(len(program.runs), int))[chunk.start : chunk.stop]
    clock = time.perf_counter()

    def record(first: int, last: int, outcomes: Outcome) -> Record:
        nonlocal clock
        outcome = _fetch(outcomes, len(chunk), placed.test_rows[fold])
        now = time.perf_counter()
        seconds, clock = (now - clock) / len(chunk), now
        return Record(program, runs, first, last, outcome, seconds)

    pending: tuple[int, int, Outcome] | None = None
    for first in (*range(0, program.task.num_steps, evaluate_every), None):
        ready, pending = pending, None
        if first is not None:
            last = min(first + evaluate_every, program.task.num_steps)
            states, outcomes = compiled(states, *inputs, placed.folds, *_steps(placement, first, last))
            pending = first, last, outcomes
        if ready is not None:
            yield record(*ready)
        if pending is not None and options.keeping.looks_at(program.task, pending[1]):
            # the next segment takes the states' memory, so they are looked at before it
            now, pending = record(*pending), None
            yield replace(now, params=_kept(options.keeping.places(now), now, states.params))


def _kept(places: Sequence[int], record: Record, params: Any) -> dict[int, Any]:
    """The parameters of the runs at some places of the chunk, by the numbers of the runs."""
    if len(places) < 2:
        return {int(record.runs[place]): _of_run(params, place) for place in places}
    # copied, as the device goes on to use the memory
    stacked = jax.tree.map(lambda leaf: np.array(leaf).reshape(-1, *leaf.shape[2:]), params)
    return {int(record.runs[place]): jax.tree.map(partial(_row, place), stacked) for place in places}


def _row(place: int, leaf: np.ndarray) -> np.ndarray:
    return leaf[place]


def _of_run(params: Any, place: int) -> Any:
    """The parameters of the run at a place of the chunk, on the host."""

    def take(leaf: Array) -> np.ndarray:
        block, lane = divmod(place, leaf.shape[1])
        for shard in leaf.addressable_shards:
            start = shard.index[0].start or 0
            if start <= block < start + shard.data.shape[0]:
                return np.array(shard.data[block - start, lane])
        raise ValueError(f"no device holds run {place}")

    return jax.tree.map(take, params)


def _zeros(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros, made without compiling anything; an optimizer's state may hold random keys, which NumPy does not know."""
    if jnp.issubdtype(dtype, jax.dtypes.prng_key):
        return jax.random.wrap_key_data(jnp.asarray(np.zeros((*shape, 2), np.uint32)))
    return np.zeros(shape, dtype)


def _steps(placement: Placement, first: int, last: int) -> tuple[Array, Array]:
    return jax.device_put((np.int32(first), np.int32(last)), placement.replicated)


def _fetch(outcomes: Outcome, num_runs: int, test_rows: Int[np.ndarray, "runs batches examples"]) -> Outcome:
    """The outcomes of the runs on the host, without what fills up the blocks."""

    def one_axis_of_runs(leaf: Array) -> np.ndarray:
        return np.asarray(leaf).reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:])[:num_runs]

    values = jax.tree.map(one_axis_of_runs, outcomes)
    if values.test_probabilities.size == 0:
        return values
    # `rows` is -1 where a batch holds nothing: the row after the last takes that
    shape = (num_runs, test_rows.max() + 2, values.test_probabilities.shape[-1])
    ordered = np.full(shape, np.nan, np.float32)
    ordered[np.arange(num_runs)[:, None, None], test_rows] = values.test_probabilities
    return values._replace(test_probabilities=ordered[:, :-1])

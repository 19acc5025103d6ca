"""Programs whose training examples do not stay on the devices: the same steps, on what is read just before them."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Int

from jaxnets import training
from jaxnets.engine import devices, executables
from jaxnets.engine.device_data import DeviceFolds, PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import Options
from jaxnets.engine.groups import Groups, Source
from jaxnets.engine.layout import Layout
from jaxnets.engine.plan import Program
from jaxnets.engine.segments import Outcome, evaluated, in_blocks, of_fold, started
from jaxnets.training.batches import Examples
from jaxnets.training.state import Metrics, Task, TrainState

WAITING = "/jaxnets/streaming/seconds_waiting"
"""The event of `jax.monitoring` that tells how long the devices' next examples were waited for."""


class Functions(NamedTuple):
    """The compiled functions of a program."""

    steps: Callable[..., Any]
    batches: Callable[..., Any]
    outcome: Callable[..., Any]


class Feed:
    """The segments of a chunk of runs."""

    def __init__(
        self,
        functions: Functions,
        source: Source,
        splits: DeviceFolds,
        layout: Layout,
        placement: Placement,
        segments: Sequence[tuple[int, int]],
    ) -> None:
        self._functions, self._source, self._splits = functions, source, splits
        self._layout, self._placement, self._segments = layout, placement, segments
        self._groups: Iterator[Any] | None = None
        self._places: Array | None = None

    def seat(self, seeds: np.ndarray) -> None:
        """Takes note of the seeds of the runs that have a seat; what was read ahead for others is let go of."""
        distinct, places = np.unique(seeds, return_inverse=True)
        self._seeds, self._groups = distinct, None
        self._places = jax.device_put(self._layout.place(places.astype(np.int32)), self._placement.sharded)

    def segment(self, states: TrainState, inputs: Any, first: int, last: int) -> tuple[TrainState, Outcome]:
        """The steps from `first` to `last` of the runs that have a seat, and their evaluation, as `segment_of_runs`."""
        hyperparameters, seeds, counts = inputs
        groups = self._groups = self._groups or self._from(first)
        sums = self._zeros()
        for span in self._source.spans(first, last):
            group = self._next(groups, states)
            of_runs = hyperparameters, seeds, self._places, counts
            states, sums = self._functions.steps((states, sums), *of_runs, self._splits, *group, *self._numbers(*span))
        totals = self._zeros(padded_batches(self._source))
        if last == self._source.task.num_steps:
            totals = self._evaluated(totals, states, counts, groups)
        return self._functions.outcome(states, sums, totals, counts, self._splits, *self._numbers(last))

    def _evaluated(self, totals: Metrics, states: TrainState, counts: Array, groups: Iterator[Any]) -> Metrics:
        """The metrics of all training examples, batch by batch."""
        for number in range(0, self._source.num_batches, self._source.room.batches):
            batches = self._next(groups, totals)
            totals = self._functions.batches(totals, states, counts, batches, *self._numbers(number))
        return totals

    def _next(self, groups: Iterator[Any], busy: Any) -> Any:
        """The next group on the devices, when they have done with the one before: only two are there at a time."""
        begin = time.perf_counter()
        group = next(groups)
        jax.monitoring.record_event_duration_secs(WAITING, time.perf_counter() - begin)
        placed = jax.device_put(group, self._placement.replicated)
        jax.block_until_ready((busy, placed))
        return placed

    def _from(self, first: int) -> Iterator[Any]:
        """The groups from a step on."""
        spans = [span for begin, end in self._segments if begin >= first for span in self._source.spans(begin, end)]
        return Groups(self._source, self._seeds, spans).ahead()

    def _zeros(self, *shape: int) -> Metrics:
        """No metrics, for each run."""
        zeros = [np.zeros((*self._layout.shape, *shape), np.float32) for _ in range(3)]
        return Metrics(*jax.device_put(zeros, self._placement.sharded))

    def _numbers(self, *numbers: int) -> Any:
        return jax.device_put(tuple(map(np.int32, numbers)), self._placement.replicated)


def padded_batches(source: Source) -> int:
    """The batches in which the training examples are evaluated, with those that fill up the last group."""
    return -(-source.num_batches // source.room.batches) * source.room.batches


def lower_program(
    program: Program, layout: Layout, placed: PlacedFolds, placement: Placement, options: Options, source: Source
) -> Functions:
    """Lowers the functions of a program, to be compiled."""
    task = executables.in_lanes(program.task, layout)
    runs, shared = PartitionSpec(devices.AXIS), PartitionSpec()
    states, (hyperparameters, seeds, counts) = executables.shapes_of_runs(program, layout, placement)

    def lowered(function: Any, specs: str, *arguments: Any) -> Any:
        in_specs = tuple(runs if spec == "r" else shared for spec in specs)
        on_devices = jax.shard_map(function, mesh=placement.mesh, in_specs=in_specs, out_specs=runs, check_vma=False)
        with program.calling_guests():
            return jax.jit(on_devices, donate_argnums=0).lower(*arguments)

    def metrics(*shape: int) -> Metrics:
        leaf = jax.ShapeDtypeStruct((*layout.shape, *shape), np.float32, sharding=placement.sharded)
        return Metrics(leaf, leaf, leaf)

    def shapes(group: Any) -> Any:
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=placement.replicated), group
        )

    step = jax.ShapeDtypeStruct((), np.int32, sharding=placement.replicated)
    sums, totals, folds = metrics(), metrics(padded_batches(source)), placed.folds
    group, batches = shapes(source.steps(program.seeds[:1], 0, 1)), shapes(source.batches(0))
    return Functions(
        lowered(
            partial(_steps_of_runs, task),
            "rrrrrsssss",
            *((states, sums), hyperparameters, seeds, seeds, counts, folds, *group, step, step),
        ),
        lowered(partial(_batches_of_runs, task), "rrrss", totals, states, counts, batches, step),
        lowered(
            partial(_outcome_of_runs, task, options.predictions, source.num_batches),
            "rrrrss",
            *(states, sums, totals, counts, folds, step),
        ),
    )


def _steps_of_runs(
    task: Task,
    carried: tuple[TrainState, Metrics],
    hyperparameters: dict[str, Array],
    seeds: Int[Array, "blocks lanes"],
    places: Int[Array, "blocks lanes"],
    counts: Int[Array, "1"],
    splits: DeviceFolds,
    examples: Examples,
    orders: Int[Array, "seeds places"],
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[TrainState, Metrics]:
    """One device's part of a group of steps."""

    def of_run(carried: tuple, hyperparameters: dict[str, Array], seed: Array, place: Array) -> tuple[tuple, tuple]:
        state = started(task, of_fold(splits, None), first, carried[0], hyperparameters, seed)
        return training.train_on(task, state, carried[1], examples, orders[place], first, last), ()

    return in_blocks(of_run, counts, carried, hyperparameters, seeds, places)[0]


def _batches_of_runs(
    task: Task,
    totals: Metrics,
    states: TrainState,
    counts: Int[Array, "1"],
    batches: Examples,
    number: Int[Array, ""],
) -> Metrics:
    """One device's part of the evaluation of some batches."""

    def of_run(totals: Metrics, state: TrainState) -> tuple[Metrics, tuple]:
        put = partial(jax.lax.dynamic_update_slice_in_dim, start_index=number, axis=0)
        return jax.tree.map(put, totals, training.evaluate_batches(task, training.judged(task, state), batches)), ()

    return in_blocks(of_run, counts, totals, states)[0]


def _outcome_of_runs(
    task: Task,
    predictions: bool,
    num_batches: int,
    states: TrainState,
    sums: Metrics,
    totals: Metrics,
    counts: Int[Array, "1"],
    splits: DeviceFolds,
    last: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """One device's part of the end of a segment."""

    def of_run(state: TrainState, sums: Metrics, totals: Metrics) -> tuple[TrainState, Outcome]:
        of_all = jax.tree.map(lambda leaf: leaf[:num_batches], totals)
        fold = of_fold(splits, None)
        return evaluated(task, predictions, fold, last, state, sums, lambda _: training.total(of_all))

    return in_blocks(of_run, counts, states, sums, totals)

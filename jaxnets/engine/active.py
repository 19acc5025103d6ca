"""Runs while they are trained: their slots on the devices, and which of them go on."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxnets import statuses, training
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.executables import Executable, put_inputs
from jaxnets.engine.keep import Options, Record
from jaxnets.engine.layout import Layout
from jaxnets.engine.plan import Program, is_key, shapes
from jaxnets.engine.segment import Outcome
from jaxnets.engine.store import Snapshot
from jaxnets.engine.stream import Feed, Source
from jaxnets.training import optimizers
from jaxnets.training.state import TrainState


@dataclass(frozen=True)
class Job:
    """What all chunks of a program share."""

    program: Program
    executable: Executable
    placed: PlacedFolds
    placement: Placement
    options: Options
    source: Source | None = None  # of training examples that are streamed

    @property
    def layout(self) -> Layout:
        """Where the executable takes the runs."""
        return self.executable.layout

    @property
    def evaluate_every(self) -> int:
        """Steps of a segment."""
        return self.options.evaluate_every or self.program.task.steps_per_epoch

    def segments(self, start: int, until: int) -> Iterator[tuple[int, int]]:
        """The steps before and after each segment from a step on, up to another one."""
        for first in range(start, until, self.evaluate_every):
            yield first, min(first + self.evaluate_every, until)


class Segment(NamedTuple):
    """A segment that is under way, or done."""

    first: int
    last: int
    outcomes: Outcome
    runs: np.ndarray
    slots: np.ndarray
    num_slots: int
    status: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """Which of the runs go on."""
        return self.status == statuses.ACTIVE


class ActiveRuns:
    """Runs of a chunk, those that have a slot on the devices, and those that go on."""

    def __init__(self, job: Job, snapshot: Snapshot) -> None:
        self.job = job
        self._num_runs, self._runs = len(snapshot.runs), snapshot.runs
        self.active = np.ones(len(self._runs), bool)
        self.states = _begin(job, snapshot)
        self._feed = _feed(job)
        self._put_inputs()
        self._clock = time.perf_counter()

    def dispatch(self, first: int, last: int) -> Segment:
        """Starts the next segment."""
        job = self.job
        outcomes = self.call(first, last)
        slots = job.layout.slots(len(self._runs))[self.active]
        runs = self._runs[self.active]
        return Segment(first, last, outcomes, runs, slots, len(self._runs), np.zeros(len(runs), np.int32))

    def call(self, first: int, last: int) -> Outcome:
        """Calls the program; the outcomes are still under way."""
        job = self.job
        if self._feed is not None:
            self.states, outcomes = self._feed.segment(self.states, self._inputs, first, last)
            return outcomes
        steps = jax.device_put((np.int32(first), np.int32(last)), job.placement.replicated)
        self.states, outcomes = job.executable.function(self.states, *self._inputs, job.placed.folds, *steps)
        return outcomes

    def finish(self, segment: Segment) -> Segment:
        """Waits for a segment, and decides which runs go on."""

        def metric(name: str) -> np.ndarray:
            return in_slots(getattr(segment.outcomes, name), segment.slots)

        dropped = np.zeros(len(segment.runs), bool)
        now = statuses.Progress(segment.last, self.job.program.task.num_steps, metric, dropped)
        done = segment._replace(status=statuses.decide(now))
        self.active[self.active] = done.active
        return done

    def compact(self) -> None:
        """Moves those that go on together, if each device has fewer blocks to compute then."""
        layout = self.job.layout
        if layout.counts(int(self.active.sum())).max() == layout.counts(len(self._runs)).max():
            return
        slots = layout.slots(len(self._runs))[self.active]
        self.states = jax.tree.map(
            partial(moved, slots=slots, layout=layout, placement=self.job.placement), self.states
        )
        self._runs = self._runs[self.active]
        self.active = np.ones(len(self._runs), bool)
        self._put_inputs()

    def _put_inputs(self) -> None:
        """Gives the runs that have a slot their numbers."""
        program = self.job.program
        self._inputs = put_inputs(program, self._runs, self.job.layout, self.job.placement)
        if self._feed is not None:
            self._feed.follow(program.seeds[self._runs])

    def snapshot(self, step: int) -> Snapshot:
        """Those that go on, to be gone on with in another process."""
        slots = self.job.layout.slots(len(self._runs))[self.active]
        leaves = [in_slots(data(leaf), slots) for leaf in jax.tree.leaves(self.states)]
        return Snapshot(step, self._runs[self.active], leaves)

    def kept(self, segment: Segment, until: int) -> Record:
        """The record of a segment whose states are still there, with the parameters that are to be kept."""
        now, keeping = self.record(segment, until), self.job.options.keeping
        # any of them may be dropped where all wait for the others of the program
        may_go_on = now.active & (segment.last != until)
        if not keeping.looks_at(self.job.program.task, segment.last, not may_go_on.all()):
            return now
        places = keeping.places(now, may_go_on)
        params = self._judged(self.states) if len(places) else self.states.kept
        return replace(now, params=kept(places, now, segment.slots, params))

    @cached_property
    def _judged(self) -> Callable[[TrainState], Any]:
        """From the states to the parameters that the runs are judged at."""
        program = self.job.program
        if not optimizers.judges(program.task.optimizer.function, program.state.optimizer_state):
            return lambda states: states.kept
        return jax.jit(jax.vmap(jax.vmap(lambda state: training.judged(program.task, state).kept)))

    def record(self, segment: Segment, until: int) -> Record:
        """What a segment has given, on the host; at the last segment with all steps that the runs are spared."""
        program = self.job.program
        rows = self.job.placed.test_rows[program.folds[segment.runs]]
        outcome = fetched(segment.outcomes, segment.slots, rows)
        now = time.perf_counter()
        seconds, self._clock = (now - self._clock) / len(segment.runs), now
        steps = segment.last - segment.first
        num_active = int(segment.active.sum())
        left = program.task.num_steps - segment.last if segment.last == until or not num_active else 0
        return Record(
            program,
            program.runs[segment.runs],
            segment.first,
            segment.last,
            outcome,
            segment.status,
            steps_taken=steps * segment.num_slots,
            steps_saved=steps * (self._num_runs - segment.num_slots) + left * (self._num_runs - num_active),
            seconds=seconds,
        )


def _feed(job: Job) -> Feed | None:
    """What streams the training examples, if they are streamed."""
    if job.source is None:
        return None
    of_runs = job.layout, job.placement, list(job.segments(0, job.program.task.num_steps))
    return Feed(job.executable.function, job.source, job.placed.folds, *of_runs)


def _begin(job: Job, snapshot: Snapshot) -> Any:
    """The states before the first segment, on the devices."""
    return jax.device_put(_states(job, snapshot), job.placement.sharded)


def _states(job: Job, snapshot: Snapshot) -> Any:
    """The states of a snapshot in their slots, or zeros; made without compiling anything."""
    like, structure = jax.tree.flatten(job.program.state)
    if snapshot.states:
        numbers = [job.layout.place(leaf) for leaf in snapshot.states]
    else:
        numbers = [np.zeros((*job.layout.shape, *leaf.shape), leaf.dtype) for leaf in shapes(job.program)]
    pairs = zip(numbers, like, strict=True)
    placed = [as_key(one) if is_key(leaf.dtype) else one for one, leaf in pairs]
    return jax.tree.unflatten(structure, placed)


def data(leaf: Array) -> Array:
    """A leaf of the states as numbers: an optimizer's state may hold random keys, which NumPy does not know."""
    return jax.random.key_data(leaf) if is_key(leaf.dtype) else leaf


def as_key(numbers: np.ndarray) -> Array:
    """Random keys from their data."""
    return jax.random.wrap_key_data(jnp.asarray(numbers))


def moved(leaf: Array, slots: np.ndarray, layout: Layout, placement: Placement) -> Array:
    """The values of some slots in the first ones; by way of the host, so that nothing is compiled."""
    of_runs = layout.place(in_slots(data(leaf), slots))
    of_keys = is_key(leaf.dtype)
    leaf.delete()  # so that only one leaf at a time is there twice
    return jax.device_put(as_key(of_runs) if of_keys else of_runs, placement.sharded)


def in_slots(leaf: Array, slots: np.ndarray) -> np.ndarray:
    """The values of some slots, on the host: a copy, as the device goes on to use the memory."""
    return np.asarray(leaf).reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:])[slots]


def kept(places: Sequence[int], record: Record, slots: np.ndarray, params: Any) -> dict[int, Any]:
    """The parameters of the runs at some places of the record, by the numbers of the runs."""
    if len(places) < 2:
        return {int(record.runs[place]): _of_run(params, int(slots[place])) for place in places}
    stacked = jax.tree.map(partial(in_slots, slots=slots[np.asarray(places)]), params)
    return {int(record.runs[place]): jax.tree.map(partial(_row, row), stacked) for row, place in enumerate(places)}


def _row(row: int, leaf: np.ndarray) -> np.ndarray:
    return leaf[row]


def _of_run(params: Any, slot: int) -> Any:
    """The parameters of the run at a slot, on the host."""

    def take(leaf: Array) -> np.ndarray:
        block, lane = divmod(slot, leaf.shape[1])
        for shard in leaf.addressable_shards:
            start = shard.index[0].start or 0
            if start <= block < start + shard.data.shape[0]:
                return np.array(shard.data[block - start, lane])
        raise ValueError(f"no device holds slot {slot}")

    return jax.tree.map(take, params)


def fetched(outcomes: Outcome, slots: np.ndarray, test_rows: Int[np.ndarray, "runs batches examples"]) -> Outcome:
    """The outcomes of the runs at some slots, on the host."""
    values = jax.tree.map(partial(in_slots, slots=slots), outcomes)
    if values.test_probabilities.size == 0:
        return values
    # `rows` is -1 where a batch holds nothing: the row after the last takes that
    shape = (len(slots), test_rows.max() + 2, values.test_probabilities.shape[-1])
    ordered = np.full(shape, np.nan, np.float32)
    ordered[np.arange(len(slots))[:, None, None], test_rows] = values.test_probabilities
    return values._replace(test_probabilities=ordered[:, :-1])

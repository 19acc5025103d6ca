"""A chunk: the runs of a program that are in memory together, trained segment by segment."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxnets.basics import spans
from jaxnets.engine import halving
from jaxnets.engine.clock import Clock
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import Options, Record
from jaxnets.engine.layout import Layout
from jaxnets.engine.program import Program
from jaxnets.engine.programs import Executable, put_inputs
from jaxnets.engine.segments import Outcome


@dataclass(frozen=True)
class Job:
    """What all chunks of a program share."""

    program: Program
    executable: Executable
    placed: PlacedFolds
    placement: Placement
    options: Options

    @property
    def layout(self) -> Layout:
        """Where the executable takes the runs."""
        return self.executable.layout

    @property
    def evaluate_every(self) -> int:
        """Steps of a segment."""
        return self.options.evaluate_every or self.program.task.steps_per_epoch

    def segments(self) -> Iterator[tuple[int, int]]:
        """The steps before and after each segment."""
        num_steps = self.program.task.num_steps
        for first in range(0, num_steps, self.evaluate_every):
            yield first, min(first + self.evaluate_every, num_steps)


class Segment(NamedTuple):
    """A segment that is under way, or done.

    Attributes:
      first: the steps before it.
      last: the steps after it.
      outcomes: on the devices.
      runs: that were going on before it, by their places in the program.
      seats: where their outcomes are.
      num_seated: how many runs were computed.
      going: which of the runs go on after it.
      dropped: which of them are dropped after it.
    """

    first: int
    last: int
    outcomes: Outcome
    runs: np.ndarray
    seats: np.ndarray
    num_seated: int
    going: np.ndarray
    dropped: np.ndarray


def train(job: Job, chunk: range) -> Iterator[Record]:
    """Trains a chunk of runs, segment by segment; the next segment is under way while one is reported.

    Runs that diverged or were dropped go no further. Those that are left are moved together as soon as that makes a
    device's part shorter.

    Args:
      job: what to train.
      chunk: the places of the runs in the program.

    Yields:
      A `Record` for each segment.
    """
    crew = _Crew(job, chunk)
    if account := spans.account():
        crew.clock = Clock(account, job.program, job.executable.anew, crew.call, crew.num_blocks)
    keeping, task = job.options.keeping, job.program.task
    pending: Segment | None = None
    for first, last in job.segments():
        under_way = crew.dispatch(first, last)
        if pending is not None:
            yield crew.record(pending)
        pending = crew.judge(under_way)
        if keeping.looks_at(task, last, not pending.going.all()):
            # the next segment takes the states' memory, so they are looked at before it
            now = crew.record(pending)
            params = _kept(keeping.places(now), now, pending.seats, crew.states.params)
            pending = None
            yield replace(now, params=params)
        if not crew.going.any():
            break
        crew.pack()
    if pending is not None:
        yield crew.record(pending)


class _Crew:
    """The runs of a chunk, those that have a seat on the devices, and those that go on.

    Attributes:
      job: what is trained.
      states: on the devices, of the seated.
      going: which of the seated go on.
      clock: tells steps from evaluations, where an account of the time is taken.
    """

    clock: Clock | None = None

    def __init__(self, job: Job, chunk: range) -> None:
        self.job = job
        self._start, self._num_runs = chunk.start, len(chunk)
        self._seated = np.arange(chunk.start, chunk.stop)
        self.going = np.ones(len(chunk), bool)
        self.states = jax.device_put(
            jax.tree.map(lambda leaf: _zeros((*job.layout.shape, *leaf.shape), leaf.dtype), job.program.state),
            job.placement.sharded,
        )
        self._inputs = put_inputs(job.program, self._seated, job.layout, job.placement)
        rungs = halving.rungs(job.program.task.num_steps, job.evaluate_every) if job.options.halving else ()
        self._rungs = frozenset(rungs)
        self._rivals = np.ones(len(chunk), bool)  # those not dropped, by their places in the chunk
        self._clock = time.perf_counter()

    @property
    def num_blocks(self) -> int:
        """The blocks that the device with the most of them computes."""
        return int(self.job.layout.counts(len(self._seated)).max())

    def dispatch(self, first: int, last: int) -> Segment:
        """Starts the next segment."""
        job = self.job
        outcomes = self.call(first, last)
        if self.clock is not None:
            self.clock.begin(outcomes, self.num_blocks)
        seats = job.layout.seats(len(self._seated))[self.going]
        runs = self._seated[self.going]
        nothing = np.zeros(len(runs), bool)
        return Segment(first, last, outcomes, runs, seats, len(self._seated), nothing, nothing)

    def call(self, first: int, last: int, most_blocks: int | None = None) -> Outcome:
        """Calls the program, for all of its blocks or the first of each device; the outcomes are still under way."""
        job, (*numbers, counts) = self.job, self._inputs
        if most_blocks is not None:
            counts = jax.device_put(np.minimum(counts, np.int32(most_blocks)), job.placement.sharded)
        steps = jax.device_put((np.int32(first), np.int32(last)), job.placement.replicated)
        self.states, outcomes = job.executable.function(self.states, *numbers, counts, job.placed.folds, *steps)
        return outcomes

    def judge(self, segment: Segment) -> Segment:
        """Waits for a segment, and decides which runs go on."""
        sound = _seated(segment.outcomes.diverged_step, segment.seats) < 0
        if self.clock is not None:
            self.clock.end(segment.first, segment.last, segment.num_seated)
        dropped = np.zeros(len(sound), bool)
        if segment.last in self._rungs:
            self._halve(segment, sound)
            dropped = sound & ~self._rivals[segment.runs - self._start]
        ended = segment.last == self.job.program.task.num_steps
        going = sound & ~dropped & (not ended)
        self.going[self.going] = going
        return segment._replace(going=going, dropped=dropped)

    def _halve(self, segment: Segment, sound: np.ndarray) -> None:
        """Leaves as rivals the runs of the best settings; those that diverged are the worst of all."""
        here = segment.runs[sound] - self._start
        accuracy, loss = np.zeros(self._num_runs), np.full(self._num_runs, np.inf)
        accuracy[here] = _seated(segment.outcomes.dev_accuracy, segment.seats)[sound]
        loss[here] = _seated(segment.outcomes.dev_loss, segment.seats)[sound]
        rivals, program = self._rivals, self.job.program
        chunk = slice(self._start, self._start + self._num_runs)
        rivals[rivals] = halving.survivors(
            program.settings[chunk][rivals], program.blocks[chunk][rivals], accuracy[rivals], loss[rivals]
        )

    def pack(self) -> None:
        """Moves those that go on together, if each device has fewer blocks to compute then."""
        layout = self.job.layout
        if layout.counts(int(self.going.sum())).max() == layout.counts(len(self._seated)).max():
            return
        seats = layout.seats(len(self._seated))[self.going]
        self.states = jax.tree.map(
            partial(_moved, seats=seats, layout=layout, placement=self.job.placement), self.states
        )
        self._seated = self._seated[self.going]
        self.going = np.ones(len(self._seated), bool)
        self._inputs = put_inputs(self.job.program, self._seated, layout, self.job.placement)

    def record(self, segment: Segment) -> Record:
        """What a segment has given, on the host."""
        program = self.job.program
        rows = self.job.placed.test_rows[program.folds[segment.runs]]
        outcome = _fetch(segment.outcomes, segment.seats, rows)
        now = time.perf_counter()
        seconds, self._clock = (now - self._clock) / len(segment.runs), now
        steps = segment.last - segment.first
        left = 0 if segment.going.any() else program.task.num_steps - segment.last
        return Record(
            program,
            program.runs[segment.runs],
            segment.first,
            segment.last,
            outcome,
            segment.going,
            segment.dropped,
            steps_taken=steps * segment.num_seated,
            steps_saved=steps * (self._num_runs - segment.num_seated) + left * self._num_runs,
            seconds=seconds,
        )


def _zeros(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros, made without compiling anything; an optimizer's state may hold random keys, which NumPy does not know."""
    if _is_key(dtype):
        return jax.random.wrap_key_data(jnp.asarray(np.zeros((*shape, 2), np.uint32)))
    return np.zeros(shape, dtype)


def _is_key(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jax.dtypes.prng_key)


def _moved(leaf: Array, seats: np.ndarray, layout: Layout, placement: Placement) -> Array:
    """The values of some seats in the first ones; by way of the host, so that nothing is compiled."""
    is_key = _is_key(leaf.dtype)
    of_runs = layout.place(_seated(jax.random.key_data(leaf) if is_key else leaf, seats))
    leaf.delete()  # so that only one leaf at a time is there twice
    return jax.device_put(jax.random.wrap_key_data(jnp.asarray(of_runs)) if is_key else of_runs, placement.sharded)


def _seated(leaf: Array, seats: np.ndarray) -> np.ndarray:
    """The values of some seats, on the host: a copy, as the device goes on to use the memory."""
    return np.asarray(leaf).reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:])[seats]


def _kept(places: Sequence[int], record: Record, seats: np.ndarray, params: Any) -> dict[int, Any]:
    """The parameters of the runs at some places of the record, by the numbers of the runs."""
    if len(places) < 2:
        return {int(record.runs[place]): _of_run(params, int(seats[place])) for place in places}
    stacked = jax.tree.map(partial(_seated, seats=seats[np.asarray(places)]), params)
    return {int(record.runs[place]): jax.tree.map(partial(_row, row), stacked) for row, place in enumerate(places)}


def _row(row: int, leaf: np.ndarray) -> np.ndarray:
    return leaf[row]


def _of_run(params: Any, seat: int) -> Any:
    """The parameters of the run at a seat, on the host."""

    def take(leaf: Array) -> np.ndarray:
        block, lane = divmod(seat, leaf.shape[1])
        for shard in leaf.addressable_shards:
            start = shard.index[0].start or 0
            if start <= block < start + shard.data.shape[0]:
                return np.array(shard.data[block - start, lane])
        raise ValueError(f"no device holds seat {seat}")

    return jax.tree.map(take, params)


def _fetch(outcomes: Outcome, seats: np.ndarray, test_rows: Int[np.ndarray, "runs batches examples"]) -> Outcome:
    """The outcomes of the runs at some seats, on the host."""
    values = jax.tree.map(partial(_seated, seats=seats), outcomes)
    if values.test_probabilities.size == 0:
        return values
    # `rows` is -1 where a batch holds nothing: the row after the last takes that
    shape = (len(seats), test_rows.max() + 2, values.test_probabilities.shape[-1])
    ordered = np.full(shape, np.nan, np.float32)
    ordered[np.arange(len(seats))[:, None, None], test_rows] = values.test_probabilities
    return values._replace(test_probabilities=ordered[:, :-1])

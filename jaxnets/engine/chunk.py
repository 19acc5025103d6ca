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
from jaxnets.engine import halving, interrupts
from jaxnets.engine.checkpoints import Checkpoints, Snapshot
from jaxnets.engine.clock import Clock
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import Options, Record
from jaxnets.engine.groups import Source
from jaxnets.engine.layout import Layout
from jaxnets.engine.program import Program
from jaxnets.engine.programs import Executable, put_inputs
from jaxnets.engine.segments import Outcome
from jaxnets.engine.streaming import Feed


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

    def segments(self, start: int = 0) -> Iterator[tuple[int, int]]:
        """The steps before and after each segment from a step on."""
        num_steps = self.program.task.num_steps
        for first in range(start, num_steps, self.evaluate_every):
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


def train(
    job: Job, chunk: range, snapshot: Snapshot | None = None, checkpoints: Checkpoints | None = None
) -> Iterator[Record]:
    """Trains a chunk of runs, segment by segment; the next segment is under way while one is reported.

    Runs that diverged or were dropped go no further. Those that are left are moved together as soon as that makes a
    device's part shorter. A signal ends it between two segments, after a checkpoint.

    Args:
      job: what to train.
      chunk: the places of the runs in the program.
      snapshot: where it goes on; None for the start.
      checkpoints: where it is kept how far it is; nowhere if None.

    Yields:
      A `Record` for each segment.

    Raises:
      KeyboardInterrupt: if a signal came.
    """
    crew, log = _Crew(job, chunk, snapshot), _Log(checkpoints)
    if account := spans.account():
        crew.start_clock(account, snapshot)
    pending: Segment | None = None
    with interrupts.held() as came:
        for first, last in job.segments(snapshot.step if snapshot else 0):
            under_way = crew.dispatch(first, last)
            if pending is not None:
                yield log.add(crew.record(pending))
            pending = crew.judge(under_way)
            ending = came()
            if ending or log.due() or job.options.keeping.looks_at(job.program.task, last, not pending.going.all()):
                # the next segment takes the states' memory, so they are looked at before it
                now = log.add(crew.kept(pending))
                pending = None
                if crew.going.any() and (ending or log.due()):
                    log.write(crew.snapshot(last))
                yield now
            if ending:
                raise KeyboardInterrupt
            if not crew.going.any():
                break
            crew.pack()
        if pending is not None:
            yield crew.record(pending)


class _Log:
    """The records since the last checkpoint, for the next one."""

    def __init__(self, checkpoints: Checkpoints | None) -> None:
        self._checkpoints = checkpoints
        self._records: list[Record] = []

    def add(self, record: Record) -> Record:
        if self._checkpoints is not None:
            self._records.append(record)
        return record

    def due(self) -> bool:
        return self._checkpoints is not None and self._checkpoints.due()

    def write(self, snapshot: Snapshot) -> None:
        if self._checkpoints is not None:
            self._checkpoints.write(snapshot, self._records)
            self._records = []


class _Crew:
    """The runs of a chunk, those that have a seat on the devices, and those that go on.

    Attributes:
      job: what is trained.
      states: on the devices, of the seated.
      going: which of the seated go on.
      clock: tells steps from evaluations, where an account of the time is taken.
    """

    clock: Clock | None = None

    def __init__(self, job: Job, chunk: range, snapshot: Snapshot | None) -> None:
        self.job = job
        self._start, self._num_runs = chunk.start, len(chunk)
        self._seated = snapshot.runs if snapshot else np.arange(chunk.start, chunk.stop)
        self.going = np.ones(len(self._seated), bool)
        self.states = _begin(job, snapshot)
        self._feed = _feed(job)
        self._seat()
        rungs = halving.rungs(job.program.task.num_steps, job.evaluate_every) if job.options.halving else ()
        self._rungs = frozenset(rungs)
        # those not dropped, by their places in the chunk
        self._rivals = snapshot.rivals if snapshot else np.ones(len(chunk), bool)
        self._clock = time.perf_counter()

    def start_clock(self, account: spans.Account, snapshot: Snapshot | None) -> None:
        """Lets a clock tell steps from evaluations: it calls the program, so the states are made anew after it."""
        call = self.call if self._feed is None else None
        self.clock = Clock(account, self.job.program, self.job.executable.anew, call, self.num_blocks)
        self.states = _begin(self.job, snapshot)

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
        if self._feed is not None:
            self.states, outcomes = self._feed.segment(self.states, self._inputs, first, last)
            return outcomes
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
        self._seat()

    def _seat(self) -> None:
        """Gives the runs that have a seat their numbers."""
        program = self.job.program
        self._inputs = put_inputs(program, self._seated, self.job.layout, self.job.placement)
        if self._feed is not None:
            self._feed.seat(program.seeds[self._seated])

    def snapshot(self, step: int) -> Snapshot:
        """Those that go on, to be gone on with in another process."""
        seats = self.job.layout.seats(len(self._seated))[self.going]
        leaves = [_seated(_data(leaf), seats) for leaf in jax.tree.leaves(self.states)]
        return Snapshot(step, self._seated[self.going], self._rivals.copy(), leaves)

    def kept(self, segment: Segment) -> Record:
        """The record of a segment whose states are still there, with the parameters that are to be kept."""
        now, keeping = self.record(segment), self.job.options.keeping
        if not keeping.looks_at(self.job.program.task, segment.last, not segment.going.all()):
            return now
        return replace(now, params=_kept(keeping.places(now), now, segment.seats, self.states.params))

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


def _feed(job: Job) -> Feed | None:
    """What streams the training examples, if they are streamed."""
    if job.source is None:
        return None
    of_runs = job.layout, job.placement, list(job.segments())
    return Feed(job.executable.function, job.source, job.placed.folds, *of_runs)


def shapes(program: Program) -> list[np.ndarray]:
    """The shape and dtype of each leaf of a run's state, as a snapshot holds it: zeros that take no memory."""
    keys = np.broadcast_to(np.uint32(0), (2,))
    return [
        np.broadcast_to(keys, (*leaf.shape, 2))
        if _is_key(leaf.dtype)
        else np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape)
        for leaf in jax.tree.leaves(program.state)
    ]


def _begin(job: Job, snapshot: Snapshot | None) -> Any:
    """The states before the first segment, on the devices."""
    return jax.device_put(_states(job, snapshot), job.placement.sharded)


def _states(job: Job, snapshot: Snapshot | None) -> Any:
    """The states of a snapshot in their seats, or zeros; made without compiling anything."""
    like, structure = jax.tree.flatten(job.program.state)
    if snapshot:
        numbers = [job.layout.place(leaf) for leaf in snapshot.states]
    else:
        numbers = [np.zeros((*job.layout.shape, *leaf.shape), leaf.dtype) for leaf in shapes(job.program)]
    return jax.tree.unflatten(
        structure, [_as_key(one) if _is_key(leaf.dtype) else one for one, leaf in zip(numbers, like, strict=True)]
    )


def _is_key(dtype: Any) -> bool:
    return jnp.issubdtype(dtype, jax.dtypes.prng_key)


def _data(leaf: Array) -> Array:
    """A leaf of the states as numbers: an optimizer's state may hold random keys, which NumPy does not know."""
    return jax.random.key_data(leaf) if _is_key(leaf.dtype) else leaf


def _as_key(numbers: np.ndarray) -> Array:
    return jax.random.wrap_key_data(jnp.asarray(numbers))


def _moved(leaf: Array, seats: np.ndarray, layout: Layout, placement: Placement) -> Array:
    """The values of some seats in the first ones; by way of the host, so that nothing is compiled."""
    of_runs = layout.place(_seated(_data(leaf), seats))
    is_key = _is_key(leaf.dtype)
    leaf.delete()  # so that only one leaf at a time is there twice
    return jax.device_put(_as_key(of_runs) if is_key else of_runs, placement.sharded)


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

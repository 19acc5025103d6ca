"""Runs while they are trained: their seats on the devices, and which of them go on."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxnets import training
from jaxnets.engine import seating
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import Options, Record
from jaxnets.engine.executables import Executable, put_inputs
from jaxnets.engine.layout import Layout
from jaxnets.engine.plan import Program
from jaxnets.engine.segments import Outcome
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
    seats: np.ndarray
    num_seated: int
    going: np.ndarray


class Crew:
    """Runs of a chunk, those that have a seat on the devices, and those that go on."""

    def __init__(self, job: Job, snapshot: Snapshot) -> None:
        self.job = job
        self._num_runs, self._seated = len(snapshot.runs), snapshot.runs
        self.going = np.ones(len(self._seated), bool)
        self.states = _begin(job, snapshot)
        self._feed = _feed(job)
        self._seat()
        self._clock = time.perf_counter()

    def dispatch(self, first: int, last: int) -> Segment:
        """Starts the next segment."""
        job = self.job
        outcomes = self.call(first, last)
        seats = job.layout.seats(len(self._seated))[self.going]
        runs = self._seated[self.going]
        return Segment(first, last, outcomes, runs, seats, len(self._seated), np.zeros(len(runs), bool))

    def call(self, first: int, last: int) -> Outcome:
        """Calls the program; the outcomes are still under way."""
        job = self.job
        if self._feed is not None:
            self.states, outcomes = self._feed.segment(self.states, self._inputs, first, last)
            return outcomes
        steps = jax.device_put((np.int32(first), np.int32(last)), job.placement.replicated)
        self.states, outcomes = job.executable.function(self.states, *self._inputs, job.placed.folds, *steps)
        return outcomes

    def judge(self, segment: Segment) -> Segment:
        """Waits for a segment, and decides which runs go on."""
        sound = seating.seated(segment.outcomes.diverged_step, segment.seats) < 0
        going = sound & (segment.last != self.job.program.task.num_steps)
        self.going[self.going] = going
        return segment._replace(going=going)

    def pack(self) -> None:
        """Moves those that go on together, if each device has fewer blocks to compute then."""
        layout = self.job.layout
        if layout.counts(int(self.going.sum())).max() == layout.counts(len(self._seated)).max():
            return
        seats = layout.seats(len(self._seated))[self.going]
        self.states = jax.tree.map(
            partial(seating.moved, seats=seats, layout=layout, placement=self.job.placement), self.states
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
        leaves = [seating.seated(seating.data(leaf), seats) for leaf in jax.tree.leaves(self.states)]
        return Snapshot(step, self._seated[self.going], leaves)

    def kept(self, segment: Segment, until: int) -> Record:
        """The record of a segment whose states are still there, with the parameters that are to be kept."""
        now, keeping = self.record(segment, until), self.job.options.keeping
        # any of them may be dropped where all wait for the others of the program
        may_go_on = now.going & (segment.last != until)
        if not keeping.looks_at(self.job.program.task, segment.last, not may_go_on.all()):
            return now
        places = keeping.places(replace(now, going=may_go_on))
        params = self._judged(self.states) if len(places) else self.states.params
        return replace(now, params=seating.kept(places, now, segment.seats, params))

    @cached_property
    def _judged(self) -> Callable[[TrainState], Any]:
        """From the states to the parameters that the runs are judged at."""
        program = self.job.program
        if not optimizers.judges(program.task.optimizer.function, program.state.optimizer_state):
            return lambda states: states.params
        return jax.jit(jax.vmap(jax.vmap(lambda state: training.judged(program.task, state).params)))

    def record(self, segment: Segment, until: int) -> Record:
        """What a segment has given, on the host; where the crew ends, with all steps that its runs are spared."""
        program = self.job.program
        rows = self.job.placed.test_rows[program.folds[segment.runs]]
        outcome = seating.fetched(segment.outcomes, segment.seats, rows)
        now = time.perf_counter()
        seconds, self._clock = (now - self._clock) / len(segment.runs), now
        steps = segment.last - segment.first
        num_going = int(segment.going.sum())
        left = program.task.num_steps - segment.last if segment.last == until or not num_going else 0
        return Record(
            program,
            program.runs[segment.runs],
            segment.first,
            segment.last,
            outcome,
            segment.going,
            np.zeros(len(segment.runs), bool),
            steps_taken=steps * segment.num_seated,
            steps_saved=steps * (self._num_runs - segment.num_seated) + left * (self._num_runs - num_going),
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
    """The states of a snapshot in their seats, or zeros; made without compiling anything."""
    like, structure = jax.tree.flatten(job.program.state)
    if snapshot.states:
        numbers = [job.layout.place(leaf) for leaf in snapshot.states]
    else:
        numbers = [np.zeros((*job.layout.shape, *leaf.shape), leaf.dtype) for leaf in seating.shapes(job.program)]
    pairs = zip(numbers, like, strict=True)
    placed = [seating.as_key(one) if seating.is_key(leaf.dtype) else one for one, leaf in pairs]
    return jax.tree.unflatten(structure, placed)

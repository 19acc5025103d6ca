"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax
import numpy as np

from jaxnets import statuses
from jaxnets.data.dataset import Dataset
from jaxnets.engine import device_data, executables, interrupts, store, stream
from jaxnets.engine.active import ActiveRuns, Job, Segment
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.executables import Executable
from jaxnets.engine.halving import Race
from jaxnets.engine.keep import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options, Record, Records
from jaxnets.engine.layout import Layout, halved, layout
from jaxnets.engine.plan import Program
from jaxnets.engine.store import Checkpoints, Parts, Snapshot
from jaxnets.engine.stream import Source


def execute(
    planned: Sequence[Program],
    folds: Sequence[Dataset],
    placement: Placement,
    options: Options = DEFAULT_OPTIONS,
    parts: Parts | None = None,
) -> Iterator[Event]:
    """Trains all runs of all programs."""
    training = Training(folds, placement, options, parts)
    for program in planned:
        yield from training.train(program)


@dataclass
class Training:
    """What all programs of a sweep share."""

    folds: Sequence[Dataset]
    placement: Placement
    options: Options
    parts: Parts | None = None

    @cached_property
    def placed(self) -> PlacedFolds:
        """The data set on the devices."""
        return device_data.put(self.folds, self.placement, streamed=self.options.stream)

    def train(self, program: Program, runs: range | None = None) -> Iterator[Event]:
        """The runs of a program, or some of them, chunk by chunk; where the memory does not suffice, in smaller ones.

        Under successive halving each chunk waits at a rung until all have reached it.
        """
        runs = runs or range(len(program.runs))
        wanted, source = self._laid_out(program, runs)
        race, job = Race(program, self.options), None
        ahead, chunks, reached = deque(self._ranges(program, wanted, runs)), deque[Chunk](), list[Chunk]()
        try:
            for until in (*race.rungs, program.task.num_steps):
                while chunks or ahead:
                    chunk, begun = chunks.popleft() if chunks else self._opened(program, ahead.popleft()), False
                    yield from map(race.note, chunk.known(race.rungs))
                    try:
                        if job is None and any(piece.step < until for piece in chunk.waiting):
                            yield Compiling(program)
                            job, compiled = self._job(program, wanted, source)
                            yield compiled
                        for record in chunk.train(job, until) if job else ():
                            begun = True
                            yield race.note(record)
                    except jax.errors.JaxRuntimeError as error:
                        smaller = halved(wanted, self.placement.platform)
                        if begun or smaller is None or "RESOURCE_EXHAUSTED" not in str(error):
                            raise
                        wanted, job = smaller, None
                        if any(piece.step for piece in chunk.waiting):
                            chunks.appendleft(chunk)
                        else:
                            ahead = deque(self._ranges(program, wanted, range(chunk.runs.start, runs.stop)))
                        continue
                    reached += [chunk] if chunk.waiting else []
                    self._end(program, chunk)
                yield from race.rank(until, reached)
                for chunk in reached:
                    self._end(program, chunk)
                chunks, reached = deque(chunk for chunk in reached if chunk.waiting), []
        except (KeyboardInterrupt, GeneratorExit):
            for chunk in (*chunks, *reached):
                chunk.save()
            raise

    def _opened(self, program: Program, runs: range) -> "Chunk":
        """A chunk, with what of it was trained before."""
        if self.parts is None:
            return Chunk(program, runs, self.options, stored=False)
        if (found := self.parts.read(program, runs)) is not None:
            return Chunk(program, runs, self.options, known=found, stored=False)
        checkpoints = self.parts.checkpoints(program, runs)
        known, snapshot = checkpoints.read()
        return Chunk(program, runs, self.options, checkpoints, known, snapshot)

    def _end(self, program: Program, chunk: "Chunk") -> None:
        """Makes a part of a chunk that is whole."""
        if self.parts is not None and chunk.stored and not chunk.waiting:
            self.parts.write(program, chunk.runs, store.serialize(chunk.records.settled()))
            chunk.discard()

    def _laid_out(self, program: Program, runs: range) -> tuple[Layout, Source | None]:
        """Where the runs of a program go, and what its training examples are read from if they are streamed."""
        if self.options.stream:
            return stream.plan(program, self.folds[0].train, self.placement, self.options)
        return layout(program, self.placement, self.options.memory_limit, runs), None

    def _ranges(self, program: Program, wanted: Layout, runs: range) -> list[range]:
        """The chunks of some runs of a program; those that are there already stay as they are."""
        if self.parts is None:
            return _cut(runs, wanted.size)
        return [one for one in self.parts.chunks(program, wanted.size) if one.start >= runs.start]

    def _job(self, program: Program, wanted: Layout, source: Source | None) -> tuple[Job, Compiled]:
        """A program that is ready to run."""
        placed, start = self.placed, time.perf_counter()
        laid_out = replace(wanted, chunks=_cut(range(len(program.runs)), wanted.size))
        executable = self._executable(program, laid_out, source)
        compiled = Compiled(program, time.perf_counter() - start, executable.anew, executable.kept)
        return Job(program, executable, placed, self.placement, self.options, source), compiled

    def _executable(self, program: Program, wanted: Layout, source: Source | None) -> Executable:
        given = program, wanted, self.placed, self.placement, self.options
        if source is None:
            return executables.executable(*given)
        lowering = partial(stream.lower_program, source=source)
        return executables.executable(*given, lowering, (source.room, source.num_batches))


def _cut(runs: range, size: int) -> list[range]:
    return [runs[start : start + size] for start in range(0, len(runs), size)]


class Chunk:
    """A chunk on its way, of which some may have been trained before.

    Successive halving ranks the runs of the whole program: at a rung each chunk waits for the others, with its states
    on the host.
    """

    def __init__(
        self,
        program: Program,
        runs: range,
        options: Options,
        checkpoints: Checkpoints | None = None,
        known: Sequence[Record] = (),
        snapshot: Snapshot | None = None,
        *,
        stored: bool = True,
    ) -> None:
        self.runs, self.waiting = runs, [snapshot] if snapshot is not None else []
        if not known:
            self.waiting = [Snapshot(0, np.arange(runs.start, runs.stop), [])]
        self.records = Records(options.keeping, len(runs))
        self.stored = stored
        self._program, self._options = program, options
        self._log = _Log(checkpoints, snapshot.step if snapshot else 0, known)
        self._known, self._at_rung = list(known), list[Record]()

    def known(self, rungs: Sequence[int]) -> Iterator[Record]:
        """The segments that were trained before, once; not that of a rung at which the chunk waits."""
        known, self._known = self._known, []
        for record in known:
            if self.waiting and record is known[-1] and record.step in rungs:
                self._at_rung.append(record)
            else:
                yield self._add(record)

    def train(self, job: Job, until: int) -> Iterator[Record]:
        """Trains up to a step."""
        size = job.layout.size
        self.waiting = [
            piece.of(slice(at, at + size)) for piece in self.waiting for at in range(0, len(piece.runs), size)
        ]
        log = self._log if len(self.waiting) == 1 else _Log()  # a checkpoint is of one piece
        try:
            for piece in [one for one in self.waiting if one.step < until]:
                reached = yield from self._trained(job, piece, log, until)
                places = [reached if one is piece else one for one in self.waiting]
                self.waiting = [one for one in places if one is not None]
        finally:
            log.finish()

    def _trained(self, job: Job, piece: Snapshot, log: "_Log", until: int) -> Generator[Record, None, Snapshot | None]:
        """Trains a piece up to a step, and gives what goes on from there."""
        training = _train(job, piece, log, until)
        while True:
            try:
                yield self._add(next(training))
            except StopIteration as stop:
                at_rung, reached = stop.value
                self._at_rung += at_rung
                return reached

    def _add(self, record: Record) -> Record:
        if self.stored:
            self.records.add(record)
        return record

    def at_rung(self, rung: int) -> list[Record]:
        """The segments before a rung, if it waits there: which of their runs are dropped is not known yet."""
        return [record for record in self._at_rung if record.step == rung]

    def rank(self, rung: int, in_race: np.ndarray) -> Iterator[Record]:
        """Drops runs at a rung."""
        at_rung = self.at_rung(rung)
        self._at_rung = [record for record in self._at_rung if record.step != rung]
        pieces = [one.of(in_race[one.runs]) if one.step == rung else one for one in self.waiting]
        self.waiting = [piece for piece in pieces if len(piece.runs)]
        for record in at_rung:
            ranked = self._ranked(record, in_race)
            self._log.add(ranked)
            yield self._add(ranked)

    def _ranked(self, record: Record, in_race: np.ndarray) -> Record:
        """The record of a segment with the runs that are dropped after it."""
        task, policy = self._program.task, self._options.keeping
        dropped = record.active & ~in_race[np.searchsorted(self._program.runs, record.runs)]
        now = statuses.Progress(record.step, task.num_steps, partial(getattr, record.outcome), dropped)
        spared = (task.num_steps - record.step) * int(dropped.sum())
        ranked = replace(
            record,
            status=np.where(record.active, statuses.decide(now), record.status),  # a resumed one may be ranked already
            steps_saved=record.steps_saved + spared,
        )
        active = ranked.active
        wanted = policy.places(ranked, active) if policy.looks_at(task, record.step, not active.all()) else ()
        runs = record.runs[list(wanted)].tolist()
        return replace(ranked, params={run: record.params[run] for run in runs if run in record.params})

    def save(self) -> None:
        """Writes a checkpoint of runs that wait at a rung, if there is none yet."""
        if len(self.waiting) == 1 and self.waiting[0].step:
            self._log.save(self.waiting[0])

    def discard(self) -> None:
        """Takes the checkpoints away: the chunk is whole."""
        self._log.discard()


def _train(
    job: Job, piece: Snapshot, log: "_Log", until: int
) -> Generator[Record, None, tuple[Sequence[Record], Snapshot | None]]:
    """Trains runs, segment by segment; the next segment is under way while one is reported.

    Runs that diverged go no further. Those that are left are moved together as soon as that makes a device's part
    shorter. A signal ends it between two segments, after a checkpoint.
    """
    runs, at_end = ActiveRuns(job, piece), until == job.program.task.num_steps
    pending: Segment | None = None
    with interrupts.held() as came:
        for first, last in job.segments(piece.step, until):
            under_way = runs.dispatch(first, last)
            if pending is not None:
                yield log.add(runs.record(pending, until))
            pending = runs.finish(under_way)
            ending, waits = came(), last == until and not at_end and bool(runs.active.any())
            looked_at = job.options.keeping.looks_at(job.program.task, last, not pending.active.all())
            if ending or waits or looked_at or log.due():
                # the next segment takes the states' memory, so they are looked at before it
                now = log.add(runs.kept(pending, until))
                pending = None
                if runs.active.any() and (ending or log.due()):
                    log.write(runs.snapshot(last))
                if waits and not ending:
                    return (now,), runs.snapshot(last)
                yield now
            if ending:
                raise KeyboardInterrupt
            if not runs.active.any():
                break
            runs.compact()
        if pending is not None:
            yield log.add(runs.record(pending, until))
    return (), None


class _Log:
    """The records since the last checkpoint, for the next one."""

    def __init__(self, checkpoints: Checkpoints | None = None, step: int = 0, records: Sequence[Record] = ()) -> None:
        self._checkpoints = checkpoints
        self._records: list[Record] = []
        self._step, self._written = step, list(records)

    def add(self, record: Record) -> Record:
        if self._checkpoints is not None:
            self._records.append(record)
        return record

    def due(self) -> bool:
        return self._checkpoints is not None and self._checkpoints.due()

    def write(self, snapshot: Snapshot) -> None:
        if self._checkpoints is not None:
            again = self._written if snapshot.step == self._step else []  # it takes the place of the one before
            self._step, self._written = snapshot.step, [*again, *self._records]
            self._checkpoints.write(snapshot, self._written)
            self._records = []

    def save(self, snapshot: Snapshot) -> None:
        if self._records:
            self.write(snapshot)
        self.finish()

    def finish(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.finish()

    def discard(self) -> None:
        if self._checkpoints is not None:
            self._checkpoints.discard()

"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax

from jaxnets.data.dataset import Dataset
from jaxnets.engine import device_data, executables, store, stream
from jaxnets.engine.active import Job
from jaxnets.engine.chunk import Chunk
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options
from jaxnets.engine.executables import Executable
from jaxnets.engine.halving import Race
from jaxnets.engine.layout import Layout, halved, layout
from jaxnets.engine.plan import Program
from jaxnets.engine.store import Parts
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

    def _opened(self, program: Program, runs: range) -> Chunk:
        """A chunk, with what of it was trained before."""
        if self.parts is None:
            return Chunk(program, runs, self.options, stored=False)
        if (found := self.parts.read(program, runs)) is not None:
            return Chunk(program, runs, self.options, known=found, stored=False)
        checkpoints = self.parts.checkpoints(program, runs)
        known, snapshot = checkpoints.read()
        return Chunk(program, runs, self.options, checkpoints, known, snapshot)

    def _end(self, program: Program, chunk: Chunk) -> None:
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

"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax

from jaxnets.data.dataset import Dataset
from jaxnets.engine import chunk, device_data, programs, rooms, seating, streaming
from jaxnets.engine.crew import Job
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options, Record
from jaxnets.engine.groups import Source
from jaxnets.engine.layout import Layout, halved, layout
from jaxnets.engine.parts import Parts
from jaxnets.engine.program import Program
from jaxnets.engine.programs import Executable


def execute(
    planned: Sequence[Program],
    folds: Sequence[Dataset],
    placement: Placement,
    options: Options = DEFAULT_OPTIONS,
    parts: Parts | None = None,
) -> Iterator[Event]:
    """Trains all runs of all programs.

    Args:
      planned: from `plan`.
      folds: that they were planned for, or blocks; one without either.
      placement: the devices.
      options: how.
      parts: where finished chunks are written, and those of before are found; nowhere if None.

    Yields:
      A `Compiling` and a `Compiled` for each program of which something is left to train, and a `Record` for each
      segment of each chunk of its runs.
    """
    sweep = _Sweep(folds, placement, options, parts)
    for program in planned:
        yield from sweep.train(program)


@dataclass
class _Sweep:
    """What all programs share."""

    folds: Sequence[Dataset]
    placement: Placement
    options: Options
    parts: Parts | None

    @cached_property
    def placed(self) -> PlacedFolds:
        """The data set on the devices."""
        return device_data.put(self.folds, self.placement, streamed=self.options.stream)

    def train(self, program: Program) -> Iterator[Event]:
        """The runs of a program, chunk by chunk; where the memory does not suffice for one, in chunks half as large."""
        wanted, source = self._laid_out(program)
        left, job = deque(self._chunks(program, wanted)), None
        while left:
            runs, begun = left.popleft(), False
            if self.parts is not None and (found := self.parts.read(program, runs)) is not None:
                yield from seen(found, self.options)
                continue
            try:
                if job is None:
                    yield Compiling(program)
                    job, compiled = self._job(program, wanted, source)
                    yield compiled
                for record in _trained(job, runs, self.parts):
                    begun = True
                    yield record
            except jax.errors.JaxRuntimeError as error:
                smaller = halved(wanted, self.placement.platform)
                if begun or smaller is None or "RESOURCE_EXHAUSTED" not in str(error):
                    raise
                wanted, job = smaller, None
                left = deque(self._chunks(program, wanted, runs.start))

    def _laid_out(self, program: Program) -> tuple[Layout, Source | None]:
        """Where the runs of a program go, and what its training examples are read from if they are streamed."""
        if self.options.stream:
            return rooms.plan(program, self.folds[0].train, self.placement, self.options)
        return layout(program, self.placement, self.options.memory_limit), None

    def _chunks(self, program: Program, wanted: Layout, first: int = 0) -> list[range]:
        """The chunks of a program from a run on; those that are there already stay as they are."""
        if self.parts is None:
            return _cut(range(first, len(program.runs)), wanted.size)
        return [one for one in self.parts.chunks(program, wanted.size) if one.start >= first]

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
            return programs.executable(*given)
        lowering = partial(streaming.lower_program, source=source)
        return programs.executable(*given, lowering, (source.room, source.num_batches))


def _cut(runs: range, size: int) -> list[range]:
    return [runs[start : start + size] for start in range(0, len(runs), size)]


def seen(records: Sequence[Record], options: Options) -> Iterator[Record]:
    """Records of chunks that were trained before or elsewhere.

    Whoever keeps the best parameters must have seen them, to know what is better; and they hold those that were the
    best of their chunk.
    """
    for record in records:
        if record.params or options.keeping.looks_at(record.program.task, record.step, not record.going.all()):
            best = record.runs[list(options.keeping.places(record))].tolist()
            yield replace(record, params={run: record.params[run] for run in best if run in record.params})
        else:
            yield record


def _trained(job: Job, runs: range, parts: Parts | None) -> Iterator[Record]:
    """The records of a chunk, which becomes a part when it is whole."""
    if parts is None:
        yield from chunk.train(job, runs)
        return
    checkpoints = parts.checkpoints(job.program, runs)
    records, snapshot = checkpoints.read(job.program, seating.shapes(job.program))
    yield from seen(records, job.options)
    try:
        for record in chunk.train(job, runs, snapshot, checkpoints):
            records.append(record)
            yield record
    finally:
        checkpoints.finish()
    parts.write(job.program, runs, records)
    checkpoints.discard()

"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections.abc import Iterator, Sequence
from functools import partial

from jaxnets.data.dataset import Dataset
from jaxnets.engine import chunk, device_data, programs, rooms, streaming
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options, Record
from jaxnets.engine.groups import Source
from jaxnets.engine.layout import Layout, layout
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
    placed = partial(device_data.put, folds, placement, streamed=options.stream)
    data: PlacedFolds | None = None
    for program in planned:
        wanted, source = _laid_out(program, folds, placement, options)
        job = None
        for runs in wanted.chunks:
            if parts is not None and (found := parts.read(program, runs)) is not None:
                yield from _seen(found, options)
                continue
            if job is None:
                yield Compiling(program)
                data = data or placed()
                start = time.perf_counter()
                executable = _executable(program, wanted, data, placement, options, source)
                yield Compiled(program, time.perf_counter() - start, executable.anew)
                job = chunk.Job(program, executable, data, placement, options, source)
            yield from _trained(job, runs, parts)


def _laid_out(
    program: Program, folds: Sequence[Dataset], placement: Placement, options: Options
) -> tuple[Layout, Source | None]:
    """Where the runs of a program go, and what its training examples are read from if they are streamed."""
    if options.stream:
        return rooms.plan(program, folds[0].train, placement, options)
    return layout(program, placement, options.memory_limit), None


def _executable(
    program: Program,
    wanted: Layout,
    data: PlacedFolds,
    placement: Placement,
    options: Options,
    source: Source | None,
) -> Executable:
    if source is None:
        return programs.executable(program, wanted, data, placement, options)
    compiling = partial(streaming.compile_program, source=source)
    return programs.executable(program, wanted, data, placement, options, compiling, (source.room, source.num_batches))


def _seen(records: Sequence[Record], options: Options) -> Iterator[Record]:
    """Records of before: whoever keeps the best parameters must have seen them, to know what is better."""
    for record in records:
        if options.keeping.looks_at(record.program.task, record.step, not record.going.all()):
            options.keeping.places(record)
        yield record


def _trained(job: chunk.Job, runs: range, parts: Parts | None) -> Iterator[Record]:
    """The records of a chunk, which becomes a part when it is whole."""
    records = []
    for record in chunk.train(job, runs):
        if parts is not None:
            records.append(record)
        yield record
    if parts is not None:
        parts.write(job.program, runs, records)

"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections.abc import Iterator, Sequence
from functools import partial

from jaxnets.data.dataset import Dataset
from jaxnets.engine import chunk, device_data, programs
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options, Record
from jaxnets.engine.layout import layout
from jaxnets.engine.parts import Parts
from jaxnets.engine.program import Program


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
    placed = partial(device_data.put, folds, placement)
    data: PlacedFolds | None = None
    for program in planned:
        wanted, job = layout(program, placement, options.memory_limit), None
        for runs in wanted.chunks:
            if parts is not None and (found := parts.read(program, runs)) is not None:
                yield from _seen(found, options)
                continue
            if job is None:
                yield Compiling(program)
                data = data or placed()
                start = time.perf_counter()
                executable = programs.executable(program, wanted, data, placement, options)
                yield Compiled(program, time.perf_counter() - start, executable.anew)
                job = chunk.Job(program, executable, data, placement, options)
            yield from _trained(job, runs, parts)


def _seen(records: Sequence[Record], options: Options) -> Iterator[Record]:
    """Records of before: whoever keeps the best parameters must have seen them, to know what is better."""
    for record in records:
        if options.keeping.looks_at(record.program.task, record.step, not record.going.all()):
            options.keeping.places(record)
        yield record


def _trained(job: chunk.Job, runs: range, parts: Parts | None) -> Iterator[Record]:
    """The records of a chunk, which becomes a part when it is whole."""
    if parts is None:
        yield from chunk.train(job, runs)
        return
    checkpoints = parts.checkpoints(job.program, runs)
    records, snapshot = checkpoints.read(job.program, chunk.shapes(job.program))
    yield from _seen(records, job.options)
    try:
        for record in chunk.train(job, runs, snapshot, checkpoints):
            records.append(record)
            yield record
    finally:
        checkpoints.finish()
    parts.write(job.program, runs, records)
    checkpoints.discard()

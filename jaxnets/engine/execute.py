"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
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
        for runs in wanted.chunks if parts is None else parts.chunks(program, len(wanted.chunks[0])):
            if parts is not None and (found := parts.read(program, runs)) is not None:
                yield from seen(found, options)
                continue
            if job is None:
                yield Compiling(program)
                data = data or placed()
                start = time.perf_counter()
                executable = programs.executable(program, wanted, data, placement, options)
                yield Compiled(program, time.perf_counter() - start, executable.anew)
                job = chunk.Job(program, executable, data, placement, options)
            yield from _trained(job, runs, parts)


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


def _trained(job: chunk.Job, runs: range, parts: Parts | None) -> Iterator[Record]:
    """The records of a chunk, which becomes a part when it is whole."""
    records = []
    for record in chunk.train(job, runs):
        if parts is not None:
            records.append(record)
        yield record
    if parts is not None:
        parts.write(job.program, runs, records)

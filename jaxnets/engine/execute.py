"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

import jax

from jaxnets.data.dataset import Dataset
from jaxnets.engine import chunk, device_data, programs
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options, Record
from jaxnets.engine.layout import Layout, halved, layout
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
    placed = cache(partial(device_data.put, folds, placement))
    for program in planned:
        yield from _of_program(program, placed, placement, options, parts)


def _of_program(
    program: Program,
    placed: Callable[[], PlacedFolds],
    placement: Placement,
    options: Options,
    parts: Parts | None,
) -> Iterator[Event]:
    """The runs of a program, chunk by chunk; where the memory does not suffice for one, in chunks half as large."""
    wanted = layout(program, placement, options.memory_limit)
    left = deque(_chunks(program, wanted, parts))
    job: chunk.Job | None = None
    while left:
        runs, begun = left.popleft(), False
        if parts is not None and (found := parts.read(program, runs)) is not None:
            yield from seen(found, options)
            continue
        try:
            if job is None:
                yield Compiling(program)
                job, compiled = _job(program, wanted, placed(), placement, options)
                yield compiled
            for record in _trained(job, runs, parts):
                begun = True
                yield record
        except jax.errors.JaxRuntimeError as error:
            smaller = halved(wanted, placement.platform)
            if begun or smaller is None or "RESOURCE_EXHAUSTED" not in str(error):
                raise
            wanted, job = smaller, None
            left = deque(_chunks(program, wanted, parts, runs.start))


def _job(
    program: Program, wanted: Layout, data: PlacedFolds, placement: Placement, options: Options
) -> tuple[chunk.Job, Compiled]:
    """A program that is ready to run."""
    start = time.perf_counter()
    chunks = replace(wanted, chunks=_cut(range(len(program.runs)), wanted.size))
    executable = programs.executable(program, chunks, data, placement, options)
    compiled = Compiled(program, time.perf_counter() - start, executable.anew)
    return chunk.Job(program, executable, data, placement, options), compiled


def _chunks(program: Program, wanted: Layout, parts: Parts | None, first: int = 0) -> list[range]:
    """The chunks of a program from a run on; those that are there already stay as they are."""
    if parts is None:
        return _cut(range(first, len(program.runs)), wanted.size)
    return [one for one in parts.chunks(program, wanted.size) if one.start >= first]


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


def _trained(job: chunk.Job, runs: range, parts: Parts | None) -> Iterator[Record]:
    """The records of a chunk, which becomes a part when it is whole."""
    if parts is None:
        yield from chunk.train(job, runs)
        return
    checkpoints = parts.checkpoints(job.program, runs)
    records, snapshot = checkpoints.read(job.program, chunk.shapes(job.program))
    yield from seen(records, job.options)
    try:
        for record in chunk.train(job, runs, snapshot, checkpoints):
            records.append(record)
            yield record
    finally:
        checkpoints.finish()
    parts.write(job.program, runs, records)
    checkpoints.discard()

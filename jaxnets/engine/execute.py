"""Programs on devices: compiled once, called once per segment, with what comes out as a stream of events."""

import time
from collections.abc import Iterator, Sequence

from jaxnets.data.dataset import Dataset
from jaxnets.engine import chunk, device_data, programs
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import DEFAULT_OPTIONS, Compiled, Compiling, Event, Options
from jaxnets.engine.layout import layout
from jaxnets.engine.program import Program


def execute(
    planned: Sequence[Program], folds: Sequence[Dataset], placement: Placement, options: Options = DEFAULT_OPTIONS
) -> Iterator[Event]:
    """Trains all runs of all programs.

    Args:
      planned: from `plan`.
      folds: that they were planned for, or blocks; one without either.
      placement: the devices.
      options: how.

    Yields:
      A `Compiling` and a `Compiled` for each program, and a `Record` for each segment of each chunk of its runs.
    """
    placed = device_data.put(folds, placement)
    for program in planned:
        yield Compiling(program)
        wanted = layout(program, placement, options.memory_limit)
        start = time.perf_counter()
        executable = programs.executable(program, wanted, placed, placement, options)
        yield Compiled(program, time.perf_counter() - start, executable.anew)
        job = chunk.Job(program, executable, placed, placement, options)
        for runs in wanted.chunks:
            yield from chunk.train(job, runs)

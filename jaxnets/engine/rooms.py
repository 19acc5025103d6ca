"""How much of a streamed data set is in memory at a time: the steps of a group, and the runs of a chunk."""

from collections.abc import Sequence

import numpy as np

from jaxnets import io
from jaxnets.data import streamed
from jaxnets.data.dataset import Split
from jaxnets.data.texts import Texts
from jaxnets.engine import devices
from jaxnets.engine.devices import Placement
from jaxnets.engine.events import Options
from jaxnets.engine.groups import AHEAD, Room, Source, batch_starts
from jaxnets.engine.layout import Layout, layout
from jaxnets.engine.plan import Program
from jaxnets.errors import UserError
from jaxnets.training.batches import EVALUATION_BATCH

_SHARE = 4  # of the memory, one part of so many is for examples, the others for the runs
_LARGEST = 64 << 20  # bytes of a group: larger ones are read no faster


def plan(program: Program, split: Split, placement: Placement, options: Options) -> tuple[Layout, Source]:
    """Lays out the runs of a program whose training examples are streamed, and decides what is read at a time."""
    if program.task.batch_size == program.task.num_examples:
        raise UserError("batch_size: a batch that is the whole training set cannot be streamed; take a smaller one.")
    free = devices.memory_bytes(placement.mesh.devices.flat[0], options.memory_limit) // _SHARE // _copies(placement)
    of_step = program.task.batch_size * (streamed.example_bytes(split) + 4)
    of_runs = layout(program, placement, options.memory_limit)
    if _num_seeds(program, of_runs.chunks) > free // of_step:
        of_runs = layout(program, placement, options.memory_limit, most_runs=max(1, free // of_step))
    room = _room(program, split, _num_seeds(program, of_runs.chunks), min(free, _LARGEST), options)
    if _bytes(room, split, program.task.batch_size) > _SHARE * free:
        size, most = (io.readable(one) for one in (_bytes(room, split, program.task.batch_size), _SHARE * free))
        raise UserError(f"batch_size: the examples of one step of {room.seeds} runs take {size}, and {most} are there.")
    return of_runs, Source(split, program.task, room)


def _room(program: Program, split: Split, num_seeds: int, most: int, options: Options) -> Room:
    """As many steps of a segment, by halves, as fit into so many bytes."""
    task = program.task
    evaluation_bytes = EVALUATION_BATCH * streamed.example_bytes(split)
    batches = max(1, min(len(batch_starts(split)) - 1, most // evaluation_bytes))
    steps = min(options.evaluate_every or task.steps_per_epoch, task.num_steps)
    while True:
        examples = min(task.num_examples, steps * task.batch_size * num_seeds)
        room = Room(steps, num_seeds, examples, _most_words(split, examples), batches)
        if steps == 1 or _bytes(room, split, task.batch_size) <= most:
            return room
        steps = -(-steps // 2)


def _most_words(split: Split, examples: int) -> int:
    """The words of so many distinct texts at most."""
    if not isinstance(split.inputs, Texts):
        return 0
    lengths = split.inputs.lengths
    return int(np.partition(lengths, len(lengths) - examples)[len(lengths) - examples :].sum(dtype=np.int64))


def _bytes(room: Room, split: Split, batch_size: int) -> int:
    """The memory of a group."""
    orders = 4 * room.seeds * room.steps * batch_size
    if isinstance(split.inputs, Texts):
        return orders + 4 * room.words + 12 * room.examples
    return orders + room.examples * streamed.example_bytes(split)


def _num_seeds(program: Program, chunks: Sequence[range]) -> int:
    """The different seeds of a chunk at most."""
    return max(len(np.unique(program.seeds[chunk.start : chunk.stop])) for chunk in chunks)


def _copies(placement: Placement) -> int:
    """How often a group is in memory: read ahead, being read, and twice on each device; a CPU's share one memory."""
    return AHEAD + 1 + 2 * (placement.mesh.size if placement.platform == "cpu" else 1)

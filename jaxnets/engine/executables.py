"""Executables: compiled once for each program, and used again by later sweeps that have no more runs."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array

from jaxnets import jax_settings
from jaxnets.engine import devices
from jaxnets.engine.device_data import PlacedFolds
from jaxnets.engine.devices import Placement
from jaxnets.engine.keep import DEFAULT_OPTIONS, Options
from jaxnets.engine.layout import Layout
from jaxnets.engine.plan import Program
from jaxnets.engine.segment import segment_of_runs
from jaxnets.training.state import Task, TrainState


@dataclass(frozen=True)
class Executable:
    """A program that is ready to run."""

    function: Any
    layout: Layout
    anew: bool
    kept: bool = True


_PROGRAMS: OrderedDict[tuple[Hashable, int, Hashable], Any] = OrderedDict()
"""By what is compiled, the blocks of runs that there is room for, and the text of what others wrote; the one that was
used last is the last."""

_MOST_PROGRAMS = 32


def forget() -> None:
    """Lets go of the executables of earlier sweeps."""
    _PROGRAMS.clear()


def executable(
    program: Program,
    layout: Layout,
    placed: PlacedFolds,
    placement: Placement,
    options: Options,
    lowering: Callable[..., Any] | None = None,
    shapes: Hashable = None,
) -> Executable:
    """The executable of a program: new numbers and seeds, and fewer runs, need no new one.

    One with code of others is lowered anew, as that may read what has changed since: it is used again if the text is
    the same.
    """
    lowering, lowered, text = lowering or lower_program, None, None
    key = shapes, _key(program, layout, placed, placement, options)
    rooms = list(_fitting(key, layout))
    if not program.guests:
        rooms = [min(rooms, default=layout.blocks)]
    for blocks in dict.fromkeys((*rooms[-1:], layout.blocks)):
        wanted = replace(layout, blocks=blocks)
        if program.guests:
            lowered = lowering(program, wanted, placed, placement, options)
            text = _text(program, lowered)
        if (key, blocks, text) in _PROGRAMS:
            _PROGRAMS.move_to_end((key, blocks, text))
            return Executable(_PROGRAMS[key, blocks, text], wanted, False)
    lowered = lowered or lowering(program, wanted, placed, placement, options)
    compiled = jax.tree.map(lambda one: settled(one.compile(), program, placement), lowered)
    if kept := text is not None or not program.guests:
        _PROGRAMS[key, wanted.blocks, text] = compiled
    if len(_PROGRAMS) > _MOST_PROGRAMS:
        _PROGRAMS.popitem(last=False)
    return Executable(compiled, wanted, True, kept)


def _text(program: Program, lowered: Any) -> Hashable:
    """What tells apart what was lowered, with what it takes and gives; None if nothing does."""
    functions = jax.tree.leaves(lowered)
    text = program.text(functions)
    told = text, *((one.in_tree, one.out_tree) for one in functions)
    try:
        hash(told)
    except TypeError:  # of a guest's own kind of tree
        return None
    return text and told


def _key(program: Program, layout: Layout, placed: PlacedFolds, placement: Placement, options: Options) -> Hashable:
    """All that an executable depends on but the room for runs, and what the text of one with code of others tells."""
    leaves, structure = jax.tree.flatten(placed.folds)
    data = structure, *((leaf.shape, str(leaf.dtype)) for leaf in leaves)
    hyperparameters = tuple((name, str(values.dtype)) for name, values in program.hyperparameters.items())
    settings = options.predictions, layout.lanes, jax_settings.matmul_precision()
    task = None if program.guests else program.task
    return (task, *settings, hyperparameters, *placement.mesh.devices.flat, *data)


def _fitting(key: Hashable, layout: Layout) -> Iterator[int]:
    """The room of executables that serve: enough for the runs, and no more than the memory allows."""
    return (blocks for of, blocks, _ in _PROGRAMS if layout.blocks <= blocks <= layout.most_blocks and of == key)


def lower_program(
    program: Program, layout: Layout, placed: PlacedFolds, placement: Placement, options: Options = DEFAULT_OPTIONS
) -> jax.stages.Lowered:
    """Lowers a program, to be compiled; see `Executable.function`."""
    runs, shared = PartitionSpec(devices.AXIS), PartitionSpec()
    on_devices = jax.shard_map(
        partial(segment_of_runs, in_lanes(program.task, layout), options.predictions),
        mesh=placement.mesh,
        in_specs=(runs, runs, runs, runs, shared, shared, shared),
        out_specs=runs,
        check_vma=False,
    )
    states, inputs = shapes_of_runs(program, layout, placement)
    step = jax.ShapeDtypeStruct((), np.int32, sharding=placement.replicated)
    with program.calling_guests():
        return jax.jit(on_devices, donate_argnums=0).lower(states, *inputs, placed.folds, step, step)


def settled(compiled: jax.stages.Compiled, program: Program, placement: Placement) -> Callable[..., Any]:
    """A compiled function whose results can be given to it again: XLA places arrays without numbers as it likes."""
    if all(leaf.size for leaf in jax.tree.leaves(program.state)):
        return compiled

    def call(*arguments: Any) -> Any:
        return jax.tree.map(
            lambda leaf: leaf if leaf.size else jax.device_put(leaf, placement.sharded), compiled(*arguments)
        )

    return call


def in_lanes(task: Task, layout: Layout) -> Task:
    """The static part of a program as it is compiled: lanes would go through the loops of all budgets."""
    return replace(task, budgets=task.budgets[-1:]) if layout.lanes > 1 else task


def shapes_of_runs(program: Program, layout: Layout, placement: Placement) -> tuple[TrainState, Any]:
    """The shapes of the states of a chunk's runs, and `put_inputs` of the first of them."""
    states = jax.tree.map(
        lambda leaf: jax.ShapeDtypeStruct((*layout.shape, *leaf.shape), leaf.dtype, sharding=placement.sharded),
        program.state,
    )
    return states, put_inputs(program, np.arange(len(layout.chunks[0])), layout, placement)


def put_inputs(
    program: Program, places: np.ndarray, layout: Layout, placement: Placement
) -> tuple[dict[str, Array], Array, Array]:
    """The hyperparameters and seeds of the runs at some places of the program, and the block counts, on the devices."""
    hyperparameters: dict[str, Any] = {
        name: layout.place(values[places]) for name, values in program.hyperparameters.items()
    }
    numbers = hyperparameters, layout.place(program.seeds[places]), layout.counts(len(places))
    return jax.device_put(numbers, placement.sharded)

"""Where the runs of a program go: which device, which block, which lane, and which chunk."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import jax
import numpy as np

from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset
from jaxnets.engine import devices
from jaxnets.engine.devices import Placement
from jaxnets.engine.plan import Program
from jaxnets.engine.table import check_memory
from jaxnets.io import free_memory

# A run's own memory: its state goes into a segment and comes out of it, as much again is in use meanwhile, and a
# checkpoint is a copy.
_COPIES_OF_STATE = 4


@dataclass(frozen=True)
class Layout:
    """Where the runs of a program go: chunk after chunk, each `[blocks, lanes]` with the blocks over the devices.

    Runs fill a block of lanes, and the blocks are dealt to the devices in turn: so each device has as many as any
    other, and runs that are neighbours in the table, and may all diverge, are on different ones.
    """

    lanes: int
    blocks: int
    most_blocks: int
    num_devices: int
    num_partitions: int
    chunks: Sequence[range]

    @property
    def size(self) -> int:
        """The runs of a full chunk."""
        return self.blocks * self.num_devices * self.lanes

    @property
    def shape(self) -> tuple[int, int]:
        """Blocks over all devices, and lanes."""
        return self.blocks * self.num_partitions, self.lanes

    def slots(self, num_runs: int) -> np.ndarray:
        """The places of so many runs in an array of the layout's shape, flattened: `Int[runs]`."""
        block, lane = np.divmod(np.arange(num_runs), self.lanes)
        row, device = np.divmod(block, self.num_devices)
        return (device * self.blocks + row) * self.lanes + lane

    def place(self, values: np.ndarray) -> np.ndarray:
        """Values of runs, `[runs, ...]`, as `[blocks, lanes, ...]`; the last run fills up what is left."""
        flat = np.repeat(values[-1:], np.prod(self.shape), axis=0)
        flat[self.slots(len(values))] = values
        return flat.reshape(*self.shape, *values.shape[1:])

    def counts(self, num_runs: int) -> np.ndarray:
        """How many blocks of each device hold some of so many runs, `int32[partitions]`."""
        blocks = -(-num_runs // self.lanes)
        dealt = -(-(blocks - np.arange(self.num_devices)) // self.num_devices)
        return np.pad(np.maximum(dealt, 0), (0, self.num_partitions - self.num_devices)).astype(np.int32)


def layout(
    program: Program,
    placement: Placement,
    memory_limit: float = 0.0,
    runs: range | None = None,
    most_runs: int | None = None,
) -> Layout:
    """Lays runs of a program out over devices and chunks; a memory limit in GiB, 0 for half of what is free."""
    runs = runs or range(len(program.runs))
    lanes, run_bytes = lanes_of(program, placement.platform, placement.num_devices), _run_bytes(program)
    together = lanes * placement.num_devices
    memory = devices.memory_bytes(placement.mesh.devices.flat[0], memory_limit)
    most_blocks = max(1, memory // max(1, run_bytes * together))
    if most_runs is not None:
        most_blocks = max(1, min(most_blocks, most_runs // together))
    chunks = [runs[part.start : part.stop] for part in devices.chunks(len(runs), together, most_blocks)]
    blocks = -(-len(chunks[0]) // together)
    return Layout(lanes, blocks, most_blocks, placement.num_devices, placement.mesh.size, chunks)


def halved(wanted: Layout, platform: str) -> Layout | None:
    """The layout of half as many runs at a time; None if there is none.

    On a CPU the lanes stay as they are: a run's bits depend on them.
    """
    if wanted.blocks > 1:
        return replace(wanted, blocks=wanted.blocks // 2, most_blocks=wanted.blocks // 2)
    if wanted.lanes > 1 and platform != "cpu":
        return replace(wanted, lanes=wanted.lanes // 2, most_blocks=1)
    return None


def least_bytes(program: Program, placement: Placement) -> int:
    """The memory of a device that the smallest chunk takes; on a CPU all devices share it."""
    sharing = placement.mesh.size if placement.platform == "cpu" else 1
    return _run_bytes(program) * lanes_of(program, placement.platform, placement.num_devices) * sharing


def num_params(program: Program) -> int:
    """The parameters of one run."""
    return sum(leaf.size for leaf in jax.tree.leaves(program.state.params))


def lanes_of(program: Program, platform: str, num_devices: int) -> int:
    """How many runs of a program a device computes side by side, where there are so many devices."""
    runs_per_device = -(-len(program.runs) // num_devices)
    return devices.lanes(program.task, num_params(program), platform, runs_per_device)


def state_bytes(program: Program) -> int:
    """What the state of one run takes."""
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(program.state))


def _run_bytes(program: Program) -> int:
    return _COPIES_OF_STATE * state_bytes(program)


# By estimate, and less than sweeps take in the end: 10,000 runs of xor took 5.5 kB each before their first step, and
# their 20 evaluations 0.7 kB each while the tables were made.
_RECORD_BYTES, _ROW_BYTES = 2_000, 100
_PREDICTION_BYTES = 50


def check_nets(programs: Sequence[Program], placement: Placement) -> None:
    """Refuses nets of which not even the fewest that are trained together fit into the memory."""
    free = devices.free_bytes(placement.mesh.devices.flat[0])
    for program in programs:
        about = f"'{program.task.model.function.__name__}' of {num_params(program):,} parameters in training"
        check_memory("model", about, least_bytes(program, placement), free)


def check_waiting(programs: Sequence[Program], placement: Placement, memory_limit: float) -> None:
    """Refuses successive halving where the runs of a program, which wait for each other, do not fit into the memory."""
    for program in programs:
        if len(layout(program, placement, memory_limit).chunks) > 1:
            states = len(program.runs) * state_bytes(program)
            check_memory(
                "search", f"the states of {len(program.runs):,} runs that halving ranks", states, free_memory()
            )


def check_results(programs: Sequence[Program], folds: Sequence[Dataset], config: Config) -> None:
    """Refuses a sweep whose evaluations, parameters that are kept and predictions do not fit into the memory."""
    rows = [len(program.runs) * _evaluations(program, config) for program in programs]
    records = sum(_evaluations(program, config) for program in programs)
    by_steps = "evaluate_every" if config.evaluate_every else "num_epochs"
    needs = {
        by_steps: (f"{sum(rows):,} evaluations", sum(rows) * _ROW_BYTES + records * _RECORD_BYTES),
        "keep": (f"the parameters of keep={config.keep}", _kept_bytes(programs, rows, config.keep)),
        "predictions": ("the predictions of all runs", _prediction_bytes(programs, folds) if config.predictions else 0),
    }
    largest = max(needs, key=lambda name: needs[name][1])
    check_memory(largest, needs[largest][0], sum(size for _, size in needs.values()), free_memory())


def _evaluations(program: Program, config: Config) -> int:
    """How often each run is evaluated."""
    return -(-program.task.num_steps // (config.evaluate_every or program.task.steps_per_epoch))


def _kept_bytes(programs: Sequence[Program], rows: Sequence[int], keep: str) -> int:
    each = [len(program.runs) for program in programs]
    copies = {"last": each, "seeds": each, "all": rows}.get(keep, [0] * len(programs))
    return sum(
        copy * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(program.state.params))
        for copy, program in zip(copies, programs, strict=True)
    )


def _prediction_bytes(programs: Sequence[Program], folds: Sequence[Dataset]) -> int:
    examples = max(len(fold.test) for fold in folds)
    of_example = _PREDICTION_BYTES + np.float32().itemsize * folds[0].num_classes
    return sum(len(program.runs) for program in programs) * examples * of_example

"""Where the runs of a program go: which device, which block, which lane, and which chunk."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np

from jaxnets.engine import devices
from jaxnets.engine.devices import Placement
from jaxnets.engine.plan import Program

# A run's own memory: its state goes into a segment and comes out of it, and as much again is in use meanwhile.
_COPIES_OF_STATE = 3


@dataclass(frozen=True)
class Layout:
    """Where the runs of a program go: chunk after chunk, each `[blocks, lanes]` with the blocks over the devices.

    Attributes:
      lanes: how many runs a device computes side by side.
      blocks: how many such blocks the memory of each device holds.
      num_devices: the devices that have runs.
      num_partitions: the devices that the program is compiled for.
      chunks: the runs of each chunk.
    """

    lanes: int
    blocks: int
    num_devices: int
    num_partitions: int
    chunks: Sequence[range]

    @property
    def shape(self) -> tuple[int, int]:
        """Blocks over all devices, and lanes."""
        return self.blocks * self.num_partitions, self.lanes

    def place(self, values: np.ndarray, chunk: range) -> np.ndarray:
        """Values of the program's runs as `[blocks, lanes]`; the last run fills up what is left."""
        numbers = np.minimum(np.arange(np.prod(self.shape)) + chunk.start, chunk.stop - 1)
        return values[numbers].reshape(self.shape)

    def counts(self, chunk: range) -> np.ndarray:
        """How many blocks of each device hold runs."""
        blocks = -(-len(chunk) // self.lanes)
        return np.clip(blocks - np.arange(self.num_partitions) * self.blocks, 0, self.blocks).astype(np.int32)


def layout(program: Program, placement: Placement, memory_limit: float = 0.0) -> Layout:
    """Lays the runs of a program out over devices and chunks; see `execute` for the arguments."""
    state = program.state
    num_params = sum(leaf.size for leaf in jax.tree.leaves(state.params))
    runs_per_device = -(-len(program.runs) // placement.num_devices)
    lanes = devices.lanes(program.task, num_params, placement.platform, runs_per_device)
    run_bytes = _COPIES_OF_STATE * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    memory = devices.memory_bytes(placement.mesh.devices.flat[0], memory_limit)
    chunks = devices.chunks(len(program.runs), run_bytes, lanes, memory, placement.num_devices)
    blocks = -(-len(chunks[0]) // (lanes * placement.num_devices))
    return Layout(lanes, blocks, placement.num_devices, placement.mesh.size, chunks)

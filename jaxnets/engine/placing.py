"""Whether a data set stays in memory while its runs are trained, or is streamed."""

from collections.abc import Sequence

import numpy as np

from jaxnets import io
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.engine import devices
from jaxnets.engine.devices import Placement
from jaxnets.engine.plan import Program
from jaxnets.errors import UserError

_WORD_BYTES = 12  # a word in the stream, and in the batches for evaluation with the number of its text


def is_streamed(config: Config, folds: Sequence[Dataset], programs: Sequence[Program], placement: Placement) -> bool:
    """Whether the training examples are streamed: as asked for, or if they take more than may be used and it can be."""
    hindrance = _hindrance(config, folds, programs)
    if config.data == "stream" and hindrance:
        raise UserError(f"data: stream {hindrance}.")
    device = placement.mesh.devices.flat[0]
    needed = _bytes(folds) * (placement.mesh.size if placement.platform == "cpu" else 1)
    if config.data == "resident" and needed > (free := devices.free_bytes(device)):
        sizes = f"{io.readable(needed)} of memory, but {io.readable(free)} are free"
        raise UserError(f"data: '{folds[0].name}' takes {sizes}; data=stream reads it as it is needed.")
    if config.data is None:
        return not hindrance and needed > devices.memory_bytes(device, config.memory_limit)
    return config.data == "stream"


def stream_above(config: Config) -> int | None:
    """The bytes of memory above which a loader is to leave its training examples on disk; None for never."""
    if config.data is None:
        return int(config.memory_limit * 2**30) or io.free_memory() // 2
    return 0 if config.data == "stream" else None


def _hindrance(config: Config, folds: Sequence[Dataset], programs: Sequence[Program]) -> str:
    """Why the training examples cannot be streamed; empty if they can."""
    if len(folds) > 1:
        return f"takes one split of the data, and there are {len(folds)}: give a test split, or folds=1"
    if any(program.task.batch_size == program.task.num_examples for program in programs):
        return "takes batches that are smaller than the training set; batch_size is all of it"
    if config.cluster:
        return "and a cluster do not go together: its workers hold the data set in memory"
    return "and baselines do not go together: these hold all texts in memory" if config.baselines else ""


def _bytes(folds: Sequence[Dataset]) -> int:
    """What a data set takes on a device."""
    return sum(_of_split(split) for fold in folds for split in (fold.train, fold.dev, fold.test))


def _of_split(split: Split) -> int:
    if isinstance(split.inputs, Texts):
        return _WORD_BYTES * len(split.inputs.words)
    return 4 * np.asarray(split.inputs).size

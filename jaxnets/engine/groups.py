"""What the host reads for a program whose training examples are streamed, group by group, ahead of the devices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Int

from jaxnets import jax_settings, training
from jaxnets.data import streamed, texts
from jaxnets.data.dataset import Split
from jaxnets.data.texts import Texts
from jaxnets.engine.device_data import in_examples, widened, widest_batch
from jaxnets.training.batches import EVALUATION_BATCH, Examples, TextStream
from jaxnets.training.state import Task

AHEAD = 2  # groups that are read before they are asked for
_THREADS = 2


@dataclass(frozen=True)
class Room:
    """What a group has room for: the same in all groups, so that one executable takes them."""

    steps: int
    seeds: int
    examples: int
    words: int
    batches: int


class Steps(NamedTuple):
    """The examples of some steps."""

    examples: Examples
    orders: Int[np.ndarray, "seeds places"]


@dataclass(frozen=True, eq=False)
class Source:
    """The training examples of a program, and the batches in which they are evaluated."""

    split: Split
    task: Task
    room: Room

    @cached_property
    def batch_starts(self) -> Sequence[int]:
        """The first example of each batch that is evaluated, and the number of all examples."""
        return batch_starts(self.split)

    @property
    def num_batches(self) -> int:
        """The batches that all training examples are evaluated in."""
        return len(self.batch_starts) - 1

    def spans(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The steps before and after each group of a segment."""
        return ((start, min(start + self.room.steps, last)) for start in range(first, last, self.room.steps))

    @jax_settings.pinned()
    def steps(self, seeds: np.ndarray, first: int, last: int) -> Steps:
        """The examples of the steps from `first` to `last` of the runs of some seeds, each read once."""
        orders = np.zeros((self.room.seeds, self.room.steps * self.task.batch_size), np.int32)
        places = (last - first) * self.task.batch_size
        rows = _orders(self.task, self.room.steps)(_padded(seeds, self.room.seeds), np.int32(first))
        distinct, where = np.unique(np.asarray(rows)[:, :places], return_inverse=True)
        orders[:, :places] = where.reshape(-1, places)
        return Steps(self._examples(distinct), orders)

    def batches(self, number: int) -> Examples:
        """So many batches as a group has room for, from one on, stacked; those after the last weigh nothing."""
        end = min(number + self.room.batches, self.num_batches)
        rows = range(self.batch_starts[number], self.batch_starts[end])
        if isinstance(self.split.inputs, Texts):
            positions, most_texts = widest_batch([self.split.inputs]), int(np.diff(self.batch_starts).max())
            packed, labels = streamed.pack(self.split, rows, positions, EVALUATION_BATCH)
            wide = widened(packed, most_texts)
            stacked = in_examples(wide, labels[wide.rows])
        else:
            stacked = self._features(rows)
        return jax.tree.map(partial(_filled, size=self.room.batches), stacked)

    def _examples(self, rows: np.ndarray) -> Examples:
        room = self.room
        if isinstance(self.split.inputs, Texts):
            *of_texts, labels = streamed.stream(self.split, rows, room.examples, room.words)
            return Examples(TextStream(*of_texts), labels)  # type: ignore[arg-type]
        return Examples(*streamed.features(self.split, rows, room.examples))  # type: ignore[arg-type]

    def _features(self, rows: range) -> Examples:
        """Consecutive rows in batches of one size."""
        size = self.batch_starts[1]
        num_batches = -(-len(rows) // size)
        inputs, labels = streamed.features(self.split, np.arange(rows.start, rows.stop), num_batches * size)
        weights = (np.arange(num_batches * size) < len(rows)).astype(np.float32)
        flat = Examples(inputs, labels, weights)  # type: ignore[arg-type]
        return jax.tree.map(lambda array: array.reshape(num_batches, size, *array.shape[1:]), flat)


def batch_starts(split: Split) -> Sequence[int]:
    """The first example of each batch in which a split is evaluated, and the number of its examples."""
    if isinstance(split.inputs, Texts):
        widest = widest_batch([split.inputs])
        return [*texts.batch_starts(split.inputs.lengths, widest, EVALUATION_BATCH), len(split)]
    return [*range(0, len(split), min(len(split), EVALUATION_BATCH)), len(split)]


class Groups:
    """The groups of a chunk in the order in which they are asked for: what Grain reads ahead."""

    def __init__(self, source: Source, seeds: np.ndarray, spans: Sequence[tuple[int, int]]) -> None:
        self._source, self._seeds, self._spans = source, seeds, spans

    def __len__(self) -> int:
        """The groups of steps, and those of batches."""
        return len(self._spans) + -(-self._source.num_batches // self._source.room.batches)

    def __getitem__(self, number: Any) -> Steps | Examples:
        """A group, as NumPy arrays."""
        if number < len(self._spans):
            return self._source.steps(self._seeds, *self._spans[number])
        return self._source.batches((number - len(self._spans)) * self._source.room.batches)

    def ahead(self) -> Iterator[Any]:
        """All groups, the next ones read by other threads while one is in use."""
        import grain  # brings in much that nothing else needs

        options = grain.ReadOptions(num_threads=_THREADS, prefetch_buffer_size=AHEAD)
        return iter(grain.MapDataset.source(self).to_iter_dataset(options))


@lru_cache(maxsize=8)
def _orders(task: Task, num_steps: int) -> Any:
    """The function that gives the examples of some steps, for each of several seeds: the one of the devices."""
    return jax.jit(jax.vmap(partial(training.order_of_steps, task, num_steps=num_steps), (0, None)))


def _padded(seeds: np.ndarray, size: int) -> np.ndarray:
    return np.pad(seeds, (0, size - len(seeds)), mode="edge")


def _filled(array: np.ndarray, size: int) -> np.ndarray:
    return np.pad(array, ((0, size - len(array)), *((0, 0),) * (array.ndim - 1)))

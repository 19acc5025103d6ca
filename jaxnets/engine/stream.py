"""Training examples that do not fit on the devices: the same steps, on groups of examples that are read just before.

The splits are arrays in memory, or mapped from a file. One loop reads ahead, group by group.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Int

from jaxnets import io, jax_settings, training
from jaxnets.config.config import Config
from jaxnets.data import texts
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.engine import devices, executables
from jaxnets.engine.device_data import DeviceFolds, PlacedFolds, in_examples, padded, widened, widest_batch
from jaxnets.engine.devices import Placement
from jaxnets.engine.keep import Options
from jaxnets.engine.layout import Layout, layout
from jaxnets.engine.plan import Program
from jaxnets.engine.segment import Outcome, evaluated, in_blocks, of_fold, started
from jaxnets.errors import UserError
from jaxnets.training.batches import EVALUATION_BATCH, Examples, TextStream
from jaxnets.training.state import Metrics, Task, TrainState

WAITING = "/jaxnets/streaming/seconds_waiting"
"""The event of `jax.monitoring` that tells how long the devices' next examples were waited for."""

_AHEAD = 2  # groups that are read before they are asked for
_READERS = ThreadPoolExecutor(2, "readers")
_SHARE = 4  # of the memory, one part of so many is for examples, the others for the runs
_LARGEST = 64 << 20  # bytes of a group: larger ones are read no faster
_ROWS = 1 << 12  # rows that are read at a time: to read all at once would take their memory several times
_WORD_BYTES = 12  # a word in the stream, and in the batches for evaluation with the number of its text


def is_streamed(config: Config, folds: Sequence[Dataset], programs: Sequence[Program], placement: Placement) -> bool:
    """Whether the training examples are streamed: as asked for, or if they take more than may be used and it can be."""
    hindrance = _hindrance(config, folds, programs)
    if config.data == "stream" and hindrance:
        raise UserError(f"data: stream {hindrance}.")
    device = placement.mesh.devices.flat[0]
    splits = [split for fold in folds for split in (fold.train, fold.dev, fold.test)]
    needed = sum(
        _WORD_BYTES * len(one.inputs.words) if isinstance(one.inputs, Texts) else 4 * np.asarray(one.inputs).size
        for one in splits
    ) * (placement.mesh.size if placement.platform == "cpu" else 1)
    if config.data == "resident" and needed > (free := devices.free_bytes(device)):
        sizes = f"{io.readable(needed)} of memory, but {io.readable(free)} are free"
        raise UserError(f"data: '{folds[0].name}' takes {sizes}; data=stream reads it as it is needed.")
    if config.data is None:
        return not hindrance and needed > devices.memory_bytes(device, config.memory_limit)
    return config.data == "stream"


def _hindrance(config: Config, folds: Sequence[Dataset], programs: Sequence[Program]) -> str:
    """Why the training examples cannot be streamed; empty if they can."""
    if len(folds) > 1:
        return f"takes one split of the data, and there are {len(folds)}: give a test split, or folds=1"
    if any(program.task.batch_size == program.task.num_examples for program in programs):
        return "takes batches that are smaller than the training set; batch_size is all of it"
    if config.cluster:
        return "and a cluster do not go together: its workers hold the data set in memory"
    return "and baselines do not go together: these hold all texts in memory" if config.baselines else ""


@dataclass(frozen=True)
class Room:
    """What a group has room for: the same in all groups, so that one executable takes them."""

    steps: int
    seeds: int
    examples: int
    words: int
    batches: int

    def bytes(self, split: Split, batch_size: int) -> int:
        """The memory of a group."""
        orders = 4 * self.seeds * self.steps * batch_size
        if isinstance(split.inputs, Texts):
            return orders + 4 * self.words + 12 * self.examples
        return orders + self.examples * example_bytes(split)


def plan(program: Program, split: Split, placement: Placement, options: Options) -> tuple[Layout, "Source"]:
    """Lays out the runs of a program whose training examples are streamed, and decides what is read at a time."""
    task = program.task
    if task.batch_size == task.num_examples:
        raise UserError("batch_size: a batch that is the whole training set cannot be streamed; take a smaller one.")
    # a group is there so often: read ahead, being read, and twice on each device; a CPU's devices share one memory
    copies = _AHEAD + 1 + 2 * (placement.mesh.size if placement.platform == "cpu" else 1)
    free = devices.memory_bytes(placement.mesh.devices.flat[0], options.memory_limit) // _SHARE // copies
    most_seeds = free // (task.batch_size * (example_bytes(split) + 4))
    of_runs = layout(program, placement, options.memory_limit)
    if _num_seeds(program, of_runs) > most_seeds:
        of_runs = layout(program, placement, options.memory_limit, most_runs=max(1, most_seeds))
    room = _room(program, split, _num_seeds(program, of_runs), min(free, _LARGEST), options)
    if (needed := room.bytes(split, task.batch_size)) > _SHARE * free:
        sizes = f"take {io.readable(needed)}, and {io.readable(_SHARE * free)} are there"
        raise UserError(f"batch_size: the examples of one step of {room.seeds} runs {sizes}.")
    return of_runs, Source(split, task, room)


def _num_seeds(program: Program, of_runs: Layout) -> int:
    """The different seeds of a chunk at most."""
    return max(len(np.unique(program.seeds[chunk.start : chunk.stop])) for chunk in of_runs.chunks)


def _room(program: Program, split: Split, num_seeds: int, most: int, options: Options) -> Room:
    """As many steps of a segment, by halves, as fit into so many bytes."""
    task = program.task
    batches = max(1, min(len(_batch_starts(split)) - 1, most // (EVALUATION_BATCH * example_bytes(split))))
    steps = min(options.evaluate_every or task.steps_per_epoch, task.num_steps)
    while True:
        examples, words = min(task.num_examples, steps * task.batch_size * num_seeds), 0
        if isinstance(split.inputs, Texts):
            lengths = split.inputs.lengths
            words = int(np.partition(lengths, len(lengths) - examples)[-examples:].sum(dtype=np.int64))
        room = Room(steps, num_seeds, examples, words, batches)
        if steps == 1 or room.bytes(split, task.batch_size) <= most:
            return room
        steps = -(-steps // 2)


def example_bytes(split: Split) -> int:
    """The memory of an example in training, with its label; of a text, the mean."""
    if isinstance(split.inputs, Texts):
        return int(split.inputs.lengths.mean() * 4) + 16
    return 4 * int(np.prod(np.asarray(split.inputs).shape[1:])) + 8


def _batch_starts(split: Split) -> Sequence[int]:
    """The first example of each batch in which a split is evaluated, and the number of its examples."""
    if isinstance(split.inputs, Texts):
        widest = widest_batch([split.inputs])
        return [*texts.batch_starts(split.inputs.lengths, widest, EVALUATION_BATCH), len(split)]
    return [*range(0, len(split), min(len(split), EVALUATION_BATCH)), len(split)]


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
        return _batch_starts(self.split)

    @property
    def num_batches(self) -> int:
        """The batches that all training examples are evaluated in."""
        return len(self.batch_starts) - 1

    @property
    def padded_batches(self) -> int:
        """The same, with those that fill up the last group."""
        return -(-self.num_batches // self.room.batches) * self.room.batches

    def spans(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """The steps before and after each group of a segment."""
        return ((start, min(start + self.room.steps, last)) for start in range(first, last, self.room.steps))

    def ahead(self, seeds: np.ndarray, segments: Sequence[tuple[int, int]]) -> Iterator[Any]:
        """The groups of some segments, then those of the batches, each read by other threads before it is needed."""
        wanted: list[Callable[[], Any]] = [
            partial(self.steps, seeds, *span) for segment in segments for span in self.spans(*segment)
        ]
        wanted += [partial(self.batches, number) for number in range(0, self.num_batches, self.room.batches)]
        reading = deque(map(_READERS.submit, wanted[: _AHEAD + 1]))
        for following in [*wanted[_AHEAD + 1 :], *[None] * len(reading)]:
            yield reading.popleft().result()
            if following is not None:
                reading.append(_READERS.submit(following))

    @jax_settings.pinned()
    def steps(self, seeds: np.ndarray, first: int, last: int) -> Steps:
        """The examples of the steps from `first` to `last` of the runs of some seeds, each read once."""
        orders = np.zeros((self.room.seeds, self.room.steps * self.task.batch_size), np.int32)
        places = (last - first) * self.task.batch_size
        same_shape = np.pad(seeds, (0, self.room.seeds - len(seeds)), mode="edge")
        rows = _orders(self.task, self.room.steps)(same_shape, np.int32(first))
        distinct, where = np.unique(np.asarray(rows)[:, :places], return_inverse=True)
        orders[:, :places] = where.reshape(-1, places)
        read = self._texts if isinstance(self.split.inputs, Texts) else self._features
        return Steps(read(distinct, self.room.examples), orders)

    def batches(self, number: int) -> Examples:
        """So many batches as a group has room for, from one on, stacked; those after the last weigh nothing."""
        end = min(number + self.room.batches, self.num_batches)
        begin, stop = self.batch_starts[number], self.batch_starts[end]
        if isinstance(self.split.inputs, Texts):
            lengths, first = self.split.inputs.lengths[begin:stop], self.split.inputs.starts[begin]
            words = np.asarray(self.split.inputs.words[first : first + lengths.sum(dtype=np.int64)])
            packed = texts.pack(Texts(words, lengths), widest_batch([self.split.inputs]), EVALUATION_BATCH)
            wide = widened(packed, int(np.diff(self.batch_starts).max()))
            stacked = in_examples(wide, self.split.labels[begin:stop][wide.rows])
        else:
            size = self.batch_starts[1]
            num_places = -(-(stop - begin) // size) * size
            flat = self._features(np.arange(begin, stop), num_places)
            weights = (np.arange(num_places) < stop - begin).astype(np.float32)
            weighted = flat._replace(weights=weights)  # type: ignore[arg-type]
            stacked = jax.tree.map(lambda array: array.reshape(-1, size, *array.shape[1:]), weighted)
        return jax.tree.map(partial(padded, size=self.room.batches), stacked)

    def _features(self, rows: np.ndarray, size: int) -> Examples:
        """Some rows of features, zeros after them."""
        features = np.asarray(self.split.inputs)
        inputs = np.zeros((size, *features.shape[1:]), np.float32)
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            inputs[start : start + len(some)] = features[some]
        return Examples(inputs, padded(self.split.labels[rows].astype(np.int32), size))  # type: ignore[arg-type]

    def _texts(self, rows: np.ndarray, size: int) -> Examples:
        """Some texts as a stream, zeros after them."""
        inputs, end = self.split.inputs, 0
        assert isinstance(inputs, Texts)
        words, lengths = np.zeros(self.room.words, np.int32), padded(inputs.lengths[rows].astype(np.int32), size)
        for start in range(0, len(rows), _ROWS):
            some = inputs.take(rows[start : start + _ROWS]).words
            words[end : end + len(some)] = some
            end += len(some)
        stream = TextStream(words, (np.cumsum(lengths) - lengths).astype(np.int32), lengths)  # type: ignore[arg-type]
        return Examples(stream, padded(self.split.labels[rows].astype(np.int32), size))  # type: ignore[arg-type]


@lru_cache(maxsize=8)
def _orders(task: Task, num_steps: int) -> Any:
    """The function that gives the examples of some steps, for each of several seeds: the one of the devices."""
    return jax.jit(jax.vmap(partial(training.order_of_steps, task, num_steps=num_steps), (0, None)))


class Functions(NamedTuple):
    """The compiled functions of a program."""

    steps: Callable[..., Any]
    batches: Callable[..., Any]
    outcome: Callable[..., Any]


class Feed:
    """The segments of a chunk of runs."""

    def __init__(
        self,
        functions: Functions,
        source: Source,
        splits: DeviceFolds,
        layout: Layout,
        placement: Placement,
        segments: Sequence[tuple[int, int]],
    ) -> None:
        self._functions, self._source, self._splits = functions, source, splits
        self._layout, self._placement, self._segments = layout, placement, segments
        self._groups: Iterator[Any] | None = None
        self._places: Array | None = None

    def follow(self, seeds: np.ndarray) -> None:
        """Takes note of the seeds of the runs that have a slot; what was read ahead for others is let go of."""
        self._seeds, places = np.unique(seeds, return_inverse=True)
        self._groups = None
        self._places = jax.device_put(self._layout.place(places.astype(np.int32)), self._placement.sharded)

    def segment(self, states: TrainState, inputs: Any, first: int, last: int) -> tuple[TrainState, Outcome]:
        """The steps from `first` to `last` of the runs that have a slot, and their evaluation, as `segment_of_runs`."""
        hyperparameters, seeds, counts = inputs
        source = self._source
        if self._groups is None:
            self._groups = source.ahead(self._seeds, [one for one in self._segments if one[0] >= first])
        sums = self._zeros()
        for span in source.spans(first, last):
            group = self._next(states)
            of_runs = hyperparameters, seeds, self._places, counts
            states, sums = self._functions.steps((states, sums), *of_runs, self._splits, *group, *self._numbers(*span))
        totals = self._zeros(source.padded_batches)
        if last == source.task.num_steps:
            for number in range(0, source.num_batches, source.room.batches):
                batches = self._next(totals)
                totals = self._functions.batches(totals, states, counts, batches, *self._numbers(number))
        return self._functions.outcome(states, sums, totals, counts, self._splits, *self._numbers(last))

    def _next(self, busy: Any) -> Any:
        """The next group on the devices, when they have done with the one before: only two are there at a time."""
        assert self._groups is not None
        begin = time.perf_counter()
        group = next(self._groups)
        jax.monitoring.record_event_duration_secs(WAITING, time.perf_counter() - begin)
        placed = jax.device_put(group, self._placement.replicated)
        jax.block_until_ready((busy, placed))
        return placed

    def _zeros(self, *shape: int) -> Metrics:
        """No metrics, for each run."""
        zeros = [np.zeros((*self._layout.shape, *shape), np.float32) for _ in range(3)]
        return Metrics(*jax.device_put(zeros, self._placement.sharded))

    def _numbers(self, *numbers: int) -> Any:
        return jax.device_put(tuple(map(np.int32, numbers)), self._placement.replicated)


def lower_program(
    program: Program, layout: Layout, placed: PlacedFolds, placement: Placement, options: Options, source: Source
) -> Functions:
    """Lowers the functions of a program, to be compiled."""
    task = executables.in_lanes(program.task, layout)
    runs, shared = PartitionSpec(devices.AXIS), PartitionSpec()
    states, (hyperparameters, seeds, counts) = executables.shapes_of_runs(program, layout, placement)

    def lowered(function: Any, specs: str, *arguments: Any) -> Any:
        in_specs = tuple(runs if spec == "r" else shared for spec in specs)
        on_devices = jax.shard_map(function, mesh=placement.mesh, in_specs=in_specs, out_specs=runs, check_vma=False)
        with program.calling_guests():
            return jax.jit(on_devices, donate_argnums=0).lower(*arguments)

    def metrics(*shape: int) -> Metrics:
        leaf = jax.ShapeDtypeStruct((*layout.shape, *shape), np.float32, sharding=placement.sharded)
        return Metrics(leaf, leaf, leaf)

    def shapes(group: Any) -> Any:
        return jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=placement.replicated), group
        )

    step = jax.ShapeDtypeStruct((), np.int32, sharding=placement.replicated)
    sums, totals, folds = metrics(), metrics(source.padded_batches), placed.folds
    group, batches = shapes(source.steps(program.seeds[:1], 0, 1)), shapes(source.batches(0))
    return Functions(
        lowered(
            partial(_steps_of_runs, task),
            "rrrrrsssss",
            *((states, sums), hyperparameters, seeds, seeds, counts, folds, *group, step, step),
        ),
        lowered(partial(_batches_of_runs, task), "rrrss", totals, states, counts, batches, step),
        lowered(
            partial(_outcome_of_runs, task, options.predictions, source.num_batches),
            "rrrrss",
            *(states, sums, totals, counts, folds, step),
        ),
    )


def _steps_of_runs(
    task: Task,
    carried: tuple[TrainState, Metrics],
    hyperparameters: dict[str, Array],
    seeds: Int[Array, "blocks lanes"],
    places: Int[Array, "blocks lanes"],
    counts: Int[Array, "1"],
    splits: DeviceFolds,
    examples: Examples,
    orders: Int[Array, "seeds places"],
    first: Int[Array, ""],
    last: Int[Array, ""],
) -> tuple[TrainState, Metrics]:
    """One device's part of a group of steps."""

    def of_run(carried: tuple, hyperparameters: dict[str, Array], seed: Array, place: Array) -> tuple[tuple, tuple]:
        state = started(task, of_fold(splits, None), first, carried[0], hyperparameters, seed)
        return training.train_on(task, state, carried[1], examples, orders[place], first, last), ()

    return in_blocks(of_run, counts, carried, hyperparameters, seeds, places)[0]


def _batches_of_runs(
    task: Task,
    totals: Metrics,
    states: TrainState,
    counts: Int[Array, "1"],
    batches: Examples,
    number: Int[Array, ""],
) -> Metrics:
    """One device's part of the evaluation of some batches."""

    def of_run(totals: Metrics, state: TrainState) -> tuple[Metrics, tuple]:
        put = partial(jax.lax.dynamic_update_slice_in_dim, start_index=number, axis=0)
        return jax.tree.map(put, totals, training.evaluate_batches(task, training.judged(task, state), batches)), ()

    return in_blocks(of_run, counts, totals, states)[0]


def _outcome_of_runs(
    task: Task,
    predictions: bool,
    num_batches: int,
    states: TrainState,
    sums: Metrics,
    totals: Metrics,
    counts: Int[Array, "1"],
    splits: DeviceFolds,
    last: Int[Array, ""],
) -> tuple[TrainState, Outcome]:
    """One device's part of the end of a segment."""

    def of_run(state: TrainState, sums: Metrics, totals: Metrics) -> tuple[TrainState, Outcome]:
        of_all = jax.tree.map(lambda leaf: leaf[:num_batches], totals)
        fold = of_fold(splits, None)
        return evaluated(task, predictions, fold, last, state, sums, lambda _: training.total(of_all))

    return in_blocks(of_run, counts, states, sums, totals)

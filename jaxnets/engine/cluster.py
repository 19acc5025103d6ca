"""Sweeps on a cluster: the chunks are tasks of Ray, and what they give comes back in the order of one machine.

Ray starts the workers, sends them the tasks, and runs a task again whose worker or node has died.
"""

import io
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from types import FunctionType
from typing import Any, NamedTuple

import jax

from jaxnets import jax_settings, user_code
from jaxnets.data.dataset import Dataset
from jaxnets.engine import devices, ray_cluster, store
from jaxnets.engine.execute import Training
from jaxnets.engine.keep import Compiled, Compiling, Event, Options, Record, Records
from jaxnets.engine.layout import lanes_of
from jaxnets.engine.plan import Program
from jaxnets.engine.ray_cluster import Workers
from jaxnets.engine.store import Parts, around, code, deserialize, serialize
from jaxnets.errors import UserError

RETRIES = 10
"""How often a chunk is trained again whose worker or node has died."""

_LOOKED_AT = 1000  # tasks, of those under way


class Shared(NamedTuple):
    """What the chunks of a sweep share."""

    sweep: str
    code: str
    programs: Any
    folds: Any
    platform: str
    num_devices: int
    cache: str | None
    options: Options


@dataclass(frozen=True)
class _Sweep:
    """What this process keeps between the chunks of a sweep."""

    name: str
    programs: Sequence[Program]
    training: Training


_SWEEPS: list[_Sweep] = []
"""The one whose chunks this process trains."""


@jax_settings.pinned()
def train(shared: Shared, number: int, runs: range) -> bytes:
    """Trains a chunk."""
    sweep = _sweep(shared)
    program, training = sweep.programs[number], sweep.training
    with program.calling_guests():  # to know the size of a run is to trace its model
        _ = program.state
    records = Records(training.options.keeping, len(runs))
    for event in training.train(program, runs):
        if isinstance(event, Record):
            records.add(event)
    return serialize(records.settled())


def _sweep(shared: Shared) -> _Sweep:
    """The sweep of a chunk, taken from the object store if this process has not trained one of it yet."""
    if not _SWEEPS or _SWEEPS[0].name != shared.sweep:
        _SWEEPS[:] = [_taken(shared)]
    return _SWEEPS[0]


def _taken(shared: Shared) -> _Sweep:
    import ray

    if store.code() != shared.code:
        raise UserError("cluster: a worker has other versions of jaxnets or JAX than this process; install the same.")
    devices.configure(shared.platform, shared.num_devices if shared.platform == "cpu" else 0, shared.cache)
    placement = devices.placement(shared.num_devices)
    limit = _memory(shared)
    training = Training(ray.get(shared.folds), placement, shared.options._replace(memory_limit=limit))
    return _Sweep(shared.sweep, loaded(ray.get(shared.programs)), training)


def _memory(shared: Shared) -> float:
    """GiB for the runs of this worker: on a CPU it shares the memory with the other workers of its node."""
    limit = shared.options.memory_limit
    if shared.platform != "cpu":
        return limit
    import ray

    own = ray.get_runtime_context().get_node_id()
    cores = next((node["Resources"].get("CPU", 1) for node in ray.nodes() if node["NodeID"] == own), 1)
    return devices.memory_bytes(jax.devices()[0], limit) / 2**30 / max(1.0, cores)


def dumped(planned: Sequence[Program]) -> bytes:
    """Programs for the workers: functions and classes by their import paths, so that equal ones stay equal there."""
    from ray import cloudpickle

    class Pickler(cloudpickle.CloudPickler):
        def reducer_override(self, value: Any) -> Any:
            # a decorated function, as those of jax.nn, does not know that it can be found by its name
            is_plain = isinstance(value, type | FunctionType) or not callable(value)
            path = None if is_plain else user_code.path_of(value)
            return (user_code.load, ("cluster", path)) if path else super().reducer_override(value)

    stream = io.BytesIO()
    try:
        # what was found out by tracing is found out again
        Pickler(stream).dump([replace(program) for program in planned])
    except Exception as error:
        raise UserError(f"cluster: a part of a run cannot be sent to a worker: {user_code.described(error)}") from error
    return stream.getvalue()


def loaded(content: bytes) -> Sequence[Program]:
    """The programs that `dumped` has serialized."""
    from ray import cloudpickle

    try:
        return cloudpickle.loads(content)
    except ImportError as error:
        raise UserError(_not_there(error)) from None
    except UserError as error:
        raise UserError(f"{error} A worker of a cluster must find it: {_REMEDY}") from None


_REMEDY = "install it on each node, or start Ray where PYTHONPATH leads to it."


def _not_there(error: ImportError) -> str:
    return f"cluster: a worker finds no module '{error.name}': {_REMEDY}"


def chunk_size(program: Program, workers: Workers, num_runs: int, *, halving: bool = False) -> int:
    """How many runs of a program make a chunk.

    Smaller chunks than on one machine, so that each worker has several; a device is full nevertheless. Successive
    halving ranks the runs of a chunk, so there it is the whole program.
    """
    if halving:
        return len(program.runs)
    together = lanes_of(program, workers.platform, workers.num_devices) * workers.num_devices
    share = -(-num_runs // (workers.chunks * workers.count))
    return -(-share // together) * together


def execute(
    planned: Sequence[Program],
    folds: Sequence[Dataset],
    workers: Workers,
    options: Options,
    parts: Parts | None = None,
) -> Iterator[Event]:
    """Trains all runs of all programs on a cluster."""
    chunks = _chunks(planned, workers, options, parts)
    todo = [one for one in chunks if parts is None or parts.read(planned[one.program], one.runs) is None]
    tasks = _Tasks(planned, parts)
    try:
        tasks.submit(todo, folds, workers, options)
        yield from in_order(planned, chunks, frozenset(todo), tasks.take, parts)
    finally:
        tasks.cancel()


class Chunk(NamedTuple):
    """Some runs of a program, by its number and their places in it."""

    program: int
    runs: range


def _chunks(planned: Sequence[Program], workers: Workers, options: Options, parts: Parts | None) -> list[Chunk]:
    num_runs = sum(len(program.runs) for program in planned)
    chunks = []
    for number, program in enumerate(planned):
        size = chunk_size(program, workers, num_runs, halving=options.halving)
        cut = parts.chunks(program, size) if parts else around((), len(program.runs), size)
        chunks += [Chunk(number, runs) for runs in cut]
    return chunks


def in_order(
    planned: Sequence[Program],
    chunks: Sequence[Chunk],
    todo: Collection[Chunk],
    take: Callable[[Chunk], bytes],
    parts: Parts | None,
) -> Iterator[Event]:
    """The events of chunks as one machine would give them, whichever was finished first."""
    begun: set[int] = set()
    for chunk in chunks:
        program = planned[chunk.program]
        if chunk not in todo:
            assert parts is not None
            yield from parts.read(program, chunk.runs) or ()
            continue
        if chunk.program not in begun:
            begun.add(chunk.program)
            yield Compiling(program)
            yield Compiled(program, 0.0, anew=True)  # each worker compiles it with its first chunk
        yield from deserialize(take(chunk), program)


class _Tasks:
    """The chunks that are trained, as tasks of Ray."""

    def __init__(self, planned: Sequence[Program], parts: Parts | None) -> None:
        self._planned, self._parts = planned, parts
        self._under_way: dict[Any, Chunk] = {}
        self._finished: dict[Chunk, bytes] = {}

    def submit(self, chunks: Sequence[Chunk], folds: Sequence[Dataset], workers: Workers, options: Options) -> None:
        """Hands chunks to Ray, and before them what they share, once for all."""
        if not chunks:
            return
        remote = ray_cluster.package().remote
        task = remote(max_retries=RETRIES, retry_exceptions=False, **workers.resources())(train)
        shared = _shared(self._planned, folds, workers, options)
        self._under_way = {task.remote(shared, *chunk): chunk for chunk in chunks}

    def take(self, chunk: Chunk) -> bytes:
        """Waits for what a chunk has given; those that end before it become parts at once."""
        wait = ray_cluster.package().wait
        while chunk not in self._finished:
            for task in wait(list(islice(self._under_way, _LOOKED_AT)), num_returns=1)[0]:
                records, one = _result(task), self._under_way.pop(task)
                if self._parts is not None:
                    self._parts.write(self._planned[one.program], one.runs, records)
                self._finished[one] = records
        return self._finished.pop(chunk)

    def cancel(self) -> None:
        """Ends what is under way; a segment would not hear of it, so the workers are ended."""
        for task in self._under_way:
            ray_cluster.package().cancel(task, force=True)
        self._under_way.clear()


def _shared(planned: Sequence[Program], folds: Sequence[Dataset], workers: Workers, options: Options) -> Shared:
    put = ray_cluster.package().put
    return Shared(
        sweep=uuid.uuid4().hex,
        code=code(),
        programs=put(dumped(planned)),
        folds=put(tuple(folds)),
        platform=workers.platform,
        num_devices=workers.num_devices,
        cache=workers.cache,
        options=options,
    )


def _result(task: Any) -> bytes:
    """What a task has given."""
    errors = ray_cluster.package().exceptions
    try:
        return ray_cluster.package().get(task)
    except errors.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else error) from error
    except errors.RayError as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(
            f"cluster: a chunk of runs was not trained, though begun {RETRIES + 1} times: {reason}"
        ) from error

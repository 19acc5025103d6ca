"""Sweeps on a cluster: the chunks are tasks of Ray, and what they give comes back in the order of one machine.

Ray starts the workers, sends them the tasks, and runs a task again whose worker or node has died.
"""

import contextlib
import importlib
import os
import re
import signal
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, Protocol

from jaxnets.basics.errors import UserError
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset
from jaxnets.engine import worker
from jaxnets.engine.events import Compiled, Compiling, Event, Options
from jaxnets.engine.execute import seen
from jaxnets.engine.layout import lanes_of
from jaxnets.engine.parts import Parts, around, code, unpacked
from jaxnets.engine.program import Program
from jaxnets.engine.worker import Finished, Shared

LOCAL, AUTO = "local", "auto"
CHUNKS_PER_WORKER = 8
"""So many at least, so that all workers end at about the same time."""
RETRIES = 10
"""How often a chunk is trained again whose worker or node has died."""

_ADDRESS = re.compile(r"(ray://)?([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})")
_PATIENCE = 5.0  # seconds
_LOOKED_AT = 1000  # tasks, of those under way

_JOINED: list[tuple[str, int, int]] = []
"""What the cluster was asked for that this process has joined."""


@dataclass(frozen=True)
class Workers:
    """The workers of a cluster.

    Attributes:
      address: of the cluster; `local` for one of this machine.
      platform: of their devices: `cpu`, `gpu` or `tpu`.
      count: how many there are.
      accelerators: the GPUs, or the chips of a TPU, that each has; 0 if it has a CPU core.
      cache: their folder for compiled programs; see `jaxnets.engine.devices.configure`.
    """

    address: str
    platform: str
    count: int
    accelerators: int = 0
    cache: str | None = None

    @property
    def num_devices(self) -> int:
        """The devices of each."""
        return max(1, self.accelerators)

    def described(self) -> list[str]:
        """The workers in words."""
        each = f"{self.accelerators} × {self.platform}" if self.accelerators else "a CPU core"
        return [f"{self.count} workers of Ray {_ray().__version__} with {each} each ({self.address})"]

    def resources(self) -> dict[str, Any]:
        """What Ray sets aside for each."""
        if self.platform == "tpu":
            return {"num_cpus": 1, "resources": {"TPU": self.accelerators}}
        return {"num_cpus": 1, "num_gpus": self.accelerators}


def workers(config: Config) -> Workers | None:
    """The workers that a configuration asks for: starts Ray, or joins it, once in a process; None without a cluster.

    Raises:
      UserError: if Ray is not installed, or there is no such cluster.
    """
    if config.cluster is None:
        if config.gpus_per_worker:
            raise UserError("gpus_per_worker: it is for a cluster; give --cluster=local or an address as well.")
        return None
    if config.platform == "cpu" and config.gpus_per_worker:
        raise UserError(f"gpus_per_worker: {config.gpus_per_worker} asked for, but platform=cpu.")
    accelerators = config.gpus_per_worker or int(config.platform in ("gpu", "tpu"))
    platform = config.platform or ("gpu" if accelerators else "cpu")
    _connect(config.cluster, config.num_devices, accelerators)
    there = _count(platform, accelerators)
    if not (there or (config.num_devices and config.cluster != LOCAL)):
        later = "" if config.cluster == LOCAL else "; if nodes will join, say by --num_devices how many workers"
        raise UserError(f"cluster: none of its nodes has {_asked(platform, accelerators)}{later}.")
    count = config.num_devices or there
    return Workers(config.cluster, platform, count, accelerators, config.compilation_cache)


def _asked(platform: str, accelerators: int) -> str:
    return f"{accelerators} × {platform}" if accelerators else "a CPU core"


def _count(platform: str, accelerators: int) -> int:
    """The workers that the nodes of the cluster have room for."""
    name, each = {"cpu": ("CPU", 1), "gpu": ("GPU", accelerators), "tpu": ("TPU", accelerators)}[platform]
    return sum(int(node["Resources"].get(name, 0)) // each for node in _ray().nodes() if node["Alive"])


def _ray() -> Any:
    """The package.

    Raises:
      UserError: if it is not installed.
    """
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UserError(f'cluster: it needs Ray ({error}); pip install "jaxnets[cluster]".') from None


def _connect(address: str, num_workers: int, accelerators: int) -> None:
    """Starts a Ray of its own on this machine, or joins the one at an address, unless it is done already."""
    if address not in (LOCAL, AUTO) and not _ADDRESS.fullmatch(address):
        raise UserError(f"cluster: '{address}' is no address; give local, auto, HOST:PORT or ray://HOST:PORT.")
    ray, asked = _ray(), (address, num_workers, accelerators)
    if ray.is_initialized():
        if not _JOINED or _JOINED == [asked]:
            return
        ray.shutdown()
    if address not in (LOCAL, AUTO):
        _check_answers(address)
    of_machine = {"num_cpus": num_workers or None, "include_dashboard": False} if address == LOCAL else {}
    if address == LOCAL and accelerators and num_workers:
        of_machine["num_gpus"] = num_workers * accelerators
    _init(address, **of_machine)
    _JOINED[:] = [asked]


def _init(address: str, **of_machine: Any) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    before = signal.getsignal(signal.SIGTERM)
    try:
        _ray().init(address, log_to_driver=False, logging_level="ERROR", **of_machine)
    except (OSError, RuntimeError, ValueError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"cluster: Ray at '{address}' cannot be used: {reason}") from error
    finally:
        with contextlib.suppress(ValueError):  # in another thread than the main one, Ray has set none
            signal.signal(signal.SIGTERM, before)


def _check_answers(address: str) -> None:
    """Refuses an address where nothing answers as Ray does, by gRPC; Ray itself would ask for two minutes."""
    if os.environ.get("RAY_USE_TLS", "0") != "0":
        return
    import grpc

    with grpc.insecure_channel(address.removeprefix("ray://")) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=_PATIENCE)
        except grpc.FutureTimeoutError:
            raise UserError(f"cluster: no Ray answers at '{address}' within {_PATIENCE:.0f} seconds.") from None


def chunk_size(program: Program, workers: Workers, num_runs: int, *, halving: bool = False) -> int:
    """How many runs of a program make a chunk.

    Smaller chunks than on one machine, so that each worker has several; a device is full nevertheless. Successive halving
    ranks the runs of a chunk, so there it is the whole program.

    Args:
      program: from `plan`.
      workers: of the cluster.
      num_runs: of all programs together.
      halving: whether the worst settings are dropped on the way.
    """
    if halving:
        return len(program.runs)
    together = lanes_of(program, workers.platform, workers.num_devices) * workers.num_devices
    share = -(-num_runs // (CHUNKS_PER_WORKER * workers.count))
    return -(-share // together) * together


def execute(
    planned: Sequence[Program],
    folds: Sequence[Dataset],
    workers: Workers,
    options: Options,
    parts: Parts | None = None,
) -> Iterator[Event]:
    """Trains all runs of all programs on a cluster.

    Args:
      planned: from `plan`.
      folds: that they were planned for, or blocks; one without either.
      workers: from `workers`.
      options: how.
      parts: where finished chunks are written, and those of before are found; nowhere if None.

    Yields:
      What `jaxnets.engine.execute.execute` does, in its order: program by program, chunk by chunk.

    Raises:
      UserError: for what goes wrong in a worker and is no fault of jaxnets.
    """
    chunks = _chunks(planned, workers, options, parts)
    tasks = Tasks(planned, folds, workers, options)
    try:
        tasks.submit([one for one in chunks if parts is None or parts.read(planned[one.program], one.runs) is None])
        yield from in_order(planned, chunks, tasks, options, parts)
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


class Results(Protocol):
    """Gives what the chunks give that are trained."""

    def take(self, chunk: Chunk, parts: Parts | None) -> Finished | None:
        """Waits for a chunk; None if it is not one of those that are trained."""


def in_order(
    planned: Sequence[Program], chunks: Sequence[Chunk], results: Results, options: Options, parts: Parts | None
) -> Iterator[Event]:
    """The events of chunks as one machine would give them, whichever was finished first.

    Args:
      planned: the programs.
      chunks: in the order of one machine.
      results: of those that are trained; the others are read from the parts.
      options: how they are carried out.
      parts: of before; None if there are none.
    """
    begun: set[int] = set()
    for chunk in chunks:
        program = planned[chunk.program]
        finished = results.take(chunk, parts)
        if finished is None:
            assert parts is not None
            yield from seen(parts.read(program, chunk.runs) or (), options)
            continue
        if chunk.program not in begun:
            begun.add(chunk.program)
            yield Compiling(program)
            yield Compiled(program, finished.seconds, finished.anew)
        yield from seen(unpacked(finished.records, program), options)


class Tasks:
    """The chunks that are trained, as tasks of Ray."""

    def __init__(
        self, planned: Sequence[Program], folds: Sequence[Dataset], workers: Workers, options: Options
    ) -> None:
        self._planned, self._folds, self._workers, self._options = planned, folds, workers, options
        self._under_way: dict[Any, Chunk] = {}
        self._finished: dict[Chunk, Finished] = {}

    def submit(self, chunks: Sequence[Chunk]) -> None:
        """Hands chunks to Ray, and before them what they share, once for all."""
        if not chunks:
            return
        train = _ray().remote(max_retries=RETRIES, retry_exceptions=False, **self._workers.resources())(worker.train)
        shared = self._shared()
        self._under_way = {train.remote(shared, *chunk): chunk for chunk in chunks}

    def _shared(self) -> Shared:
        put, workers = _ray().put, self._workers
        return Shared(
            sweep=uuid.uuid4().hex,
            code=code(),
            programs=put(worker.dumped(self._planned)),
            folds=put(tuple(self._folds)),
            platform=workers.platform,
            num_devices=workers.num_devices,
            cache=workers.cache,
            options=self._options._replace(keeping=type(self._options.keeping)()),
        )

    def take(self, chunk: Chunk, parts: Parts | None) -> Finished | None:
        """Waits for a chunk; those that end before it become parts at once. None if it was not submitted."""
        while chunk not in self._finished:
            if chunk not in self._under_way.values():
                return None
            done, _ = _ray().wait(list(islice(self._under_way, _LOOKED_AT)), num_returns=1)
            for task in done:
                finished = _result(task)
                one = self._under_way.pop(task)
                if parts is not None:
                    parts.write_packed(self._planned[one.program], one.runs, finished.records)
                self._finished[one] = finished
        return self._finished.pop(chunk)

    def cancel(self) -> None:
        """Ends what is under way; a segment would not hear of it, so the workers are ended."""
        for task in self._under_way:
            _ray().cancel(task, force=True)
        self._under_way.clear()


def _result(task: Any) -> Finished:
    """What a task has given.

    Raises:
      UserError: if workers died again and again.
      Exception: what was raised in the worker.
    """
    errors = _ray().exceptions
    try:
        return _ray().get(task)
    except errors.RayTaskError as error:
        raise (error.cause if isinstance(error.cause, Exception) else error) from error
    except errors.RayError as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(
            f"cluster: a chunk of runs was not trained, though begun {RETRIES + 1} times: {reason}"
        ) from error

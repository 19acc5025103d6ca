"""A Ray cluster: started on this machine, or joined; and the workers that a sweep takes there."""

import contextlib
import importlib
import os
import re
import signal
from dataclasses import dataclass
from typing import Any

from jaxnets.config.config import Config
from jaxnets.engine.devices import num_cores
from jaxnets.errors import UserError

LOCAL, AUTO = "local", "auto"

_ADDRESS = re.compile(r"(ray://)?([\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})")
_PATIENCE = 5.0  # seconds
_ALIVE = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_JOINED: list[tuple[str, int, int]] = []
"""What the cluster was asked for that this process has joined."""


@dataclass(frozen=True)
class Workers:
    """The workers of a cluster."""

    address: str
    platform: str
    count: int
    accelerators: int = 0
    cache: str | None = None
    chunks: int = 8

    @property
    def num_devices(self) -> int:
        """The devices of each."""
        return max(1, self.accelerators)

    def described(self) -> list[str]:
        """The workers in words."""
        each = f"{self.accelerators} × {self.platform}" if self.accelerators else "a CPU core"
        return [f"{self.count} workers of Ray {package().__version__} with {each} each ({self.address})"]

    def resources(self) -> dict[str, Any]:
        """What Ray sets aside for each."""
        if self.platform == "tpu":
            return {"num_cpus": 1, "resources": {"TPU": self.accelerators}}
        return {"num_cpus": 1, "num_gpus": self.accelerators}


def workers(config: Config) -> Workers | None:
    """The workers that a configuration asks for: starts Ray, or joins it, once in a process; None without a cluster."""
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
    return sum(int(node["Resources"].get(name, 0)) // each for node in package().nodes() if node["Alive"])


def package() -> Any:
    """Ray itself."""
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise UserError(f'cluster: it needs Ray ({error}); pip install "jaxnets[cluster]".') from None


def _connect(address: str, num_workers: int, accelerators: int) -> None:
    """Starts a Ray of its own on this machine, or joins the one at an address, unless it is done already."""
    if address not in (LOCAL, AUTO) and not _ADDRESS.fullmatch(address):
        raise UserError(f"cluster: '{address}' is no address; give local, auto, HOST:PORT or ray://HOST:PORT.")
    ray, asked = package(), (address, num_workers, accelerators)
    if ray.is_initialized():
        if not _JOINED or _JOINED[0] == asked:
            return
        ray.shutdown()
    if address not in (LOCAL, AUTO):
        _check_answers(address)
    _init(address, **_of_machine(num_workers, accelerators) if address == LOCAL else {})
    _JOINED[:] = [asked]


def _of_machine(num_workers: int, accelerators: int) -> dict[str, Any]:
    """How Ray is started on this machine: with a core for each worker."""
    gpus = {"num_gpus": num_workers * accelerators} if num_workers and accelerators else {}
    return {"num_cpus": num_workers or num_cores(), "include_dashboard": False, **gpus}


def _init(address: str, **of_machine: Any) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    before = signal.getsignal(signal.SIGTERM)
    try:
        package().init(address, log_to_driver=False, logging_level="ERROR", **of_machine)
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
            channel.unary_unary(_ALIVE)(b"", timeout=_PATIENCE)
        except grpc.FutureTimeoutError:
            raise UserError(f"cluster: no Ray answers at '{address}' within {_PATIENCE:.0f} seconds.") from None
        except grpc.RpcError as error:
            _check_code(address, error.code().name)


def _check_code(address: str, code: str) -> None:
    """Refuses an address by how the question was answered whether it is the head of a cluster."""
    if code == "UNAUTHENTICATED" and os.environ.get("RAY_AUTH_MODE") != "token":
        where = "with the token of the cluster in RAY_AUTH_TOKEN or ~/.ray/auth_token"
        raise UserError(f"cluster: Ray at '{address}' asks for a token: set RAY_AUTH_MODE=token, {where}.")
    if code == "UNIMPLEMENTED" and not address.startswith("ray://"):  # a client server is not asked this
        raise UserError(f"cluster: what answers at '{address}' is not the head of a Ray cluster.")

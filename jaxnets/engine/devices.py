"""Which devices the runs are placed on, how many side by side, and how many at a time."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxnets import io
from jaxnets.errors import UserError
from jaxnets.training.state import Task

AXIS = "runs"

# XLA compiles for one device in another way than for several: it fuses otherwise, and the last bits differ. So a
# program for the CPU is always compiled for two or more devices, of which one may stay idle.
_FEWEST_PARTITIONS = 2


def configure(platform: str | None = None, num_devices: int = 0, cache: str | None = None) -> None:
    """Sets JAX up; should come before anything asks JAX for its devices.

    Where JAX was used before, its devices stay as they are: one on a CPU, unless the process has made more. A warning
    says so, once, if that leaves cores idle.

    Args:
      platform: `cpu`, `gpu` or `tpu`; the best there is if None.
      num_devices: CPU devices to make; 0 is one for each core that this process may use.
      cache: folder for compiled programs, or `off`. If None, that of JAX's own settings, where the user has set one;
        otherwise `jaxnets/xla` in the user's cache folder.

    >>> configure("cpu")
    """
    wanted = max(num_devices or num_cores(), _FEWEST_PARTITIONS)
    try:
        if platform:
            jax.config.update("jax_platforms", {"gpu": "cuda"}.get(platform, platform))
        jax.config.update("jax_num_cpu_devices", wanted)
    except RuntimeError:  # JAX was used before
        _warn_of_idle_cores(wanted)
    _configure_cache(cache)


def _warn_of_idle_cores(wanted: int) -> None:
    devices = jax.devices()
    if devices[0].platform == "cpu" and len(devices) < wanted:
        warnings.warn(
            f"JAX was used before jaxnets in this process and has {len(devices)} CPU device: a sweep takes about "
            f"{wanted} times as long as it could, and its last bits differ from those on several devices. To use all "
            "cores, call jaxnets.configure() before anything else uses JAX.",
            stacklevel=2,
        )


_CACHE: dict[str, tuple[Any, Any]] = {}
"""JAX's settings of its cache that are set here: what each was before, and is now."""
_CACHE_DEFAULTS = {
    "jax_enable_compilation_cache": True,
    "jax_compilation_cache_dir": None,
    "jax_persistent_cache_min_compile_time_secs": 1.0,
    "jax_persistent_cache_min_entry_size_bytes": 0,
}


def _configure_cache(cache: str | None) -> None:
    """Sets the cache of programs up; what the user has set of JAX's own settings stays, unless `cache` is given."""
    for name, (before, now) in _CACHE.items():
        if getattr(jax.config, name) == now:
            jax.config.update(name, before)
    _CACHE.clear()
    users = {name for name, default in _CACHE_DEFAULTS.items() if getattr(jax.config, name) != default}
    if cache is None and users & {"jax_enable_compilation_cache", "jax_compilation_cache_dir"}:
        return
    wanted: dict[str, Any] = {"jax_enable_compilation_cache": cache != "off"}
    if cache != "off":
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        wanted["jax_compilation_cache_dir"] = cache or str(home / "jaxnets" / "xla")
        least = {"jax_persistent_cache_min_compile_time_secs": 0.0, "jax_persistent_cache_min_entry_size_bytes": -1}
        wanted |= {name: value for name, value in least.items() if name not in users}
    for name, value in wanted.items():
        _CACHE[name] = getattr(jax.config, name), value
        jax.config.update(name, value)


def num_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Placement:
    """The devices that a program is compiled for, and how many of them, the first ones, have runs."""

    mesh: Mesh
    num_devices: int

    @property
    def platform(self) -> str:
        """`cpu`, `gpu` or `tpu`."""
        return self.mesh.devices.flat[0].platform

    @property
    def sharded(self) -> NamedSharding:
        """The placement of arrays whose first axis is that of the runs."""
        return NamedSharding(self.mesh, PartitionSpec(AXIS))

    @property
    def replicated(self) -> NamedSharding:
        """The placement of arrays that all runs share."""
        return NamedSharding(self.mesh, PartitionSpec())

    def described(self) -> list[str]:
        """The devices in words."""
        used = self.mesh.devices.flat[: self.num_devices]
        return [f"{device.platform}:{device.id} {device.device_kind}" for device in used]


def placement(num_devices: int = 0) -> Placement:
    """The devices along which the runs are laid out."""
    try:
        devices = jax.devices()
    except (RuntimeError, AssertionError) as error:  # JAX asserts where the platform asked for is unknown to it
        reason = str(error).splitlines()[0] if str(error) else "JAX finds no such device here"
        raise UserError(f"platform: {reason}.") from error
    on_cpu = devices[0].platform == "cpu"
    used = num_devices or (min(num_cores(), len(devices)) if on_cpu else len(devices))
    if used > len(devices):
        raise UserError(f"num_devices: {used} asked for, but there are {len(devices)} of {devices[0].platform}.")
    compiled_for = max(used, min(_FEWEST_PARTITIONS, len(devices))) if on_cpu else used
    return Placement(Mesh(np.array(devices[:compiled_for]), (AXIS,)), used)


def lanes(task: Task, num_params: int, platform: str, runs_per_device: int) -> int:
    """How many runs a device computes side by side (`vmap`); the rest follow one after another.

    On a CPU it depends on the task alone, never on how many runs there are: so a run is computed in the same way
    in every sweep, and gives the same bits.
    """
    if platform != "cpu":
        # wide batches fill an accelerator; the next power of two keeps padding small for few runs
        return min(256, 1 << max(0, runs_per_device - 1).bit_length())
    # A step of XOR's nets with 8 hidden units takes 2.9 µs one after another, most of it to call the kernels, and
    # 0.8 µs side by side. From a hidden layer of 8 units on the digits, 39,000 parameters times examples, 1 to 16
    # lanes are all alike.
    # Texts of several budgets are a loop for each, which lanes would all have to go through.
    return 64 if num_params * task.batch_size < 10_000 and len(task.budgets) < 2 else 1


def memory_bytes(device: jax.Device, limit_gib: float = 0.0) -> int:
    """The memory that runs may fill on all devices of this kind together."""
    return int(limit_gib * 2**30) if limit_gib else free_bytes(device) // 2


def free_bytes(device: jax.Device) -> int:
    """The memory that is free on a device; on a CPU, that of the machine."""
    statistics = device.memory_stats() if device.platform != "cpu" else None
    if statistics and "bytes_limit" in statistics:
        return statistics["bytes_limit"] - statistics.get("bytes_in_use", 0)
    return io.free_memory()


def chunks(num_runs: int, together: int, most_blocks: int) -> list[range]:
    """Cuts the runs into parts of equal size that fit in memory, as few as will do.

    Each part's runs are a multiple of what the devices hold side by side, but for the last.

    >>> [len(part) for part in chunks(10, 2, 2)]
    [4, 4, 2]
    """
    fitting = most_blocks * together
    num_chunks = -(-num_runs // fitting)
    size = -(-num_runs // num_chunks // together) * together
    return [range(start, min(start + size, num_runs)) for start in range(0, num_runs, size)]

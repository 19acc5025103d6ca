"""What a worker of a cluster does: it trains chunks, and keeps what they share between them.

Ray starts the workers, and runs `train` in them once for each chunk. What the chunks of a sweep share, a worker takes
from the object store at its first one.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, NamedTuple

import jax

from jaxnets import jax_settings, user_code
from jaxnets.engine import devices, store
from jaxnets.engine.events import Options, Record
from jaxnets.engine.execute import Training
from jaxnets.engine.keeping import Records
from jaxnets.engine.plan import Program
from jaxnets.engine.store import serialize
from jaxnets.errors import UserError


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

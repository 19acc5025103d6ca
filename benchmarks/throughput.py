"""How fast many runs train: against the machine's own matrix product, PyTorch, scikit-learn, and JAX by hand.

Every system is measured several times, in turn with the others, and the fastest of its times is given: the machine's
other work only ever adds to a time. The peers run in processes of their own, so that their threads are not in the way.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from absl import app, flags, logging

from benchmarks import many_runs, peers
from benchmarks.workloads import WORKLOADS, Workload

MODEL = flags.DEFINE_enum("model", "mlp", sorted(WORKLOADS), "What is trained.")
NUM_RUNS = flags.DEFINE_list("num_runs", ["2", "32", "128", "512"], "Numbers of runs in a sweep.")
SYSTEMS = [*{system: None for system, _ in peers.PEERS}, *many_runs.MODELS, "one_device"]
PEERS = flags.DEFINE_list("peers", SYSTEMS, "Other systems to measure; one_device is jaxnets on one.")
ROUNDS = flags.DEFINE_integer("rounds", 3, "How often each system is measured.", lower_bound=1)
JSON = flags.DEFINE_bool("json", False, "Print a JSON line for each row, instead of a table.")
PEER = flags.DEFINE_string(
    "peer", "", "Measure one peer only, of the first of num_runs, and print its microseconds a step."
)

INSTALL = {"torch": "pip install torch==2.13.0", "sklearn": "pip install scikit-learn"}

# Everything is measured over stretches of this many seconds. A shorter one may fall between two bursts of other work
# on the machine, a longer one may not: only rates over stretches of equal length can be compared.
STRETCH = many_runs.STRETCH


@functools.cache
def _placement(num_devices: int = 0):
    from jaxnets.engine import devices

    devices.configure(cache="off")
    return devices.placement(num_devices)


def product_gflops() -> float:
    """The best rate of a plain float32 matrix product here, by XLA on all devices or by NumPy, over several sizes."""
    return max(peers.numpy_product_gflops(STRETCH / 2), *(_xla_product_gflops(size) for size in (256, 512, 1024)))


def _xla_product_gflops(size: int) -> float:
    products, a, flops = _products(size)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < STRETCH / 2:
        products(a).block_until_ready()
        count += 1
    return count * flops / (time.perf_counter() - start) / 1e9


@functools.cache
def _products(size: int) -> tuple[Any, Any, float]:
    """A compiled function that multiplies matrices of a size on all devices, its argument, and its FLOPs."""
    import jax
    import jax.numpy as jnp

    placement = _placement()
    repeats = max(1, 2 * 10**9 // (2 * size**3))

    def products(a):
        return jax.lax.fori_loop(0, repeats, lambda _, c: (c @ a[0]) * 1e-3, a[0])[None]

    runs = placement.sharded.spec
    compiled = jax.jit(jax.shard_map(products, mesh=placement.mesh, in_specs=runs, out_specs=runs, check_vma=False))
    a = jax.device_put(jnp.ones((placement.mesh.size, size, size)), placement.sharded)
    return compiled, compiled(a), 2.0 * size**3 * repeats * placement.num_devices


def sweep_times(
    workload: Workload, num_runs: int, stretches: int = many_runs.STRETCHES, num_devices: int = 0
) -> tuple[float, float, int]:
    """Trains a sweep by jaxnets, on all devices or the first ones.

    Returns:
      Microseconds per step and run, over the fastest stretch; seconds of compilation; programs.
    """
    from jaxnets import data
    from jaxnets.config.config import Config
    from jaxnets.engine.execute import execute
    from jaxnets.engine.keep import Compiled, Options, Record
    from jaxnets.engine.plan import plan, resolve
    from jaxnets.engine.table import runs

    config = Config(**workload.values, num_seeds=num_runs, num_steps=10_000_000)
    dataset = data.load(config.dataset)
    programs = plan([resolve(run, dataset) for run in runs(config)], dataset)
    steps_per_epoch = programs[0].task.steps_per_epoch
    # whole epochs, about four segments to a stretch
    epochs = max(1, round(STRETCH / 4 / (num_runs * workload.flops / 150e9 * steps_per_epoch)))
    compile_seconds, rates, seconds, steps = 0.0, [], 0.0, 0
    for event in execute(programs, (dataset,), _placement(num_devices), Options(epochs * steps_per_epoch)):
        if isinstance(event, Compiled):
            compile_seconds += event.seconds
        if isinstance(event, Record) and event.first_step > 0:
            seconds, steps = seconds + event.seconds, steps + event.step - event.first_step
            if seconds * num_runs >= STRETCH:
                rates.append(seconds / steps * 1e6)
                seconds, steps = 0.0, 0
            if len(rates) == stretches:
                break
    return min(rates), compile_seconds, len(programs)


def grid_programs() -> tuple[int, int]:
    """Runs and compiled programs of 3 optimizers, 9 learning rates, 4 initializers and 8 seeds, counted in JAX."""
    import jax

    from jaxnets import data
    from jaxnets.config.config import Config
    from jaxnets.config.values import log_range
    from jaxnets.engine.execute import execute
    from jaxnets.engine.plan import plan, resolve
    from jaxnets.engine.table import runs

    compilations = []

    def count(event: str, duration: float, **_: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compilations.append(duration)

    jax.monitoring.register_event_duration_secs_listener(count)
    config = Config(**WORKLOADS["mlp"].values).changed(
        optimizer=["sgd", "momentum", "adam"],
        learning_rate=log_range(1e-4, 1, 9),
        initializer=["he", "xavier", "pytorch", "zeros"],
        num_seeds=8,
        num_steps=23,
    )
    dataset = data.load(config.dataset)
    table = [resolve(run, dataset) for run in runs(config)]
    for _ in execute(plan(table, dataset), (dataset,), _placement()):
        pass
    return len(table), len(compilations)


def counts(system: str, model: str, num_runs: list[int]) -> list[int]:
    """The numbers of runs that a system is measured with: one, or those of the sweeps; none without such a model."""
    if (system, model) in peers.PEERS:
        return [1]
    return num_runs if system == "one_device" or model in many_runs.MODELS.get(system, ()) else []


def peer_time(system: str, model: str, num_runs: int = 1) -> float | None:
    """A system's microseconds per step and run; None if it is not installed.

    Peers are measured in processes of their own.
    """
    if system == "one_device":
        return sweep_times(WORKLOADS[model], num_runs, num_devices=1)[0]
    module = system.partition("_")[0]
    if importlib.util.find_spec(module) is None:
        print(f"{system} is not installed and is left out; to measure it: {INSTALL[module]}", file=sys.stderr)
        return None
    command = [sys.executable, "-m", "benchmarks.throughput", f"--peer={system}", f"--model={model}"]
    command.append(f"--num_runs={num_runs}")
    # PyTorch's threads wait for each other in busy loops: where a core is not theirs alone, one thread may be faster
    settings = ("1", "") if module == "torch" and system != "torch_cores" else ("",)
    return min(_peer_time(command, threads) for threads in settings)


def _peer_time(command: list[str], threads: str) -> float:
    environment = {**os.environ, **({"OMP_NUM_THREADS": threads} if threads else {})}
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return float(ran.stdout.split()[-1])


Sweep = tuple[float, float, int]
Times = dict[tuple[str, int], list[float]]


def rows(model: str, num_runs: list[int], systems: list[str], rounds: int) -> Iterator[dict[str, Any]]:
    """The rows of the benchmark: each system's fastest time over the rounds, beside that of jaxnets."""
    products, sweeps, times = _measured(model, num_runs, systems, rounds)
    product, ours = max(products), {count: min(one[0] for one in found) for count, found in sweeps.items()}
    for (system, count), found in times.items():
        # with a peer that trains one run at a time the slowest sweep is compared
        ratio = min(found) / ours.get(count, max(ours.values()))
        yield _row(system, model, count, min(found), product) | {"jaxnets_is_times_as_fast": round(ratio, 2)}
    for count, us in ours.items():
        row = _row("jaxnets", model, count, us, product)
        yield row | {"compile_seconds": round(sweeps[count][0][1], 2), "programs": sweeps[count][0][2]}


def _measured(
    model: str, num_runs: list[int], systems: list[str], rounds: int
) -> tuple[list[float], dict[int, list[Sweep]], Times]:
    """What each round measures: the matrix product, the sweeps, and each peer in turn."""
    products: list[float] = []
    times: Times = {(system, count): [] for system in systems for count in counts(system, model, num_runs)}
    sweeps: dict[int, list[Sweep]] = {count: [] for count in num_runs}
    for _ in range(rounds):
        for count, found in sweeps.items():
            products.append(product_gflops())
            found.append(sweep_times(WORKLOADS[model], count))
        for (system, count), of_peer in list(times.items()):
            measured = peer_time(system, model, count)
            if measured is None:
                del times[system, count]
            else:
                of_peer.append(measured)
    return products, sweeps, times


def _row(system: str, model: str, count: int, us: float, product: float) -> dict[str, Any]:
    flops = WORKLOADS[model].flops
    return {
        "system": system,
        "model": model,
        "num_runs": count,
        "us_per_step_per_run": round(us, 2),
        "gflops": round(flops / us / 1e3, 1),
        "gemm_gflops": round(product, 1),
        "jaxnets_is_times_as_fast": None,
        "compile_seconds": None,
        "programs": None,
    }


def _print_peer(system: str, model: str, num_runs: int) -> None:
    if (system, model) in peers.PEERS:
        print(peers.PEERS[system, model](10 if model == "text_cnn" else 20))
    else:
        print(many_runs.microseconds(system, model, num_runs))


def main(_: list[str]) -> None:
    """Prints the rows."""
    logging.set_verbosity(logging.WARNING)
    if PEER.value:
        _print_peer(PEER.value, MODEL.value, int(NUM_RUNS.value[0]))
        return
    measured = rows(MODEL.value, [int(count) for count in NUM_RUNS.value], PEERS.value, ROUNDS.value)
    header = "{:<15}{:<10}{:>9}{:>21}{:>8}{:>13}{:>26}{:>17}{:>10}"
    for number, row in enumerate(measured):
        if JSON.value:
            print(json.dumps(row), flush=True)
            continue
        if number == 0:
            print(header.format(*row))
        print(header.format(*("-" if value is None else value for value in row.values())), flush=True)
    if MODEL.value == "mlp":
        count, programs = grid_programs()
        grid = {"system": "jaxnets grid", "model": "mlp", "num_runs": count, "programs": programs}
        print(json.dumps(grid) if JSON.value else f"{count} runs of 3 optimizers: {programs} programs compiled")


if __name__ == "__main__":
    app.run(main)

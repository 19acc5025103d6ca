"""What a cluster costs, and what it gives: Ray's workers on this machine against its own devices.

Both train the same runs in turn, several times, so that the machine's other work is in the way of both; what is
compiled is compiled before.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from absl import app, flags, logging


def _prepared(**values: Any) -> Any:
    """The main job's sweep, and the seconds until its workers were there."""
    from jaxnets.config.config import Config
    from jaxnets.config.values import log_range
    from jaxnets.engine import ray_cluster
    from jaxnets.engine.sweep import configure, prepare

    config = Config(
        optimizer=["sgd", "momentum", "adam"],
        learning_rate=log_range(1e-4, 1, 9),
        cluster="local",
        num_devices=WORKERS.value,
        **values,
    )
    configure(config)
    start = time.perf_counter()
    ray_cluster.workers(config)
    return prepare(config), time.perf_counter() - start


def _seconds(events: Any) -> float:
    """The seconds that a sweep takes."""
    start = time.perf_counter()
    for _ in events:
        pass
    return time.perf_counter() - start


def _on_devices(sweep: Any) -> float:
    from jaxnets.engine.execute import execute

    return _seconds(execute(sweep.programs, sweep.folds, sweep.placement, sweep.options))


def _on_workers(sweep: Any, **changed: Any) -> float:
    from jaxnets.engine import cluster

    workers = replace(sweep.workers, **changed)
    return _seconds(cluster.execute(sweep.programs, sweep.folds, workers, sweep.options))


def num_chunks(sweep: Any, chunks: int) -> int:
    """How many chunks a sweep has, if each worker has so many at least."""
    from jaxnets.engine.cluster import chunk_size

    workers = replace(sweep.workers, chunks=chunks)
    sizes = [chunk_size(program, workers, len(sweep.table)) for program in sweep.programs]
    return sum(-(-len(program.runs) // size) for program, size in zip(sweep.programs, sizes, strict=True))


def overhead(counts: Sequence[int], seconds: Sequence[float]) -> float:
    """What a chunk more costs a worker, in seconds: the slope of a line through the times.

    Args:
      counts: chunks of each worker.
      seconds: that the same runs take in so many.

    >>> overhead([1, 2, 3], [5.0, 5.5, 6.0])
    0.5
    """
    return float(np.polyfit(counts, seconds, 1)[0].round(6))


def measured() -> dict[str, Any]:
    """All that is measured, by name."""
    sweep, start = _prepared(num_seeds=NUM_SEEDS.value, num_epochs=NUM_EPOCHS.value)
    first = _on_workers(sweep)
    _on_devices(sweep)
    times = [(_on_devices(sweep), _on_workers(sweep)) for _ in range(ROUNDS.value)]
    devices, workers = (min(one) for one in zip(*times, strict=True))
    ratios = [of_devices / of_workers for of_devices, of_workers in times]
    short, _ = _prepared(num_seeds=NUM_SEEDS.value, num_epochs=1)
    counts = [num_chunks(short, int(chunks)) for chunks in CHUNKS.value]
    of_chunks = [min(_on_workers(short, chunks=int(one)) for _ in range(ROUNDS.value + 1)) for one in CHUNKS.value]
    per_chunk = overhead([count / WORKERS.value for count in counts], of_chunks)
    return {
        "runs": len(sweep.table),
        "steps of a run": sweep.programs[0].task.num_steps,
        "workers": WORKERS.value,
        "start of Ray (s)": round(start, 1),
        "first sweep, with imports and compilation (s)": round(first, 1),
        "devices, runs/s": round(len(sweep.table) / devices, 1),
        "workers, runs/s": round(len(sweep.table) / workers, 1),
        "workers / devices, median of the rounds": round(float(np.median(ratios)), 2),
        "rounds": [round(ratio, 2) for ratio in ratios],
        "chunks": counts,
        "of one epoch (s)": [round(seconds, 2) for seconds in of_chunks],
        "overhead of a chunk (ms)": round(per_chunk * 1e3, 1),
    }


def main(_: list[str]) -> None:
    """Prints what was measured."""
    logging.set_verbosity(logging.WARNING)
    found = measured()
    if JSON.value:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:<48}{value}", flush=True)


if __name__ == "__main__":  # its flags have the names of those of other benchmarks
    WORKERS = flags.DEFINE_integer("workers", 2, "Workers of the cluster, and devices without one.", lower_bound=1)
    NUM_SEEDS = flags.DEFINE_integer("num_seeds", 8, "Seeds; there are 27 runs for each.", lower_bound=1)
    NUM_EPOCHS = flags.DEFINE_integer("num_epochs", 30, "Passes over the digits.", lower_bound=1)
    ROUNDS = flags.DEFINE_integer("rounds", 3, "How often each is measured.", lower_bound=1)
    CHUNKS = flags.DEFINE_list("chunks", ["1", "8", "32"], "Chunks of each worker, to measure what a chunk costs.")
    JSON = flags.DEFINE_bool("json", False, "Print a line of JSON instead of a table.")
    app.run(main)

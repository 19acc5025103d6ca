"""Data that are larger than the memory: whether they train under a limit that the system enforces, and how fast.

Sets of features are made in a temporary folder. A small one is trained resident and streamed, the large
one in a process whose private memory is limited by `RLIMIT_DATA`, as `ulimit -d` does. Nothing says that it is to be
streamed: that is decided from the sizes. The peak is that of the process's anonymous memory, less what JAX takes for a
single sum.
"""

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

GIB = flags.DEFINE_float("gib", 2.0, "The size of the large set.")
LIMIT = flags.DEFINE_float("limit", 1.0, "GiB of memory that a process with a large set has.")
FOLDER = flags.DEFINE_string("folder", "", "Where the sets are made; in the folder for temporary files if empty.")
CHILD = flags.DEFINE_string("child", "", "Train on this set only, and print what was measured.")
DATA = flags.DEFINE_string("data", "", "resident or stream; chosen by the sizes if empty.")

_NUM_FEATURES, _NUM_CLASSES = 1024, 10
_SMALL = 8  # the small set is an eighth of the large one
_HELD_OUT = 2048
SWEEP: dict[str, Any] = {"model": "mlp", "hidden_units": (128,), "batch_size": 256}
SWEEP |= {"learning_rate": [0.001, 0.003], "num_epochs": 1, "progress": False}


def make_features(folder: Path, num_bytes: int) -> None:
    """Writes Gaussian clusters, some of them near each other, as .npy files."""
    means = np.random.default_rng(0).standard_normal((_NUM_CLASSES, _NUM_FEATURES), np.float32) / 10
    sizes = {"train": num_bytes // (4 * _NUM_FEATURES), "dev": _HELD_OUT, "test": _HELD_OUT}
    for seed, (split, size) in enumerate(sizes.items()):
        generator = np.random.default_rng(seed + 1)
        labels = generator.integers(0, _NUM_CLASSES, size)
        shape = size, _NUM_FEATURES
        inputs = np.lib.format.open_memmap(folder / f"{split}_inputs.npy", "w+", np.float32, shape)
        for start in range(0, size, 4096):
            rows = labels[start : start + 4096]
            inputs[start : start + 4096] = means[rows] + generator.standard_normal(
                (len(rows), _NUM_FEATURES), np.float32
            )
        inputs.flush()
        np.save(folder / f"{split}_labels.npy", labels)


class Peak(threading.Thread):
    """Looks at the anonymous memory of this process all the time."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0

    def run(self) -> None:
        """Until the process ends."""
        while True:
            self.most = max(self.most, anonymous())
            time.sleep(0.01)


def anonymous() -> int:
    """The bytes of this process that are not those of files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def child(folder: Path, data: str | None) -> dict[str, Any]:
    """Trains on a set in this process."""
    peak = Peak()
    peak.start()
    import jax
    import jax.numpy as jnp

    import jaxnets
    from jaxnets.engine.stream import WAITING

    jaxnets.configure("cpu")
    jnp.ones(2).sum().block_until_ready()
    idle, waits, begin = anonymous(), [0.0], time.perf_counter()
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, seconds, **_: waits.append(seconds) if event == WAITING else None
    )
    trained = jaxnets.sweep(dataset=f"{folder}/", data=data, **SWEEP)
    (program,), seconds = trained.programs, trained.runs["seconds"].sum()
    return {
        "set": folder.name,
        "gib": round(sum(file.stat().st_size for file in folder.iterdir()) / 2**30, 2),
        "streamed": len(waits) > 1,
        "peak_mib": (peak.most - idle) // 2**20,
        "idle_mib": idle // 2**20,
        "examples_per_second": round(len(program.runs) * program.task.num_examples / seconds),
        "waiting": round(sum(waits) / seconds, 4),
        "seconds": round(time.perf_counter() - begin),
        "test_accuracy": round(float(trained.runs["test_accuracy"].max()), 4),
    }


def measured(folder: Path, data: str = "", limit: float = 0.0) -> dict[str, Any]:
    """What a process of its own measures, perhaps under a limit of so many GiB."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit * 2**30), int(limit * 2**30)))

    command = [sys.executable, "-m", "benchmarks.streaming", f"--child={folder}", f"--data={data}"]
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limited if limit else None, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["killed"]
        return {"set": folder.name, "limit_gib": limit, "data": data, "failed": lines[-1][:200]}
    return {**json.loads(done.stdout.splitlines()[-1]), "limit_gib": limit}


def made(parent: Path, name: str, num_bytes: int) -> Path:
    """A set in a folder of its own; one that is there is taken as it is."""
    folder = parent / f"features-{name}"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        make_features(folder, num_bytes)
    return folder


def main(argv: list[str]) -> None:
    """Prints a JSON line for each measurement."""
    if CHILD.value:
        print(json.dumps(child(Path(CHILD.value), DATA.value or None)))
        return
    parent = Path(FOLDER.value or tempfile.mkdtemp(prefix="jaxnets-streaming-"))
    try:
        num_bytes = int(GIB.value * 2**30)
        small, large = made(parent, "small", num_bytes // _SMALL), made(parent, "large", num_bytes)
        for data in ("resident", "stream"):
            print(json.dumps(measured(small, data)), flush=True)
        for data in ("resident", ""):
            print(json.dumps(measured(large, data, LIMIT.value)), flush=True)
    finally:
        if not FOLDER.value:
            shutil.rmtree(parent, ignore_errors=True)


if __name__ == "__main__":
    app.run(main)

"""Whole reviews: how soon jaxnets and fastText reach an accuracy, and how fast texts are loaded.

It takes a folder with `train` and `test`, such as the 50,000 IMDB reviews of Maas et al. (2011).
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import app, flags

from benchmarks import text_peers

DATA = flags.DEFINE_string("data", None, "A folder of texts with train and test.", required=True)
WORK = flags.DEFINE_list("work", ["loading", "accuracy"], "What is measured.")
GOAL = flags.DEFINE_float("goal", 0.88, "The test accuracy to be reached.")
SWEEP_SIZE = flags.DEFINE_integer("sweep_size", 8, "Runs of the sweep that is measured.")
MAX_EPOCHS = flags.DEFINE_integer("max_epochs", 8, "Passes over the data that a system may take at most.")

# A DAN without a hidden layer is fastText's own model; its first passes are its best.
SETTING = {
    "model": "dan",
    "embedding_dim": 100,
    "hidden_units": (),
    "vector_range": 0.05,
    "optimizer": "adam",
    "learning_rate": 0.005,
    "batch_size": 100,
}


def load_once(data: str) -> dict[str, Any]:
    """Loads the data set in this process: seconds, and the most memory that the process has held, in GB."""
    from jaxnets import data as sets

    start = time.perf_counter()
    folds = sets.load_folds(data)
    seconds = time.perf_counter() - start
    texts = sum(len(split) for split in (folds[0].train, folds[0].dev, folds[0].test))
    return {"texts": texts, "seconds": round(seconds, 2), "peak_gb": round(peak_bytes() / 1e9, 2)}


def peak_bytes() -> int:
    """The most memory that this program has held; `getrusage` would count the process that started it as well."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def loading_rows(data: str) -> Iterator[dict[str, Any]]:
    """Loading, tokenizing and encoding with an empty cache, and again."""
    with tempfile.TemporaryDirectory() as cache:
        for work in ("first start", "second start"):
            program = "import sys, json; from benchmarks import texts; print(json.dumps(texts.load_once(sys.argv[1])))"
            command = ["env", f"XDG_CACHE_HOME={cache}", sys.executable, "-c", program, data]
            ran = subprocess.run(command, check=True, capture_output=True, text=True)
            yield {"system": "jaxnets", "work": work, **json.loads(ran.stdout)}


def accuracy_rows(data: str, goal: float, num_runs: int, max_epochs: int) -> Iterator[dict[str, Any]]:
    """The fewest passes with which each system reaches the accuracy, and the seconds that they take."""
    for system, train in (("fasttext", _fasttext), ("jaxnets", _sweep)):
        for epochs in range(1, max_epochs + 1):
            seconds, accuracy = train(data, epochs, num_runs)
            if accuracy >= goal or epochs == max_epochs:
                break
        yield {
            "system": system,
            "work": f"test accuracy {goal}",
            "num_runs": num_runs if system == "jaxnets" else 1,
            "epochs": epochs,
            "accuracy": round(accuracy, 4),
            "seconds_per_run": round(seconds, 2),
        }


def _fasttext(data: str, epochs: int, num_runs: int) -> tuple[float, float]:
    """FastText's seconds and accuracy, on the words that jaxnets trains on."""
    from jaxnets import data as sets
    from jaxnets.data.texts import Texts

    fold = sets.load_folds(data)[0]

    def lines(split: Any) -> list[str]:
        assert isinstance(split.inputs, Texts)
        return [fold.decode(split.inputs[row]) for row in range(len(split))]

    train, test = lines(fold.train), lines(fold.test)
    return text_peers.fasttext_train(train, fold.train.labels, test, fold.test.labels, epochs=epochs)


def _sweep(data: str, epochs: int, num_runs: int) -> tuple[float, float]:
    """Seconds per run of a sweep that differs in its seeds, evaluated at its end, and the least of their accuracies."""
    from jaxnets import data as sets
    from jaxnets.config.config import Config
    from jaxnets.engine import devices, results
    from jaxnets.engine.execute import execute
    from jaxnets.engine.keep import Options, Record
    from jaxnets.engine.plan import plan, resolve
    from jaxnets.engine.table import runs

    devices.configure()
    folds = sets.load_folds(data)
    config = Config(**SETTING, num_epochs=epochs, num_seeds=num_runs)
    table = [resolve(run, folds[0]) for run in runs(config)]
    programs = plan(table, folds[0])
    events = execute(programs, folds, devices.placement(), Options(evaluate_every=10**9))
    records = [event for event in events if isinstance(event, Record)]
    ended = results.runs_table(results.hyperparameters(table), records)
    return float(ended["seconds"].mean()), float(ended["test_accuracy"].min())


def main(_: list[str]) -> None:
    """Prints a JSON line for each row."""
    works = {
        "loading": lambda: loading_rows(DATA.value),
        "accuracy": lambda: accuracy_rows(DATA.value, GOAL.value, SWEEP_SIZE.value, MAX_EPOCHS.value),
    }
    data = Path(DATA.value)
    if not data.is_dir():
        print(f"error: --data: there is no folder '{data}'.", file=sys.stderr)
        sys.exit(2)
    for work in WORK.value:
        for row in works[work]():
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    app.run(main)

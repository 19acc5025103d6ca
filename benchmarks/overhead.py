"""What a sweep costs beside its steps: checkpoints, tables, progress and the run directory, against the bare engine.

    python -m benchmarks.overhead --model=mlp --num_runs=32

Both train the same runs with the same evaluations, with compiled programs, in turn; the fastest of each counts.
"""

import argparse
import contextlib
import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from benchmarks.workloads import WORKLOADS
from jaxnets.config.config import Config
from jaxnets.engine import devices
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import KEEP_NONE, Record
from jaxnets.engine.sweep import Sweep, prepare
from jaxnets.runs import directory as run_directory
from jaxnets.runs import train


def bare_seconds(sweep: Sweep) -> float:
    """Seconds from the first step to the last record, of which nothing is kept."""
    start, options = time.perf_counter(), sweep.options._replace(keeping=KEEP_NONE)
    for event in execute(sweep.programs, sweep.folds, sweep.placement, options):
        if not isinstance(event, Record):
            start = time.perf_counter()
    return time.perf_counter() - start


def whole_seconds(sweep: Sweep) -> float:
    """Seconds of the same with all that a sweep does: progress on a console, parts, tables and checkpoints on disk."""
    console = Console(file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as held:
        config = sweep.config.changed(output=str(Path(folder) / "run"))
        # whoever keeps the best remembers it: each sweep has its own
        sweep = replace(sweep, options=sweep.options._replace(keeping=type(sweep.options.keeping)()))
        start = time.perf_counter()
        directory = run_directory.begin("sweep", config, held, sweep.notes, sweep.folds)
        train.carry_out(sweep, directory, console)
        return time.perf_counter() - start


def measure(config: Config, rounds: int) -> tuple[float, float]:
    """The fewest seconds of the bare engine and of a whole sweep, in turn."""
    sweep = prepare(config)
    bare_seconds(sweep)  # compiles
    both = [(bare_seconds(sweep), whole_seconds(sweep)) for _ in range(rounds)]
    bare, whole = (min(seconds) for seconds in zip(*both, strict=True))
    return bare, whole


def main() -> None:
    """Prints the seconds of both, and what the sweep takes more."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(WORKLOADS), default="mlp")
    parser.add_argument("--num_runs", type=int, default=32)
    parser.add_argument("--num_epochs", type=float, default=100.0)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    devices.configure(cache="off")
    values = {**WORKLOADS[given.model].values, "num_seeds": given.num_runs, "num_epochs": given.num_epochs}
    bare, whole = measure(Config(**values, keep="best"), given.rounds)
    print(f"{given.num_runs} runs of {given.model}: {bare:.2f} s bare, {whole:.2f} s whole, {whole / bare - 1:+.1%}")


if __name__ == "__main__":
    main()

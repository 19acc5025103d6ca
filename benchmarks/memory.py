"""The memory of a sweep of many runs beside one of few; and the tables of one that was killed twice.

The runs are of `xor`, in processes of their own: a short sweep, a long one, and the long one again, killed as soon as
it has left a checkpoint, killed once more later, and resumed.
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from absl import app, flags, logging

from jaxnets import io

_INITIALIZERS = 3  # each seed is a run of each
_SWEEP = ("--hidden_units=8", "--activation=tanh", "--evaluate_every=500", "--checkpoint_every=1")
_KILLS = 5.0, 12.0  # seconds, at the least


class Followed(NamedTuple):
    """A process that has ended.

    Attributes:
      seconds: since its start, at each look.
      mib: its resident memory then.
      status: of its end; -9 if it was killed.
    """

    seconds: list[float]
    mib: list[float]
    status: int


def sweep(output: Path, num_runs: int, num_steps: int, kill_after: float = 0.0) -> Followed:
    """Trains so many runs, or goes on; after some seconds and a checkpoint of its own it may be killed."""
    values = f"--num_seeds={num_runs // _INITIALIZERS}", f"--num_steps={num_steps}", f"--output={output}"
    command = [sys.executable, "run.py", "xor", *_SWEEP, *values]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begin, followed = time.time(), Followed([], [], 0)
    while process.poll() is None:
        now = time.time() - begin
        if resident := _resident(process.pid):
            followed.seconds.append(now)
            followed.mib.append(resident)
        if kill_after and now > kill_after and _checkpoint_since(output, begin):
            process.send_signal(signal.SIGKILL)
            process.wait()
        time.sleep(0.1)
    return followed._replace(status=process.returncode)


def _resident(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))
    except (OSError, StopIteration):  # it has just ended
        return 0.0


def _checkpoint_since(output: Path, begin: float) -> bool:
    return any(path.stat().st_mtime > begin for path in output.glob(f"parts/*.begun/*/{io.CHECKSUMS}"))


def equal(one: Path, other: Path) -> bool:
    """Whether two run directories hold the same tables, to the last bit but for the seconds."""
    tables = [
        [
            pd.read_parquet(folder / f"{name}.parquet").drop(columns="seconds", errors="ignore")
            for folder in (one, other)
        ]
        for name in ("runs", "curves")
    ]
    return all(left.equals(right) for left, right in tables)


def main(_: list[str]) -> None:
    """Prints the table, and draws the figure."""
    logging.set_verbosity(logging.WARNING)
    many, few, steps = NUM_RUNS.value, 100, NUM_STEPS.value
    with tempfile.TemporaryDirectory() as folder:
        whole, cut = Path(folder) / "whole", Path(folder) / "cut"
        followed = {
            f"{few} runs": sweep(Path(folder) / "few", few, steps),
            f"{many:,} runs": sweep(whole, many, steps),
            "killed": sweep(cut, many, steps, _KILLS[0]),
            "resumed, killed": sweep(cut, many, steps, _KILLS[1]),
            "resumed": sweep(cut, many, steps),
        }
        same = equal(whole, cut)
    print("| sweep | status | seconds | peak, MiB |\n| --- | ---: | ---: | ---: |")
    for name, one in followed.items():
        print(f"| {name} | {one.status} | {one.seconds[-1]:.0f} | {max(one.mib):.0f} |")
    print(f"The tables of the resumed sweep are {'equal to' if same else 'OTHER than'} those of the uninterrupted one.")
    if FIGURE.value:
        draw(followed, Path(FIGURE.value))
    sys.exit(int(not same))


def draw(followed: dict[str, Followed], path: Path) -> None:
    """The memory over the time."""
    from jaxnets.report import figures

    parts = [pd.DataFrame({"seconds": one.seconds, "mib": one.mib, "run": name}) for name, one in followed.items()]
    figure = figures.lines(pd.concat(parts), "seconds", "mib", "run", markers=False, ylabel="resident memory, MiB")
    figures.save(figure, path.parent, path.stem)


if __name__ == "__main__":
    NUM_RUNS = flags.DEFINE_integer("num_runs", 10_002, "Runs of the long sweep.", lower_bound=_INITIALIZERS)
    NUM_STEPS = flags.DEFINE_integer("num_steps", 10_000, "Steps of each run.", lower_bound=1)
    FIGURE = flags.DEFINE_string("figure", "", "A file for the figure; none is drawn if empty.")
    app.run(main)

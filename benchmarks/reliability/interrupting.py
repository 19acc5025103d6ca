"""Rows of faults that end a command: kills, a full disk, a folder that cannot be written."""

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.reliability import processes
from benchmarks.reliability.bench import Bench, spread
from benchmarks.reliability.commands import Ended
from benchmarks.reliability.injections import CHANGES, FULL, MAKING, READ_ONLY, failing
from jaxnets.runs import directory as run_directory

RANDOM_KILLS = 17
"""For each command."""
_OFTEN = "--checkpoint_every=0.01"
"""Chunks leave a checkpoint as soon as they can."""


def killed_at_each_change(bench: Bench) -> Iterator[str]:
    """Every state of the files that a kill can leave: the same command goes on."""
    for place in bench.states():
        problem = bench.again()
        yield problem and f"{place}: {problem}"


def killed_at_random(bench: Bench) -> Iterator[str]:
    """Real processes with checkpoints, killed at random moments and given again, until one comes to its end."""
    count = max(1, round(RANDOM_KILLS * bench.share))
    bench.clear()
    longest = processes.duration([*bench.words, _OFTEN], bench.scratch.parent)
    while count:
        bench.clear()
        moments: list[float] = []
        while (problem := _kill(bench, moments, longest, may_kill=bool(count))) is None:
            count -= 1
            yield ""
        if problem := problem or _difference(bench):
            yield f"after kills at {moments} s: {problem}"


def _kill(bench: Bench, moments: list[float], longest: float, *, may_kill: bool) -> str | None:
    """Kills the command at a random moment: None, or what is wrong where it came to its end before."""
    started = processes.Started([*bench.words, _OFTEN], bench.scratch.parent)
    if may_kill:
        moments.append(round(bench.generator.uniform(0.0, longest), 3))
        started.process.join(moments[-1])
        started.process.kill()
    ended = started.ended()
    if ended.status == -9:
        return None
    return "" if ended.status == 0 or ended.refusal else ended.told()


def _difference(bench: Bench) -> str:
    from benchmarks.reliability.commands import different

    return different(bench.whole, bench.content())


def full_at_each_write(bench: Bench) -> Iterator[str]:
    """A disk that is full from a write on, for each: one line, and with space again the same command goes on."""
    yield from _failing_from_each(bench, FULL, MAKING, "no space left on the device")


def read_only_at_each_change(bench: Bench) -> Iterator[str]:
    """A folder in which nothing can be changed from a moment on, for each."""
    yield from _failing_from_each(bench, READ_ONLY, CHANGES, "Read-only file system")


def _failing_from_each(bench: Bench, number: int, events: tuple[str, ...], told: str) -> Iterator[str]:
    bench.clear()
    most = bench.run(failing(number, 1 << 30), events).changes
    for first in spread(list(range(1, most + 1)), bench.share):
        bench.clear()
        ended = bench.run(failing(number, first), events)
        problem = _ended_well(bench, ended, told) or bench.again()
        yield problem and f"from change {first} on: {problem}"


def _ended_well(bench: Bench, ended: Ended, told: str) -> str:
    """What is wrong with how a command ended whose files could not be written."""
    if told in ended.refusal:
        return ""
    return _difference(bench) if ended.status == 0 else f"it ends with {ended.told()}"


def small_disk(bench: Bench) -> Iterator[str]:
    """Disks of many sizes, real ones: one line, and when the disk has grown the same command goes on."""
    with _disk() as (disk, grow):
        bench.whole  # noqa: B018 - what it needs is computed on a disk with room
        before, bench.scratch, bench.directory = (bench.scratch, bench.directory), disk, disk / "run"
        for size in spread(list(range(4, 400, 12)), bench.share):
            bench.clear()
            grow(size)
            ended = bench.run()
            grow(1 << 16)
            problem = _ended_well(bench, ended, "no space left on the device") or bench.again()
            yield problem and f"{size} kB: {problem}"
        bench.scratch, bench.directory = before


@contextlib.contextmanager
def _disk() -> Iterator[tuple[Path, object]]:
    """A small disk in memory, and what gives it another size in kB.

    Raises:
      Refused: if the system lets nobody make one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "disk")
        path.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            raise RefusedError("the system does not let this process mount a disk")
        try:
            yield path, lambda size: _resize(path, size)
        finally:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def _resize(path: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}k", str(path)], check=True)


class RefusedError(Exception):
    """A row cannot be tried here."""


def two_at_once(bench: Bench) -> Iterator[str]:
    """A second process in the same directory is refused, with the name of the first; that of a killed one is not."""
    bench.clear()
    first = processes.Started(bench.words, bench.scratch.parent)
    lock = bench.directory / run_directory.LOCK
    while not lock.exists() and first.process.is_alive():
        time.sleep(0.01)
    second = bench.run()
    ended = first.ended()
    named = f"in use by process {first.process.pid} on " in second.refusal
    yield "" if named else f"the second ends with {second.told()}"
    yield _difference(bench) if ended.status == 0 else f"the first ends with {ended.told()}"
    bench.clear()
    killed = processes.Started(bench.words, bench.scratch.parent)
    while not lock.exists() and killed.process.is_alive():
        time.sleep(0.01)
    killed.process.kill()
    killed.ended()
    yield bench.again()

"""Checkpoints of a chunk that is under way: the states of its runs by Orbax, beside the records of their segments.

A checkpoint counts once the checksums of its files are written, when Orbax has written all of it. One that was cut
short or changed is none, and the one before it is taken.
"""

import re
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnets import io
from jaxnets.engine import packing
from jaxnets.engine.events import Record
from jaxnets.engine.plan import Program
from jaxnets.logs import quiet_orbax

_KEPT = 2
_SHARE = 1 / 40
_STATES, _STEP, _RECORDS = "states-{}", "step-{}", ".records"
_BACKGROUND = ThreadPoolExecutor(1, "checkpoints")


class Snapshot(NamedTuple):
    """Runs of a chunk between two segments, on the host."""

    step: int
    runs: np.ndarray
    states: list[np.ndarray]

    def of(self, rows: np.ndarray | slice) -> "Snapshot":
        """Some of the runs."""
        return Snapshot(self.step, self.runs[rows], [leaf[rows] for leaf in self.states])


class Checkpoints:
    """The checkpoints of a chunk in a folder of its own."""

    def __init__(self, folder: Path, every: float) -> None:
        self._folder, self._every = folder, every
        self._last, self._rest = time.monotonic(), 0.0
        self._writing: Future | None = None
        self._begin = 0.0

    def read(self, program: Program, like: Sequence[Any]) -> tuple[list[Record], Snapshot | None]:
        """The records up to the newest whole checkpoint, and its state; nothing, if there is none."""
        for step in reversed(_whole(self._folder)):
            records = self._records(program, step)
            if records and (snapshot := self._snapshot(program, records, like)) is not None:
                return records, snapshot
        return [], None

    def due(self) -> bool:
        """Whether it is time for another: they take a small share of the time, however large they are."""
        return bool(self._every) and time.monotonic() - self._last > max(self._every, self._rest)

    def write(self, snapshot: Snapshot, records: Sequence[Record]) -> None:
        """Writes a checkpoint, in place of one of the same step; the states in the background, after those before."""
        self.finish()
        self._begin = time.monotonic()
        for path in self._folder.glob(f"{_STEP.format(snapshot.step)}-*{_RECORDS}"):
            path.unlink()
        packing.write(self._folder, _STEP.format(snapshot.step), _RECORDS, packing.packed(records))
        self._writing = _BACKGROUND.submit(self._save, snapshot)

    def finish(self) -> None:
        """Waits for what is being written."""
        writing, self._writing = self._writing, None
        if writing is not None:
            with io.file_errors(self._folder):
                writing.result()

    def discard(self) -> None:
        """Takes all of them away: the chunk is finished."""
        self.finish()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _save(self, snapshot: Snapshot) -> None:
        import orbax.checkpoint as ocp

        target = self._folder / _STATES.format(snapshot.step)
        shutil.rmtree(target, ignore_errors=True)
        # this is a thread already; where the asynchronous one cannot make its folder, its threads wait for ten minutes
        with quiet_orbax(), ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
            checkpointer.save(target.absolute(), args=ocp.args.StandardSave(_tree(snapshot)))
        io.write_checksums(target, [path for path in target.rglob("*") if path.is_file()])
        for step in _whole(self._folder)[:-_KEPT]:
            shutil.rmtree(self._folder / _STATES.format(step), ignore_errors=True)
        self._last = time.monotonic()
        self._rest = (self._last - self._begin) / _SHARE

    def _records(self, program: Program, last: int) -> list[Record]:
        """The records up to a step; none if some of them are missing or damaged."""
        names = (re.fullmatch(r"step-(\d{1,15})-\w+\.records", path.name) for path in self._folder.glob(f"*{_RECORDS}"))
        found: dict[int, Record] = {}
        for step in sorted({int(name[1]) for name in names if name and int(name[1]) <= last}):
            of_file = packing.read(self._folder, _STEP.format(step), _RECORDS, program) or ()
            found.update((record.step, record) for record in of_file)  # where runs were dropped, the later one tells so
        records = list(found.values())
        steps = [0, *(record.step for record in records)]
        whole = steps[-1] == last and all(
            record.first_step == before for record, before in zip(records, steps, strict=False)
        )
        return records if whole else []

    def _snapshot(self, program: Program, records: Sequence[Record], like: Sequence[Any]) -> Snapshot | None:
        """The states after the last record, of the runs that go on; None if they are not as they were written."""
        last = records[-1]
        folder = self._folder / _STATES.format(last.step)
        runs = np.flatnonzero(np.isin(program.runs, last.runs[last.going]))
        empty = [np.zeros((len(runs), *leaf.shape), leaf.dtype) for leaf in like]
        wanted = Snapshot(last.step, runs, empty)
        try:
            io.check_checksums(folder)
            return _restored(folder, wanted)
        except Exception:  # Orbax raises many kinds for what is missing or of another shape
            return None


def _whole(folder: Path) -> list[int]:
    """The steps of the checkpoints that were written to their end, ascending."""
    found = (re.fullmatch(r"states-(\d{1,15})", path.parent.name) for path in folder.glob(f"*/{io.CHECKSUMS}"))
    return sorted(int(name[1]) for name in found if name)


def _tree(snapshot: Snapshot) -> dict[str, Any]:
    """What Orbax writes: it knows no arrays without numbers."""
    return {f"leaf_{place}": leaf for place, leaf in enumerate(snapshot.states) if leaf.size}


def _restored(folder: Path, wanted: Snapshot) -> Snapshot:
    """A snapshot with the numbers of a folder, which must be of the shapes of those that it has."""
    import orbax.checkpoint as ocp

    tree = _tree(wanted)
    with quiet_orbax(), ocp.StandardCheckpointer() as checkpointer:
        metadata = dict(checkpointer.metadata(folder.absolute()).item_metadata.tree)
        if {name: tuple(one.shape) for name, one in metadata.items()} != {n: one.shape for n, one in tree.items()}:
            raise ValueError("the states are of another shape")
        tree = checkpointer.restore(folder.absolute(), tree)
    states = [np.asarray(tree.get(f"leaf_{place}", leaf)) for place, leaf in enumerate(wanted.states)]
    return wanted._replace(states=states)

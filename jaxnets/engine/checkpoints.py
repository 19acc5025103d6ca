"""Checkpoints of a chunk that is under way: the states of its runs by Orbax, beside the records of their segments.

A checkpoint counts once it is sealed: when Orbax has written all of it, the hashes of its files are written down. One
that was cut short or changed is none, and the one before it is taken.
"""

import hashlib
import re
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from jaxnets.basics import files, stored
from jaxnets.basics.errors import UserError
from jaxnets.basics.logs import quiet_orbax
from jaxnets.engine.events import Record
from jaxnets.engine.packing import packed, unpacked
from jaxnets.engine.program import Program

_KEPT = 2
_SHARE = 1 / 40
_STATES, _RECORDS, _SEAL = "states-{}", "records-{}", "seal-{}.json"
_BACKGROUND = ThreadPoolExecutor(1, "checkpoints")
_SHAPE = {"step": int, "runs": int, "files": {...: str}}


class Snapshot(NamedTuple):
    """A chunk between two segments, on the host.

    Attributes:
      step: the steps behind each run that goes on.
      runs: those that go on, by their places in the program, `Int[runs]`.
      rivals: which runs of the chunk successive halving has not dropped, `bool[chunk]`.
      states: the leaves of the states of those that go on, each `[runs, ...]`; random keys as their data.
    """

    step: int
    runs: np.ndarray
    rivals: np.ndarray
    states: list[np.ndarray]


class Checkpoints:
    """The checkpoints of a chunk in a folder of its own.

    Args:
      folder: where they are; it need not be there yet.
      every: seconds between two of them, at least; 0 writes one only where it is forced.
    """

    def __init__(self, folder: Path, every: float) -> None:
        self._folder, self._every = folder, every
        self._last, self._rest = time.monotonic(), 0.0
        self._writing: Future | None = None
        self._begin = 0.0

    def read(self, program: Program, like: Sequence[Any]) -> tuple[list[Record], Snapshot | None]:
        """What the newest whole checkpoint holds: the records up to it, and where to go on; nothing, if there is none.

        Args:
          program: that the chunk is of.
          like: the shape and dtype of each leaf of one run's state, random keys as their data.
        """
        for step in reversed(_steps(self._folder, "seal")):
            records = self._records(program, step)
            if records and (snapshot := self._snapshot(step, like)) is not None:
                return records, snapshot
        return [], None

    def due(self) -> bool:
        """Whether it is time for another: they take a small share of the time, however large they are."""
        return bool(self._every) and time.monotonic() - self._last > max(self._every, self._rest)

    def write(self, snapshot: Snapshot, records: Sequence[Record]) -> None:
        """Writes a checkpoint; the states in the background, once those before are written.

        Args:
          snapshot: what to go on from.
          records: of the segments since the checkpoint before.

        Raises:
          UserError: if it cannot be written, or the one before could not.
        """
        self.finish()
        self._begin = time.monotonic()
        content = packed(records)
        name = f"{_RECORDS.format(snapshot.step)}-{_digest(content)}"
        with files.file_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            files.write(self._folder / name, lambda temporary: temporary.write_bytes(content))
        self._writing = _BACKGROUND.submit(self._save, snapshot)

    def finish(self) -> None:
        """Waits for what is being written.

        Raises:
          UserError: if it cannot be.
        """
        writing, self._writing = self._writing, None
        if writing is not None:
            with files.file_errors(self._folder):
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
        self._seal(snapshot)

    def _seal(self, snapshot: Snapshot) -> None:
        """A checkpoint is whole: it counts from now on, and the older ones but one are taken away."""
        hashes = _hashes(self._folder / _STATES.format(snapshot.step))
        content = {"step": snapshot.step, "runs": len(snapshot.runs), "files": hashes}
        files.write_json(self._folder / _SEAL.format(snapshot.step), content)
        for step in _steps(self._folder, "seal")[:-_KEPT]:
            (self._folder / _SEAL.format(step)).unlink(missing_ok=True)
            shutil.rmtree(self._folder / _STATES.format(step), ignore_errors=True)
        self._last = time.monotonic()
        self._rest = (self._last - self._begin) / _SHARE

    def _records(self, program: Program, last: int) -> list[Record]:
        """The records up to a step; none if some of them are missing or damaged."""
        records: list[Record] = []
        for step in (step for step in _steps(self._folder, "records") if step <= last):
            for path in self._folder.glob(f"{_RECORDS.format(step)}-*"):
                content = path.read_bytes()
                if path.name.rpartition("-")[2] == _digest(content):
                    records += unpacked(content, program)
                    break
        steps = [0, *(record.step for record in records)]
        whole = steps[-1] == last and all(
            record.first_step == before for record, before in zip(records, steps, strict=False)
        )
        return records if whole else []

    def _snapshot(self, step: int, like: Sequence[Any]) -> Snapshot | None:
        """The states of a checkpoint; None if they are not those that were sealed."""
        folder = self._folder / _STATES.format(step)
        try:
            seal = stored.read_json(self._folder / _SEAL.format(step), _SHAPE)
            if seal["step"] != step or seal["files"] != _hashes(folder):
                return None
            return _restored(folder, step, seal["runs"], like)
        except (OSError, UserError):
            return None


def _steps(folder: Path, kind: str) -> list[int]:
    """The steps in the names of the files of a kind, such as `seal-24.json`, ascending."""
    named = (re.fullmatch(rf"{kind}-(\d{{1,15}})(\D.*)?", path.name) for path in folder.glob(f"{kind}-*"))
    return sorted({int(found[1]) for found in named if found})


def _tree(snapshot: Snapshot) -> dict[str, Any]:
    """What Orbax writes: it knows no arrays without numbers."""
    leaves = {f"leaf_{place}": leaf for place, leaf in enumerate(snapshot.states) if leaf.size}
    return {"runs": snapshot.runs.astype(np.int64), "rivals": snapshot.rivals, **leaves}


def _restored(folder: Path, step: int, num_runs: int, like: Sequence[Any]) -> Snapshot | None:
    import orbax.checkpoint as ocp

    empty = [np.zeros((num_runs, *leaf.shape), leaf.dtype) for leaf in like]
    with quiet_orbax(), ocp.StandardCheckpointer() as checkpointer:
        metadata = dict(checkpointer.metadata(folder.absolute()).item_metadata.tree)
        wanted = _tree(Snapshot(step, np.zeros(num_runs, np.int64), np.zeros(metadata["rivals"].shape, bool), empty))
        if {name: tuple(one.shape) for name, one in metadata.items()} != {n: one.shape for n, one in wanted.items()}:
            return None
        tree = checkpointer.restore(folder.absolute(), wanted)
    states = [np.asarray(tree.get(f"leaf_{place}", leaf)) for place, leaf in enumerate(empty)]
    return Snapshot(step, np.asarray(tree["runs"]), np.asarray(tree["rivals"]), states)


def _hashes(folder: Path) -> dict[str, str]:
    """The hash of each file below a folder, by its path there."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): _digest(path.read_bytes()) for path in paths}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Chunks on disk, finished or under way: what is found there is not trained again, and gives the same bits.

Each file is in the safetensors format, and its name ends in the hash of its content: one that was cut short or changed
is none. A part holds the records of a finished chunk; its name says what was trained, by a hash of the program and the
places of the runs in it. Where the runs are cut otherwise than before, as on another machine, the new chunks lie
between the parts that are there. A chunk under way has a folder of checkpoints: the states of its runs between two
segments, beside the records up to there; of two that are kept the newest whole one is taken.
"""

import contextlib
import dataclasses
import hashlib
import inspect
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

import jaxnets
from jaxnets import io, tensors
from jaxnets.data.dataset import Dataset, fingerprint
from jaxnets.engine.keep import Options, Record
from jaxnets.engine.plan import Program, shapes
from jaxnets.engine.segment import Outcome
from jaxnets.engine.table import Run
from jaxnets.errors import UserError
from jaxnets.plugins import Plugin
from jaxnets.statuses import STATUSES

FOLDER, SUFFIX, BEGUN = "parts", ".part", ".begun"
_RECORDS, _STATES = ".records", ".states"
_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")
_COMPUTING = ("data", "engine", "models", "training")
_HASH = 32
_CHECKPOINTS = 2
_SHARE = 1 / 40  # of the time, for checkpoints
_BACKGROUND = ThreadPoolExecutor(1, "checkpoints")
_NUMBERS = ("first_step", "step", "steps_taken", "steps_saved", "seconds")
_ARRAYS = ("runs", "status")


def serialize(records: Sequence[Record]) -> bytes:
    """Records as the content of a file."""
    arrays: dict[str, Any] = {}
    for place, record in enumerate(records):
        of_record = {name: getattr(record, name) for name in _ARRAYS} | record.outcome._asdict()
        params = tensors.named({str(run): params for run, params in record.params.items()})
        of_record |= {f"params/{name}": leaf for name, leaf in params.items()}
        arrays |= {f"{place}/{name}": array for name, array in of_record.items()}
    numbers = [{name: getattr(record, name) for name in _NUMBERS} for record in records]
    return tensors.serialize(arrays, numbers=json.dumps(numbers))


def deserialize(content: bytes, program: Program) -> list[Record]:
    """The records of such a content."""
    try:
        arrays, described = tensors.deserialize(content)
        of_records: dict[str, dict[str, np.ndarray]] = {}
        for name, array in arrays.items():
            place, _, of_record = name.partition("/")
            of_records.setdefault(place, {})[of_record] = array
        numbers = json.loads(described["numbers"])
        return [_record(program, one, of_records[str(place)]) for place, one in enumerate(numbers)]
    except Exception as error:  # what is damaged raises many kinds
        raise UserError(f"the records cannot be read: {str(error).partition(chr(10))[0]}.") from None


def _record(program: Program, numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Record:
    flat = {name.removeprefix("params/"): leaf for name, leaf in arrays.items() if name.startswith("params/")}
    params = {int(run): one for run, one in tensors.nested(flat).items()}
    of_outcome: Any = {name: arrays[name] for name in Outcome._fields}
    own: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
    assert {field.name for field in dataclasses.fields(Record)} == {*numbers, *own, "program", "outcome", "params"}
    return Record(program=program, outcome=Outcome(**of_outcome), params=params, **own, **numbers)


def _write(folder: Path, name: str, suffix: str, fill: Callable[[Path], Any]) -> None:
    """Writes a file of a folder whose name ends in the hash of its content; until it has that name, it is none."""
    with io.file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        whole = io.write(folder / f"{name}{suffix}", fill)
        os.replace(whole, folder / f"{name}-{io.digest(whole)[:_HASH]}{suffix}")


def _found(folder: Path, name: str, suffix: str) -> Path | None:
    """Such a file; None if there is none, or it was cut short or changed."""
    for path in sorted(folder.glob(f"{name}-*{suffix}")):
        if path.name == f"{name}-{io.digest(path)[:_HASH]}{suffix}":
            return path
    return None


def _read(folder: Path, name: str, suffix: str, program: Program) -> list[Record] | None:
    """The records of such a file."""
    if path := _found(folder, name, suffix):
        with contextlib.suppress(UserError):
            return deserialize(path.read_bytes(), program)
    return None


class Parts:
    """The chunks of a sweep in a folder."""

    def __init__(
        self, folder: Path, table: Sequence[Run], folds: Sequence[Dataset], options: Options, platform: str
    ) -> None:
        self._folder, self._table, self._folds = folder, table, folds
        self._predictions = options.predictions
        about = [code(), _of_data(folds), options.evaluate_every, options.predictions, options.halving, platform]
        self._sweep = json.dumps([*about, type(options.keeping).__name__, [one.name for one in STATUSES]])
        self._every = options.checkpoint_every
        self._programs: dict[int, tuple[Program, str]] = {}

    def chunks(self, program: Program, size: int) -> list[range]:
        """Chunks of a program: those that are there, finished or under way, between them others of a size at most."""
        finished = self._ranges(program, SUFFIX)
        begun = [one for one in self._ranges(program, BEGUN) if len(one) <= size]
        cut = []
        for one in around(finished, len(program.runs), size=len(program.runs)):
            inside = [part for part in begun if one.start <= part.start and part.stop <= one.stop]
            shifted = [range(part.start - one.start, part.stop - one.start) for part in inside]
            cut += [one] if one in finished else [one[p.start : p.stop] for p in around(shifted, len(one), size)]
        return cut

    def _ranges(self, program: Program, suffix: str) -> list[range]:
        """The chunks of which there are files of a kind."""
        name = re.compile(rf"{self._of_program(program)}-(\d{{1,9}})-(\d{{1,9}})(-\w+)?{re.escape(suffix)}")
        found = (name.fullmatch(path.name) for path in self._folder.glob(f"*{suffix}"))
        return [range(int(one[1]), int(one[2])) for one in found if one]

    def read(self, program: Program, chunk: range) -> list[Record] | None:
        """The records of a chunk; None if there is no part of it that is whole."""
        return _read(self._folder, self._key(program, chunk), SUFFIX, program)

    def write(self, program: Program, chunk: range, content: bytes) -> None:
        """Writes the records of a chunk that is finished, from `serialize`."""
        _write(self._folder, self._key(program, chunk), SUFFIX, lambda path: path.write_bytes(content))

    def checkpoints(self, program: Program, chunk: range) -> "Checkpoints":
        """Where the states of a chunk are kept while it is under way."""
        return Checkpoints(self._folder / f"{self._key(program, chunk)}{BEGUN}", self._every, program)

    def _key(self, program: Program, chunk: range) -> str:
        return f"{self._of_program(program)}-{chunk.start}-{chunk.stop}"

    def _of_program(self, program: Program) -> str:
        """A hash of all that the records of a program depend on."""
        if id(program) not in self._programs:
            about = [self._sweep, program.task.select_best, program.task.budgets, program.runs.tolist()]
            if program.guests:
                text = program.text_of_run(self._folds[0], predictions=self._predictions)
                about.append(text or uuid.uuid4().hex)  # what nothing tells is never found again
            found = hashlib.sha256(json.dumps(about).encode())
            for run in program.runs:
                row = [[name, _shown(value)] for name, value in self._table[run].items()]
                found.update(json.dumps(row).encode())
            self._programs[id(program)] = program, found.hexdigest()[:_HASH]
        return self._programs[id(program)][1]


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

    def __init__(self, folder: Path, every: float, program: Program) -> None:
        self._folder, self._every, self._program = folder, every, program
        self._last, self._rest = time.monotonic(), 0.0
        self._writing: Future | None = None
        self._begin = 0.0

    def read(self) -> tuple[list[Record], Snapshot | None]:
        """The records up to the newest whole checkpoint, and its states; nothing, if there is none."""
        for step in sorted(self._steps(_STATES), reverse=True):
            records = self._records(step)
            if records and (snapshot := self._snapshot(records[-1])) is not None:
                return records, snapshot
        return [], None

    def due(self) -> bool:
        """Whether it is time for another: they take a small share of the time, however large they are."""
        return bool(self._every) and time.monotonic() - self._last > max(self._every, self._rest)

    def write(self, snapshot: Snapshot, records: Sequence[Record]) -> None:
        """Writes a checkpoint, in place of one of the same step; the states in the background, after those before."""
        self.finish()
        self._begin = time.monotonic()
        self._remove(snapshot.step, _RECORDS)
        content = serialize(records)
        _write(self._folder, str(snapshot.step), _RECORDS, lambda path: path.write_bytes(content))
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
        states = dict(zip(self._names(), snapshot.states, strict=True))
        self._remove(snapshot.step, _STATES)
        _write(self._folder, str(snapshot.step), _STATES, lambda path: tensors.save(path, states))
        for step in sorted(self._steps(_STATES))[:-_CHECKPOINTS]:
            self._remove(step, _STATES)
        self._last = time.monotonic()
        self._rest = (self._last - self._begin) / _SHARE

    def _steps(self, suffix: str) -> set[int]:
        """The steps of which there are files of a kind."""
        names = (re.fullmatch(r"(\d{1,15})-\w+", path.stem) for path in self._folder.glob(f"*{suffix}"))
        return {int(name[1]) for name in names if name}

    def _remove(self, step: int, suffix: str) -> None:
        for path in self._folder.glob(f"{step}-*{suffix}"):
            path.unlink()

    def _names(self) -> list[str]:
        """The names of the leaves of a run's state."""
        return [jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(self._program.state)]

    def _records(self, last: int) -> list[Record]:
        """The records up to a step; none if some of them are missing or damaged."""
        found: dict[int, Record] = {}
        for step in sorted(step for step in self._steps(_RECORDS) if step <= last):
            of_file = _read(self._folder, str(step), _RECORDS, self._program) or ()
            found.update((record.step, record) for record in of_file)  # where runs were dropped, the later one tells so
        records = list(found.values())
        steps = [0, *(record.step for record in records)]
        linked = all(record.first_step == before for record, before in zip(records, steps, strict=False))
        return records if linked and steps[-1] == last else []

    def _snapshot(self, last: Record) -> Snapshot | None:
        """The states after a record, of the runs that go on; None if they are not as they were written."""
        runs = np.flatnonzero(np.isin(self._program.runs, last.runs[last.active]))
        wanted = [((len(runs), *leaf.shape), leaf.dtype) for leaf in shapes(self._program)]
        path = _found(self._folder, str(last.step), _STATES)
        if path is None:
            return None
        try:
            arrays = tensors.load(path)
            states = [arrays.pop(name) for name in self._names()]
        except Exception:  # what is damaged raises many kinds
            return None
        if arrays or [(leaf.shape, leaf.dtype) for leaf in states] != wanted:
            return None
        return Snapshot(last.step, runs, states)


def around(found: Sequence[range], num_runs: int, size: int) -> list[range]:
    """Chunks of so many runs: those that were found, where they do not overlap, and between them others of a size.

    >>> around([range(4, 8), range(6, 9)], num_runs=12, size=3)
    [range(0, 3), range(3, 4), range(4, 8), range(8, 11), range(11, 12)]
    """
    cut: list[range] = []
    done = 0
    for part in [*sorted(found, key=lambda one: (one.start, -one.stop)), range(num_runs, num_runs)]:
        if done <= part.start and part.stop <= num_runs:
            cut += [range(start, min(start + size, part.start)) for start in range(done, part.start, size)]
            cut += [part] if part else []
            done = part.stop
    return cut


def _shown(value: Any) -> Any:
    """A hyperparameter as JSON knows it, as exactly as it is; a plug-in by its name."""
    if isinstance(value, Plugin):
        return value.name
    return value if value is None or isinstance(value, str | bool | int | float) else repr(value)


@cache
def code() -> str:
    """A hash of the code of jaxnets that computes, and of the versions of what it computes with."""
    root = Path(inspect.getfile(jaxnets)).parent
    paths = sorted(path for folder in _COMPUTING for path in (root / folder).rglob("*.py"))
    sources = [[str(path.relative_to(root)), _digest(path.read_bytes())] for path in paths]
    return _digest(json.dumps([sources, [metadata.version(name) for name in _PACKAGES]]).encode())


def _of_data(folds: Sequence[Dataset]) -> list[str]:
    """The data, with their words and given vectors."""
    vectors = [fold.word_vectors for fold in folds if fold.word_vectors is not None]
    of_vectors = [_digest(np.ascontiguousarray(one.vectors).tobytes()) for one in vectors]
    return [fingerprint(folds), *of_vectors, *(_digest("\n".join(fold.vocabulary).encode()) for fold in folds)]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_HASH]

"""Finished chunks on disk: what is found there is not trained again, and gives the same tables to the last bit.

A part is a file of the records of one chunk, in the safetensors format. Its name says what was trained, by a hash of
the program and the places of the runs in it, and what the file holds, by another: a part that was cut short or changed
is no part, and its chunk is trained again. Where the runs are cut otherwise than before, as on another machine, the new
chunks lie between the parts that are there.
"""

import hashlib
import inspect
import json
import re
import uuid
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import jaxnets
from jaxnets.data.dataset import Dataset, fingerprint
from jaxnets.engine import packing
from jaxnets.engine.checkpoints import Checkpoints
from jaxnets.engine.events import Options, Record
from jaxnets.engine.plan import Program
from jaxnets.engine.table import Run
from jaxnets.plugins import Plugin

FOLDER, SUFFIX, BEGUN = "parts", ".part", ".begun"
_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")
_COMPUTING = ("data", "engine", "models", "training")
_HASH = 32


class Parts:
    """The parts of a sweep in a folder."""

    def __init__(
        self, folder: Path, table: Sequence[Run], folds: Sequence[Dataset], options: Options, platform: str
    ) -> None:
        self._folder, self._table, self._folds = folder, table, folds
        self._predictions = options.predictions
        about = [code(), _of_data(folds), options.evaluate_every, options.predictions, options.halving, platform]
        self._sweep = json.dumps([*about, type(options.keeping).__name__])
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
        return packing.read(self._folder, self._key(program, chunk), SUFFIX, program)

    def write(self, program: Program, chunk: range, records: Sequence[Record]) -> None:
        """Writes the records of a chunk that is finished."""
        self.write_packed(program, chunk, packing.packed(records))

    def write_packed(self, program: Program, chunk: range, content: bytes) -> None:
        """Writes the records of a chunk that is finished, from `packed`."""
        packing.write(self._folder, self._key(program, chunk), SUFFIX, content)

    def checkpoints(self, program: Program, chunk: range) -> Checkpoints:
        """Where the states of a chunk are kept while it is under way."""
        return Checkpoints(self._folder / f"{self._key(program, chunk)}{BEGUN}", self._every)

    def _key(self, program: Program, chunk: range) -> str:
        """All that the records of a chunk depend on, for the name of a file."""
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

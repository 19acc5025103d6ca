"""Finished chunks on disk: what is found there is not trained again, and gives the same tables to the last bit.

A part is a file of the records of one chunk, in the safetensors format. Its name says what was trained and what the
file holds, both as hashes: a part that was cut short or changed is no part, and its chunk is trained again.
"""

import contextlib
import hashlib
import inspect
import json
import sys
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import jaxnets
from jaxnets.basics import files
from jaxnets.basics.errors import UserError
from jaxnets.data.dataset import Dataset, fingerprint
from jaxnets.engine.checkpoints import Checkpoints
from jaxnets.engine.events import Options, Record
from jaxnets.engine.packing import packed, unpacked
from jaxnets.engine.program import Program
from jaxnets.engine.runs import Run
from jaxnets.plugins import Plugin

FOLDER, SUFFIX, BEGUN = "parts", ".part", ".begun"
_PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")
_HASH = 32


class Parts:
    """The parts of a sweep in a folder.

    Args:
      folder: where they are; it need not be there yet.
      table: the runs of the sweep.
      folds: the data set.
      options: how the sweep is carried out.
      platform: of the devices, such as `cpu`.
    """

    def __init__(
        self, folder: Path, table: Sequence[Run], folds: Sequence[Dataset], options: Options, platform: str
    ) -> None:
        self._folder, self._table = folder, table
        about = [code(), _of_data(folds), options.evaluate_every, options.predictions, options.halving, platform]
        self._sweep = json.dumps([*about, type(options.keeping).__name__])
        self._every = options.checkpoint_every

    def read(self, program: Program, chunk: range) -> list[Record] | None:
        """The records of a chunk; None if there is no part of it that is whole."""
        for path in sorted(self._folder.glob(f"{self._key(program, chunk)}-*{SUFFIX}")):
            content = path.read_bytes()
            if path.stem.partition("-")[2] == _digest(content):
                with contextlib.suppress(UserError):
                    return unpacked(content, program)
        return None

    def write(self, program: Program, chunk: range, records: Sequence[Record]) -> None:
        """Writes the records of a chunk that is finished.

        Raises:
          UserError: if it cannot be written.
        """
        content = packed(records)
        path = self._folder / f"{self._key(program, chunk)}-{_digest(content)}{SUFFIX}"
        with files.file_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        files.write(path, lambda temporary: temporary.write_bytes(content))

    def checkpoints(self, program: Program, chunk: range) -> Checkpoints:
        """Where the states of a chunk are kept while it is under way."""
        return Checkpoints(self._folder / f"{self._key(program, chunk)}{BEGUN}", self._every)

    def _key(self, program: Program, chunk: range) -> str:
        """A hash of all that the records of a chunk depend on."""
        numbers = program.runs[chunk.start : chunk.stop]
        rows = [[[name, _shown(value)] for name, value in self._table[run].items()] for run in numbers]
        about = [self._sweep, program.task.select_best, program.task.budgets, numbers.tolist(), rows]
        return _digest(json.dumps(about).encode())


def _shown(value: Any) -> Any:
    """A hyperparameter as JSON knows it, as exactly as it is; a plug-in of others with its code."""
    if isinstance(value, Plugin):
        return [value.name, _source(value.value)]
    return value if value is None or isinstance(value, str | bool | int | float) else repr(value)


def _source(value: Any) -> str:
    """The code of what is not jaxnets' own; empty where there is none to be had."""
    module = sys.modules.get(str(getattr(value, "__module__", "")))
    if module is None or module.__name__.partition(".")[0] in ("jaxnets", *_PACKAGES):
        return ""
    try:
        return _digest(inspect.getsource(module).encode())
    except (OSError, TypeError):
        return ""


@cache
def code() -> str:
    """A hash of the code of jaxnets and of the versions of what it computes with."""
    root = Path(inspect.getfile(jaxnets)).parent
    sources = [[str(path.relative_to(root)), _digest(path.read_bytes())] for path in sorted(root.rglob("*.py"))]
    return _digest(json.dumps([sources, [metadata.version(name) for name in _PACKAGES]]).encode())


def _of_data(folds: Sequence[Dataset]) -> list[str]:
    """The data, with their words and given vectors."""
    vectors = [fold.word_vectors for fold in folds if fold.word_vectors is not None]
    of_vectors = [_digest(np.ascontiguousarray(one.vectors).tobytes()) for one in vectors]
    return [fingerprint(folds), *of_vectors, *(_digest("\n".join(fold.vocabulary).encode()) for fold in folds)]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_HASH]

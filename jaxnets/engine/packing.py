"""The records of a chunk as bytes, and as files whose names tell what they hold; and back."""

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from jaxnets import io
from jaxnets.engine.events import Record
from jaxnets.engine.plan import Program
from jaxnets.engine.segments import Outcome
from jaxnets.errors import UserError
from jaxnets.trained import model

_NUMBERS = ("first_step", "step", "steps_taken", "steps_saved", "seconds")
_ARRAYS = ("runs", "going", "dropped")


def write(folder: Path, name: str, suffix: str, content: bytes) -> None:
    """Writes records, from `packed`, into a file of a folder; its name ends in their hash."""
    with io.file_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    io.write(folder / f"{name}-{_digest(content)}{suffix}", lambda temporary: temporary.write_bytes(content))


def read(folder: Path, name: str, suffix: str, program: Program) -> list[Record] | None:
    """The records of such a file; None if there is none, or it was cut short or changed."""
    for path in sorted(folder.glob(f"{name}-*{suffix}")):
        content = path.read_bytes()
        if path.name.removesuffix(suffix).rpartition("-")[2] == _digest(content):
            with contextlib.suppress(UserError):
                return unpacked(content, program)
    return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def packed(records: Sequence[Record]) -> bytes:
    """Records as the content of a file in the safetensors format."""
    from safetensors.numpy import save

    arrays: dict[str, np.ndarray] = {}
    numbers = []
    for place, record in enumerate(records):
        numbers.append({name: getattr(record, name) for name in _NUMBERS})
        own = {name: getattr(record, name) for name in _ARRAYS} | record.outcome._asdict()
        nested = {str(run): params for run, params in record.params.items()}
        own |= {f"params/{name}": leaf for name, leaf in model.named(nested).items()}
        arrays |= {f"{place}/{name}": np.ascontiguousarray(array) for name, array in own.items()}
    return save(arrays, {"numbers": json.dumps(numbers)})


def unpacked(content: bytes, program: Program) -> list[Record]:
    """The records of such a content."""
    try:
        return _unpacked(content, program)
    except Exception as error:  # what is damaged raises many kinds
        raise UserError(f"the records cannot be read: {str(error).partition(chr(10))[0]}.") from None


def _unpacked(content: bytes, program: Program) -> list[Record]:
    from safetensors.numpy import load

    length = int.from_bytes(content[:8], "little")
    numbers = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["numbers"])
    arrays: dict[str, dict[str, np.ndarray]] = {}
    for name, array in load(content).items():
        place, _, of_record = name.partition("/")
        arrays.setdefault(place, {})[of_record] = array
    return [_record(program, of_record, arrays[str(place)]) for place, of_record in enumerate(numbers)]


def _record(program: Program, numbers: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Record:
    flat = {name.removeprefix("params/"): leaf for name, leaf in arrays.items() if name.startswith("params/")}
    params = {int(run): one for run, one in model.nested(flat).items()}
    of_outcome: Any = {name: arrays[name] for name in Outcome._fields}
    own: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
    assert {field.name for field in dataclasses.fields(Record)} == {*numbers, *own, "program", "outcome", "params"}
    return Record(program=program, outcome=Outcome(**of_outcome), params=params, **own, **numbers)

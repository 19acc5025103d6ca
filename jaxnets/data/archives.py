"""NumPy archives (.npz) of others: what their headers claim is checked against the file before memory is taken."""

import math
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from jaxnets import io
from jaxnets.errors import UserError

_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that NumPy writes
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# what zipfile and NumPy raise on damaged bytes; a header is parsed as a literal of Python's
DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, RecursionError, MemoryError),
    *(SyntaxError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


def read(path: Path, names: Sequence[str] | None = None, field: str = "") -> dict[str, np.ndarray]:
    """Arrays of an archive by their names; objects are never unpickled."""
    where = f"{field}: '{io.shown(path)}'" if field else io.shown(path)
    with io.opened(path, field) as stream, _damage(where), zipfile.ZipFile(stream) as archive:
        members = _members(archive, os.fstat(stream.fileno()).st_size, where)
        for name in names or ():
            if name not in members:
                raise UserError(f"{where} has no array '{name}'.")
        wanted = {name: members[name] for name in names or members}
        io.check_memory(where, sum(member.file_size for member in wanted.values()))
        return {name: _array(archive, member, f"{where}: the array '{name}'") for name, member in wanted.items()}


@contextmanager
def _damage(where: str) -> Iterator[None]:
    """Turns what is raised on damaged bytes into one line, and leaves out what is warned of beside it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    except UserError:
        raise
    except DAMAGE as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise UserError(f"{where} is not an archive without pickles: {reason}.") from None


def _members(archive: zipfile.ZipFile, size: int, where: str) -> dict[str, zipfile.ZipInfo]:
    """The members by the names of their arrays, if they can be what they claim to be."""
    members = archive.infolist()
    if sum(member.compress_size for member in members) > size or min((m.compress_size for m in members), default=0) < 0:
        raise UserError(f"{where} claims more than its {io.readable(size)}; it is damaged or cut off.")
    for member in members:
        if member.compress_type not in _PACKINGS:
            raise UserError(f"{where} is packed in a way that NumPy does not write.")
        io.check_unpacked(f"{where}: '{member.filename}'", member.compress_size, member.file_size)
    return {member.filename.removesuffix(".npy"): member for member in members}


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> np.ndarray:
    with archive.open(member) as stream:
        _check_header(stream, member.file_size, where)
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)


def _check_header(stream: IO[bytes], size: int, where: str) -> None:
    """Checks that an array is as large as its header claims, and holds no objects."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise UserError(f"{where} is of a form that is not read: {version}.")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject:
        raise UserError(f"{where} holds objects, which are not read. Save the words as text, not as objects.")
    claimed = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or claimed != size - stream.tell() or not dtype.itemsize:
        kind = f"{dtype}{list(shape)}"
        raise UserError(
            f"{where} claims to be {kind}, {claimed:,} bytes, but there are {size - stream.tell():,}; the file is "
            f"damaged or cut off."
        )

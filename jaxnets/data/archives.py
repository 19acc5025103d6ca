"""NumPy archives (.npz) of others: what their headers claim is checked against the file before memory is taken."""

import math
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from jaxnets import io
from jaxnets.errors import UserError

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# what zipfile and NumPy raise on damaged bytes; a header is parsed as a literal of Python's
DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, RecursionError, MemoryError),
    *(SyntaxError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


def read(path: Path, names: Sequence[str] | None = None, field: str = "") -> dict[str, np.ndarray]:
    """Arrays of an archive by their names; objects are never unpickled."""
    where = f"{field}: '{io.shown(path)}'" if field else io.shown(path)
    try:
        with io.opened(path, field) as stream, warnings.catch_warnings(action="ignore"):
            size = os.fstat(stream.fileno()).st_size
            with zipfile.ZipFile(stream) as archive:
                members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
                if sum(member.compress_size for member in archive.infolist()) > size:
                    raise UserError(f"{where} claims more than its {io.readable(size)}; it is damaged or cut off.")
                if missing := [name for name in names or () if name not in members]:
                    raise UserError(f"{where} has no array '{missing[0]}'.")
                wanted = {name: members[name] for name in names or members}
                for member in wanted.values():
                    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                        raise UserError(f"{where} is packed in a way that NumPy does not write.")
                    io.check_unpacked(f"{where}: '{member.filename}'", member.compress_size, member.file_size)
                io.check_memory(where, sum(member.file_size for member in wanted.values()))
                return {name: _array(archive, member, where) for name, member in wanted.items()}
    except UserError:
        raise
    except DAMAGE as error:
        raise UserError(f"{where} is not an archive without pickles: {one_reason(error)}.") from None


def one_reason(error: BaseException) -> str:
    """The first line of what an error says."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> np.ndarray:
    """An array, if it is as large as its header claims, and holds no objects."""
    with archive.open(member) as stream:
        shape, _, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
        if dtype.hasobject:
            raise UserError(
                f"{where}: the array '{member.filename}' holds objects, which are not read. Save words as text."
            )
        claimed, held = math.prod(shape) * dtype.itemsize, member.file_size - stream.tell()
        if min(shape, default=0) < 0 or claimed != held or not dtype.itemsize:
            raise UserError(
                f"{where}: the array '{member.filename}' claims to be {dtype}{list(shape)}, {claimed:,} bytes, but "
                f"there are {held:,}; the file is damaged or cut off."
            )
    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False)

"""Files of others: lines of text, .npz archives and .npy arrays. What they claim is checked before memory is taken."""

import codecs
import gzip
import math
import os
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from jaxnets import io
from jaxnets.errors import UserError
from jaxnets.io import LONGEST_LINE

_MOST_BYTES = 4 * LONGEST_LINE  # of a line in UTF-8
_WIDE = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


def lines(path: Path, field: str = "", errors: str = "strict") -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers from 1, without the line's end and without byte order marks before it."""
    number = 0
    with io.opened(path, field) as stream:
        try:
            is_packed, unpacked = path.suffix == ".gz", 0
            packed = os.fstat(stream.fileno()).st_size
            with gzip.GzipFile(fileobj=stream) if is_packed else stream as content:
                for number, line in decoded(content, str(path), errors):
                    unpacked += max(len(line), io.LEAST_LINE)
                    if is_packed:
                        io.check_unpacked(f"{path}, line {number}", packed, unpacked)
                    yield number, line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UserError(f"{path}, after line {number}: the .gz file is damaged or cut off ({error}).") from None


def decoded(stream: BinaryIO | gzip.GzipFile, where: str, errors: str = "strict") -> Iterator[tuple[int, str]]:
    """The lines of a stream of bytes, as `lines` gives them."""
    for number, line in enumerate(iter(lambda: stream.readline(_MOST_BYTES), b""), 1):
        wide = next((name for mark, name in _WIDE if number == 1 and line.startswith(mark)), "")
        if number == 1 and not wide and line.count(0) * 3 > len(line):  # without a byte order mark
            wide = "UTF-16LE" if line[1:2] == b"\0" else "UTF-16BE"
        if wide:
            raise UserError(f"{where}: the file is {wide}; convert it with 'iconv -f {wide} -t utf8'.")
        if number == 1 and b"\n" not in line and b"\r" in line.rstrip(b"\r"):
            raise UserError(
                f"{where}: its lines end in carriage returns alone, as on old Macs; convert it with \"tr '\\r' '\\n'\"."
            )
        try:
            text = line.decode("utf-8", errors).rstrip("\r\n").lstrip("\ufeff")
        except UnicodeDecodeError as error:
            if len(line) < _MOST_BYTES:  # else it was cut within a character
                raise UserError(
                    f"{where}, line {number}: byte {error.start + 1} is not UTF-8; convert the file from its own "
                    f"encoding, for example with 'iconv -f cp1252 -t utf8' if it is of Windows in Western Europe "
                    f"(gb18030: Chinese, cp1251: Cyrillic)."
                ) from None
        if len(line) >= _MOST_BYTES or len(text) > LONGEST_LINE:
            raise UserError(f"{where}, line {number}: the line is longer than {LONGEST_LINE:,} characters.")
        if "\0" in text:
            raise UserError(f"{where}, line {number}: there is a zero byte; the file is no text.")
        yield number, text


_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
# what zipfile and NumPy raise on damaged bytes; a header is parsed as a literal of Python's
_DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError, RecursionError, MemoryError),
    *(SyntaxError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


def archive(path: Path, names: Sequence[str] | None = None, field: str = "") -> dict[str, np.ndarray]:
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
    except _DAMAGE as error:
        raise UserError(f"{where} is not an archive without pickles: {_reason(error)}.") from None


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


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


_PIECE = 32 << 20  # bytes


def open_array(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped into memory and read-only; objects are never unpickled."""
    with io.opened(path, "dataset"), warnings.catch_warnings(action="ignore"):  # an ordinary file
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except _DAMAGE as error:
            raise UserError(f"dataset: '{io.shown(path)}' is not a .npy file of numbers: {_reason(error)}.") from None


def is_mapped(array: object) -> bool:
    """Whether an array, or what it is a view of, stays in its file.

    >>> is_mapped(np.zeros(3))
    False
    """
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False


def pieces(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """An array in pieces along its first axis, none much larger than 32 MiB: where each begins, and the piece.

    >>> [(start, piece.shape) for start, piece in pieces(np.zeros((3, 2)))]
    [(0, (3, 2))]
    """
    rows = max(1, _PIECE // max(1, array[:1].nbytes))
    return ((start, array[start : start + rows]) for start in range(0, len(array), rows))

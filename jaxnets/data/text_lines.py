"""The lines of text files of others, plain or .gz, one at a time and each of a bounded length."""

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jaxnets import io
from jaxnets.errors import UserError
from jaxnets.io import LONGEST_LINE

_MOST_BYTES = 4 * LONGEST_LINE  # of a line in UTF-8
_WIDE = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


def read(path: Path, field: str = "", errors: str = "strict") -> Iterator[tuple[int, str]]:
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
    """The lines of a stream of bytes, as `read` gives them."""
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

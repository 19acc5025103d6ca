"""The lines of text files of others, plain or .gz, one at a time and each of a bounded length."""

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jaxnets.basics import files, limits
from jaxnets.basics.errors import UserError
from jaxnets.basics.limits import LEAST_LINE, LONGEST_LINE

_MOST_BYTES = 4 * LONGEST_LINE  # of a line in UTF-8


def read(path: Path, field: str = "") -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers from 1, without the line's end and without a byte order mark.

    Args:
      path: of the file; what ends in .gz is unpacked.
      field: that named it, for the error message.

    Raises:
      UserError: if it cannot be read, is no text in UTF-8, has an endless line, or is packed to fill the memory.
    """
    with files.opened(path, field) as stream:
        if path.suffix == ".gz":
            yield from _unpacked(path, stream)
        else:
            yield from decoded(stream, str(path))


def _unpacked(path: Path, stream: BinaryIO) -> Iterator[tuple[int, str]]:
    packed, unpacked, number = os.fstat(stream.fileno()).st_size, 0, 0
    try:
        with gzip.GzipFile(fileobj=stream) as content:
            for number, line in decoded(content, str(path)):
                unpacked += max(len(line), LEAST_LINE)
                limits.check_unpacked(f"{path}, line {number}", packed, unpacked)
                yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}, after line {number}: the .gz file is damaged or cut off ({error}).") from None


def decoded(stream: BinaryIO | gzip.GzipFile, where: str) -> Iterator[tuple[int, str]]:
    """The lines of a stream of bytes, as `read` gives them.

    Args:
      stream: of bytes.
      where: what the error message begins with.

    Raises:
      UserError: as `read` does.
    """
    number = 0
    while line := stream.readline(_MOST_BYTES):
        number += 1
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            if len(line) < _MOST_BYTES:  # else it was cut within a character
                raise UserError(
                    f"{where}, line {number}: byte {error.start + 1} is not UTF-8; convert it, for example with "
                    f"'iconv -f latin1 -t utf8'."
                ) from None
        if len(line) >= _MOST_BYTES or len(text) > LONGEST_LINE:
            raise UserError(f"{where}, line {number}: the line is longer than {LONGEST_LINE:,} characters.")
        if "\0" in text:
            raise UserError(f"{where}, line {number}: there is a zero byte; the file is no text.")
        yield number, text

"""Files, each written whole or not at all; what the file system refuses is one line for the user."""

import contextlib
import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from jaxnets.basics.errors import UserError


@contextlib.contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turns a failure of the file system into one line for the user."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(f"{path}: no space left on the device; what was written before is whole.") from error
        raise UserError(f"{path}: cannot be written: {error.strerror or error}.") from error


def write(path: Path, fill: Callable[[Path], Any]) -> Path:
    """Lets `fill` write a temporary file beside `path`, and puts it in place when it is whole.

    Raises:
      UserError: if it cannot be written; then `path` is as it was.
    """
    with file_errors(path):
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            fill(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return path


def write_json(path: Path, content: Any) -> Path:
    """Writes a JSON file, readable by eye."""
    return write(path, lambda temporary: temporary.write_text(json.dumps(content, indent=2) + "\n"))


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """Writes a table as Parquet."""
    return write(path, lambda temporary: table.to_parquet(temporary, index=False))

"""Files, each written whole or not at all, and read if they are files; what the system refuses is one line."""

import contextlib
import errno
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from jaxnets.basics import spans
from jaxnets.basics.characters import one_line
from jaxnets.basics.errors import UserError

if TYPE_CHECKING:  # the data sets are read without pandas
    import pandas as pd

_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL = tuple(map(os.strerror, _FULL_NUMBERS))
_REASONS = (*_FULL, *map(os.strerror, (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT)))
_LONGEST_SHOWN = 200
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextlib.contextmanager
def file_errors(path: Path, doing: Literal["written", "read"] = "written", field: str = "") -> Iterator[None]:
    """Turns a failure of the file system into one line for the user, whichever library met it."""
    where = f"{field}: '{shown(path)}'" if field else shown(path)
    try:
        _check_name(path)
        yield
    except UserError:
        raise
    except Exception as error:
        if (reason := _of_system(error)) is None:
            raise
        if reason in _FULL:
            raise UserError(f"{where}: no space left on the device; what was written before is whole.") from error
        raise UserError(f"{where}{' ' if field else ': '}cannot be {doing}: {reason}.") from error


def _check_name(path: Path | str) -> None:
    """Raises an OSError, as the system does, for a name that never reaches it."""
    try:
        zero = b"\0" in os.fsencode(path)
    except UnicodeEncodeError:
        raise OSError("no file has such a name") from None
    if zero:
        raise OSError("the name of a file holds no zero byte")


def _of_system(error: Exception) -> str | None:
    """What the system says in an error, which a library may have wrapped in one of its own; None if it says nothing."""
    if isinstance(error, OSError) and error.strerror:
        return os.strerror(error.errno) if error.errno in _FULL_NUMBERS else error.strerror
    known = next((reason for reason in _REASONS if reason in str(error)), None)
    return known or (str(error) if isinstance(error, OSError) else None)


def shown(path: Path | str) -> str:
    """A path for an error message."""
    return one_line(str(path), _LONGEST_SHOWN)


def exists(path: Path) -> bool:
    """Whether there is a file or folder."""
    with file_errors(path, "read"):
        return path.exists()


def check_writable(folder: Path, field: str = "") -> None:
    """Checks that a file can be written into a folder, by writing one that has no name."""
    with file_errors(folder, field=field), tempfile.TemporaryFile(dir=folder):
        pass


@contextlib.contextmanager
def opened(path: Path, field: str = "") -> Iterator[BinaryIO]:
    """An ordinary file, opened to be read as bytes; a pipe or a device might keep us waiting for ever."""
    with file_errors(path, "read", field), open(path, "rb", opener=_at_once) as stream:
        kind = stat.S_IFMT(os.fstat(stream.fileno()).st_mode)
        if kind != stat.S_IFREG:
            raise OSError(f"it is {_KINDS.get(kind, 'something else')}, not a file")
        yield stream


def _at_once(path: str, flags: int) -> int:
    """Opens without waiting for the other end of a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


@spans.span(spans.WRITING)
def write(path: Path, fill: Callable[[Path], Any]) -> Path:
    """Lets `fill` write a temporary file beside `path`, and puts it in place when it is whole."""
    with file_errors(path):
        if not path.name or (path.exists() and not path.is_file()):
            raise OSError("there is something that is not a file")
        temporary = temporary_of(path)
        try:
            temporary.unlink(missing_ok=True)  # a stranger's folder may hold a link of that name
            fill(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return path


def temporary_of(path: Path) -> Path:
    """Where this process writes what will be at `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def clear_temporaries(folder: Path, name: str = "*") -> None:
    """Takes away what processes left in a folder that ended while they wrote a file, of some name or any."""
    for path in folder.glob(f".{name}.*.tmp"):
        process = path.name.split(".")[-2]
        if process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return process != os.getpid()  # what has this process's number was written by another before it


def write_json(path: Path, content: Any) -> Path:
    """Writes a JSON file, readable by eye."""
    return write(path, lambda temporary: temporary.write_text(json.dumps(content, indent=2) + "\n"))


def write_table(path: Path, table: "pd.DataFrame") -> Path:
    """Writes a table as Parquet."""
    return write(path, lambda temporary: table.to_parquet(temporary, index=False))

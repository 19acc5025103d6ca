"""Files: written whole or not at all, read if they are files, with checksums, and limits on what they may take."""

import contextlib
import errno
import hashlib
import json
import os
import resource
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from jaxnets.errors import UserError, one_line

if TYPE_CHECKING:  # the data sets are read without pandas
    import pandas as pd

CHECKSUMS = "checksums.json"
"""Lists the files of a folder that are read back. It guards against damage, not against whoever would change both."""

# What a file of others may take at most; each limit is checked before the memory is taken.
LONGEST_LINE = 1 << 20  # characters; a longer line is no text, but a file in another format
LONGEST_LABEL = 200  # characters
LARGEST_VECTOR = 1 << 14  # numbers of a word vector
LONGEST_EXPLAINED = 10_000  # words of a text whose words are left out one by one
LEAST_LINE = 64  # bytes that a line counts for at least, as an empty one takes memory too
# What is packed may grow to this: texts grow 3 to 10 times, and a file that is made to fill the memory 1,000 times.
GROWTH, ALWAYS = 100, 16 << 20

_MOST_BYTES = 2**24  # of a list of checksums
_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL = tuple(map(os.strerror, _FULL_NUMBERS))
_REASONS = (*_FULL, *map(os.strerror, (errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ENOENT)))
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
        try:
            if b"\0" in os.fsencode(path):
                raise OSError("the name of a file holds no zero byte")
        except UnicodeEncodeError:
            raise OSError("no file has such a name") from None
        yield
    except UserError:
        raise
    except Exception as error:
        if (reason := _system_reason(error)) is None:
            raise
        if reason in _FULL:
            raise UserError(f"{where}: no space left on the device; what was written before is whole.") from error
        raise UserError(f"{where}{' ' if field else ': '}cannot be {doing}: {reason}.") from error


def _system_reason(error: Exception) -> str | None:
    """What the system says in an error, which a library may have wrapped in one of its own; None if it says nothing."""
    if isinstance(error, OSError) and error.strerror:
        return os.strerror(error.errno) if error.errno in _FULL_NUMBERS else error.strerror
    known = next((reason for reason in _REASONS if reason in str(error)), None)
    return known or (str(error) if isinstance(error, OSError) else None)


def shown(path: Path | str) -> str:
    """A path for an error message."""
    return one_line(str(path), 200)


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

    def at_once(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    with file_errors(path, "read", field), open(path, "rb", opener=at_once) as stream:
        kind = stat.S_IFMT(os.fstat(stream.fileno()).st_mode)
        if kind != stat.S_IFREG:
            raise OSError(f"it is {_KINDS.get(kind, 'something else')}, not a file")
        yield stream


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


def write_json(path: Path, content: Any) -> Path:
    """Writes a JSON file, readable by eye."""
    return write(path, lambda temporary: temporary.write_text(json.dumps(content, indent=2) + "\n"))


def write_table(path: Path, table: "pd.DataFrame") -> Path:
    """Writes a table as Parquet."""
    return write(path, lambda temporary: table.to_parquet(temporary, index=False))


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


def write_checksums(folder: Path, paths: Iterable[Path]) -> None:
    """Lists files of a folder with their SHA-256 sums, in place of the list before."""
    with file_errors(folder, "read"):
        sums = {path.relative_to(folder).as_posix(): digest(path) for path in sorted(paths)}
    write_json(folder / CHECKSUMS, sums)


def check_checksums(folder: Path, *names: str) -> None:
    """Compares files of a folder with its list; nothing is compared where there is none."""
    path = folder / CHECKSUMS
    listed: dict[str, str] | None = {}
    if path.is_file():
        try:
            with opened(path) as stream:
                listed = json.loads(stream.read(_MOST_BYTES))
        except (ValueError, RecursionError):
            listed = None
    if not isinstance(listed, dict) or any(Path(name).is_absolute() or ".." in Path(name).parts for name in listed):
        raise UserError(f"{shown(path)}: cannot be read: it is not a list of checksums.")
    for name in names or listed:
        path = folder / name
        if name in listed and path.is_file() and digest(path) != listed[name]:
            raise UserError(
                f"{shown(path)}: cannot be read: it is not as it was written, by the checksum in {CHECKSUMS}; "
                f"if you changed it yourself, take {CHECKSUMS} away."
            )


def digest(path: Path) -> str:
    """The SHA-256 sum of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_unpacked(where: object, packed: int, unpacked: int) -> None:
    """Checks that a compressed file, or a part of one, does not grow out of proportion."""
    if unpacked > ALWAYS + GROWTH * packed:
        raise UserError(
            f"{where}: {readable(packed)} would unpack to more than {GROWTH} times as much, as no text or vectors do; "
            f"if it is yours, unpack it first."
        )


def check_memory(where: object, num_bytes: int) -> None:
    """Checks that so much memory is free."""
    if num_bytes > (free := free_memory()):
        raise UserError(f"{where}: it takes {readable(num_bytes)} of memory, but {readable(free)} are free.")


def free_memory() -> int:
    """The bytes of this machine's memory that this process may still take; `ulimit -d` limits them."""

    def listed(path: str, name: str) -> int:
        lines = Path(path).read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))

    try:
        free = listed("/proc/meminfo", "MemAvailable")
        limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
        if limit == resource.RLIM_INFINITY:
            return free
        return max(0, min(free, limit - listed("/proc/self/status", "VmData")))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def readable(num_bytes: int) -> str:
    """A number of bytes for the eye.

    >>> readable(900), readable(117_000), readable(3 << 40)
    ('900 bytes', '114 KiB', '3,072 GiB')
    """
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if num_bytes >= unit:
            return f"{num_bytes / unit:,.0f} {name}" if num_bytes >= 10 * unit else f"{num_bytes / unit:.1f} {name}"
    return f"{num_bytes} bytes"

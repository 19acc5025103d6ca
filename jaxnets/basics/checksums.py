"""Checksums of files that are read back: a file that was cut short, or of which a bit has changed, is not taken.

A folder's `checksums.json` lists its files. It guards against damage, not against whoever would change both.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from jaxnets.basics import files
from jaxnets.basics.errors import UserError

FILE = "checksums.json"
_MOST_BYTES = 2**24


def write(folder: Path, paths: Iterable[Path]) -> None:
    """Lists files of a folder with their SHA-256 sums, in place of the list before."""
    with files.file_errors(folder, "read"):
        sums = {path.relative_to(folder).as_posix(): digest(path) for path in sorted(paths)}
    files.write_json(folder / FILE, sums)


def check(folder: Path, *names: str) -> None:
    """Compares files of a folder with its list; nothing is compared where there is none."""
    listed = _listed(folder)
    for name in names or listed:
        path = folder / name
        if name in listed and path.is_file() and digest(path) != listed[name]:
            raise UserError(
                f"{files.shown(path)}: cannot be read: it is not as it was written, by the checksum in {FILE}; "
                f"if you changed it yourself, take {FILE} away."
            )


def _listed(folder: Path) -> dict[str, str]:
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        with files.opened(path) as stream:
            listed = json.loads(stream.read(_MOST_BYTES))
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, dict) or any(Path(name).is_absolute() or ".." in Path(name).parts for name in listed):
        raise UserError(f"{files.shown(path)}: cannot be read: it is not a list of checksums.")
    return listed


def digest(path: Path) -> str:
    """The SHA-256 sum of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

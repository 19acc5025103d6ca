"""What goes wrong at a change of files: the disk is full, nothing can be written, or a kill would come now.

Python tells of each file that is to be opened for writing, renamed or removed, before it is done (`sys.addaudithook`).
What libraries write without Python is met by small disks and by kills at random moments.
"""

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

Change = Callable[[int, str], None]
"""Is told of the number of a change, from 1, and of its path, before it is done; what it raises is its error."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MAKING = ("open", "os.mkdir", "os.link", "os.symlink")
CHANGES = (*MAKING, "os.rename", "os.remove", "os.rmdir", "os.truncate")


class _Watch:
    """The changes that are looked at now; one at a time."""

    def __init__(self) -> None:
        self.folder, self.events = "", ()
        self.change: Change | None = None
        self.count = 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Is told by Python of all that is done."""
        if self.change is None or event not in self.events or not _is_change(event, arguments, self.folder):
            return
        self.count += 1
        self.change(self.count, os.fsdecode(arguments[0]))


@cache
def _watch() -> _Watch:
    watch = _Watch()
    sys.addaudithook(watch)  # for the life of the process
    return watch


@contextlib.contextmanager
def changes(folder: Path, change: Change, events: tuple[str, ...] = CHANGES) -> Iterator[Callable[[], int]]:
    """Looks at the changes of a folder and what it holds; yields what tells how many there were."""
    watch = _watch()
    watch.folder, watch.events, watch.count, watch.change = str(folder), events, 0, change
    try:
        yield lambda: watch.count
    finally:
        watch.change = None


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """Changes that are made within do not count."""
    watch = _watch()
    before, watch.change = watch.change, None
    try:
        yield
    finally:
        watch.change = before


def failing(number: int, first: int) -> Change:
    """Lets all changes from one on fail with an error of the system, as on a disk that is full from then on."""

    def change(count: int, path: str) -> None:
        if count >= first:
            raise OSError(number, os.strerror(number), path)

    return change


FULL, READ_ONLY = errno.ENOSPC, errno.EROFS


def _is_change(event: str, arguments: tuple[Any, ...], folder: str) -> bool:
    path = arguments[0]
    if not isinstance(path, str | bytes | os.PathLike):  # a file that is open already
        return False
    if event == "open" and not arguments[2] & _WRITING:
        return False
    name = os.fsdecode(path)
    # a name without a folder is one of a folder that is taken away whole
    return name.startswith(folder) or (not os.path.isabs(name) and event in ("os.remove", "os.rmdir"))

"""A command on the bench: what it finds undisturbed, the states in which a kill leaves it, and how it goes on."""

import contextlib
import os
import random
import shutil
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.reliability import commands
from benchmarks.reliability.commands import Ended, exported, launched
from benchmarks.reliability.injections import CHANGES, Change, changes, unwatched
from jaxnets.runs import directory as run_directory

NOBODY = 2**22 + 1
"""More than the number of any process."""
FINISHED = "holds results already"


class Bench:
    """A command, and a folder in which it is broken.

    Args:
      name: of the command.
      scratch: an empty folder.
      share: the share of the places that are tried where there are many, evenly spaced.
      seed: of what is drawn.
    """

    def __init__(self, name: str, scratch: Path, share: float = 1.0, seed: int = 0) -> None:
        self.name, self.scratch, self.share = name, scratch, share
        self.generator = random.Random(f"{name} {seed}")
        self.directory = scratch / "run"
        commands.write_data(self.directory)

    @property
    def words(self) -> list[str]:
        """The command, in the run directory."""
        return commands.words(self.name, self.directory)

    def run(self, change: Change | None = None, events: tuple[str, ...] = CHANGES) -> Ended:
        """Runs the command in this process; its changes of files are looked at."""
        looked_at = changes(self.directory.parent, change, events) if change else contextlib.nullcontext(lambda: 0)
        with looked_at as count:
            ended = launched(self.words, self.scratch.parent)
        return ended._replace(changes=count())

    def clear(self) -> None:
        """Takes away all that the command has written."""
        shutil.rmtree(self.directory, ignore_errors=True)
        exported(self.directory).unlink(missing_ok=True)

    @cached_property
    def whole(self) -> dict[str, Any]:
        """What the command finds when nothing goes wrong."""
        self.clear()
        ended = self.run()
        assert ended.status == 0, ended.told()
        return self.content()

    def content(self) -> dict[str, Any]:
        """What is in the run directory; see `commands.content`."""
        return commands.content(self.directory)

    def again(self, may_refuse: str = FINISHED) -> str:
        """Gives the command again; what is wrong then, empty if nothing is.

        Args:
          may_refuse: a word of the line by which it may be refused, as what is there is whole.
        """
        ended = self.run()
        refused = bool(may_refuse) and may_refuse in ended.refusal
        if ended.status != 0 and not refused:
            return f"given again it ends with {ended.told()}"
        return commands.different(self.whole, self.content())

    def states(self) -> Iterator[str]:
        """Runs the command once, and puts the state of its files before each change in place, one after another.

        A kill loses nothing that a process has handed to the system, so each is what a kill at this moment leaves.

        Yields:
          The change that has not been made.
        """
        self.clear()
        folder = self.scratch.parent / f"states-{self.name}"
        taken: dict[Path, str] = {}
        seen: list[Any] = [None]

        def keep(count: int, path: str) -> None:
            with unwatched():
                now = _listing(self.scratch)
                if now != seen[0]:
                    seen[0] = now
                    copy = folder / str(count)
                    shutil.copytree(self.scratch, copy, symlinks=True)
                    taken[copy] = path

        self.run(keep)
        for copy in spread(list(taken), self.share):
            shutil.rmtree(self.scratch)
            copy.rename(self.scratch)
            _disown(self.scratch)
            yield f"before change {copy.name}, of {Path(taken[copy]).name}"
        shutil.rmtree(folder, ignore_errors=True)

    def unfinished(self) -> Path:
        """Leaves the run directory as a kill does when one chunk is finished; the path of its part."""
        self.clear()
        copy = self.scratch.parent / f"unfinished-{self.name}"

        def keep(count: int, path: str) -> None:
            with unwatched():
                if self.parts() and not copy.exists() and Path(path).parent.name != run_directory.PARTS:
                    shutil.copytree(self.scratch, copy, symlinks=True)

        self.run(keep)
        shutil.rmtree(self.scratch)
        copy.rename(self.scratch)
        return self.parts()[0]

    def parts(self) -> list[Path]:
        """The finished chunks of all run directories."""
        return sorted(self.scratch.rglob("*.part"))


def _disown(folder: Path) -> None:
    """Gives what this process was writing the number of one that is dead, as that of a killed process is."""
    for path in list(folder.rglob(f".*.{os.getpid()}.tmp")):
        path.rename(path.with_name(path.name.replace(f".{os.getpid()}.tmp", f".{NOBODY}.tmp")))


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    """What tells whether files have changed."""
    found = []
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(OSError):  # another thread may have taken it away
            about = path.stat()
            found.append((str(path), about.st_size, 0 if path.is_dir() else about.st_mtime_ns))
    return found


def spread(places: list[Any], share: float) -> list[Any]:
    """Some of the places, evenly spaced, the first and the last among them."""
    count = max(2, round(len(places) * share))
    if count >= len(places):
        return places
    return [places[round(number * (len(places) - 1) / (count - 1))] for number in range(count)]

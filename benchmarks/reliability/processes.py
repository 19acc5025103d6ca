"""Commands in processes of their own, forked from one in which everything is imported, so that each takes a moment."""

import multiprocessing
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.reliability.commands import Ended

ROOT = Path(__file__).parents[2]
LONGEST = 300
"""Seconds that a command may take."""


class Started:
    """A command that runs.

    Args:
      words: after `run.py`.
      scratch: a folder for what it prints.

    Attributes:
      process: of `multiprocessing`.
      seconds: that it took, when it has ended.
    """

    def __init__(self, words: list[str], scratch: Path) -> None:
        self._errors, self._begin = scratch / f"errors-{time.monotonic_ns()}", time.monotonic()
        self._errors.touch()
        self.process: Any = _server().Process(target=_command, args=(words, str(self._errors)))
        self.process.start()
        self.seconds = 0.0

    def ended(self) -> Ended:
        """Waits for its end."""
        self.process.join(LONGEST)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        self.seconds = time.monotonic() - self._begin
        text = self._errors.read_text(errors="replace")
        self._errors.unlink()
        return Ended(self.process.exitcode, text)


def duration(words: list[str], scratch: Path) -> float:
    """The seconds that a command takes to its end."""
    started = Started(words, scratch)
    ended = started.ended()
    assert ended.status == 0, ended.told()
    return started.seconds


@cache
def _server() -> Any:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(["benchmarks.reliability.imported"])
    return made


def _command(words: list[str], errors: str) -> None:
    """In the process of a command."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(errors, os.O_WRONLY), 2)
    from jaxnets.cli import main as cli

    status = cli.main(["run.py", *words])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

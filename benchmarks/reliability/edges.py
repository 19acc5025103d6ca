"""Every flag of every experiment at its edges, up to the first step: `python -m benchmarks.reliability.edges`.

A command must be understood or refused in one line, soon, and leave nothing behind.
"""

import argparse
import contextlib
import importlib
import io
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.reliability.alarms import limited
from jaxnets import plugins
from jaxnets.cli import flags
from jaxnets.cli.main import sentences
from jaxnets.config.config import fields
from jaxnets.engine import devices
from jaxnets.engine.sweep import load_folds, prepare
from jaxnets.engine.table import chosen, runs
from jaxnets.errors import UserError
from jaxnets.plugins import Plugin
from jaxnets.runs.experiment import Experiment, configure

ALL = {name: importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT for name in sentences()}
EXPERIMENTS = {name: one for name, one in ALL.items() if isinstance(one, Experiment)}

NUMBERS = ("0", "-0", "1", "-1", "2147483647", "2147483648", "4294967296", "1e39", "-1e308", "1e-320", "nan", "-inf")
NO_NUMBERS = ("", " ", "2_0", "٠.١", "½", "0x10", "true", "é\u202e\x1b[2J", "[/x]", "\ud800", "9" * 5000, "x" * 5000)
SEVERAL = ("1,,2", ",", "1,1", "log:1:2:3", "log:0:1:3", "log:1:1e300:2", "lin:0:1:1000000000", "lin:2:1", "log:::")
SIZES = ("0x0", "3x3", "-3x4", "1000000000000", "20000x20000", "x", "4x")
NAMES = (":", ":x", "x:", ".x:y", "no.such:thing", "math:pi", "math:sin", "builtins:int", "../x", "tfds:", "adm")
EDGES = (*NUMBERS, *NO_NUMBERS, *SEVERAL, *SIZES, *NAMES)
SOON = 20
"""Seconds in which something must be said."""

UNDERSTOOD, REFUSED, LINES, RAISED, LATE, LEFT = (
    "understood",
    "refused in one line",
    "refused in several lines",
    "ended in a traceback",
    "silent for 20 s",
    "left something behind",
)
GOOD = (UNDERSTOOD, REFUSED)


class Attempt(NamedTuple):
    """A command: an experiment with a flag at an edge, and the flags that the flag needs beside it."""

    experiment: str
    flag: str
    edge: str
    beside: tuple[str, ...] = ()

    @property
    def arguments(self) -> list[str]:
        """After the name of the experiment."""
        return [*self.beside, f"--{self.flag}={self.edge}"]

    def __str__(self) -> str:
        """As it is written, cut short."""
        return " ".join([self.experiment, *self.beside, f"--{self.flag}={self.edge[:40]!r}"])


class _Late(BaseException):
    """Too long without a word; no code may catch it."""


def attempts() -> Iterator[Attempt]:
    """All: the fields, own flags and plug-ins' arguments of each experiment; in `train` of all built-in plug-ins."""
    for name, experiment in EXPERIMENTS.items():
        own = {option.name for option in experiment.options}
        arguments = {name for plugin in chosen(configure(experiment, {})) for name in plugin.arguments}
        for flag in ("preset", *(field.name for field in fields()), *sorted(own | arguments)):
            yield from (Attempt(name, flag, edge) for edge in EDGES)
    for plugin in plugins.built_in():
        for argument in plugin.arguments:
            yield from (Attempt("train", argument, edge, _with(plugin)) for edge in EDGES)


def _with(plugin: Plugin) -> tuple[str, ...]:
    """The flags that choose a plug-in, and data or a model that fit it."""
    of_text = plugin.name in ("dan", "text_cnn") or plugin.value.__module__ == "jaxnets.data.grammars"
    fitting = {"dataset": "ngrams", "model": "dan"} if of_text else {}
    return tuple(f"--{name}={value}" for name, value in {**fitting, plugin.kind: plugin.name}.items())


def outcome(attempt: Attempt, folder: Path) -> tuple[str, str]:
    """What becomes of a command up to its first step, and the text of its error.

    Args:
      attempt: the command.
      folder: an empty one, in which it is started.
    """
    experiment = EXPERIMENTS[attempt.experiment]
    try:
        with (
            limited(SOON, _Late()),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            _before_the_first_step(experiment, attempt.arguments)
        found, text = UNDERSTOOD, ""
    except UserError as error:
        text = str(error)
        found = REFUSED if len(text.splitlines()) == 1 else LINES
    except _Late:
        found, text = LATE, ""
    except (Exception, SystemExit) as error:
        found, text = RAISED, f"{type(error).__name__}: {error}"
    return (LEFT if any(folder.iterdir()) else found), text


def _before_the_first_step(experiment: Experiment, arguments: Sequence[str]) -> None:
    config = flags.parse(experiment, arguments)
    if experiment.trains:
        prepare(config, experiment.takes)
    else:
        runs(config)
        load_folds(config, experiment.takes)


def main(arguments: Sequence[str]) -> int:
    """Tries all flags of some experiments, and prints a table of counts; 1 if one is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability.edges")
    parser.add_argument("experiments", nargs="*", help="All if none is named.")
    named = parser.parse_args(arguments).experiments or list(EXPERIMENTS)
    devices.configure("cpu", 2)
    counts, start = {name: Counter() for name in named}, time.monotonic()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for attempt in attempts():
            if attempt.experiment in counts:
                found, text = outcome(attempt, Path(folder))
                counts[attempt.experiment][found] += 1
                if found not in GOOD:
                    print(f"{found}: {attempt}: {text[:200]}".encode(errors="replace").decode(), file=sys.stderr)
    kinds = [UNDERSTOOD, REFUSED, LINES, RAISED, LATE, LEFT]
    print(f"| experiment | {' | '.join(kinds)} |\n| --- | {' | '.join('---:' for _ in kinds)} |")
    for name, of_name in counts.items():
        print(f"| `{name}` | {' | '.join(str(of_name[kind]) for kind in kinds)} |")
    total = sum(counts.values(), Counter())
    print(f"| all | {' | '.join(f'{total[kind]:,}' for kind in kinds)} |")
    print(f"\n{total.total():,} commands in {time.monotonic() - start:.0f} s.")
    return int(any(total[kind] for kind in kinds if kind not in GOOD))


if __name__ == "__main__":
    os.environ.setdefault("JAX_ENABLE_COMPILATION_CACHE", "false")
    sys.exit(main(sys.argv[1:]))

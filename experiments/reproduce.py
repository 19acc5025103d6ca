"""Trains again what a run directory holds, and says whether the same numbers came out."""

import sys
import tempfile
from pathlib import Path

from experiments import report
from jaxnets.config.values import Field
from jaxnets.errors import UserError
from jaxnets.evidence.repetition import TOLERANCE
from jaxnets.lab import commandline, flagtext, trust
from jaxnets.lab.experiment import Command, Experiment
from jaxnets.lab.parser import Parser
from jaxnets.report.console import Terminal
from jaxnets.runs import reproduce

CLAIM = "Trains again what a run directory holds: bit-equal, within tolerance, or different, and why."

DETAILS = """Trains the sweep of a run directory once more, from its config.json, and compares runs.parquet,
curves.parquet and predictions.parquet value by value, all but the seconds. On CPUs of one kind, with the same versions
and data, they are equal to the last bit. Where they are not, it says what is worst, and in what versions, devices, code
and data (by their hash) the two differ. The status is 0 if they are equal or within the tolerance, and 1 if not."""


def run(arguments):
    """Runs `reproduce` with these arguments; returns the exit status."""
    if (given := parser().values(trust.spelled_out(arguments))) is None:
        return 0
    if len(given.directory) != 1:
        raise UserError(f"directory: reproduce takes one run directory, not {len(given.directory)}; see --help.")
    directory, console = Path(given.directory[0]), Terminal()
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(given.output or f"{temporary}/again")
        found = reproduce.reproduce(
            directory, experiment(directory), output, given.trust, tolerance(given.tolerance), Terminal(stderr=True)
        )
    reproduce.show(console, directory, found)
    return int(found.outcome == "different")


def experiment(directory):
    """The experiment that wrote a run directory.

    Raises:
      UserError: if it is none that trains by flags.
    """
    found = report.experiment(directory)
    if not isinstance(found, Experiment):
        raise UserError(f"directory: '{directory}' was not written by an experiment of these.")
    return found


def tolerance(text):
    """The largest difference that is none.

    Raises:
      UserError: if it is no number from 0 on.
    """
    return Field("tolerance", "float", least=0).value(flagtext.parse("tolerance", text, "float", several=False))


def parser():
    """The parser of its arguments."""
    made = Parser("reproduce", DETAILS)
    made.add_argument("directory", nargs="*", metavar="RUN_DIR", help="A run directory with finished results.")
    made.add_argument(
        "--output", default="", help="Keeps what is trained now in this folder; otherwise it is not kept."
    )
    made.add_argument(
        "--tolerance",
        default=str(TOLERANCE),
        help=f"The difference, relative to 1 + the value, that is none, by default {TOLERANCE}.",
    )
    made.add_argument("--trust", default="", help=trust.HELP)
    return made


EXPERIMENT = Command(name="reproduce", about=CLAIM, run=run)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

"""Trains again what a run directory holds, and says whether the same numbers came out."""

import tempfile
from pathlib import Path

from jaxnets.claims.repetition import TOLERANCE
from jaxnets.cli.flags import TRUST, trust_of
from jaxnets.cli.main import load, sentences
from jaxnets.errors import UserError
from jaxnets.report.console import Terminal
from jaxnets.runs import directory as run_directory
from jaxnets.runs import reproduce
from jaxnets.runs.experiment import Command, Experiment, Option

CLAIM = "Trains again what a run directory holds: bit-equal, within tolerance, or different, and why."

DETAILS = """Trains the sweep of a run directory once more, from its config.json, and compares runs.parquet,
curves.parquet and predictions.parquet value by value, all but the seconds. On CPUs of one kind, with the same versions
and data, they are equal to the last bit. Where they are not, it says what is worst, and in what versions, devices, code
and data (by their hash) the two differ. The status is 0 if they are equal or within the tolerance, and 1 if not."""


def run(given):
    """Runs `reproduce`; returns the exit status."""
    if len(given.directory) != 1:
        raise UserError(f"directory: reproduce takes one run directory, not {len(given.directory)}; see --help.")
    directory, console = Path(given.directory[0]), Terminal()
    with tempfile.TemporaryDirectory() as temporary:
        output = Path(given.output or f"{temporary}/again")
        found = reproduce.reproduce(
            directory, experiment(directory), output, trust_of(given.trust), given.tolerance, Terminal(stderr=True)
        )
    reproduce.show(console, directory, found)
    return int(found.outcome == "different")


def experiment(directory):
    """The experiment that wrote a run directory.

    Raises:
      UserError: if it is none that trains by flags.
    """
    name = run_directory.read_config(directory).get("experiment")
    found = load(name) if name in sentences() else None
    if not isinstance(found, Experiment):
        raise UserError(f"directory: '{directory}' was not written by an experiment of these.")
    return found


EXPERIMENT = Command(
    name="reproduce",
    about=CLAIM,
    run=run,
    details=DETAILS,
    directories="RUN_DIR",
    options=(
        Option("output", "", "Keeps what is trained now in this folder; otherwise it is not kept."),
        Option("tolerance", TOLERANCE, "The difference, relative to 1 + the value, that is none.", least=0),
        Option("trust", "", TRUST),
    ),
)

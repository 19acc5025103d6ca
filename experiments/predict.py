"""Asks a trained model about texts of one's own: the classes, and the words that decided."""

import json
import sys
from pathlib import Path

from rich.console import Console

from jaxnets.basics.errors import UserError
from jaxnets.engine import devices
from jaxnets.lab import commandline, results
from jaxnets.lab.experiment import Command
from jaxnets.lab.parser import Parser
from jaxnets.report import explanations
from jaxnets.trained import explain
from jaxnets.trained import model as models

CLAIM = "Asks the model of a run directory about a text, and shows the words that decided."

DETAILS = """Classifies texts with the model that is kept in a run directory ('train' keeps one; a sweep does with
--keep=best), or with the ensemble of the seeds that --keep=seeds keeps: with the mean of their probabilities, and with
how far they agree. Without --text and --file, each line of the standard input is a text.

A word's contribution is what the probability of the predicted class loses when the word is left out; with a single text
CNN, it is the word's share of the windows that won the filters."""


def run(arguments):
    """Runs `predict` with these arguments; returns the exit status."""
    if (given := parser().values(arguments)) is None:
        return 0
    if len(given.directory) != 1:
        raise UserError(f"directory: predict takes one run directory, not {len(given.directory)}; see --help.")
    devices.configure("cpu", 1)
    answers = explain.explain(asked(Path(given.directory[0])), texts(given))
    if given.json:
        print(json.dumps(explanations.as_json(answers), ensure_ascii=False, indent=2))
        return 0
    for answer in answers:
        explanations.print_explanation(Console(highlight=False), answer)
    return 0


def asked(directory):
    """The model of a run directory, or the ensemble of the seeds that it keeps.

    Raises:
      UserError: if it holds neither, or a file of it cannot be read.
    """
    if (directory / results.MODELS).exists():
        return results.load(directory).ensemble()
    return models.load(directory)


def parser():
    """The parser of its arguments."""
    made = Parser("predict", DETAILS)
    made.add_argument("directory", nargs="*", metavar="RUN_DIR", help="A run directory that holds a model.")
    made.add_argument("--text", action="append", default=[], help="A text; may be given several times.")
    made.add_argument("--file", action="append", default=[], help="A file with a text in each line, UTF-8.")
    made.add_argument("--json", action="store_true", help="Prints JSON instead of colours.")
    return made


def texts(given):
    """The texts that are asked about: those of the flags, or else the lines of the standard input.

    Raises:
      UserError: if a file cannot be read, or is not UTF-8.
    """
    if not given.text and not given.file:
        return lines(sys.stdin.buffer, "standard input")
    asked = list(given.text)
    for file in given.file:
        try:
            with Path(file).open("rb") as stream:
                asked += lines(stream, file)
        except OSError as error:
            raise UserError(f"file: '{file}' cannot be read: {error.strerror}.") from None
    return asked


def lines(stream, name):
    """The lines of a stream of bytes.

    Raises:
      UserError: if they are not UTF-8.
    """
    decoded = []
    for number, line in enumerate(stream, 1):
        try:
            decoded.append(line.decode("utf-8").rstrip("\r\n"))
        except UnicodeDecodeError as error:
            raise UserError(f"file: {name}, line {number}: byte {error.start + 1} is not UTF-8.") from None
    return decoded


EXPERIMENT = Command(name="predict", about=CLAIM, run=run)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

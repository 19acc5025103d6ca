"""Asks a trained model about texts of one's own: the classes, and the words that decided."""

import sys
from pathlib import Path

from jaxnets.basics.errors import UserError
from jaxnets.data import text_lines
from jaxnets.engine import devices
from jaxnets.lab import commandline, results, trust
from jaxnets.lab.experiment import Command
from jaxnets.lab.parser import Parser
from jaxnets.report import explanations
from jaxnets.report.console import Terminal
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
    if (given := parser().values(trust.spelled_out(arguments))) is None:
        return 0
    if len(given.directory) != 1:
        raise UserError(f"directory: predict takes one run directory, not {len(given.directory)}; see --help.")
    devices.configure("cpu", 1)
    answers = explain.explain(asked(Path(given.directory[0]), trust.of(given.trust)), texts(given))
    if given.json:
        print(explanations.json_text(answers))
        return 0
    for answer in answers:
        explanations.print_explanation(Terminal(), answer)
    return 0


def asked(directory, trusted):
    """The model of a run directory, or the ensemble of the seeds that it keeps.

    Raises:
      UserError: if it holds neither, a file of it cannot be read, or it names what is not trusted.
    """
    if (directory / results.MODELS).exists():
        return results.load(directory, trust=trusted).ensemble()
    return models.load(directory, trusted)


def parser():
    """The parser of its arguments."""
    made = Parser("predict", DETAILS)
    made.add_argument("directory", nargs="*", metavar="RUN_DIR", help="A run directory that holds a model.")
    made.add_argument("--text", action="append", default=[], help="A text; may be given several times.")
    made.add_argument("--file", action="append", default=[], help="A file with a text in each line, UTF-8.")
    made.add_argument("--trust", default="", help=trust.HELP)
    made.add_argument("--json", action="store_true", help="Prints JSON instead of colours.")
    return made


def texts(given):
    """The texts that are asked about: those of the flags, or else the lines of the standard input.

    Raises:
      UserError: if a file cannot be read, or is not UTF-8.
    """
    if not given.text and not given.file:
        return [text for _, text in text_lines.decoded(sys.stdin.buffer, "standard input")]
    asked = list(given.text)
    for file in given.file:
        asked += [text for _, text in text_lines.read(Path(file), "file")]
    return asked


EXPERIMENT = Command(name="predict", about=CLAIM, run=run)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

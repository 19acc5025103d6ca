"""Asks a trained model about texts of one's own: the classes, and the words that decided."""

import json
import sys
from pathlib import Path

from jaxnets.basics.errors import UserError

CLAIM = "Asks the model of a run directory about a text, and shows the words that decided."

USAGE = """usage: python run.py predict RUN_DIR [--text=TEXT] [--file=FILE] [--json]

Classifies texts with the model that is kept in a run directory ('train' keeps one; a sweep does with --keep=best).
Without --text and --file, each line of the standard input is a text.

  --text   A text; may be given several times.
  --file   A file with a text in each line, UTF-8.
  --json   Prints JSON instead of colours: probabilities, each word's contribution, and the windows of a text CNN.

A word's contribution is what the probability of the predicted class loses when the word is left out; with a text CNN,
it is the word's share of the windows that won the filters."""

FLAGS = ("text", "file", "json")


def command(arguments):
    """Runs `predict` with these arguments; returns the exit status."""
    if any(argument in ("--help", "-h") for argument in arguments):
        print(USAGE)
        return 0
    directory, texts, as_json = parse(arguments)
    from jaxnets.engine import devices
    from jaxnets.trained import model as saved

    devices.configure("cpu", 1)
    model = saved.load(directory)
    from rich.console import Console

    from jaxnets.report import explanations
    from jaxnets.trained import explain

    found = explain.explain(model, texts if texts is not None else read(sys.stdin.buffer, "standard input"))
    if as_json:
        print(json.dumps(explanations.as_json(found), ensure_ascii=False, indent=2))
        return 0
    for explanation in found:
        explanations.print_explanation(Console(highlight=False), explanation)
    return 0


def parse(arguments):
    """The run directory, the texts (None for the standard input), and whether JSON is asked for.

    Raises:
      UserError: if a flag or the directory is not as `USAGE` says.
    """
    from jaxnets.basics.errors import unknown

    directories, texts, files, as_json = [], [], [], False
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            directories.append(argument)
            continue
        name, equals, value = argument.lstrip("-").partition("=")
        if name not in FLAGS:
            raise unknown("flag", name, FLAGS)
        if name == "json":
            as_json = True
            continue
        if not equals and not rest:
            raise UserError(f"{name}: there is no value.")
        (texts if name == "text" else files).append(value if equals else rest.pop(0))
    if len(directories) != 1:
        raise UserError(f"predict takes one run directory, not {len(directories)}; 'predict --help' tells more.")
    for file in files:
        try:
            with Path(file).open("rb") as stream:
                texts += read(stream, file)
        except OSError as error:
            raise UserError(f"file: '{file}' cannot be read: {error.strerror}.") from None
    return Path(directories[0]), texts if texts or files else None, as_json


def read(stream, name):
    """The lines of a stream of bytes.

    Raises:
      UserError: if they are not UTF-8.
    """
    lines = []
    for number, line in enumerate(stream, 1):
        try:
            lines.append(line.decode("utf-8").rstrip("\r\n"))
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number}: byte {error.start + 1} is not UTF-8.") from None
    return lines

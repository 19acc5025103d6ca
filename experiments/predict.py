"""Asks a trained model about texts of one's own: the classes, and the words that decided."""

import sys
from pathlib import Path

from jaxnets import io
from jaxnets.cli.flags import TRUST, trust_of
from jaxnets.data import files, text_files
from jaxnets.data.dataset import counted, unknown_label
from jaxnets.engine import devices
from jaxnets.errors import UserError
from jaxnets.inference import explain
from jaxnets.inference import model as models
from jaxnets.inference.model import Model
from jaxnets.report.console import Terminal
from jaxnets.runs import results
from jaxnets.runs.experiment import Command, Option

CLAIM = "Asks the model of a run directory about texts, and shows the words that decided."

DETAILS = """Classifies texts with the model that is kept in a run directory ('train' keeps one; a sweep does with
--keep=best), or with the ensemble of the seeds that --keep=seeds keeps: with the mean of their probabilities, and with
how far they agree. Without --text and --file, each line of the standard input is a text.

A .csv, .tsv or .jsonl file (also .gz) is read as a data set is, and each of its rows is a text; labels in it are
compared with the answers. Of any other file, each line is a text.

A word's contribution is what the probability of the predicted class loses when the word is left out; with a single text
CNN, it is the word's share of the windows that won the filters."""

MOST_EXPLAINED = 20
"""Texts that are explained if nothing is said: who asks about more wants the answers."""


def run(given):
    """Runs `predict`; returns the exit status."""
    if len(given.directory) != 1:
        raise UserError(f"directory: predict takes one run directory, not {len(given.directory)}; see --help.")
    top, output = given.top or 0, Path(given.output) if given.output else None
    if output:
        explain.check_output(output)
    devices.configure("cpu", 1)
    model = asked(Path(given.directory[0]), trust_of(given.trust))
    first = model if isinstance(model, Model) else model.first
    rows = texts(given, first.class_names)
    explained = len(rows) <= MOST_EXPLAINED and not output if given.explain is None else given.explain
    answers = explain.explain(model, [row.text for row in rows], reasons=explained)
    labels = [row.label for row in rows] if any(row.label for row in rows) else []
    if output:
        explain.write(output, answers, dict(zip(first.class_names, first.labels, strict=True)), top, labels)
    if given.json:
        print(explain.json_text(answers, top, labels))
    elif not output:
        for answer in answers:
            explain.print_explanation(Terminal(), answer, top)
    notes = Terminal(stderr=True) if given.json else Terminal()
    for sentence in [*on_answers(answers, first.max_length, explained), *on_labels(answers, labels)]:
        notes.print(sentence, soft_wrap=True)
    if output:
        notes.print(f"{counted(len(answers), 'answer')}: {output}", soft_wrap=True)
    return 0


def asked(directory, trusted):
    """The model of a run directory, or the ensemble of the seeds that it keeps.

    Raises:
      UserError: if it holds neither, a file of it cannot be read, or it names what is not trusted.
    """
    if (directory / results.MODELS).exists():
        return results.load(directory, trust=trusted).ensemble()
    return models.load(directory, trusted)


def texts(given, class_names):
    """The rows that are asked about: those of the flags, or else the lines of the standard input.

    Raises:
      UserError: if a file cannot be read, is not UTF-8, or has a label that is none of the classes.
    """
    if not given.text and not given.file:
        lines = files.decoded(sys.stdin.buffer, "standard input")
        return [text_files.Row(number, "", text) for number, text in lines]
    asked = [text_files.Row(0, "", text) for text in given.text]
    for file in map(Path, given.file):
        rows = text_files.asked_rows(file, given.text_column, given.label_column)
        for row in rows:
            if row.label and row.label not in class_names:
                hint = " Give --label_column='' if there are no labels to compare."
                raise unknown_label(f"{io.shown(file)}, line {row.line}", row.label, class_names, hint)
        asked += rows
    return asked


def on_answers(answers, max_length, explained):
    """Sentences on what was left out: words that were cut, and texts too long to be explained."""
    cut = [answer.num_cut for answer in answers if answer.num_cut]
    if cut:
        yield (
            f"As in training, {len(cut):,} of {counted(len(answers), 'text')} "
            f"{'was' if len(cut) == 1 else 'were'} cut to {max_length} words, {sum(cut):,} words in all."
        )
    long = [answer for answer in answers if answer.contributions is None]
    if explained and long:
        yield (
            f"Not explained: {counted(len(long), 'text')} of more than {explain.LONGEST_EXPLAINED:,} words; "
            f"the longest has {max(len(answer.words) for answer in long):,}."
        )


def on_labels(answers, labels):
    """A sentence on the accuracy, if there are labels to compare."""
    right = [answer.prediction == label for answer, label in zip(answers, labels, strict=False) if label]
    if right:
        yield f"Accuracy: {sum(right) / len(right):.4f} ({sum(right):,} of {counted(len(right), 'label')})."


EXPERIMENT = Command(
    name="predict",
    about=CLAIM,
    run=run,
    details=DETAILS,
    directories="RUN_DIR",
    options=(
        Option("text", [], "A text; may be given several times.", repeated=True),
        Option("file", [], "A file in UTF-8: .csv, .tsv, .jsonl, or a text in each line.", repeated=True),
        Option("text_column", "", "The column or key of the text; by default text."),
        Option(
            "label_column",
            None,
            "The column or key of the label, by default label where there is one; '' for no label.",
            of_kind="text",
        ),
        Option("output", "", "A new file .csv or .jsonl for the answers, a row for each text."),
        Option("top", None, "The number of classes that are told, the most probable first.", least=1, of_kind="int"),
        Option(
            "explain",
            None,
            f"Shows the words that decided; by default for up to {MOST_EXPLAINED} texts without --output.",
            of_kind="bool",
        ),
        Option("json", False, "Prints JSON instead of colours."),
        Option("trust", "", TRUST),
    ),
)

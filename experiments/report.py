"""Makes the reports of run directories again, and compares them with each other."""

import os
import sys
from pathlib import Path

from jaxnets import io
from jaxnets.config.values import command
from jaxnets.engine import devices
from jaxnets.errors import UserError
from jaxnets.evidence import between
from jaxnets.evidence.answer import answer
from jaxnets.lab import commandline, directories, study_report
from jaxnets.lab.experiment import Command, Option
from jaxnets.report import between_page, comparison_tables
from jaxnets.report.between_page import Pair
from jaxnets.report.console import Terminal

CLAIM = "Makes the reports of run directories again, compares them, and says which differences are real."

DETAILS = """Writes report.html and the figures into each run directory. With several it compares the others with the
first: in what their set-ups differ, and what each contestant and each setting that both have gained or lost, with
intervals. The directories may be those of other commits."""


def run(given):
    """Runs `report`; returns the exit status."""
    if not given.directory:
        raise UserError("directory: report takes one run directory or several; see --help.")
    devices.configure("cpu", 1)
    console, names = Terminal(), [os.path.normpath(name) for name in given.directory]
    if len(set(names)) < len(names):
        raise UserError("directory: one of them is given twice.")
    read = [directories.read(Path(name)) for name in names]
    for directory in read:
        write(directory, console)
    if len(read) > 1:
        for directory in read:
            if not directory.study.tasks:
                raise UserError(f"'{directory.path}' holds no task that was carried out whole.")
        compare(read, names, Path(given.output), console)
    return 0


def write(directory, console):
    """Writes the report and the figures of a run directory, and prints its answer."""
    console.rule(str(directory.path), align="left")
    if not directory.study.tasks:
        console.print(
            f"No task has been carried out whole: {directory.left_out} runs were begun, and nothing is compared. If "
            f"nothing trains them now, '{command(f'--resume={directory.path}')}' goes on.",
            soft_wrap=True,
        )
        return
    said = answer(directory.study, directory.margin, directory.over_examples)
    comparison_tables.print_answer(console, said)
    if directory.left_out:
        console.print(
            f"Caution: {directory.left_out} runs are left out: of those that were interrupted, or of their task.",
            style="yellow",
        )
    page, *_ = study_report.write(directory.path, directory.study, said, directory.command, directory.environment)
    console.print(f"Report: {page}", soft_wrap=True)


def compare(read, names, output, console):
    """Compares the directories with the first, on the console and as a page."""
    first, *others = read
    pairs = []
    for name, other in zip(names[1:], others, strict=True):
        same = directories.same_data(first, other)
        table = between.compare(first.study, other.study, same_data=same, margin=first.margin)
        pairs.append(Pair(names[0], name, same, table))
    setups = directories.differences(read)
    console.rule("Compared", align="left")
    between_page.print_pairs(console, names, setups, pairs)
    with io.file_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
    reports = [Path(os.path.relpath(one.path / "report.html", output.parent)).as_posix() for one in read]
    content = between_page.html(names, setups, pairs, reports, command("report", *names))
    io.write(output, lambda temporary: temporary.write_text(content, encoding="utf-8"))
    console.print(f"Page: {output}", soft_wrap=True)


EXPERIMENT = Command(
    name="report",
    about=CLAIM,
    run=run,
    details=DETAILS,
    directories="RUN_DIR ...",
    options=[Option("output", "results/compared.html", "The page that compares several.")],
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

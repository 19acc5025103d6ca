"""Makes the reports of run directories again, and compares them with each other."""

import os
from pathlib import Path

from jaxnets import io
from jaxnets.comparison.answer import answer
from jaxnets.engine import devices
from jaxnets.errors import UserError, command
from jaxnets.report import comparison_page, tables
from jaxnets.report.console import Table, Terminal
from jaxnets.runs import directories
from jaxnets.runs.experiment import Command, Option

CLAIM = "Makes the reports of run directories again, and compares directories with each other."

DETAILS = """Writes report.html and the figures into each run directory. With several it prints in what their set-ups
differ, and compares them as methods: one answer, one page. The directories may be those of other commits."""


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
            if not directory.comparison.tasks:
                raise UserError(f"'{directory.path}' holds no task that was carried out whole.")
        compare(read, names, Path(given.output), console)
    return 0


def write(directory, console):
    """Writes the report and the figures of a run directory, and prints its answer."""
    console.rule(str(directory.path), align="left")
    if not directory.comparison.tasks:
        console.print(
            f"No task has been carried out whole: {directory.left_out} runs were begun, and nothing is compared. If "
            f"nothing trains them now, '{command(f'--resume={directory.path}')}' goes on.",
            soft_wrap=True,
        )
        return
    said = answer(directory.comparison, directory.margin, directory.over_examples)
    tables.print_answer(console, said)
    if directory.left_out:
        console.print(
            f"Caution: {directory.left_out} runs are left out: of those that were interrupted, or of their task.",
            style="yellow",
        )
    page, *_ = comparison_page.write(
        directory.path, directory.comparison, said, directory.command, directory.environment
    )
    console.print(f"Report: {page}", soft_wrap=True)


def compare(read, names, output, console):
    """Compares the directories as methods, on the console and as a page."""
    console.rule("Compared", align="left")
    if setups := directories.differences(read):
        console.print(Table("The set-ups differ in", ["", *names], setups))
    comparison = directories.joined(read, names)
    said = answer(comparison, read[0].margin, read[0].over_examples)
    tables.print_answer(console, said)
    with io.file_errors(output):
        output.mkdir(parents=True, exist_ok=True)
    page, *_ = comparison_page.write(output, comparison, said, command("report", *names), {})
    console.print(f"Report: {page}", soft_wrap=True)


EXPERIMENT = Command(
    name="report",
    about=CLAIM,
    run=run,
    details=DETAILS,
    directories="RUN_DIR ...",
    options=[Option("output", "results/compared", "Where the report that compares several is written.")],
)

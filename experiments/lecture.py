"""Puts all claims of the lecture to the test, and writes what was found as one page."""

import sys
import time
from pathlib import Path

from rich.console import Console

from experiments import (
    activations,
    batch_size,
    building_blocks,
    computing_gradients,
    dan_vs_naive_bayes,
    depth_vs_width,
    initialization,
    learning_rate,
    linear_collapse,
    local_optima,
    momentum_and_adam,
    negation,
    schedules,
    sgd_vs_full_gradient,
    unseen_ngrams,
    word_order,
    xor,
)
from jaxnets.basics.errors import UserError, unknown
from jaxnets.config.config import Config
from jaxnets.engine import devices
from jaxnets.lab import commandline, flagtext, lecture
from jaxnets.lab.experiment import Command
from jaxnets.lab.lecture import Lecture
from jaxnets.lab.parser import Parser

CLAIM = "Puts all claims of the lecture to the test and writes them as one page."

ORDER = (
    building_blocks,
    linear_collapse,
    xor,
    negation,
    activations,
    depth_vs_width,
    initialization,
    batch_size,
    sgd_vs_full_gradient,
    local_optima,
    learning_rate,
    schedules,
    momentum_and_adam,
    computing_gradients,
    dan_vs_naive_bayes,
    unseen_ngrams,
    word_order,
)
CLAIMS = {module.EXPERIMENT.name: module.EXPERIMENT for module in ORDER}

TITLE = "A lecture on neural nets, put to the test"
INTRODUCTION = (
    "Each claim of the lecture is an experiment that trains nets and computes its verdict from what they did, by a "
    "rule that stands beside it. A claim is supported if all its parts are, and not supported if one of them is not; "
    "a part is inconclusive where its 95% interval leaves the question open."
)
DETAILS = """Runs all claims, each in a folder of --output, and writes lecture.html and verdicts.md into it. What is
finished there already is not done again."""


def run(arguments):
    """Runs `lecture` with these arguments; returns the exit status."""
    if (given := parser().values(arguments)) is None:
        return 0
    for name, value in vars(given).items():
        if value == "":
            raise UserError(f"{name}: there is not a value; write --{name}=VALUE.")
    config = Config(platform=given.platform, num_devices=flagtext.parse_one("num_devices", given.num_devices, "int"))
    chosen, directory, readme = claims(given.only), Path(given.output), given.readme and Path(given.readme)
    if readme:
        lecture.with_verdicts(readme, "")  # a mistake in it shows before the work
    if given.fresh:
        for claim in chosen:
            (directory / claim.name / lecture.MADE).unlink(missing_ok=True)
    devices.configure(config.platform, config.num_devices, config.compilation_cache)
    start, console = time.perf_counter(), Console()
    values = {"platform": config.platform, "num_devices": config.num_devices}
    sections = lecture.give(Lecture(TITLE, INTRODUCTION, chosen, directory, values), console)
    if readme:
        lecture.put_verdicts(readme, (directory / lecture.VERDICTS).read_text(encoding="utf-8"))
    console.print(f"Page: {directory / lecture.PAGE} ({time.perf_counter() - start:.0f} s)", highlight=False)
    return 0 if all(section.finding for section in sections) else 1


def claims(names):
    """The claims of some names, separated by commas, in the lecture's order; all if None.

    Raises:
      UserError: if a name is not known.
    """
    chosen = list(CLAIMS) if names is None else names.split(",")
    for name in chosen:
        if name not in CLAIMS:
            raise unknown("only", name, CLAIMS)
    return [claim for name, claim in CLAIMS.items() if name in chosen]


def parser():
    """The parser of its arguments."""
    made = Parser("lecture", DETAILS)
    made.add_argument("--output", default="results/lecture", help="The folder; by default results/lecture.")
    made.add_argument("--only", help=f"Some of the claims: {', '.join(CLAIMS)}.")
    made.add_argument("--fresh", action="store_true", help="Does again what is finished.")
    made.add_argument("--readme", help="A text file in which the table of verdicts is put between its two marks.")
    made.add_argument("--platform", help="cpu, gpu or tpu; otherwise the best there is.")
    made.add_argument("--num_devices", default="0", help="Devices to use; 0 is all.")
    return made


EXPERIMENT = Command(name="lecture", about=CLAIM, run=run)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

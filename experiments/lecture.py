"""Puts all claims of the lecture to the test, and writes what was found as one page."""

import time
from pathlib import Path

from jaxnets.config.config import Config
from jaxnets.engine import devices
from jaxnets.errors import UserError, unknown
from jaxnets.experiments import (
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
from jaxnets.report.console import Terminal
from jaxnets.runs import lecture
from jaxnets.runs.experiment import Command, Option
from jaxnets.runs.lecture import Lecture

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
    "Each claim of the lecture is an experiment that trains nets and computes its verdict from what they did, by rules "
    "that were fixed before and stand beside it. The core parts, which are what the lecture says, decide: a claim is "
    "supported if all of them are, contradicted if one is, mixed if parts or tasks disagree, and inconclusive if the "
    "95% intervals leave it open. An identity is true by construction: it checks the code, and is no finding."
)
DETAILS = """Runs all claims, each in a folder of --output, and writes lecture.html and verdicts.md into it. What is
finished there already is not done again."""


def run(given):
    """Runs `lecture`; returns the exit status."""
    for name, value in vars(given).items():
        if value == "":
            raise UserError(f"{name}: there is not a value; write --{name}=VALUE.")
    values = {name: getattr(given, name) for name in ("platform", "num_devices", "base_seed")}
    config = Config(**values)
    chosen, readme = claims(given.only), given.readme and Path(given.readme)
    directory, text = directory_of(given, config), given.text_dataset or ""
    asked = Lecture(TITLE, INTRODUCTION, chosen, directory, values, given.quick, text)
    if readme:
        lecture.with_verdicts(readme, "")  # a mistake in it shows before the work
    devices.configure(config.platform, config.num_devices, config.compilation_cache)
    start, console = time.perf_counter(), Terminal()
    sections = lecture.give(asked, console, fresh=given.fresh)
    if readme:
        lecture.put_verdicts(readme, (directory / lecture.VERDICTS).read_text(encoding="utf-8"))
    page = directory / lecture.PAGE
    console.print(f"Page: {page} ({time.perf_counter() - start:.0f} s)", soft_wrap=True)
    return 0 if all(section.complete for section in sections) else 1


def directory_of(given, config):
    """The folder that is given, or one for each kind of lecture, so that none takes away what another found."""
    seed = f"-seed{config.base_seed}" if config.base_seed else ""
    return Path(given.output or f"results/lecture{'-quick' if given.quick else ''}{seed}")


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


_TEXTS = {
    "output": "The folder; by default results/lecture, or results/lecture-quick with --quick.",
    "only": f"Some of the claims: {', '.join(CLAIMS)}.",
    "text_dataset": "A real text, a path or tfds:NAME, for the claims about texts as well.",
    "readme": "A text file in which the table of verdicts is put between its two marks.",
    "platform": "cpu, gpu or tpu; otherwise the best there is.",
}
EXPERIMENT = Command(
    name="lecture",
    about=CLAIM,
    run=run,
    details=DETAILS,
    options=(
        *(Option(name, None, about, of_kind="text") for name, about in _TEXTS.items()),
        Option("quick", False, "Fewer tasks and repeats: a look, not the verdicts."),
        Option("base_seed", 0, "Another number repeats all with other seeds and splits."),
        Option("fresh", False, "Does again what is finished."),
        Option("num_devices", 0, "Devices to use; 0 is all."),
    ),
)

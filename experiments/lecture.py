"""Puts all claims of the lecture to the test, and writes what was found as one page."""

import importlib
import time
from pathlib import Path

CLAIM = "Puts all claims of the lecture to the test and writes them as one page."

ORDER = (
    "building_blocks", "linear_collapse", "xor", "negation", "activations", "depth_vs_width", "initialization",
    "batch_size", "sgd_vs_full_gradient", "local_optima", "learning_rate", "schedules", "momentum_and_adam",
    "computing_gradients", "dan_vs_naive_bayes", "unseen_ngrams", "word_order",
)  # fmt: skip

TITLE = "A lecture on neural nets, put to the test"
INTRODUCTION = (
    "Each claim of the lecture is an experiment that trains nets and computes its verdict from what they did, by a "
    "rule that stands beside it. A claim is supported if all its parts are, and not supported if one of them is not; "
    "a part is inconclusive where its 95% interval leaves the question open."
)

USAGE = """usage: python run.py lecture [--output=DIR] [--only=NAME,NAME] [--fresh] [--readme=FILE]

Runs all claims, each in a folder of DIR, and writes DIR/lecture.html and DIR/verdicts.md. What is finished there
already is not done again.

  --output        The folder (default: results/lecture).
  --only          Some of the claims, in the lecture's order: {names}.
  --fresh         Does again what is finished.
  --readme        A text file in which the table of verdicts is put between its two marks.
  --platform      cpu, gpu or tpu; otherwise the best there is.
  --num_devices   Devices to use; 0 is all."""

FLAGS = ("output", "only", "fresh", "readme", "platform", "num_devices")


def command(arguments):
    """Runs `lecture` with these arguments; returns the exit status."""
    if any(argument in ("--help", "-h") for argument in arguments):
        print(USAGE.format(names=", ".join(ORDER)))
        return 0
    given = parse(arguments)
    from rich.console import Console

    from jaxnets.config.config import Config
    from jaxnets.engine import devices
    from jaxnets.lab import lecture

    chosen = [f"experiments.{name}" for name in ORDER if name in given["only"]]
    flags = {name: given[name] for name in ("platform", "num_devices") if given[name]}
    config = Config.from_texts(flags)
    devices.configure(config.platform, config.number("num_devices"), config.compilation_cache)
    directory = Path(given["output"])
    if given["fresh"]:
        for name in given["only"]:
            (directory / name / lecture.MADE).unlink(missing_ok=True)
    start, console = time.perf_counter(), Console()
    modules = [importlib.import_module(name) for name in chosen]
    sections = lecture.give(lecture.Lecture(TITLE, INTRODUCTION, modules, directory, flags), console)
    if given["readme"]:
        put_into(Path(given["readme"]), directory / lecture.VERDICTS)
    console.print(f"Page: {directory / lecture.PAGE} ({time.perf_counter() - start:.0f} s)", highlight=False)
    return 0 if all(section.finding for section in sections) else 1


def parse(arguments):
    """The flags by name.

    Raises:
      UserError: if one is not as `USAGE` says.
    """
    from jaxnets.basics.errors import UserError, unknown

    given = dict.fromkeys(FLAGS, "") | {"output": "results/lecture", "only": ",".join(ORDER)}
    for argument in arguments:
        name, _, text = argument.lstrip("-").partition("=")
        if not argument.startswith("--") or name not in FLAGS:
            raise unknown("flag", name, FLAGS)
        if not text and name != "fresh":
            raise UserError(f"{name}: there is no value; write --{name}=VALUE.")
        given[name] = text or "true"
    given["only"] = given["only"].split(",")
    for name in given["only"]:
        if name not in ORDER:
            raise unknown("claim", name, ORDER)
    given["fresh"] = given["fresh"] == "true"
    return given


def put_into(readme, verdicts):
    """Puts the table of verdicts into a text file.

    Raises:
      UserError: if the file cannot be read, or has no place for it.
    """
    from jaxnets.basics import files
    from jaxnets.basics.errors import UserError
    from jaxnets.report import page

    try:
        text = page.insert(readme.read_text(encoding="utf-8"), verdicts.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"readme: '{readme}': {error}.") from None
    files.write(readme, lambda path: path.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    import sys

    from jaxnets.lab import commandline

    sys.exit(commandline.launch(importlib.import_module("experiments"), [sys.argv[0], "lecture", *sys.argv[1:]], ""))

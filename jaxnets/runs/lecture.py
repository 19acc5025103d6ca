"""All claims of a lecture, one after another: what is finished is not done again, and all becomes one page."""

import gc
import hashlib
import inspect
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console

from jaxnets import __version__, io, schema
from jaxnets.config.config import Config
from jaxnets.data.texts import Texts
from jaxnets.engine import executables
from jaxnets.engine.sweep import load_folds
from jaxnets.errors import UserError
from jaxnets.plugins import DATASET
from jaxnets.report import claims_page
from jaxnets.report.claims_page import Finding, Section
from jaxnets.report.console import Terminal
from jaxnets.runs import directory as run_directory
from jaxnets.runs import experiment
from jaxnets.runs.experiment import Claim, configure

PAGE, VERDICTS, MADE = "lecture.html", "verdicts.md", "made_by.json"
QUICK = "A quick run: fewer tasks and repeats than a verdict should rest on."
MOST_WORDS, MOST_TEST = 60, 2000
"""Of a real text, so that it takes minutes: words of most texts, and examples of dev and test."""


@dataclass(frozen=True)
class Lecture:
    """What is put to the test, and where it is written."""

    title: str
    introduction: str
    claims: Sequence[Claim]
    directory: Path
    values: Mapping[str, Any] = field(default_factory=dict)
    quick: bool = False
    text: str = ""

    @property
    def notes(self) -> list[str]:
        """What the reader must know of all verdicts."""
        seed = self.values.get("base_seed", 0)
        return [
            *([QUICK] if self.quick else []),
            *([f"All seeds and splits are those of base seed {seed}."] if seed else []),
        ]


@dataclass(frozen=True)
class Run:
    """A claim with the values that a lecture gives it."""

    claim: Claim
    values: Mapping[str, Any]
    directory: Path

    @property
    def fingerprint(self) -> str:
        """What its finding depends on, but for the code of the package itself, whose version is in it."""
        source = inspect.getsource(sys.modules[self.claim.evidence.__module__])
        dataset = self.values.get("dataset", "")
        paths = [Path(dataset), *Path(dataset).glob("*")] if dataset else []
        files = sorted((one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in paths if one.is_file())
        content = [__version__, source, self.claim.fingerprint, self.values, files]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def section(self, finding: Finding | None, problem: str = "It has not been run yet.") -> Section:
        """Its part of the page."""
        about = self.claim.name, self.claim.about, self.claim.fingerprint
        return Section(*about, finding, self.directory, "" if finding else problem)

    def finished(self) -> Finding | None:
        """The finding of an earlier run, if the experiment is still the same and all its pictures are there."""
        try:
            made = schema.read_json(self.directory / MADE, {"fingerprint": str})
        except (OSError, UserError):
            return None
        found = claims_page.read(self.directory) if made == {"fingerprint": self.fingerprint} else None
        pictures = [self.directory / "figures" / f"{name}.svg" for name in found.pictures] if found else []
        return found if all(picture.exists() for picture in pictures) else None


def give(lecture: Lecture, console: Console, *, fresh: bool = False) -> list[Section]:
    """Runs what is not finished, and writes the page after each experiment."""
    limits = _limits(lecture)  # a mistake in the text shows before the work
    with run_directory.lock(lecture.directory):
        io.clear_temporaries(lecture.directory)
        plans = [_runs_of(lecture, claim, limits) for claim in lecture.claims]
        state = {run.directory: run.section(None if fresh else run.finished()) for runs_of in plans for run in runs_of}
        for number, runs_of in enumerate(plans, 1):
            for run in runs_of:
                if state[run.directory].finding is None:
                    state[run.directory] = _carry_out(run, fresh=fresh)
                    _write(lecture, _joined(plans, state))
                console.print(_line(number, state[run.directory]), soft_wrap=True)
        sections = _joined(plans, state)
        _write(lecture, sections)
        return sections


def _limits(lecture: Lecture) -> dict[str, Any]:
    """Values that cut the real text, if there is one; `num_train` is all that there are."""
    if not lecture.text:
        return {}
    if all(claim.text is None for claim in lecture.claims):
        raise UserError("text_dataset: none of the claims that are chosen is about texts.")
    try:
        (fold, *_) = load_folds(Config(dataset=lecture.text), "text")
    except UserError as error:
        raise UserError(f"text_dataset: {str(error).removeprefix('dataset: ')}") from None
    assert isinstance(fold.train.inputs, Texts)
    values: dict[str, Any] = {"num_train": len(fold.train), "num_test": MOST_TEST}
    short = float(np.mean(fold.train.inputs.lengths <= MOST_WORDS))
    if short < 1 and "length_percentile" in DATASET.find(lecture.text).arguments:
        values["length_percentile"] = max(1.0, round(100 * short, 1))
    return values


def _runs_of(lecture: Lecture, claim: Claim, limits: Mapping[str, Any]) -> list[Run]:
    """The runs of a claim: on its own data; and on the real text, if there is one and the claim is about texts."""
    own = dict(claim.quick) if lecture.quick else {}
    runs = [Run(claim, {**own, **lecture.values}, lecture.directory / claim.name)]
    if limits and claim.text is not None:
        values = {**own, **claim.text, **lecture.values, "dataset": lecture.text}
        fewest = min(values.get("num_train", limits["num_train"]), limits["num_train"])
        runs.append(Run(claim, {**values, **limits, "num_train": fewest}, lecture.directory / f"{claim.name}-text"))
    return runs


def _joined(plans: Sequence[Sequence[Run]], state: Mapping[Path, Section]) -> list[Section]:
    """A section for each claim, with that on the real text in it."""
    pairs = [[state[run.directory] for run in runs_of] for runs_of in plans]
    return [replace(made, real=real[0] if real else None) for made, *real in pairs]


def _carry_out(run: Run, *, fresh: bool) -> Section:
    """One claim in its own folder; a mistake in it does not end the others, and what it had finished is not lost."""
    try:
        config = configure(run.claim, {**run.values, "output": str(run.directory)})
        content = run_directory.configuration(run.claim.name, config)
        if run.directory.exists() and (fresh or not run_directory.goes_on(run.directory, content)):
            others = {path.name for path in run.directory.iterdir()} - {run_directory.LOCK, run_directory.PARTS}
            if others and run_directory.CONFIG not in others:
                raise UserError(f"output: '{run.directory}' is not a run directory; name another folder.")
            with io.file_errors(run.directory):
                shutil.rmtree(run.directory)
        log = StringIO()
        results, finding = experiment.run(run.claim, config, Terminal(file=log, width=120), Terminal(stderr=True))
        if results.interrupted:
            raise KeyboardInterrupt
        _write_text(run.directory / "log.txt", log.getvalue())
        io.write_json(run.directory / MADE, {"fingerprint": run.fingerprint})
        return run.section(finding)
    except UserError as error:
        return run.section(None, str(error))
    finally:
        # compiled programs and arrays of one experiment serve no other
        executables.forget()
        jax.clear_caches()
        gc.collect()


def _line(number: int, section: Section) -> str:
    """A line for the console; of a run on the real text the folder tells."""
    finding, name = section.finding, section.directory.name
    if finding is None:
        return f"{number:2}. {name}: not run. {section.problem}"
    repeats = f" (repeats: {claims_page.stability(finding.verdict)})" if finding.verdict.repeats else ""
    cost = f"{finding.programs} programs, {finding.seconds:.0f} s"
    return f"{number:2}. {name}: {finding.verdict.outcome}{repeats}; {cost}. {section.claim}"


def _write(lecture: Lecture, sections: Sequence[Section]) -> None:
    """The page, and the table of verdicts."""
    machine = "on no device"
    for section in reversed(sections):  # what the first of them wrote down of itself
        try:
            made = run_directory.read_environment(section.directory)
            machine = f"on {', '.join(made['devices'])}, Python {made['python']}, JAX {made['versions']['jax']}"
        except (UserError, KeyError):
            continue
    about = f"Made by jaxnets {__version__} on {time.strftime('%Y-%m-%d')}, {machine}."
    name = Path(lecture.text).name.removeprefix("tfds:")
    page = claims_page.html(lecture.title, lecture.introduction, sections, about, lecture.notes, name)
    _write_text(lecture.directory / PAGE, page)
    _write_text(lecture.directory / VERDICTS, claims_page.markdown(sections, lecture.notes))


def _write_text(path: Path, text: str) -> None:
    io.write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def with_verdicts(readme: Path, table: str) -> str:
    """A text file's content with the table of verdicts between the two marks that are meant for it."""
    with io.opened(readme, "readme") as stream:
        content = stream.read()
    try:
        return claims_page.insert(content.decode("utf-8"), table)
    except ValueError as error:
        raise UserError(f"readme: '{readme}': {error}.") from None


def put_verdicts(readme: Path, table: str) -> None:
    """Puts the table of verdicts into a text file."""
    _write_text(readme, with_verdicts(readme, table))

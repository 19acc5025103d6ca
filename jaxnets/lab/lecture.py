"""All claims of a lecture, one after another: what is finished is not done again, and all becomes one page."""

import gc
import hashlib
import inspect
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import jax
from rich.console import Console

from jaxnets.basics import files
from jaxnets.basics.errors import UserError
from jaxnets.basics.version import VERSION
from jaxnets.engine import programs
from jaxnets.lab import runner
from jaxnets.lab.experiment import Claim, configure
from jaxnets.report import findings, page
from jaxnets.report.page import Section

PAGE, VERDICTS, MADE = "lecture.html", "verdicts.md", "made_by.json"


@dataclass(frozen=True)
class Lecture:
    """What is put to the test, and where it is written.

    Attributes:
      title: of the page.
      introduction: a paragraph at its top.
      claims: in the lecture's order.
      directory: a folder in it for each.
      values: what all claims are given beside their own values.
    """

    title: str
    introduction: str
    claims: Sequence[Claim]
    directory: Path
    values: Mapping[str, Any] = field(default_factory=dict)


def give(lecture: Lecture, console: Console) -> list[Section]:
    """Runs what is not finished, and writes the page after each experiment.

    Raises:
      UserError: if the folder cannot be written.
      KeyboardInterrupt: if the user ends it; the page then holds what was finished.
    """
    with files.file_errors(lecture.directory):
        lecture.directory.mkdir(parents=True, exist_ok=True)
    sections = [_section(lecture, claim, _finished(lecture, claim)) for claim in lecture.claims]
    for place, claim in enumerate(lecture.claims):
        if sections[place].finding is None:
            sections[place] = _run(lecture, claim, console)
            _write(lecture, sections)
        console.print(_line(place + 1, sections[place]), highlight=False, soft_wrap=True)
    _write(lecture, sections)
    return sections


def _section(lecture: Lecture, claim: Claim, finding: findings.Finding | None, problem: str = "") -> Section:
    problem = problem or ("" if finding else "It has not been run yet.")
    return Section(claim.name, claim.about, finding, lecture.directory / claim.name, problem)


def _fingerprint(lecture: Lecture, claim: Claim) -> str:
    """What a finding depends on, but for the code of the package itself, whose version is in it."""
    source = inspect.getsource(sys.modules[claim.evidence.__module__])
    values = json.dumps(dict(lecture.values), sort_keys=True)
    return hashlib.sha256("\n".join([VERSION, source, values]).encode()).hexdigest()


def _finished(lecture: Lecture, claim: Claim) -> findings.Finding | None:
    """The finding of an earlier run, if the experiment is still the same and all its pictures are there."""
    directory = lecture.directory / claim.name
    try:
        made = json.loads((directory / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    finding = findings.read(directory) if made == {"fingerprint": _fingerprint(lecture, claim)} else None
    if finding is None or not all((directory / "figures" / f"{name}.svg").exists() for name in finding.pictures):
        return None
    return finding


def _run(lecture: Lecture, claim: Claim, console: Console) -> Section:
    """One claim in its own folder; a mistake in it does not end the others."""
    directory = lecture.directory / claim.name
    try:
        config = configure(claim, {**lecture.values, "output": str(directory)})
        _clear(directory)
        log = StringIO()
        results, finding = runner.run(claim, config, Console(file=log, width=120), Console(stderr=True))
        if results.interrupted:
            raise KeyboardInterrupt
        files.write(directory / "log.txt", lambda path: path.write_text(log.getvalue(), encoding="utf-8"))
        files.write_json(directory / MADE, {"fingerprint": _fingerprint(lecture, claim)})
        return _section(lecture, claim, finding)
    except UserError as error:
        return _section(lecture, claim, None, str(error))
    finally:
        # compiled programs and arrays of one experiment serve no other
        programs.forget()
        jax.clear_caches()
        gc.collect()


def _clear(directory: Path) -> None:
    """Takes away what an unfinished run left.

    Raises:
      UserError: if the folder holds anything else.
    """
    if not directory.exists():
        return
    if not (directory / "config.json").exists():
        raise UserError(f"output: '{directory}' is not a run directory; name another folder.")
    shutil.rmtree(directory)


def _line(number: int, section: Section) -> str:
    finding = section.finding
    if finding is None:
        return f"{number:2}. {section.name}: not run. {section.problem}"
    return f"{number:2}. {section.name}: {finding.verdict.outcome} ({finding.seconds:.0f} s). {section.claim}"


def _write(lecture: Lecture, sections: Sequence[Section]) -> None:
    """The page, and the table of verdicts."""
    about = f"Made by jaxnets {VERSION} on {time.strftime('%Y-%m-%d')}, {_machine(sections)}."
    text = page.html(lecture.title, lecture.introduction, sections, about)
    files.write(lecture.directory / PAGE, lambda path: path.write_text(text, encoding="utf-8"))
    table = page.markdown(sections)
    files.write(lecture.directory / VERDICTS, lambda path: path.write_text(table, encoding="utf-8"))


def _machine(sections: Sequence[Section]) -> str:
    """The devices and versions of the experiments, from what they wrote down themselves."""
    for section in sections:
        try:
            made = json.loads((section.directory / "environment.json").read_text(encoding="utf-8"))
            return f"on {', '.join(made['devices'])}, Python {made['python']}, JAX {made['versions']['jax']}"
        except (OSError, ValueError, KeyError):
            continue
    return "on no device"


def with_verdicts(readme: Path, table: str) -> str:
    """A text file's content with the table of verdicts between the two marks that are meant for it.

    Raises:
      UserError: if the file cannot be read, or lacks the marks.
    """
    try:
        return page.insert(readme.read_text(encoding="utf-8"), table)
    except OSError as error:
        raise UserError(f"readme: '{readme}' cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UserError(f"readme: '{readme}': {error}.") from None


def put_verdicts(readme: Path, table: str) -> None:
    """Puts the table of verdicts into a text file.

    Raises:
      UserError: if the file cannot be read or written, or lacks the marks.
    """
    text = with_verdicts(readme, table)
    files.write(readme, lambda path: path.write_text(text, encoding="utf-8"))

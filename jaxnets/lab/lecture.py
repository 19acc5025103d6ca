"""All claims of a lecture, one after another: what is finished is not done again, and all becomes one page."""

import gc
import hashlib
import inspect
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
from rich.console import Console

from jaxnets import __version__
from jaxnets.basics import files
from jaxnets.basics.errors import UserError
from jaxnets.lab import claims, commandline
from jaxnets.lab import session as experiment
from jaxnets.report import findings, page
from jaxnets.report.page import Section

PAGE, VERDICTS, MADE = "lecture.html", "verdicts.md", "made_by.json"


@dataclass(frozen=True)
class Lecture:
    """What is put to the test, and where it is written.

    Attributes:
      title: of the page.
      introduction: a paragraph at its top.
      modules: the experiments, in the lecture's order.
      directory: a folder in it for each.
      flags: what all experiments are given beside their defaults.
    """

    title: str
    introduction: str
    modules: Sequence[ModuleType]
    directory: Path
    flags: Mapping[str, str]


def give(lecture: Lecture, console: Console) -> list[Section]:
    """Runs what is not finished, and writes the page after each experiment.

    Raises:
      UserError: if the folder cannot be written.
      KeyboardInterrupt: if the user ends it; the page then holds what was finished.
    """
    with files.file_errors(lecture.directory):
        lecture.directory.mkdir(parents=True, exist_ok=True)
    sections = [_section(lecture, module, _finished(lecture, module)) for module in lecture.modules]
    for place, module in enumerate(lecture.modules):
        if sections[place].finding is None:
            sections[place] = _run(lecture, module, console)
            _write(lecture, sections)
        console.print(_line(place + 1, sections[place]), highlight=False, soft_wrap=True)
    _write(lecture, sections)
    return sections


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _section(lecture: Lecture, module: ModuleType, finding: findings.Finding | None, problem: str = "") -> Section:
    problem = problem or ("" if finding else "It has not been run yet.")
    return Section(_name(module), module.CLAIM, finding, lecture.directory / _name(module), problem)


def _fingerprint(lecture: Lecture, module: ModuleType) -> str:
    """What a finding depends on, but for the code of the package itself, whose version is in it."""
    told = [__version__, inspect.getsource(module), json.dumps(dict(lecture.flags), sort_keys=True)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _finished(lecture: Lecture, module: ModuleType) -> findings.Finding | None:
    """The finding of an earlier run, if the experiment is still the same and all its pictures are there."""
    directory = lecture.directory / _name(module)
    try:
        made = json.loads((directory / MADE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    finding = findings.read(directory) if made == {"fingerprint": _fingerprint(lecture, module)} else None
    if finding is None or not all((directory / "figures" / f"{name}.svg").exists() for name in finding.pictures):
        return None
    return finding


def _run(lecture: Lecture, module: ModuleType, console: Console) -> Section:
    """One experiment in its own folder; a mistake in it does not end the others."""
    directory = lecture.directory / _name(module)
    flags = [f"--{flag}={text}" for flag, text in lecture.flags.items()]
    try:
        config = commandline.parse(module, [*flags, f"--output={directory}"])
        _clear(directory)
        start: Callable[..., Any] = experiment.run if getattr(module, "SWEEP", True) else experiment.without_runs
        results = start(_name(module), config, takes=getattr(module, "TAKES", ""))
        if results.interrupted:
            raise KeyboardInterrupt
        shown = StringIO()
        finding = claims.conclude(_name(module), module, results, Console(file=shown, width=120))
        files.write(directory / "log.txt", lambda path: path.write_text(shown.getvalue(), encoding="utf-8"))
        files.write_json(directory / MADE, {"fingerprint": _fingerprint(lecture, module)})
        return _section(lecture, module, finding)
    except UserError as error:
        return _section(lecture, module, None, str(error))
    finally:
        # compiled programs and arrays of one experiment serve no other
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
        raise UserError(f"output: '{directory}' is no run directory; name another folder.")
    shutil.rmtree(directory)


def _line(number: int, section: Section) -> str:
    finding = section.finding
    if finding is None:
        return f"{number:2}. {section.name}: not run. {section.problem}"
    return f"{number:2}. {section.name}: {finding.verdict.outcome} ({finding.seconds:.0f} s). {section.claim}"


def _write(lecture: Lecture, sections: Sequence[Section]) -> None:
    """The page, and the table of verdicts."""
    about = f"Made by jaxnets {__version__} on {time.strftime('%Y-%m-%d')}, {_machine(sections)}."
    text = page.html(lecture.title, lecture.introduction, sections, about)
    files.write(lecture.directory / PAGE, lambda path: path.write_text(text, encoding="utf-8"))
    table = page.markdown(sections)
    files.write(lecture.directory / VERDICTS, lambda path: path.write_text(table, encoding="utf-8"))


def _machine(sections: Sequence[Section]) -> str:
    """The devices and versions of the experiments, from what they wrote down themselves."""
    for section in sections:
        try:
            told = json.loads((section.directory / "environment.json").read_text(encoding="utf-8"))
            return f"on {', '.join(told['devices'])}, Python {told['python']}, JAX {told['versions']['jax']}"
        except (OSError, ValueError, KeyError):
            continue
    return "on no device"

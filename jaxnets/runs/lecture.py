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
from rich.console import Console

from jaxnets import __version__, io, schema
from jaxnets.engine import executables
from jaxnets.errors import UserError
from jaxnets.report import claims_page
from jaxnets.report.claims_page import Finding, Section
from jaxnets.report.console import Terminal
from jaxnets.runs import real_text, run_directory, runner
from jaxnets.runs.experiment import Claim, configure

PAGE, VERDICTS, MADE = "lecture.html", "verdicts.md", "made_by.json"
QUICK = "A quick run: fewer tasks and blocks than a verdict should rest on."


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
    limits: Mapping[str, Any] = field(default_factory=dict)

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
        content = [__version__, source, self.claim.fingerprint, self.values, _stamps(self.values.get("dataset", ""))]
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _stamps(dataset: str) -> list[tuple[str, int, int]]:
    """Names, sizes and times of a data set's files; none if it is not a path."""
    path = Path(dataset)
    paths = [path, *path.glob("*")] if dataset else []
    return sorted((one.name, one.stat().st_size, one.stat().st_mtime_ns) for one in paths if one.is_file())


def runs_of(lecture: Lecture, claim: Claim) -> list[Run]:
    """The runs of a claim: on its own data; and on the real text, if there is one and the claim is about texts."""
    own = dict(claim.quick) if lecture.quick else {}
    runs = [Run(claim, {**own, **lecture.values}, lecture.directory / claim.name)]
    if lecture.text and claim.text is not None:
        values = real_text.fitted({**own, **claim.text, **lecture.values, "dataset": lecture.text}, lecture.limits)
        runs.append(Run(claim, values, lecture.directory / f"{claim.name}-text"))
    return runs


def checked(lecture: Lecture) -> Lecture:
    """The lecture with the limits of its real text, which is read so that a mistake in it shows before the work."""
    if not lecture.text:
        return lecture
    if all(claim.text is None for claim in lecture.claims):
        raise UserError("text_dataset: none of the claims that are chosen is about texts.")
    return replace(lecture, limits=real_text.limits(lecture.text))


def give(lecture: Lecture, console: Console, *, fresh: bool = False) -> list[Section]:
    """Runs what is not finished, and writes the page after each experiment."""
    lecture = checked(lecture)
    with run_directory.lock(lecture.directory):
        io.clear_temporaries(lecture.directory)
        return _give(lecture, console, fresh=fresh)


def _give(lecture: Lecture, console: Console, *, fresh: bool) -> list[Section]:
    plans = [runs_of(lecture, claim) for claim in lecture.claims]
    state = {run.directory: _section(run, None if fresh else _finished(run)) for plan in plans for run in plan}
    for number, run in ((number, run) for number, plan in enumerate(plans, 1) for run in plan):
        if state[run.directory].finding is None:
            state[run.directory] = _carry_out(run, fresh=fresh)
            _write(lecture, _joined(plans, state))
        console.print(_line(number, state[run.directory]), soft_wrap=True)
    sections = _joined(plans, state)
    _write(lecture, sections)
    return sections


def _joined(plans: Sequence[Sequence[Run]], state: Mapping[Path, Section]) -> list[Section]:
    """A section for each claim, with that on the real text in it."""
    pairs = [[state[run.directory] for run in plan] for plan in plans]
    return [replace(made, real=real[0] if real else None) for made, *real in pairs]


def _section(run: Run, finding: Finding | None, problem: str = "") -> Section:
    claim = run.claim
    problem = problem or ("" if finding else "It has not been run yet.")
    return Section(claim.name, claim.about, claim.fingerprint, finding, run.directory, problem)


def _finished(run: Run) -> Finding | None:
    """The finding of an earlier run, if the experiment is still the same and all its pictures are there."""
    try:
        made = schema.read_json(run.directory / MADE, {"fingerprint": str})
    except (OSError, UserError):
        return None
    finding = claims_page.read(run.directory) if made == {"fingerprint": run.fingerprint} else None
    if finding is None or not all((run.directory / "figures" / f"{name}.svg").exists() for name in finding.pictures):
        return None
    return finding


def _carry_out(run: Run, *, fresh: bool) -> Section:
    """One claim in its own folder; a mistake in it does not end the others, and what it had finished is not lost."""
    try:
        config = configure(run.claim, {**run.values, "output": str(run.directory)})
        content = run_directory.configuration(run.claim.name, config)
        if fresh or not run_directory.goes_on(run.directory, content):
            _clear(run.directory)
        log = StringIO()
        results, finding = runner.run(run.claim, config, Terminal(file=log, width=120), Terminal(stderr=True))
        if results.interrupted:
            raise KeyboardInterrupt
        io.write(run.directory / "log.txt", lambda path: path.write_text(log.getvalue(), encoding="utf-8"))
        io.write_json(run.directory / MADE, {"fingerprint": run.fingerprint})
        return _section(run, finding)
    except UserError as error:
        return _section(run, None, str(error))
    finally:
        # compiled programs and arrays of one experiment serve no other
        executables.forget()
        jax.clear_caches()
        gc.collect()


def _clear(directory: Path) -> None:
    """Takes away what an unfinished run left."""
    if not directory.exists():
        return
    others = {path.name for path in directory.iterdir()} - {run_directory.LOCK, run_directory.PARTS}
    if others and run_directory.CONFIG not in others:
        raise UserError(f"output: '{directory}' is not a run directory; name another folder.")
    with io.file_errors(directory):
        shutil.rmtree(directory)


def _line(number: int, section: Section) -> str:
    """A line for the console; of a run on the real text the folder tells."""
    finding, name = section.finding, section.directory.name
    if finding is None:
        return f"{number:2}. {name}: not run. {section.problem}"
    blocks = claims_page.stability(finding.verdict)
    told = f"{finding.verdict.outcome} (blocks: {blocks})" if finding.verdict.blocks else finding.verdict.outcome
    return f"{number:2}. {name}: {told}; {finding.programs} programs, {finding.seconds:.0f} s. {section.claim}"


def _write(lecture: Lecture, sections: Sequence[Section]) -> None:
    """The page, and the table of verdicts."""
    about = f"Made by jaxnets {__version__} on {time.strftime('%Y-%m-%d')}, {_machine(sections)}."
    name = Path(lecture.text).name.removeprefix("tfds:")
    text = claims_page.html(lecture.title, lecture.introduction, sections, about, lecture.notes, name)
    io.write(lecture.directory / PAGE, lambda path: path.write_text(text, encoding="utf-8"))
    table = claims_page.markdown(sections, lecture.notes)
    io.write(lecture.directory / VERDICTS, lambda path: path.write_text(table, encoding="utf-8"))


def _machine(sections: Sequence[Section]) -> str:
    """The devices and versions of the experiments, from what they wrote down themselves."""
    for section in sections:
        try:
            made = run_directory.read_environment(section.directory)
            return f"on {', '.join(made['devices'])}, Python {made['python']}, JAX {made['versions']['jax']}"
        except (UserError, KeyError):
            continue
    return "on no device"


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
    text = with_verdicts(readme, table)
    io.write(readme, lambda path: path.write_text(text, encoding="utf-8"))

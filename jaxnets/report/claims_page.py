"""Findings of claims: on the console, as JSON, as one HTML page, and their verdicts as a table in Markdown."""

import base64
import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from jaxnets import schema
from jaxnets.claims.verdicts import (
    CONTRADICTED,
    IDENTITY,
    INCONCLUSIVE,
    MIXED,
    NOT_TESTED,
    SUPPORTED,
    OnTask,
    Part,
    Verdict,
    count,
    in_unit,
)
from jaxnets.errors import UserError, command
from jaxnets.report.console import Table, page
from jaxnets.report.tables import NONE, cell
from jaxnets.stats import estimates

FILE = "finding.json"
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"
MARKS = {SUPPORTED: "✓", CONTRADICTED: "✗", MIXED: "±", INCONCLUSIVE: "?", NOT_TESTED: NONE}
NOT_RUN, NO_INTERVAL = "not run", "no interval"
DECIDES, ADDED = "What decides", "Additional results (not part of the verdict)"
LEVEL_OF_RULES = f"{estimates.percent(estimates.LEVEL)} CI "
_COLOURS = {SUPPORTED: "green", CONTRADICTED: "red", MIXED: "magenta", INCONCLUSIVE: "yellow"}


@dataclass(frozen=True)
class Finding:
    """What an experiment says of its claim."""

    name: str
    claim: str
    lecture: str
    measured: str
    rules: str
    verdict: Verdict
    setting: str
    command: str
    programs: int
    seconds: float
    tables: Mapping[str, pd.DataFrame]
    pictures: Mapping[str, str]

    @property
    def shown(self) -> list[Table]:
        """The tables as texts; numbers have three digits."""
        return [
            Table(title, list(table.columns), [[cell(value) for value in row] for row in table.itertuples(index=False)])
            for title, table in self.tables.items()
        ]

    def as_json(self) -> dict[str, Any]:
        """The finding as lists, dictionaries and texts, with None for a number that is not finite."""
        tables = [{"title": one.title, "columns": one.columns, "rows": one.rows} for one in self.shown]
        content = {**vars(self), "verdict": asdict(self.verdict), "tables": tables}
        return {name: _finite(value) for name, value in content.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read(directory: Path) -> Finding | None:
    """The finding of a run directory; None if there is none, or it cannot be read."""
    shape = schema.shape_of(Finding) | {"tables": [{"title": str, "columns": [str], "rows": [[str]]}]}
    try:
        content = schema.read_json(directory / FILE, shape)
    except (FileNotFoundError, UserError):
        return None
    ragged = any(len(row) != len(one["columns"]) for one in content["tables"] for row in one["rows"])
    if ragged or not all(re.fullmatch(r"[\w-]{1,100}", name) for name in content["pictures"]):  # names of files
        return None
    tables = {one["title"]: pd.DataFrame(one["rows"], columns=one["columns"]) for one in content["tables"]}
    return Finding(**{**content, "verdict": schema.made(Verdict, content["verdict"]), "tables": tables})


def show(console: Console, finding: Finding, directory: Path) -> None:
    """Prints the claim, its setting, the tables, what decides and by which rule, the rest, and the verdict."""

    def style(outcome: str) -> str:
        return f"bold {_COLOURS[outcome]}" if outcome in _COLOURS else "dim"

    def part_line(part: Part, more: str = "") -> None:
        about = f" ({part.kind}): {part.statement} {more}".rstrip()
        console.print(Padding(Text.assemble((part.outcome, style(part.outcome)), about), (0, 0, 0, 2)))

    verdict = finding.verdict
    console.print(Text(f"Claim: {finding.claim}", style="bold"))
    console.print(Text(f"Setting: {finding.setting}"))
    for table in finding.shown:
        console.print(table)
    console.print(Text(DECIDES, style="bold"))
    for rule, same in groupby(verdict.core, lambda part: part.rule):
        for part in same:
            part_line(part)
            console.print(Padding(Text(f"{part.evidence.removesuffix('.')}."), (0, 0, 0, 4)))
        console.print(Padding(Text(f"Rule: {rule}", style="dim"), (0, 0, 0, 4)))
    if side := [part for part in verdict.parts if not part.core]:
        console.print(Text(ADDED, style="bold"))
        for part in side:
            part_line(part, short_effect(part))
    repeats = f" ({verdict.stability})" if verdict.stability else ""
    console.print(Text.assemble(("Verdict: ", "bold"), (verdict.in_words, style(verdict.outcome)), repeats))
    for name in finding.pictures:
        console.print(Text(f"Figure: {directory / 'figures' / name}.png"), soft_wrap=True)


# ---- effects and their bars -------------------------------------------------------------------------------------


def short_effect(part: Part) -> str:
    """The effect of a part with its interval, as short as it can be told; what was counted as it is.

    >>> short_effect(Part("one", "It is.", "empirical", True, "supported", "", "", value=0.5, unit="%", test="above"))
    '50.0% (no interval)'
    """
    if not part.test or math.isnan(part.value):
        return part.evidence
    tasks = f" of {len(part.tasks)} tasks" if _over_share_of_tasks(part) else ""
    return f"{in_unit(part.value, part.unit)}{tasks} ({_interval(part, part.unit)})"


def _interval(found: Part | OnTask, unit: str) -> str:
    if math.isnan(found.low) or math.isnan(found.high):
        return NO_INTERVAL
    unit = unit if unit in ("%", "×", "log×") else ""  # a word stands beside the value alone
    return f"{in_unit(found.low, unit)} to {in_unit(found.high, unit)}"


def _over_share_of_tasks(part: Part) -> bool:
    """Whether a share of tasks decides, and not an effect."""
    return bool(part.tasks) and bool(part.test) and math.isnan(part.beyond)


WIDTH, _MARGIN = 200.0, 8.0


@dataclass(frozen=True)
class Bar:
    """An effect and its interval against what supports and what contradicts a statement, from 0 to `WIDTH`."""

    zones: Sequence[tuple[str, float, float]]
    value: float
    interval: tuple[float, float] | None
    label: str


def bars(part: Part, *, of_tasks: bool = False) -> list[Bar | None]:
    """The bar of a part, or those of its tasks, on one scale; None for what was counted without chance."""
    bound, beyond, unit, test = part.bound, part.beyond, part.unit, part.test
    found: Sequence[Part | OnTask] = [part]
    if of_tasks:
        bound, beyond, unit, found = part.task_bound, part.task_beyond, part.task_unit, part.tasks
    mirrored = (-bound, -beyond) if test == "within" else ()
    shown = [bound, beyond, *mirrored, *(number for one in found for number in (one.value, one.low, one.high))]
    finite = [number for number in shown if math.isfinite(number)] or [0.0]
    low, high = (0.0, 1.0) if _over_share_of_tasks(part) and not of_tasks else (min(finite), max(finite))
    low, high = (low, high) if high > low else (low - 1, high + 1)
    zones = {
        "above": [("for", bound, math.inf), ("against", -math.inf, beyond)],
        "below": [("for", -math.inf, bound), ("against", beyond, math.inf)],
        "within": [("for", -bound, bound), ("against", -math.inf, -beyond), ("against", beyond, math.inf)],
    }.get(test, [])
    least = f"{in_unit(-bound, unit)} to " if test == "within" else ""

    def at(number: float) -> float:
        return min(max((number - low) / (high - low), 0.0), 1.0) * (WIDTH - 2 * _MARGIN) + _MARGIN

    def edge(number: float) -> float:
        return min(max(number, 0.0), WIDTH) if math.isinf(number) else at(number)

    def bar(one: Part | OnTask) -> Bar | None:
        if not zones or not math.isfinite(one.value):
            return None
        interval = _interval(one, unit)
        known = interval != NO_INTERVAL
        label = (
            f"Effect {in_unit(one.value, unit)}, {LEVEL_OF_RULES if known else ''}{interval}; supported {test} {least}"
        )
        ends = (at(one.low), at(one.high)) if known else None
        areas = [(kind, edge(start), edge(end)) for kind, start, end in zones if not math.isnan(start + end)]
        return Bar(areas, at(one.value), ends, label + in_unit(bound, unit))

    return [bar(one) for one in found]


# ---- the page of all claims -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Section:
    """One claim of the page; `real` is the same on a real text."""

    name: str
    claim: str
    rules: str
    finding: Finding | None
    directory: Path
    problem: str = ""
    real: "Section | None" = None

    @property
    def complete(self) -> bool:
        """Whether there is a finding, and one on the real text where it was asked for."""
        return self.finding is not None and (self.real is None or self.real.complete)

    @property
    def outcome(self) -> str:
        """That of its verdict."""
        return self.finding.verdict.outcome if self.finding else NOT_RUN

    @property
    def commands(self) -> list[str]:
        """What repeats the claim, and tells how to change it."""
        found = [one.finding.command for one in (self, self.real) if one and one.finding]
        again = [f"{first} --base_seed=1" for first in found[:1] if "--base_seed" not in first]
        return [*(found or [command(self.name)]), *again, command(self.name, "--help")]


def html(
    title: str, introduction: str, sections: Sequence[Section], about: str, notes: Sequence[str] = (), text: str = ""
) -> str:
    """The page in one file, figures included: it opens without a network."""
    every = [section for one in sections for section in (one, one.real) if section]
    found = [section.finding for section in every if section.finding]

    def image(section: Section, name: str) -> str:
        content = (section.directory / "figures" / f"{name}.svg").read_bytes()
        return f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"

    return page(
        "page.html",
        title=title,
        introduction=introduction,
        sections=sections,
        counts=counts(sections),
        rules=rules(sections),
        programs=sum(one.programs for one in found),
        seconds=sum(one.seconds for one in found),
        about=about,
        notes=notes,
        text=text,
        marks=MARKS,
        groups=((DECIDES, True), (ADDED, False)),
        bars=bars,
        short_effect=short_effect,
        stability=stability,
        interval=_interval,
        in_unit=in_unit,
        image=image,
    )


def counts(sections: Sequence[Section]) -> list[str]:
    """Sentences on how many verdicts there are of each kind, identities apart; then the same of the real text."""

    def counted(sections: Sequence[Section]) -> str:
        verdicts = [section.finding.verdict for section in sections if section.finding]
        identities = [verdict.outcome for verdict in verdicts if verdict.kind == IDENTITY]
        findings = [verdict.outcome for verdict in verdicts if verdict.kind != IDENTITY]
        parts = [f"of {len(findings)} finding{'s' * (len(findings) != 1)} {count(findings)}"]
        if identities:
            held = identities.count(SUPPORTED)
            named = f"{len(identities)} {'identity holds' if len(identities) == 1 else 'identities hold'}"
            parts.insert(0, named if held == len(identities) else f"{held} of {named}")
        if missing := len(sections) - len(verdicts):
            parts.append(f"{missing} not run")
        return "; ".join(parts) + "."

    real, text = [section.real for section in sections if section.real], counted(sections)
    return [text[:1].upper() + text[1:], *([f"On the real text: {counted(real)}"] if real else [])]


def rules(sections: Sequence[Section]) -> str:
    """A hash of all that was fixed before any run: it changes if that of a claim does."""
    return hashlib.sha256(" ".join(section.rules for section in sections).encode()).hexdigest()[:12]


def stability(verdict: Verdict) -> str:
    """In how many repeats the verdict came out as it did with all of them, and the others; a dash without repeats.

    >>> part = Part("one", "It is.", "empirical", True, "supported", "", "")
    >>> stability(Verdict((part,), {"supported": 7, "mixed": 1}))
    '7 of 8; 1 mixed'
    """
    if not (total := sum(verdict.repeats.values())):
        return NONE
    others = [f"{count} {kind}" for kind, count in verdict.repeats.items() if kind != verdict.outcome]
    return "; ".join([f"{verdict.repeats.get(verdict.outcome, 0)} of {total}", *others])


# ---- the table in Markdown --------------------------------------------------------------------------------------


def markdown(sections: Sequence[Section], notes: Sequence[str] = ()) -> str:
    """How many verdicts there are of each kind, a row for each claim, and the hash of the rules."""
    real = any(section.real for section in sections)
    header = ["claim", "verdict", "kind", "effect", "repeats", *(["real text"] if real else [])]
    lines = [header, ["---"] * len(header)]
    for section in sections:
        cells = [f"{_escaped(section.claim)} `{section.name}`", NOT_RUN, NONE, _escaped(section.problem), NONE]
        if section.finding:
            verdict, part = section.finding.verdict, section.finding.verdict.headline
            effect = _escaped(f"{part.statement} {short_effect(part)}")
            cells[1:] = f"{MARKS[verdict.outcome]} {verdict.outcome}", verdict.kind, effect, stability(verdict)
        lines.append([*cells, *([_real_cell(section)] if real else [])])
    table = [f"| {' | '.join(row)} |" for row in lines]
    about = f"Repeats: how many repetitions reach this verdict on their own. Rules: `{rules(sections)}`."
    return "\n".join([" ".join([*counts(sections), *notes]), "", *table, "", about, ""])


def _real_cell(section: Section) -> str:
    """The verdict on the real text, with its statement where another one is closest to its bound there."""
    if (real := section.real) is None:
        return NONE
    if real.finding is None:
        return _escaped(f"{NOT_RUN}: {real.problem}")
    verdict, part = real.finding.verdict, real.finding.verdict.headline
    same = section.finding is not None and section.finding.verdict.headline.name == part.name
    effect = short_effect(part) if same else f"{part.statement} {short_effect(part)}"
    return _escaped(f"{MARKS[verdict.outcome]} {verdict.outcome}: {effect}; repeats {stability(verdict)}")


def _escaped(text: str) -> str:
    """A text in a cell: a line of its own would end the row, a pipe the cell."""
    return " ".join(text.split()).replace("|", "\\|").replace("`", "'").replace("<", "&lt;")


def insert(text: str, table: str) -> str:
    """A text with the table put between the two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"there are no lines '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n{table}{END}{after}"

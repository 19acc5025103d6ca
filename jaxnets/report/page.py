"""One page of findings as a single HTML file, and their verdicts as a table in Markdown."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxnets.claims.verdicts import (
    CONTRADICTED,
    IDENTITY,
    INCONCLUSIVE,
    MIXED,
    NOT_TESTED,
    SUPPORTED,
    Part,
    Verdict,
    count,
    in_unit,
)
from jaxnets.report import pages
from jaxnets.report.bars import bar_of, bars_of_tasks, interval, short_effect
from jaxnets.report.findings import Finding, cells

MARKS = {SUPPORTED: "✓", CONTRADICTED: "✗", MIXED: "±", INCONCLUSIVE: "?", NOT_TESTED: "–"}
NOT_RUN = "not run"
BEGIN, END = "<!-- verdicts -->", "<!-- end of verdicts -->"


@dataclass(frozen=True)
class Section:
    """One claim of the page."""

    name: str
    claim: str
    rules: str
    finding: Finding | None
    directory: Path
    problem: str = ""
    real: "Section | None" = None

    @property
    def outcome(self) -> str:
        """Of the verdict, or that there is none."""
        return self.finding.verdict.outcome if self.finding else NOT_RUN

    @property
    def complete(self) -> bool:
        """Whether there is a finding, and one on the real text where it was asked for."""
        return self.finding is not None and (self.real is None or self.real.complete)


def html(
    title: str, introduction: str, sections: Sequence[Section], about: str, notes: Sequence[str] = (), text: str = ""
) -> str:
    """The page in one file, figures included: it opens without a network."""
    return pages.render(
        "page.html",
        title=title,
        introduction=introduction,
        sections=[_content(section) for section in sections],
        counts=counts(sections),
        rules=rules(sections),
        cost=_cost(sections),
        about=about,
        notes=notes,
        text=text,
        marks=MARKS,
    )


def counts(sections: Sequence[Section]) -> list[str]:
    """Sentences on how many verdicts there are of each kind, identities apart; then the same of the real text."""
    real = [section.real for section in sections if section.real]
    return [_capital(_counted(sections)), *([f"On the real text: {_counted(real)}"] if real else [])]


def _counted(sections: Sequence[Section]) -> str:
    verdicts = [section.finding.verdict for section in sections if section.finding]
    identities = [verdict.outcome for verdict in verdicts if verdict.kind == IDENTITY]
    findings = [verdict.outcome for verdict in verdicts if verdict.kind != IDENTITY]
    told = [f"of {_number(len(findings), 'finding', 'findings')} {count(findings)}"]
    if identities:
        held, named = identities.count(SUPPORTED), _number(len(identities), "identity holds", "identities hold")
        told.insert(0, named if held == len(identities) else f"{held} of {named}")
    if missing := len(sections) - len(verdicts):
        told.append(f"{missing} not run")
    return "; ".join(told) + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _number(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"


def rules(sections: Sequence[Section]) -> str:
    """A hash of all that was fixed before any run: it changes if that of a claim does."""
    return hashlib.sha256(" ".join(section.rules for section in sections).encode()).hexdigest()[:12]


def _cost(sections: Sequence[Section]) -> str:
    every = [section for one in sections for section in (one, one.real) if section]
    found = [section.finding for section in every if section.finding]
    seconds = sum(finding.seconds for finding in found)
    return f"{sum(finding.programs for finding in found):,} compiled programs, {seconds:,.0f} seconds"


def stability(verdict: Verdict) -> str:
    """In how many blocks the verdict came out as it did with all of them, and the others; a dash without blocks.

    >>> part = Part("one", "It is.", "empirical", True, "supported", "", "")
    >>> stability(Verdict((part,), {"supported": 7, "mixed": 1}))
    '7 of 8; 1 mixed'
    """
    if not (total := sum(verdict.blocks.values())):
        return "–"
    others = [f"{count} {kind}" for kind, count in verdict.blocks.items() if kind != verdict.outcome]
    return "; ".join([f"{verdict.blocks.get(verdict.outcome, 0)} of {total}", *others])


def _content(section: Section) -> dict[str, Any]:
    """What the template needs of a section."""
    return {
        "name": section.name,
        "claim": section.claim,
        "rules": section.rules,
        "made": _of_run(section),
        "real": _of_run(section.real) if section.real else None,
        "commands": _commands(section),
    }


def _commands(section: Section) -> list[str]:
    """What repeats a claim, what repeats it with other draws, and what tells how to change it."""
    alone = f"python run.py {section.name}"
    found = [one.finding.command for one in (section, section.real) if one and one.finding]
    again = [f"{command} --base_seed=1" for command in found[:1] if "--base_seed" not in command]
    return [*(found or [alone]), *again, f"{alone} --help"]


def _of_run(section: Section) -> dict[str, Any]:
    """What the template needs of one run of a claim."""
    if (finding := section.finding) is None:
        return {"outcome": NOT_RUN, "problem": section.problem, "kind": "–", "effect": "–", "stability": "–"}
    verdict, headline = finding.verdict, finding.verdict.headline
    return {
        "finding": finding,
        "outcome": verdict.outcome,
        "kind": verdict.kind,
        "statement": headline.statement,
        "effect": short_effect(headline),
        "bar": bar_of(headline),
        "stability": stability(verdict),
        "blocks": _blocks(verdict),
        "groups": _groups(verdict),
        "seconds": f"{finding.seconds:.0f}",
        "pictures": [
            {"name": name, "caption": caption, "source": _embedded(section.directory / "figures" / f"{name}.svg")}
            for name, caption in finding.pictures.items()
        ],
        "tables": [
            {"title": title, "columns": list(table.columns), "rows": cells(table)}
            for title, table in finding.tables.items()
        ],
    }


def _blocks(verdict: Verdict) -> str:
    """The blocks by what came out in each alone; empty without blocks."""
    told = [f"{outcome} in {number}" for outcome, number in verdict.blocks.items()]
    return f"{', '.join(told)} of {sum(verdict.blocks.values())} blocks" if told else ""


def _groups(verdict: Verdict) -> list[tuple[str, list[dict[str, Any]]]]:
    """What decides, and what does not."""
    side = [part for part in verdict.parts if not part.core]
    groups = [("What decides", verdict.core), ("What we add; it decides nothing", side)]
    return [(title, _parts(parts)) for title, parts in groups if parts]


def _parts(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """What the template needs of parts; a rule like that before is not told again."""
    shown, before = [], None
    for part in parts:
        rule = _rule(part)
        lines = [("Rule", "As above.")] if rule == before else rule
        content = {"part": part, "evidence": _capital(part.evidence), "lines": [*lines, *_found(part)]}
        shown.append(content | {"bar": bar_of(part), "tasks": _tasks(part)})
        before = rule
    return shown


def _rule(part: Part) -> list[tuple[str, str]]:
    lines = [("Rule", part.rule), ("Why this bound", part.reason), ("Power, stated before", part.power)]
    return [(name, text) for name, text in lines if text]


def _found(part: Part) -> list[tuple[str, str]]:
    """What a run of this size could have found."""
    least = in_unit(part.detectable, part.task_unit)
    return [] if least == "unknown" else [("Detectable", f"{least}, in four of five repetitions of this run")]


def _tasks(part: Part) -> list[dict[str, Any]]:
    """What was found on each task."""
    return [
        {
            "task": on.task,
            "outcome": on.outcome,
            "bar": bar,
            "effect": f"{in_unit(on.value, part.task_unit)} ({interval(on.low, on.high, part.task_unit)})",
            "note": on.note,
        }
        for on, bar in zip(part.tasks, bars_of_tasks(part), strict=True)
    ]


def _embedded(path: Path) -> str:
    """An SVG as a data URL."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"


def markdown(sections: Sequence[Section], notes: Sequence[str] = ()) -> str:
    """How many verdicts there are of each kind, a row for each claim, and the hash of the rules."""
    real = any(section.real for section in sections)
    header = ["claim", "verdict", "kind", "effect", "blocks", *(["real text"] if real else [])]
    rows = [[*_cells(section), *([_real_cell(section)] if real else [])] for section in sections]
    lines = [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]
    above = " ".join([*counts(sections), *notes])
    return "\n".join([above, "", *lines, "", f"Blocks: those that say the same. Rules: `{rules(sections)}`.", ""])


def _cells(section: Section) -> list[str]:
    claim = f"{_escaped(section.claim)} `{section.name}`"
    if section.finding is None:
        return [claim, NOT_RUN, "–", _escaped(section.problem), "–"]
    verdict = section.finding.verdict
    effect = _escaped(f"{verdict.headline.statement} {short_effect(verdict.headline)}")
    return [claim, _marked(verdict), verdict.kind, effect, stability(verdict)]


def _real_cell(section: Section) -> str:
    """The verdict on the real text, with its statement where another one is closest to its bound there."""
    if (real := section.real) is None:
        return "–"
    if real.finding is None:
        return _escaped(f"{NOT_RUN}: {real.problem}")
    verdict = real.finding.verdict
    part = verdict.headline
    same = section.finding is not None and section.finding.verdict.headline.name == part.name
    effect = short_effect(part) if same else f"{part.statement} {short_effect(part)}"
    return _escaped(f"{_marked(verdict)}: {effect}; blocks {stability(verdict)}")


def _marked(verdict: Verdict) -> str:
    return f"{MARKS[verdict.outcome]} {verdict.outcome}"


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

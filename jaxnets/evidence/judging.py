"""The judgement: from rules and what was found to a verdict, with Holm's correction, and block by block."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pandas as pd

from jaxnets.evidence import intervals
from jaxnets.evidence.choosing import over_units
from jaxnets.evidence.intervals import UNKNOWN, Estimate
from jaxnets.evidence.resampling import LEVEL
from jaxnets.evidence.rules import SHARES, Rule
from jaxnets.evidence.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    MIXED,
    SUPPORTED,
    OnTask,
    Part,
    Verdict,
    combined,
    described,
)

UNITS = ("block", "fold", "seed", "round")
"""The columns by which rows of a table of effects may be repetitions; the first of which there are several counts."""

ERROR = 1 - LEVEL
POWER = 0.8

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Fact:
    """What was counted or computed without chance.

    Attributes:
      holds: whether the statement does; None if what it is about was not there.
      text: what was counted.
    """

    holds: bool | None
    text: str


Evidence = Fact | Estimate | pd.DataFrame
"""What was found for a rule: a fact; an estimate; or a table of effects, with a row for each repetition.

The columns of a table: `effect`; at least one of `UNITS`; `task`, where the rule is over tasks; `examples`, where the
effects are differences of accuracies over as many test examples; `independent`, whether blocks share no examples, as
otherwise their intervals are wider; and `edge`, whether a best value lay on the edge of those tried: where that is so
in over half of the rows, nothing is decided.
"""


@dataclass(frozen=True)
class Judged:
    """What a rule makes of its evidence.

    Attributes:
      outcome: of the statement.
      shown: what decides: the effect, or the share of tasks.
      tasks: by name, with Holm's correction.
      mean: the effect; over tasks their mean.
    """

    outcome: str
    shown: Estimate
    tasks: Mapping[str, OnTask]
    mean: Estimate


def judge(rules: Mapping[str, Rule], found: Mapping[str, Evidence]) -> Verdict:
    """The verdict on a claim.

    Several core parts that chance decides are judged with Holm's (1979) correction: together they come out wrong in at
    most 5% of repetitions. Side parts decide nothing, and are judged each by itself.

    Args:
      rules: by name.
      found: by the same names.

    Raises:
      ValueError: if the names differ, or no rule is core.
    """
    if rules.keys() != found.keys():
        raise ValueError(f"rules {sorted(rules)} and evidence {sorted(found)} are not the same")
    if not any(rule.core for rule in rules.values()):
        raise ValueError("a verdict needs a core part")
    outcomes = _outcomes(rules, found)
    parts = tuple(_part(name, rule, found[name], outcomes[name]) for name, rule in rules.items())
    return Verdict(parts, _by_block(rules, found))


def _outcomes(rules: Mapping[str, Rule], found: Mapping[str, Evidence]) -> dict[str, str]:
    """The outcome of each rule, those of the core parts corrected for their number."""

    def decide(name: str, error: float) -> str:
        return judged(rules[name], found[name], error).outcome

    by_chance = [name for name, rule in rules.items() if rule.core and not isinstance(found[name], Fact)]
    alone = {name: decide(name, ERROR) for name in rules if name not in by_chance}
    return {**alone, **step_down(by_chance, decide)}


def step_down(names: Sequence[Name], decide: Callable[[Name, float], str], error: float = ERROR) -> dict[Name, str]:
    """Outcomes of several tests that are wrong in at most a share `error` of repetitions, all together.

    Source: Holm (1979): as long as one of the k that are left is decided at error / k, it is, and the others go on.

    Args:
      names: of the tests.
      decide: from a name and the error that it may make to its outcome.
      error: that all may make together.
    """
    outcomes, left = dict.fromkeys(names, INCONCLUSIVE), list(names)
    while left:
        decided = {name: decide(name, error / len(left)) for name in left}
        name = next((name for name in left if decided[name] != INCONCLUSIVE), None)
        if name is None:
            break
        outcomes[name] = decided[name]
        left.remove(name)
    return outcomes


def _by_block(rules: Mapping[str, Rule], found: Mapping[str, Evidence]) -> dict[str, int]:
    """How often each outcome comes out, where each block is judged by itself: its seeds are the repetitions."""
    core = {name: rule for name, rule in rules.items() if rule.core}
    tables = {name: table for name in core if isinstance(table := found[name], pd.DataFrame) and "block" in table}
    blocks = sorted({block for table in tables.values() for block in table["block"].unique()})
    counts: dict[str, int] = {}
    for block in blocks if len(blocks) > 1 else ():
        own = {name: table[table["block"] == block] for name, table in tables.items()}
        outcome = combined(list(_outcomes(core, {**{name: found[name] for name in core}, **own}).values()))
        counts[outcome] = counts.get(outcome, 0) + 1
    return counts


def judged(rule: Rule, evidence: Evidence, error: float = ERROR) -> Judged:
    """What a rule makes of its evidence, if it may be wrong in a share `error` of repetitions."""
    if isinstance(evidence, Fact):
        holds = INCONCLUSIVE if evidence.holds is None else SUPPORTED if evidence.holds else CONTRADICTED
        return Judged(holds, UNKNOWN, {}, UNKNOWN)
    if isinstance(evidence, Estimate):
        effect = evidence.at(error)
        return Judged(decided(rule, effect), evidence, {}, evidence)
    if rule.over:
        return _over_tasks(rule, evidence, error)
    outcome, effect = _of_table(rule, evidence, error), estimated(evidence)
    return Judged(outcome, effect, {}, effect)


def decided(rule: Rule, effect: Estimate) -> str:
    """The outcome by an interval: beyond the bound, beyond its contrary, or neither."""
    if math.isnan(effect.low) or math.isnan(effect.high):
        return INCONCLUSIVE
    if rule.test == "above":
        supported, contradicted = effect.low > rule.bound, effect.high < rule.beyond
    elif rule.test == "below":
        supported, contradicted = effect.high < rule.bound, effect.low > rule.beyond
    else:
        supported = -rule.bound < effect.low and effect.high < rule.bound
        contradicted = effect.high < -rule.beyond or effect.low > rule.beyond
    return SUPPORTED if supported else CONTRADICTED if contradicted else INCONCLUSIVE


def estimated(table: pd.DataFrame, error: float = ERROR) -> Estimate:
    """The mean effect of a table, over blocks if there are several, else over what else its rows repeat."""
    if table.empty:
        return UNKNOWN
    unit = _unit(table)
    means = table.groupby(unit)["effect"].mean()
    examples = int(table["examples"].max()) if "examples" in table else None
    of_units = intervals.mean if "independent" in table and table["independent"].all() else over_units
    return of_units(means, examples, least=-1.0).at(error, len(means) - 1)


def _unit(table: pd.DataFrame) -> str:
    known = [unit for unit in UNITS if unit in table]
    return next((unit for unit in known if table[unit].nunique() > 1), known[-1])


def _on_edge(table: pd.DataFrame) -> bool:
    return "edge" in table and len(table) > 0 and bool(table["edge"].mean() > 0.5)


def _of_table(rule: Rule, table: pd.DataFrame, error: float) -> str:
    return INCONCLUSIVE if _on_edge(table) else decided(rule, estimated(table, error))


def _over_tasks(rule: Rule, table: pd.DataFrame, error: float) -> Judged:
    """What a rule over tasks makes of a table of effects."""
    by_task = {str(task): own for task, own in table.groupby("task", sort=False)}
    alone = [_of_table(rule, own, error) for own in by_task.values()]
    corrected = step_down(list(by_task), lambda task, of_error: _of_table(rule, by_task[task], of_error), error)
    means = pd.Series({task: float(own["effect"].mean()) for task, own in by_task.items()}, dtype=float)
    mean = intervals.mean(means)
    tasks = {task: _on_task(task, own, corrected[task]) for task, own in by_task.items()}
    opposed = {SUPPORTED, CONTRADICTED} <= set(corrected.values())
    if rule.over in SHARES:
        ahead, behind = (intervals.share(alone.count(kind), len(alone)) for kind in (SUPPORTED, CONTRADICTED))
        least = SHARES[rule.over]
        outcome = (
            SUPPORTED
            if ahead.at(error).low > least
            else CONTRADICTED
            if behind.at(error).low > least
            else MIXED
            if opposed
            else INCONCLUSIVE
        )
        return Judged(outcome, ahead, tasks, mean)
    of_mean = decided(rule, mean.at(error, len(means) - 1))
    if rule.over == "some":
        some = SUPPORTED in corrected.values()
        return Judged(
            SUPPORTED if some else CONTRADICTED if of_mean == CONTRADICTED else INCONCLUSIVE, mean, tasks, mean
        )
    return Judged(MIXED if opposed else of_mean, mean, tasks, mean)


def _on_task(task: str, table: pd.DataFrame, outcome: str) -> OnTask:
    effect = estimated(table)
    note = "a best value on the edge of those tried" if _on_edge(table) else effect.note
    return OnTask(task, outcome, effect.value, effect.low, effect.high, note)


def _part(name: str, rule: Rule, evidence: Evidence, outcome: str) -> Part:
    """A part for the reader."""
    seen, shares = judged(rule, evidence), rule.over in SHARES
    unit, shown = ("%", SHARES[rule.over]) if shares else (rule.unit, rule.bound)
    exact = isinstance(evidence, Fact)
    return Part(
        name=name,
        statement=rule.statement,
        kind=rule.kind,
        core=rule.core,
        outcome=outcome,
        evidence=evidence.text if isinstance(evidence, Fact) else _told(rule, seen, evidence),
        rule=rule.in_words,
        reason=rule.reason,
        power=rule.power,
        value=seen.shown.value,
        low=seen.shown.low,
        high=seen.shown.high,
        bound=math.nan if exact else shown,
        beyond=math.nan if exact or shares else rule.beyond,
        unit=unit,
        detectable=detectable(rule, seen),
        tasks=tuple(seen.tasks.values()),
    )


def _told(rule: Rule, seen: Judged, evidence: Evidence) -> str:
    """The effect in words; over tasks also on how many of them it shows, and on which its contrary does."""
    mean = described(seen.mean, rule.unit)
    if not rule.over:
        edge = isinstance(evidence, pd.DataFrame) and _on_edge(evidence)
        return f"{mean}; a best value lies on the edge of those tried" if edge else mean
    outcomes = [on.outcome for on in seen.tasks.values()]
    against = [task for task, on in seen.tasks.items() if on.outcome == CONTRADICTED]
    edges = [task for task, on in seen.tasks.items() if "edge" in on.note]
    told = [f"shown on {outcomes.count(SUPPORTED)} of {len(outcomes)} tasks"]
    if rule.over in SHARES:
        told = [f"holds on {described(seen.shown, '%')} of {len(outcomes)} tasks"]
    told += [f"the contrary on {', '.join(against)}"] if against else []
    told += [f"mean effect {mean}"]
    told += [f"on the edge of the values tried: {', '.join(edges)}"] if edges else []
    return "; ".join(told)


def detectable(rule: Rule, seen: Judged) -> float:
    """The effect that four of five repetitions would show with the spread that was seen; of tasks the median one."""
    estimates = [Estimate(on.value, on.low, on.high) for on in seen.tasks.values()] if rule.over else [seen.mean]
    widths = pd.Series([estimate.half_width for estimate in estimates], dtype=float).dropna()
    if rule.test != "above" or widths.empty:
        return math.nan
    from scipy import stats

    normal = stats.norm.ppf((1 + LEVEL) / 2)
    return float(rule.bound + widths.median() * (normal + stats.norm.ppf(POWER)) / normal)

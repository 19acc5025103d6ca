"""Verdicts: what becomes of a claim, by its parts and by the repeats in which it was put to the test."""

import hashlib
import json
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeVar

import pandas as pd

from jaxnets.stats import estimates
from jaxnets.stats.estimates import DIFFERENCE, LEVEL, NUMBER, UNKNOWN, Estimate, Kind
from jaxnets.stats.selection import over_units

SUPPORTED, CONTRADICTED, MIXED, INCONCLUSIVE = "supported", "contradicted", "mixed", "inconclusive"
OUTCOMES = (SUPPORTED, CONTRADICTED, MIXED, INCONCLUSIVE)
NOT_TESTED = "not tested"  # no run of this sweep was about it; a claim with such a core part has no verdict


@dataclass(frozen=True)
class OnTask:
    """What was found on one task."""

    task: str
    outcome: str
    value: float
    low: float
    high: float
    note: str = ""


@dataclass(frozen=True)
class Part:
    """One statement of a claim, and what was found."""

    name: str
    statement: str
    kind: str
    core: bool
    outcome: str
    evidence: str
    rule: str
    reason: str = ""
    power: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    bound: float = math.nan
    beyond: float = math.nan
    unit: str = ""
    detectable: float = math.nan
    tasks: tuple[OnTask, ...] = ()
    test: str = ""
    task_bound: float = math.nan
    task_beyond: float = math.nan
    task_unit: str = ""

    @property
    def distance(self) -> float:
        """How far the effect is from the bound, in half widths of its interval; infinite for what has none."""
        half_width = (self.high - self.low) / 2
        return abs(self.value - self.bound) / half_width if half_width > 0 else math.inf


@dataclass(frozen=True)
class Verdict:
    """What becomes of a claim."""

    parts: tuple[Part, ...]
    repeats: Mapping[str, int] = field(default_factory=dict)

    @property
    def core(self) -> tuple[Part, ...]:
        """The parts that decide."""
        return tuple(part for part in self.parts if part.core)

    @property
    def outcome(self) -> str:
        """By the core parts alone; see `combined`."""
        return combined([part.outcome for part in self.core])

    @property
    def kind(self) -> str:
        """That of the core parts: empirical if one is, else constructed if one is, else an identity."""
        kinds = {part.kind for part in self.core}
        return next(kind for kind in (EMPIRICAL, CONSTRUCTED, IDENTITY) if kind in kinds)

    @property
    def headline(self) -> Part:
        """The core part that is closest to its bound, of those that came out as the verdict did if there are any."""
        deciding = [part for part in self.core if part.outcome == self.outcome] or list(self.core)
        return min(deciding, key=lambda part: part.distance)

    @property
    def in_words(self) -> str:
        """The outcome; without a verdict, how many core parts are missing."""
        if self.outcome != NOT_TESTED:
            return self.outcome
        missing = sum(part.outcome == NOT_TESTED for part in self.core)
        return f"none: {missing} of {len(self.core)} core parts were not tested in this run"

    @property
    def stability(self) -> str:
        """In how many repeats the verdict came out as it did with all of them, and what the others said; empty without.

        >>> part = Part("one", "Nets learn.", "empirical", True, "supported", "", "")
        >>> Verdict((part,), {"supported": 7, "inconclusive": 1}).stability
        'supported in 7 of 8 repeats, inconclusive in 1'
        """
        if not (total := sum(self.repeats.values())):
            return ""
        others = [f"{kind} in {count}" for kind, count in self.repeats.items() if kind != self.outcome]
        return ", ".join([f"{self.outcome} in {self.repeats.get(self.outcome, 0)} of {total} repeats", *others])


def combined(outcomes: Sequence[str]) -> str:
    """The outcome of several statements that are claimed together.

    >>> combined(["supported", "inconclusive"]), combined(["supported", "contradicted"])
    ('inconclusive', 'mixed')
    """
    kinds = set(outcomes)
    if NOT_TESTED in kinds:
        return NOT_TESTED
    if MIXED in kinds or {SUPPORTED, CONTRADICTED} <= kinds:
        return MIXED
    if CONTRADICTED in kinds:
        return CONTRADICTED
    return SUPPORTED if kinds == {SUPPORTED} else INCONCLUSIVE


def described(effect: Estimate, unit: str = "") -> str:
    """An effect with its interval, for the reader.

    >>> described(Estimate(0.021, 0.012, 0.03), "%")
    '2.1% (95% interval 1.2% to 3.0%)'
    """
    if math.isnan(effect.low) or math.isnan(effect.high):
        reason = effect.reason(lambda value: in_unit(value, unit))
        return f"{in_unit(effect.value, unit)} ({reason}: no interval)"
    note = f"; {effect.note}" if effect.note else ""
    bounds = f"{in_unit(effect.low, unit)} to {in_unit(effect.high, unit)}"
    return f"{in_unit(effect.value, unit)} (95% interval {bounds}{note})"


def count(outcomes: Sequence[str]) -> str:
    """How many there are of each outcome.

    >>> count(["supported", "inconclusive", "supported"])
    '2 supported, 0 contradicted, 0 mixed, 1 inconclusive'
    """
    shown = [*OUTCOMES, *([NOT_TESTED] if NOT_TESTED in outcomes else [])]
    return ", ".join(f"{list(outcomes).count(kind)} {kind}" for kind in shown)


IDENTITY: Final = "identity"
CONSTRUCTED: Final = "constructed"
EMPIRICAL: Final = "empirical"

RuleKind = Literal["identity", "constructed", "empirical"]
Test = Literal["exact", "above", "below", "within"]
Over = Literal["", "some", "often", "most", "mean"]

SHARES = {"often": 1 / 3, "most": 1 / 2}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A statement, and what decides it."""

    statement: str
    kind: RuleKind
    core: bool = True
    test: Test = "above"
    bound: float = 0.0
    against: float | None = None
    over: Over = ""
    unit: str = ""
    reason: str = ""
    power: str = ""

    @property
    def beyond(self) -> float:
        """What contradicts: an effect beyond it."""
        if self.against is not None:
            return self.against
        return -self.bound if self.test == "above" else self.bound

    @property
    def in_words(self) -> str:
        """The rule as a sentence."""
        if self.test == "exact":
            return "Supported if it holds, contradicted if it does not."
        bound, beyond = in_unit(self.bound, self.unit), in_unit(self.beyond, self.unit)
        supported = {
            "above": f"above {bound}",
            "below": f"below {bound}",
            "within": f"within {_either_way(self.bound, self.unit)}",
        }[self.test]
        contradicted = {
            "above": f"below {beyond}",
            "below": f"above {beyond}",
            "within": f"beyond {_either_way(self.beyond, self.unit)}",
        }[self.test]
        if not self.over:
            return f"Supported if the 95% interval lies {supported}, contradicted if it lies {contradicted}."
        if self.over == "mean":
            return (
                f"Supported if the 95% interval of the mean over tasks lies {supported}, contradicted if it lies "
                f"{contradicted}; mixed if some tasks show the one and some the other."
            )
        if self.over == "some":
            return (
                f"Supported if on a task at least, by Holm's correction, the 95% interval lies {supported}; "
                f"contradicted if on none, and that of the mean over tasks lies {contradicted}."
            )
        share = {"often": "a third", "most": "half"}[self.over]
        return (
            f"On a task it holds if the 95% interval lies {supported}, and its contrary if it lies {contradicted}. "
            f"Supported if the 95% interval of the share of tasks on which it holds lies above {share}, contradicted "
            "if that of its contrary does; mixed if, by Holm's correction, it holds on some tasks and its contrary on "
            "some."
        )


def fingerprint(rules: Mapping[str, Rule], *more: Any) -> str:
    """A hash of rules, and of what else was fixed beforehand: it changes if any of them does.

    >>> rule = Rule(statement="Nets learn.", kind="empirical")
    >>> fingerprint({"learn": rule}) == fingerprint({"learn": rule}, "more")
    False
    """
    content = [{name: asdict(rule) for name, rule in rules.items()}, *more]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:12]


def _either_way(bound: float, unit: str) -> str:
    return f"{in_unit(-bound, unit)} to {in_unit(bound, unit)}"


def in_unit(number: float, unit: str = "") -> str:
    """A number with its unit.

    >>> in_unit(0.5, "%"), in_unit(2, "×"), in_unit(1234.5, "steps"), in_unit(0.01), in_unit(0, "log×")
    ('50.0%', '2×', '1.23e+03 steps', '0.01', '1×')
    """
    if math.isnan(number):
        return "unknown"
    if unit == "log×":
        return f"{math.exp(number):.3g}×"
    if unit == "%":
        return f"{number:.1%}"
    return f"{number:.3g}{unit}" if unit == "×" else f"{number:.3g} {unit}".strip()


UNITS = ("repeat", "fold", "seed", "round")
"""The columns by which rows of a table of effects may be repetitions; the first of which there are several counts."""

EDGE = "a best value on the edge of those tried"
ERROR = 1 - LEVEL
POWER = 0.8

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Fact:
    """What was counted or computed without chance."""

    holds: bool | None
    text: str
    undecided: bool = False


Evidence = Fact | Estimate | pd.DataFrame
"""What was found for a rule: a fact; an estimate; or a table of effects, with a row for each repetition.

The columns of a table: `effect`; at least one of `UNITS`; `task`, where the rule is over tasks; `examples`, where the
effects are differences of accuracies over as many test examples; `test_share`, by which folds and repeats correlate
(see `jaxnets.comparison.table.TaskFacts`), without which they have no interval; and `edge`, whether a best value lay on
the edge of those tried: where that is so in over half of the rows, nothing is decided.
"""


@dataclass(frozen=True)
class Effect:
    """An effect, as an interval of any error."""

    estimate: Estimate
    freedom: float = math.inf
    edge: bool = False

    def outcome(self, rule: Rule, error: float) -> str:
        """What it says of a rule, wrong in a share `error` of repetitions."""
        return INCONCLUSIVE if self.edge else decided(rule, self.estimate.at(error, self.freedom))


@dataclass(frozen=True)
class Effects:
    """What was found by chance for a rule: over tasks if there are any."""

    all: Effect
    tasks: Mapping[str, Effect]


def tested(found: Fact | Effects) -> bool:
    """Whether there was any run that a rule could be measured on."""
    if isinstance(found, Fact):
        return found.holds is not None or found.undecided
    estimate = found.all.estimate
    return bool(found.tasks) or not math.isnan(estimate.value) or bool(estimate.note)


def judge(rules: Mapping[str, Rule], found: Mapping[str, Evidence]) -> Verdict:
    """The verdict on a claim.

    Several core parts that chance decides are judged with Holm's (1979) correction: together they come out wrong in at
    most 5% of repetitions. Side parts decide nothing, and are judged each by itself.
    """
    if rules.keys() != found.keys():
        raise ValueError(f"rules {sorted(rules)} and evidence {sorted(found)} are not the same")
    if not any(rule.core for rule in rules.values()):
        raise ValueError("a verdict needs a core part")
    seen = {name: effects(rule, found[name]) for name, rule in rules.items()}
    decided_as = outcomes(rules, seen)
    parts = tuple(_part(name, rule, seen[name], decided_as[name]) for name, rule in rules.items())
    return Verdict(parts, _by_repeat(rules, found, seen))


def outcomes(rules: Mapping[str, Rule], found: Mapping[str, Fact | Effects]) -> dict[str, str]:
    """The outcome of each rule, those of the core parts corrected for their number."""

    def decide(name: str, error: float) -> str:
        return outcome(rules[name], found[name], error)

    by_chance = [
        name for name, rule in rules.items() if rule.core and not isinstance(found[name], Fact) and tested(found[name])
    ]
    alone = {name: decide(name, ERROR) for name in rules if name not in by_chance}
    return {**alone, **step_down(by_chance, decide)}


def step_down(names: Sequence[Name], decide: Callable[[Name, float], str], error: float = ERROR) -> dict[Name, str]:
    """Outcomes of several tests that are wrong in at most a share `error` of repetitions, all together.

    Source: Holm (1979): as long as one of the k that are left is decided at error / k, it is, and the others go on.
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


def _by_repeat(
    rules: Mapping[str, Rule], found: Mapping[str, Evidence], seen: Mapping[str, Fact | Effects]
) -> dict[str, int]:
    """How often each outcome comes out, where each repeat is judged by itself: its seeds are the repetitions."""
    core = {name: rule for name, rule in rules.items() if rule.core}
    tables = {name: table for name in core if isinstance(table := found[name], pd.DataFrame) and "repeat" in table}
    repeats = sorted({repeat for table in tables.values() for repeat in table["repeat"].unique()})
    if not all(tested(seen[name]) for name in core):
        return {}
    counts: dict[str, int] = {}
    for repeat in repeats if len(repeats) > 1 else ():
        own = {name: effects(core[name], table[table["repeat"] == repeat]) for name, table in tables.items()}
        of_repeat = combined(list(outcomes(core, {**{name: seen[name] for name in core}, **own}).values()))
        counts[of_repeat] = counts.get(of_repeat, 0) + 1
    return counts


def effects(rule: Rule, evidence: Evidence) -> Fact | Effects:
    """What was found for a rule, as effects; a fact stays one."""
    if isinstance(evidence, Fact):
        return evidence
    if isinstance(evidence, Estimate):
        return Effects(Effect(evidence), {})
    if not rule.over or evidence.empty:
        return Effects(_effect(evidence), {})
    tasks = {str(task): _effect(own) for task, own in evidence.groupby("task", sort=False)}
    means = evidence.groupby("task", sort=False)["effect"].mean()
    return Effects(Effect(estimates.mean(means), len(means) - 1), tasks)


def _effect(table: pd.DataFrame, kind: Kind | None = None) -> Effect:
    """The mean effect of a table, over repeats if there are several, else over what else its rows repeat."""
    if table.empty:
        return Effect(UNKNOWN)
    known = [unit for unit in UNITS if unit in table]
    means = table.groupby(next((unit for unit in known if table[unit].nunique() > 1), known[-1]))["effect"].mean()
    examples = int(table["examples"].max()) if "examples" in table else None
    share = float(table["test_share"].max()) if "test_share" in table else math.nan
    edge = "edge" in table and bool(table["edge"].mean() > 0.5)
    kind = kind or (DIFFERENCE if examples else NUMBER)
    return Effect(over_units(means, share, kind, examples), len(means) - 1, edge)


def estimated(table: pd.DataFrame, kind: Kind | None = None) -> Estimate:
    """The mean effect of a table with its interval, over repeats if there are several, else over its repetitions."""
    return _effect(table, kind).estimate


def outcome(rule: Rule, found: Fact | Effects, error: float = ERROR) -> str:
    """What a rule makes of what was found, if it may be wrong in a share `error` of repetitions."""
    if not tested(found):
        return NOT_TESTED
    if isinstance(found, Fact):
        return INCONCLUSIVE if found.holds is None else SUPPORTED if found.holds else CONTRADICTED
    if not rule.over:
        return found.all.outcome(rule, error)
    of_tasks = on_tasks(rule, found, error)
    opposed = {SUPPORTED, CONTRADICTED} <= set(of_tasks.values())
    if rule.over in SHARES:
        least, (ahead, behind) = SHARES[rule.over], _shares(rule, found, error)
        if ahead.low > least:
            return SUPPORTED
        return CONTRADICTED if behind.low > least else MIXED if opposed else INCONCLUSIVE
    of_mean = found.all.outcome(rule, error)
    if rule.over == "mean":
        return MIXED if opposed else of_mean
    return SUPPORTED if SUPPORTED in of_tasks.values() else CONTRADICTED if of_mean == CONTRADICTED else INCONCLUSIVE


def on_tasks(rule: Rule, found: Effects, error: float = ERROR) -> dict[str, str]:
    """The outcome on each task, by Holm's correction over the tasks."""
    return step_down(list(found.tasks), lambda task, of_error: found.tasks[task].outcome(rule, of_error), error)


def _shares(rule: Rule, found: Effects, error: float) -> tuple[Estimate, Estimate]:
    """The share of tasks on which a rule holds, and of those on which its contrary does, each task by itself.

    The error is that of the tasks. The intervals of the shares stay at 95%: else six of six tasks would decide nothing
    where there are four core parts.
    """
    alone = [effect.outcome(rule, error) for effect in found.tasks.values()]
    ahead, behind = (estimates.share(alone.count(kind), len(alone)) for kind in (SUPPORTED, CONTRADICTED))
    return ahead, behind


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


def _part(name: str, rule: Rule, found: Fact | Effects, outcome: str) -> Part:
    """A part for the reader."""
    common: dict[str, Any] = {
        "name": name,
        "statement": rule.statement,
        "kind": rule.kind,
        "core": rule.core,
        "outcome": outcome,
        "rule": rule.in_words,
        "reason": rule.reason,
        "power": rule.power,
    }
    if not tested(found):
        return Part(**common, evidence="no run to measure it on")
    if isinstance(found, Fact):
        return Part(**common, evidence=found.text)
    shares = rule.over in SHARES
    shown = _shares(rule, found, ERROR)[0] if shares else found.all.estimate
    return Part(
        **common,
        evidence=_told(rule, found),
        value=shown.value,
        low=shown.low,
        high=shown.high,
        bound=SHARES[rule.over] if shares else rule.bound,
        beyond=math.nan if shares else rule.beyond,
        unit="%" if shares else rule.unit,
        detectable=detectable(rule, found),
        tasks=tuple(
            _on_task(task, found.tasks[task], of_task, rule.unit) for task, of_task in on_tasks(rule, found).items()
        ),
        test="above" if shares else rule.test,
        task_bound=rule.bound,
        task_beyond=rule.beyond,
        task_unit=rule.unit,
    )


def _on_task(task: str, effect: Effect, outcome: str, unit: str) -> OnTask:
    estimate = effect.estimate
    reason = estimate.reason(lambda value: in_unit(value, unit)) if math.isnan(estimate.low) else estimate.note
    note = EDGE if effect.edge else reason
    return OnTask(task, outcome, estimate.value, estimate.low, estimate.high, note)


def _told(rule: Rule, found: Effects) -> str:
    """The effect in words; over tasks also on how many of them it shows, and on which its contrary does."""
    mean = described(found.all.estimate, rule.unit)
    if not rule.over:
        return f"{mean}; {EDGE}" if found.all.edge else mean
    outcomes = on_tasks(rule, found)
    told = [f"shown on {list(outcomes.values()).count(SUPPORTED)} of {len(outcomes)} tasks"]
    if rule.over in SHARES:
        told = [f"holds on {described(_shares(rule, found, ERROR)[0], '%')} of {len(outcomes)} tasks"]
    against = [task for task, of_task in outcomes.items() if of_task == CONTRADICTED]
    edges = [task for task, effect in found.tasks.items() if effect.edge]
    told += [f"the contrary on {', '.join(against)}"] if against else []
    told += [f"mean effect {mean}"]
    told += [f"{EDGE}: {', '.join(edges)}"] if edges else []
    return "; ".join(told)


def detectable(rule: Rule, found: Effects) -> float:
    """The effect that four of five repetitions would show with the spread that was seen; of tasks the median one."""
    effects = list(found.tasks.values()) if rule.over else [found.all]
    widths = pd.Series([effect.estimate.half_width for effect in effects], dtype=float).dropna()
    if rule.test != "above" or widths.empty:
        return math.nan
    from scipy import stats

    normal = stats.norm.ppf((1 + LEVEL) / 2)
    return float(rule.bound + widths.median() * (normal + stats.norm.ppf(POWER)) / normal)

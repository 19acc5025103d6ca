"""Verdicts: what becomes of a claim, by its parts and by the blocks in which it was put to the test."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from jaxnets.claims.rules import CONSTRUCTED, EMPIRICAL, IDENTITY, in_unit
from jaxnets.stats.estimates import Estimate

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
    blocks: Mapping[str, int] = field(default_factory=dict)

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
        """In how many blocks the verdict came out as it did with all of them, and what the others said; empty without.

        >>> part = Part("one", "Nets learn.", "empirical", True, "supported", "", "")
        >>> Verdict((part,), {"supported": 7, "inconclusive": 1}).stability
        'supported in 7 of 8 blocks, inconclusive in 1'
        """
        if not (total := sum(self.blocks.values())):
            return ""
        others = [f"{kind} in {count}" for kind, count in self.blocks.items() if kind != self.outcome]
        return ", ".join([f"{self.outcome} in {self.blocks.get(self.outcome, 0)} of {total} blocks", *others])


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

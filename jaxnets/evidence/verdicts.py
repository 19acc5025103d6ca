"""Verdicts: what a table of runs says of a claim, by a rule that is stated beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxnets.evidence.intervals import Estimate

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE = "supported", "not supported", "inconclusive"


@dataclass(frozen=True)
class Part:
    """One statement that a claim makes, and what was found.

    Attributes:
      statement: as a sentence that may be true or not.
      outcome: `supported`, `not supported` or `inconclusive`.
      evidence: the effect with its interval, or what was counted.
      rule: when the statement counts as supported.
    """

    statement: str
    outcome: str
    evidence: str
    rule: str


@dataclass(frozen=True)
class Verdict:
    """What becomes of a claim: of all its parts together."""

    parts: tuple[Part, ...]

    @property
    def outcome(self) -> str:
        """Supported if all parts are; not supported if one is not; otherwise inconclusive."""
        outcomes = {part.outcome for part in self.parts}
        if NOT_SUPPORTED in outcomes:
            return NOT_SUPPORTED
        return SUPPORTED if outcomes == {SUPPORTED} else INCONCLUSIVE


def verdict(*parts: Part) -> Verdict:
    """The verdict of some parts, one at least."""
    if not parts:
        raise ValueError("a verdict needs a part")
    return Verdict(parts)


def more_than(statement: str, effect: Estimate, threshold: float = 0.0, *, unit: str = "") -> Part:
    """Supported if the whole interval lies above the threshold, not supported if it lies at or below it.

    Args:
      statement: what is claimed.
      effect: what was measured.
      threshold: what the effect must exceed.
      unit: how to show the numbers: `%` for shares of 1 (a difference of which is in points), `×` for factors, or a
        word that is put behind them.

    >>> more_than("A beats B.", Estimate(0.02, 0.01, 0.03), unit="%").outcome
    'supported'
    """
    rule = f"the 95% interval lies above {in_unit(threshold, unit)}"
    return Part(
        statement, _judged(effect, effect.low > threshold, effect.high <= threshold), described(effect, unit), rule
    )


def less_than(statement: str, effect: Estimate, threshold: float = 0.0, *, unit: str = "") -> Part:
    """Supported if the whole interval lies below the threshold, not supported if it lies at or above it."""
    rule = f"the 95% interval lies below {in_unit(threshold, unit)}"
    return Part(
        statement, _judged(effect, effect.high < threshold, effect.low >= threshold), described(effect, unit), rule
    )


def between(statement: str, effect: Estimate, low: float, high: float, *, unit: str = "") -> Part:
    """Supported if the whole interval lies within the bounds, not supported if it lies outside on one side."""
    outside = effect.high < low or effect.low > high
    rule = f"the 95% interval lies within {in_unit(low, unit)} to {in_unit(high, unit)}"
    return Part(
        statement, _judged(effect, low <= effect.low and effect.high <= high, outside), described(effect, unit), rule
    )


def exact(statement: str, holds: bool | None, evidence: str, rule: str) -> Part:
    """A statement that is counted or computed without chance; None if what it is about was not there."""
    outcome = INCONCLUSIVE if holds is None else SUPPORTED if holds else NOT_SUPPORTED
    return Part(statement, outcome, evidence, rule)


def _judged(effect: Estimate, supported: bool, against: bool) -> str:
    if math.isnan(effect.low) or math.isnan(effect.high):
        return INCONCLUSIVE
    return SUPPORTED if supported else NOT_SUPPORTED if against else INCONCLUSIVE


def described(effect: Estimate, unit: str = "") -> str:
    """An effect with its interval, for the reader.

    >>> described(Estimate(0.021, 0.012, 0.03), "%")
    '2.1% (95% interval 1.2% to 3.0%)'
    """
    if math.isnan(effect.low) or math.isnan(effect.high):
        return f"{in_unit(effect.value, unit)} ({effect.note or 'nothing known'}: no interval)"
    note = f"; {effect.note}" if effect.note else ""
    bounds = f"{in_unit(effect.low, unit)} to {in_unit(effect.high, unit)}"
    return f"{in_unit(effect.value, unit)} (95% interval {bounds}{note})"


def in_unit(number: float, unit: str = "") -> str:
    """A number with its unit.

    >>> in_unit(0.5, "%"), in_unit(2, "×"), in_unit(1234.5, "steps"), in_unit(0.01)
    ('50.0%', '2×', '1.23e+03 steps', '0.01')
    """
    if math.isnan(number):
        return "unknown"
    if unit == "%":
        return f"{number:.1%}"
    return f"{number:.3g}{unit}" if unit == "×" else f"{number:.3g} {unit}".strip()


def count(outcomes: Sequence[str]) -> str:
    """How many there are of each outcome.

    >>> count([SUPPORTED, INCONCLUSIVE, SUPPORTED])
    '2 supported, 0 not supported, 1 inconclusive'
    """
    return ", ".join(f"{list(outcomes).count(kind)} {kind}" for kind in (SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE))

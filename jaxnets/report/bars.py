"""An effect against its threshold: as a short text, and as a small bar that a template draws."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jaxnets.claims.verdicts import OnTask, Part, in_unit

WIDTH = 200.0
TESTS = ("above", "below", "within")
NONE = "no interval"
_MARGIN = 8.0


@dataclass(frozen=True)
class Effect:
    """An effect, its 95% interval, and the rule that judges it."""

    value: float
    low: float
    high: float
    bound: float
    beyond: float
    test: str
    unit: str


@dataclass(frozen=True)
class Bar:
    """Where a bar is drawn, from 0 to `WIDTH`."""

    zones: Sequence[tuple[str, float, float]]
    value: float
    interval: tuple[float, float] | None
    label: str


def bar_of(part: Part) -> Bar | None:
    """The bar of a part by itself; None for what was counted without chance."""
    effect = Effect(part.value, part.low, part.high, part.bound, part.beyond, part.test, part.unit)
    return bar(effect, (0.0, 1.0) if over_share_of_tasks(part) else domain([effect]))


def bars_of_tasks(part: Part) -> list[Bar | None]:
    """The bars of a part's tasks, all on one scale."""
    effects = [_of_task(part, on) for on in part.tasks]
    scale = domain(effects)
    return [bar(effect, scale) for effect in effects]


def _of_task(part: Part, on: OnTask) -> Effect:
    return Effect(on.value, on.low, on.high, part.task_bound, part.task_beyond, part.test, part.task_unit)


def bar(effect: Effect, scale: tuple[float, float]) -> Bar | None:
    """The bar of an effect; None if there is nothing to draw."""
    if effect.test not in TESTS or not math.isfinite(effect.value):
        return None

    def place(number: float) -> float:
        return min(max((number - scale[0]) / (scale[1] - scale[0]), 0.0), 1.0) * (WIDTH - 2 * _MARGIN) + _MARGIN

    def edge(number: float) -> float:
        return number * WIDTH if math.isinf(number) else place(number)

    zones = [(kind, max(edge(low), 0.0), min(edge(high), WIDTH)) for kind, low, high in _zones(effect)]
    known = not math.isnan(effect.low) and not math.isnan(effect.high)
    ends = (place(effect.low), place(effect.high)) if known else None
    return Bar(zones, place(effect.value), ends, _label(effect))


def _zones(effect: Effect) -> list[tuple[str, float, float]]:
    """What is for and what is against the statement, in the unit of the effect."""
    infinity, bound, beyond = math.inf, effect.bound, effect.beyond
    zones = {
        "above": [("for", bound, infinity), ("against", -infinity, beyond)],
        "below": [("for", -infinity, bound), ("against", beyond, infinity)],
        "within": [("for", -bound, bound), ("against", -infinity, -beyond), ("against", beyond, infinity)],
    }[effect.test]
    return [zone for zone in zones if not any(map(math.isnan, zone[1:]))]


def domain(effects: Iterable[Effect]) -> tuple[float, float]:
    """The range of all that effects show.

    >>> domain([Effect(0.5, 0.25, 0.75, 0.0, -1.0, "above", "")])
    (-1.0, 0.75)
    """
    numbers: list[float] = []
    for one in effects:
        both = (-one.bound, -one.beyond) if one.test == "within" else ()
        numbers += [one.value, one.low, one.high, one.bound, one.beyond, *both]
    finite = [number for number in numbers if math.isfinite(number)] or [0.0]
    low, high = min(finite), max(finite)
    return (low, high) if high > low else (low - 1, high + 1)


def _label(effect: Effect) -> str:
    bounds = interval(effect.low, effect.high, effect.unit)
    told = [f"Effect {in_unit(effect.value, effect.unit)}, {bounds if bounds == NONE else f'95% interval {bounds}'}"]
    least = f"{in_unit(-effect.bound, effect.unit)} to " if effect.test == "within" else ""
    return "; ".join([*told, f"supported {effect.test} {least}{in_unit(effect.bound, effect.unit)}"])


def short_effect(part: Part) -> str:
    """The effect of a part with its interval, as short as it can be told; what was counted as it is.

    >>> short_effect(Part("one", "It is.", "empirical", True, "supported", "", "", value=0.5, unit="%", test="above"))
    '50.0% (no interval)'
    """
    if not part.test or math.isnan(part.value):
        return part.evidence
    tasks = f" of {len(part.tasks)} tasks" if over_share_of_tasks(part) else ""
    return f"{in_unit(part.value, part.unit)}{tasks} ({interval(part.low, part.high, part.unit)})"


def interval(low: float, high: float, unit: str) -> str:
    """The bounds of an interval; a unit that is a word is left out.

    >>> interval(0.01, 0.03, "%"), interval(1, 2, "nats"), interval(math.nan, 2, "")
    ('1.0% to 3.0%', '1 to 2', 'no interval')
    """
    if math.isnan(low) or math.isnan(high):
        return NONE
    unit = unit if unit in ("%", "×", "log×") else ""
    return f"{in_unit(low, unit)} to {in_unit(high, unit)}"


def over_share_of_tasks(part: Part) -> bool:
    """Whether a share of tasks decides, and not an effect."""
    return bool(part.tasks) and bool(part.test) and math.isnan(part.beyond)

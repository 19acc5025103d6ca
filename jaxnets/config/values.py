"""Typed values of a field: one value, a list (an axis of the sweep), or a range of numbers."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from jaxnets.config.converters import CONVERTERS, MOST_FLOAT, MOST_INT, brief, to_float, to_int
from jaxnets.errors import UserError, unknown

Kind = Literal["float", "int", "bool", "text", "sizes", "plugin"]
"""`sizes` is a tuple of whole numbers, as hidden layers have; `plugin` is a name, an import path or an object."""

MOST_VALUES = 10_000_000
"""Of a list."""


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, evenly spaced, or evenly in their logarithms."""

    low: float
    high: float
    logarithmic: bool
    count: int | None = None
    whole: bool = False

    def grid(self) -> list[Any]:
        """`count` numbers from low to high.

        >>> log_range(1e-4, 1, 3).grid()
        [0.0001, 0.01, 1.0]
        """
        # 12 digits, so that 10**-4 reads 0.0001
        points = [float(f"{number:.12g}") for number in self._at(np.linspace(0, 1, self.count or 0))]
        return list(dict.fromkeys(round(number) for number in points)) if self.whole else points

    def draw(self, generator: np.random.Generator) -> float:
        """One number at random, uniform, or uniform in its logarithm; see `number` for whole ones."""
        return self.number(generator.uniform())

    def number(self, place: float) -> float:
        """The number at a place from 0 to 1.

        A whole number k has the places of k - 1/2 to k + 1/2: so all are equally probable in a linear range, the ends
        as well, and in proportion to log((k + 1/2) / (k - 1/2)) in a logarithmic one.

        >>> log_range(1e-4, 1).number(0.5)
        0.01
        """
        if not self.whole:
            return float(self._at(place))
        low, high = sorted((self.low, self.high))
        number = math.floor(float(dataclasses.replace(self, low=low - 0.5, high=high + 0.5)._at(place)) + 0.5)
        return min(max(number, int(low)), int(high))

    def _at(self, place: Any) -> Any:
        """The number at a place from 0 to 1."""
        if self.logarithmic:
            low, high = math.log10(self.low), math.log10(self.high)
            return 10.0 ** (low + (high - low) * place)
        return self.low + (self.high - self.low) * place


def log_range(low: float, high: float, count: int | None = None) -> Range:
    """Numbers from `low` to `high`, evenly spaced in their logarithms: an axis, or a distribution for a random search.

    Args:
      low: the least number, above zero.
      high: the largest number.
      count: how many numbers a grid takes, the bounds included; not needed for a random search.

    Raises:
      UserError: if a bound is no number above zero, or the count is no whole number above zero.

    >>> log_range(1e-4, 1, 5).grid()
    [0.0001, 0.001, 0.01, 0.1, 1.0]
    """
    bounds = _bounds("log_range", low, high)
    if min(bounds) <= 0:
        raise UserError(f"log_range: {min(bounds):g} is not above 0, and has no logarithm; use linear_range.")
    return Range(*bounds, True, _count("log_range", bounds, count))


def linear_range(low: float, high: float, count: int | None = None) -> Range:
    """Evenly spaced numbers from `low` to `high`; see `log_range`.

    >>> linear_range(0, 1, 3).grid()
    [0.0, 0.5, 1.0]
    """
    bounds = _bounds("linear_range", low, high)
    return Range(*bounds, False, _count("linear_range", bounds, count))


def _bounds(name: str, low: Any, high: Any) -> tuple[float, float]:
    return to_float(name, low), to_float(name, high)


def _count(name: str, bounds: tuple[float, float], count: Any) -> int | None:
    if count is None:
        return None
    number = to_int(name, count)
    if not 1 <= number <= MOST_INT:
        raise UserError(f"{name}: it asks for {number} values; the count must be 1 or more.")
    if bounds[0] == bounds[1] and number > 1:
        raise UserError(f"{name}: from {bounds[0]:g} to {bounds[1]:g} there is one value, not {number}.")
    return number


@dataclass(frozen=True)
class Field:
    """What a field's values must be."""

    name: str
    kind: Kind
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    distinct: bool = False
    choices: tuple[str, ...] = ()
    optional: bool = False

    def value(self, value: Any) -> Any:
        """One value, converted to its type.

        >>> Field("hidden_units", "sizes").value(128)
        (128,)
        """
        if value is None and self.optional:
            return None
        if is_axis(value):
            raise UserError(f"{self.name}: it takes one value, not a list.")
        if isinstance(value, Range):
            raise UserError(f"{self.name}: it takes one value, not a range.")
        typed = CONVERTERS[self.kind](self.name, value)
        self._check_choice(typed)
        self._check_bounds(typed)
        return typed

    def axis(self, value: Any) -> Any:
        """One value, a list of distinct values, or a range.

        >>> Field("learning_rate", "float").axis([1, 0.1])
        [1.0, 0.1]
        """
        if isinstance(value, Range):
            return self._range(value)
        if not is_axis(value):
            return self.value(value)
        items = [self.value(item) for item in _listed(self.name, value)]
        if not items:
            raise UserError(f"{self.name}: the list is empty; give one value, a list of values, or a range.")
        if (twice := _repeated(items)) is not None:
            raise UserError(f"{self.name}: {brief(twice)} is given twice; {self._once(twice)}")
        return items

    def _once(self, value: Any) -> str:
        """What to write in place of a value that an axis has twice."""
        if self.kind == "sizes" and len(value) == 1:
            return f"a list is an axis of the sweep. For two layers write {value * 2}, as a flag {show(value * 2)}."
        return "a list is an axis of the sweep, with each value once. More runs of a setting: num_seeds."

    def _range(self, span: Range) -> Range:
        if self.kind not in ("float", "int"):
            raise UserError(f"{self.name}: it takes no range, as its values are no numbers; give a list.")
        for bound in (span.low, span.high):
            self._check_bounds(bound)
        return self._whole(span) if self.kind == "int" else dataclasses.replace(span, whole=False)

    def _whole(self, span: Range) -> Range:
        """A range of whole numbers, from the first to the last one of a range."""
        low, high = math.ceil(min(span.low, span.high)), math.floor(max(span.low, span.high))
        if low > high:
            raise UserError(f"{self.name}: there is no whole number from {span.low:g} to {span.high:g}.")
        ends = (low, high) if span.low <= span.high else (high, low)
        return dataclasses.replace(span, low=float(ends[0]), high=float(ends[1]), whole=True)

    def _check_choice(self, value: Any) -> None:
        if self.choices and value not in self.choices:
            raise unknown(self.name, value, self.choices)

    def _check_bounds(self, value: Any) -> None:
        numbers = value if isinstance(value, tuple) else (value,)
        if self.distinct and len(set(numbers)) < max(1, len(numbers)):
            what = "there is no size" if not numbers else f"{show(value)} has a size twice"
            raise UserError(f"{self.name}: {what}; give one or several that differ.")
        for number in numbers:
            if isinstance(number, int | float) and not isinstance(number, bool):
                self._check_number(number)

    def _check_number(self, value: float) -> None:
        largest = MOST_FLOAT if self.kind == "float" else MOST_INT
        least, most = (-largest if self.least is None else self.least), (largest if self.most is None else self.most)
        if value < least:
            raise UserError(f"{self.name}: {brief(value)} is below {_shown(least)}.")
        if value > most:
            raise UserError(f"{self.name}: {brief(value)} is above {_shown(most)}.")
        if self.above is not None and value <= self.above:
            raise UserError(f"{self.name}: {brief(value)} is not above {_shown(self.above)}.")
        if self.below is not None and value >= self.below:
            raise UserError(f"{self.name}: {brief(value)} is not below {_shown(self.below)}.")


def _shown(bound: float) -> str:
    return str(bound) if isinstance(bound, int) else f"{bound:g}"


def is_axis(value: Any) -> bool:
    """Whether a value lists several: a list, a Python `range`, or an array of one axis. A tuple is one value."""
    return isinstance(value, list | range) or getattr(value, "ndim", 0) == 1


def choices(value: Any) -> tuple[Any, ...]:
    """The values of an axis; a single value is an axis of one.

    >>> choices([1, 2]), choices("adam"), choices(None)
    ((1, 2), ('adam',), (None,))
    """
    return tuple(value) if isinstance(value, list) else (value,)


def show(value: Any) -> Any:
    """A value as the tables show it: sizes in the form that the flags take, a plug-in by its name, others as they are.

    >>> show((128, 64)), show(()), show(0.1)
    ('128x64', '0', 0.1)
    """
    if isinstance(value, tuple):
        return "x".join(map(str, value)) or "0"
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _listed(name: str, value: Any) -> list[Any]:
    if len(value) > MOST_VALUES:  # a Python range may claim any number
        raise UserError(f"{name}: {len(value):,} values are more than the {MOST_VALUES:,} that a list may have.")
    return value.tolist() if hasattr(value, "tolist") else list(value)


def _repeated(items: list[Any]) -> Any:
    """The first item that stands there twice; None without one. Plug-in objects need not be hashable."""
    seen = set()
    for item in items:
        if (key := _key(item)) in seen:
            return item
        seen.add(key)
    return None


def _key(item: Any) -> tuple[Any, Any]:
    plain = isinstance(item, str | bool | int | float | tuple)
    return (type(item), item) if plain else (None, id(item))

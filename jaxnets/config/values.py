"""Values of a field: one value, a list (an axis of the sweep) or a range of numbers; their one check; their text."""

import dataclasses
import math
import numbers
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from jaxnets import user_code
from jaxnets.errors import UserError, unknown

Kind = Literal["float", "int", "bool", "text", "sizes", "plugin"]
"""`sizes` is a tuple of whole numbers, as hidden layers have; `plugin` is a name, an import path or an object."""

MOST_INT = 2**31 - 1  # JAX's integers have 32 bits
MOST_FLOAT = float(np.finfo(np.float32).max)  # and so have its floats
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

    @property
    def bounds(self) -> list[float]:
        """The bounds, and the count if there is one."""
        return [self.low, self.high, *([] if self.count is None else [self.count])]

    def grid(self) -> list[Any]:
        """`count` numbers from low to high.

        >>> log_range(1e-4, 1, 3).grid()
        [0.0001, 0.01, 1.0]
        """
        # 12 digits, so that 10**-4 reads 0.0001
        points = [float(f"{number:.12g}") for number in self._at(np.linspace(0, 1, self.count or 0))]
        return list(dict.fromkeys(round(number) for number in points)) if self.whole else points

    def draw(self, generator: np.random.Generator) -> float:
        """One number at random, uniform or log-uniform."""
        return self.number(generator.uniform())

    def number(self, place: float) -> float:
        """The number at a place from 0 to 1; a whole number k has the places of k - 1/2 to k + 1/2.

        >>> log_range(1e-4, 1).number(0.5)
        0.01
        """
        if not self.whole:
            return float(self._at(place))
        low, high = sorted((self.low, self.high))
        number = math.floor(float(dataclasses.replace(self, low=low - 0.5, high=high + 0.5)._at(place)) + 0.5)
        return min(max(number, int(low)), int(high))

    def _at(self, place: Any) -> Any:
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
    made = _range("log_range", low, high, count)
    if min(made.low, made.high) <= 0:
        raise UserError(f"log_range: {min(made.low, made.high):g} is not above 0, and has no logarithm.")
    return dataclasses.replace(made, logarithmic=True)


def linear_range(low: float, high: float, count: int | None = None) -> Range:
    """Evenly spaced numbers from `low` to `high`; see `log_range`.

    >>> linear_range(0, 1, 3).grid()
    [0.0, 0.5, 1.0]
    """
    return _range("linear_range", low, high, count)


def _range(name: str, low: Any, high: Any, count: Any) -> Range:
    of_bounds = Field(name, "float", least=-math.inf, most=math.inf)
    low, high = of_bounds.value(low), of_bounds.value(high)
    if count is not None:
        count = Field(f"{name}, count", "int", least=1).value(count)
        if low == high and count > 1:
            raise UserError(f"{name}: from {low:g} to {high:g} there is one value, not {count}.")
    return Range(low, high, False, count)


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
        """One value, converted to its type and checked.

        >>> Field("hidden_units", "sizes").value(128)
        (128,)
        """
        if value is None and self.optional:
            return None
        if is_axis(value) or isinstance(value, Range):
            raise UserError(f"{self.name}: it takes one value, not a {'list' if is_axis(value) else 'range'}.")
        typed = self._typed(value)
        if self.choices and typed not in self.choices:
            raise unknown(self.name, typed, self.choices)
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
        if len(value) > MOST_VALUES:  # a Python range may claim any number
            raise UserError(
                f"{self.name}: {len(value):,} values are more than the {MOST_VALUES:,} that a list may have."
            )
        items = [self.value(item) for item in (value.tolist() if hasattr(value, "tolist") else value)]
        if not items:
            raise UserError(f"{self.name}: the list is empty; give one value, a list of values, or a range.")
        seen = set()
        for item in items:  # objects of plug-ins need not be hashable
            key = (type(item), item) if isinstance(item, str | bool | int | float | tuple) else (None, id(item))
            if key in seen:
                hint = "a list is an axis of the sweep, with each value once. More runs of a setting: num_seeds."
                if self.kind == "sizes" and len(item) == 1:
                    twice = item * 2
                    hint = f"a list is an axis of the sweep. For two layers write {twice}, as a flag {show(twice)}."
                raise UserError(f"{self.name}: {brief(item)} is given twice; {hint}")
            seen.add(key)
        return items

    def _range(self, span: Range) -> Range:
        if self.kind not in ("float", "int"):
            raise UserError(f"{self.name}: it takes no range, as its values are no numbers; give a list.")
        for bound in (span.low, span.high):
            self._check_bounds(bound)
        if self.kind == "float":
            return dataclasses.replace(span, whole=False)
        low, high = math.ceil(min(span.low, span.high)), math.floor(max(span.low, span.high))
        if low > high:
            raise UserError(f"{self.name}: there is no whole number from {span.low:g} to {span.high:g}.")
        ends = (low, high) if span.low <= span.high else (high, low)
        return dataclasses.replace(span, low=float(ends[0]), high=float(ends[1]), whole=True)

    def _typed(self, value: Any) -> Any:
        """A value converted to the kind of the field."""
        if self.kind in ("float", "int"):
            return self._number(value)
        if self.kind == "bool" and not isinstance(value, bool | np.bool_):
            raise UserError(f"{self.name}: {brief(value)} is neither True nor False.")
        if self.kind == "text" and not isinstance(value, str):
            raise self._misfit(value, "a text")
        if self.kind == "sizes":
            return self._sizes(value)
        if self.kind == "plugin":
            if isinstance(value, str) and not value:
                raise UserError(f"{self.name}: the name is empty.")
            if value is None or isinstance(value, bool | np.bool_ | numbers.Number):
                raise UserError(f"{self.name}: {brief(value)} is neither a name nor an object that could be one.")
        return bool(value) if self.kind == "bool" else value

    def _number(self, value: Any) -> float:
        if self.kind == "float" and isinstance(value, numbers.Real) and not isinstance(value, bool):
            try:
                number = float(value)
            except OverflowError:
                number = math.inf
            if not math.isfinite(number):
                raise UserError(f"{self.name}: {brief(value)} is not a finite number.")
            return number
        if self.kind == "float" or isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise self._misfit(value, "a number" if self.kind == "float" else "a whole number")
        return int(cast(int, value))

    def _misfit(self, value: Any, wanted: str) -> UserError:
        is_text = "is a text, not" if isinstance(value, str) else "is not"
        hint = " A tuple is one value; write a list for an axis." if isinstance(value, tuple) else ""
        return UserError(f"{self.name}: {brief(value)} {is_text} {wanted}.{hint}")

    def _sizes(self, value: Any) -> tuple[int, ...]:
        if isinstance(value, str):
            parts = [part for part in value.split("x") if part.isdigit()]
            example = f"({', '.join(parts)}{',' if len(parts) == 1 else ''})" if parts else "(128, 128)"
            raise UserError(f"{self.name}: {value!r} is a text; give a tuple of sizes such as {example}.")
        whole = Field(self.name, "int")
        sizes = tuple(map(whole._typed, value if isinstance(value, tuple) else (value,)))
        if sizes == (0,) and not isinstance(value, tuple):
            return ()
        for size in sizes:
            if not 1 <= size <= MOST_INT:
                bounds = f"sizes are 1 to {MOST_INT}, and () is none"
                raise UserError(f"{self.name}: {brief(value)} has the size {brief(size)}; {bounds}.")
        return sizes

    def _check_bounds(self, value: Any) -> None:
        of_value = value if isinstance(value, tuple) else (value,)
        if self.distinct and len(set(of_value)) < max(1, len(of_value)):
            what = "there is no size" if not of_value else f"{show(value)} has a size twice"
            raise UserError(f"{self.name}: {what}; give one or several that differ.")
        largest = MOST_FLOAT if self.kind == "float" else MOST_INT
        least, most = (-largest if self.least is None else self.least), (largest if self.most is None else self.most)
        for number in of_value:
            if isinstance(number, bool) or not isinstance(number, int | float):
                continue
            for wrong, what, bound in (
                (number < least, "below", least),
                (number > most, "above", most),
                (self.above is not None and number <= self.above, "not above", self.above),
                (self.below is not None and number >= self.below, "not below", self.below),
            ):
                if wrong:
                    shown = str(bound) if isinstance(bound, int) else f"{bound:g}"
                    raise UserError(f"{self.name}: {brief(number)} is {what} {shown}.")


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


def unparse(value: Any) -> str:
    """The text of a flag that stands for a value; for an object its import path or its name.

    >>> unparse([(128, 128), ()]), unparse(log_range(1e-4, 1, 9)), unparse(True), unparse(0.001)
    ('128x128,0', 'log:0.0001:1:9', 'true', '0.001')
    """
    if isinstance(value, list):
        return ",".join(map(unparse, value))
    if isinstance(value, Range):
        return ":".join(["log" if value.logarithmic else "lin", *(f"{bound:.12g}" for bound in value.bounds)])
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}" if float(f"{value:.12g}") == value else repr(value)
    if callable(value):
        return user_code.path_of(value) or str(getattr(value, "__name__", ""))
    return "" if value is None else str(show(value))


def brief(value: Any) -> str:
    """A value in few characters."""
    if isinstance(value, int) and abs(value) > 10**30:  # Python refuses to write one of 5,000 digits
        return "a whole number of more than 30 digits"
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"a {type(value).__name__}"

"""What a hyperparameter flag may say: one value, a list `a,b,c`, or a range `log:LOW:HIGH:COUNT`."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxnets.basics.errors import UserError
from jaxnets.config.arguments import Kind

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, evenly spaced, or evenly in their logarithms.

    Attributes:
      count: how many a grid takes, the bounds among them; None where only random draws are wanted.
      whole: whether they are rounded to whole numbers.
    """

    low: float
    high: float
    logarithmic: bool
    count: int | None = None
    whole: bool = False

    def grid(self) -> tuple[float, ...]:
        """`count` numbers from low to high.

        >>> Range(1e-4, 1.0, True, 3).grid()
        (0.0001, 0.01, 1.0)
        """
        # 12 digits: 10**-4 shall read 0.0001
        numbers = [float(f"{number:.12g}") for number in self._at(np.linspace(0, 1, self.count or 0))]
        return tuple(dict.fromkeys(round(number) for number in numbers)) if self.whole else tuple(numbers)

    def draw(self, generator: np.random.Generator) -> float:
        """One number at random, uniform, or uniform in its logarithm."""
        number = float(self._at(generator.uniform()))
        return round(number) if self.whole else number

    def _at(self, place: Any) -> Any:
        """The number at a place from 0 to 1."""
        if self.logarithmic:
            low, high = math.log10(self.low), math.log10(self.high)
            return 10.0 ** (low + (high - low) * place)
        return self.low + (self.high - self.low) * place


Values = tuple[Any, ...] | Range


def parse(flag: str, text: str, kind: Kind) -> Values:
    """The values that a flag's text stands for, each of them once.

    Args:
      flag: the flag's name, for the error text.
      text: what the user wrote.
      kind: of the values; `sizes` are written `128x128`, and `0` for none.

    Raises:
      UserError: if the text is empty or no such list.

    >>> parse("hidden_units", "128x128,0", "sizes")
    ((128, 128), ())
    >>> parse("learning_rate", "lin:0:1:3", "float").grid()
    (0.0, 0.5, 1.0)
    """
    if text.startswith(("log:", "lin:")):
        return _parse_range(flag, text, kind)
    items = [item.strip() for item in text.split(",")]
    if items == [""]:
        raise UserError(f"{flag}: the list is empty; give one value, 'a,b,c', or 'log:LOW:HIGH:COUNT'.")
    return tuple(dict.fromkeys(parse_one(flag, item, kind) for item in items))


def parse_one(flag: str, text: str, kind: Kind) -> Any:
    """One value from its text.

    Raises:
      UserError: if the text is no value of that kind.
    """
    parsers = {"float": _float, "int": _int, "bool": _bool, "text": _text, "sizes": _sizes}
    return parsers[kind](flag, text)


def show(value: Any) -> Any:
    """A value as the tables show it: sizes in the form that the flags take, the others as they are.

    >>> show((128, 64)), show(()), show(0.1)
    ('128x64', '0', 0.1)
    """
    if isinstance(value, tuple):
        return "x".join(map(str, value)) or "0"
    return value


def _parse_range(flag: str, text: str, kind: Kind) -> Values:
    form = f"{flag}: '{text}' is no range; write '{text[:3]}:LOW:HIGH:COUNT', as in 'log:1e-4:1:9'."
    parts = text.split(":")
    if kind not in ("float", "int"):
        raise UserError(f"{flag}: takes no range, as its values are no numbers; write a list 'a,b,c'.")
    if len(parts) not in (3, 4) or "" in parts:
        raise UserError(form)
    low, high = (_float(flag, part) for part in parts[1:3])
    count = _int(flag, parts[3]) if len(parts) == 4 else None
    if parts[0] == "log" and min(low, high) <= 0:
        raise UserError(f"{flag}: '{text}' has a bound that is not above 0, and zero has no logarithm; use 'lin:'.")
    if count is not None and count < 1:
        raise UserError(f"{flag}: '{text}' asks for {count} values; the count must be 1 or more.")
    return Range(low, high, parts[0] == "log", count, kind == "int")


def _float(flag: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UserError(f"{flag}: '{text}' is not a number.") from None
    if not math.isfinite(value):
        raise UserError(f"{flag}: '{text}' is not a finite number.")
    return value


def _int(flag: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{flag}: '{text}' is not a whole number.") from None


def _bool(flag: str, text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise UserError(f"{flag}: '{text}' is neither 'true' nor 'false'.")
    return text.lower() in _TRUE


def _text(flag: str, text: str) -> str:
    if not text:
        raise UserError(f"{flag}: a value of the list is empty.")
    return text


def _sizes(flag: str, text: str) -> tuple[int, ...]:
    if text == "0":
        return ()
    sizes = tuple(_int(flag, part) for part in text.split("x"))
    if min(sizes) < 1:
        raise UserError(f"{flag}: '{text}' has a size below 1; write sizes like '128x128', and '0' for none.")
    return sizes

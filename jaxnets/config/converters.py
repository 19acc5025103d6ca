"""What Python gives, converted to the kind of a field and checked: one function for each kind."""

import math
import numbers
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from jaxnets.errors import UserError

MOST_INT = 2**31 - 1  # JAX's integers have 32 bits
MOST_FLOAT = float(np.finfo(np.float32).max)  # and so have its floats


def to_float(name: str, value: Any) -> float:
    """A finite number."""
    if isinstance(value, str):
        raise UserError(f"{name}: {value!r} is a text, not a number.")
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise UserError(f"{name}: {brief(value)} is not a number.{_list_hint(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UserError(f"{name}: {brief(value)} is not a finite number.")
    return number


def to_int(name: str, value: Any) -> int:
    """A whole number."""
    if isinstance(value, str):
        raise UserError(f"{name}: {value!r} is a text, not a whole number.")
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise UserError(f"{name}: {brief(value)} is not a whole number.{_list_hint(value)}")
    return int(value)


def _bool(name: str, value: Any) -> bool:
    if not isinstance(value, bool | np.bool_):
        raise UserError(f"{name}: {brief(value)} is neither True nor False.")
    return bool(value)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UserError(f"{name}: {brief(value)} is not a text.{_list_hint(value)}")
    return value


def _sizes(name: str, value: Any) -> tuple[int, ...]:
    if isinstance(value, tuple):
        sizes = tuple(to_int(name, size) for size in value)
    else:
        number = to_int(name, value) if not isinstance(value, str) else _no_text_of_sizes(name, value)
        sizes = (number,) if number else ()
    for size in sizes:
        if not 1 <= size <= MOST_INT:
            bounds = f"sizes are 1 to {MOST_INT}, and () is none"
            raise UserError(f"{name}: {brief(value)} has the size {brief(size)}; {bounds}.")
    return sizes


def _no_text_of_sizes(name: str, value: str) -> int:
    sizes = [part for part in value.split("x") if part.isdigit()]
    example = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})" if sizes else "(128, 128)"
    raise UserError(f"{name}: {value!r} is a text; give a tuple of sizes such as {example}.")


def _plugin(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if not value:
            raise UserError(f"{name}: the name is empty.")
        return value
    if value is None or isinstance(value, bool | np.bool_ | numbers.Number):
        raise UserError(f"{name}: {brief(value)} is neither a name nor an object that could be one.")
    return value


CONVERTERS: Mapping[str, Callable[[str, Any], Any]] = {
    "float": to_float,
    "int": to_int,
    "bool": _bool,
    "text": _text,
    "sizes": _sizes,
    "plugin": _plugin,
}


def _list_hint(value: Any) -> str:
    return " A tuple is one value; write a list for an axis." if isinstance(value, tuple) else ""


def brief(value: Any) -> str:
    """A value in few characters."""
    if isinstance(value, int) and abs(value) > 10**30:  # Python refuses to write one of 5,000 digits
        return "a whole number of more than 30 digits"
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"a {type(value).__name__}"

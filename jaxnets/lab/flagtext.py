"""Texts of flags to typed values, and back: the one place where text is parsed."""

from typing import Any

from jaxnets.config.values import Kind, Range, linear_range, log_range, show
from jaxnets.errors import UserError

_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_RANGES = {"log": log_range, "lin": linear_range}


def parse(name: str, text: str, kind: Kind, *, several: bool = True) -> Any:
    """What a flag's text stands for: one value, a list `a,b,c`, or a range `log:LOW:HIGH:COUNT`, `lin:LOW:HIGH:COUNT`.

    >>> parse("hidden_units", "128x128,0", "sizes")
    [(128, 128), ()]
    >>> parse("learning_rate", "lin:0:1:3", "float").grid()
    [0.0, 0.5, 1.0]
    """
    if several and text.startswith(("log:", "lin:")):
        return _parse_range(name, text, kind)
    items = [item.strip() for item in text.split(",")] if several else [text]
    values = [parse_one(name, item, kind) for item in items]
    return values if len(values) > 1 else values[0]


def parse_one(name: str, text: str, kind: Kind) -> Any:
    """One value from its text."""
    if not text and kind != "text":
        raise UserError(f"{name}: the value is empty; give one value, a list 'a,b,c', or 'log:LOW:HIGH:COUNT'.")
    parsers = {"float": _float, "int": _int, "bool": _bool, "sizes": _sizes}
    return parsers[kind](name, text) if kind in parsers else text


def unparse(value: Any) -> str:
    """The text of a flag that stands for a value.

    >>> unparse([(128, 128), ()]), unparse(log_range(1e-4, 1, 9)), unparse(True), unparse(0.001)
    ('128x128,0', 'log:0.0001:1:9', 'true', '0.001')
    """
    if isinstance(value, list):
        return ",".join(map(unparse, value))
    if isinstance(value, Range):
        numbers = [value.low, value.high, *([] if value.count is None else [value.count])]
        return ":".join(["log" if value.logarithmic else "lin", *(f"{number:.12g}" for number in numbers)])
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.12g}" if float(f"{value:.12g}") == value else repr(value)
    return "" if value is None else str(show(value))


def _parse_range(name: str, text: str, kind: Kind) -> Range:
    parts = text.split(":")
    if kind not in ("float", "int"):
        raise UserError(f"{name}: it takes no range, as its values are no numbers; write a list 'a,b,c'.")
    if len(parts) not in (3, 4) or "" in parts:
        raise UserError(f"{name}: '{text}' is not a range; write '{text[:3]}:LOW:HIGH:COUNT', as in 'log:1e-4:1:9'.")
    low, high = (_float(name, part) for part in parts[1:3])
    count = _int(name, parts[3]) if len(parts) == 4 else None
    try:
        return _RANGES[parts[0]](low, high, count)
    except UserError as error:
        raise UserError(f"{name}: '{text}': {str(error).partition(': ')[2]}") from None


def _float(name: str, text: str) -> float:
    try:
        return float(_plain(text))
    except ValueError:
        raise UserError(f"{name}: '{text}' is not a number.") from None


def _int(name: str, text: str) -> int:
    try:
        return int(_plain(text))
    except ValueError:
        raise UserError(f"{name}: '{text}' is not a whole number.") from None


def _plain(text: str) -> str:
    """The text, if it is a number as people write one: Python would also take `2_0` and digits of other scripts."""
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    return text


def _bool(name: str, text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise UserError(f"{name}: '{text}' is neither 'true' nor 'false'.")
    return text.lower() in _TRUE


def _sizes(name: str, text: str) -> tuple[int, ...]:
    return () if text == "0" else tuple(_int(name, part) for part in text.split("x"))

"""JSON files that are read back: whoever wrote them, they have the declared shape, or one line says what is wrong.

A shape is a type (`str`, `bool`, `int`, `float`, `None`, or `object` for anything), a value for itself, `[shape]` for a
list, or a dictionary of shapes by name for an object. In it a name that may be missing ends with `?`, and `...` stands
for all other names. A tuple of shapes is any of them, at most one of them a list and one an object. A whole number has
64 bits and is a float as well; no number is infinite or NaN.
"""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jaxnets.basics import checksums
from jaxnets.basics.errors import UserError, nearest

Shape = Any

SCALAR = (None, bool, int, float, str)
MOST_BYTES = 2**28
"""Of a JSON file; in memory it may take thirty times as much."""
_MOST_LEVELS = 60
_WORDS = {str: "a text", bool: "true or false", int: "a whole number", float: "a number", None: "null"}


def read_json(path: Path, shape: Shape) -> Any:
    """The content of a JSON file."""
    checksums.check(path.parent, path.name)
    try:
        return parsed(_text(path), shape)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise UserError(f"{path}: cannot be read: {error}.") from None


def _text(path: Path) -> str:
    """The text of a file; of a pipe or a device, which may have no end, none."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise ValueError(f"its {size:,} bytes are more than the {MOST_BYTES:,} that such a file may have")
    return path.read_text(encoding="utf-8")


def parsed(text: str, shape: Shape) -> Any:
    """The content of a JSON text.

    >>> parsed('{"seed": 3}', {"seed": int, "name?": str})
    {'seed': 3}
    >>> parsed('{"seed": 1e400}', {"seed": float})
    Traceback (most recent call last):
    ...
    ValueError: seed must be a number, not inf
    """
    try:
        content = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    _check_tree(content, may_be_broken="\\u" in text)
    if problem := misfit(content, shape):
        raise ValueError(problem)
    return content


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def _check_tree(content: Any, *, may_be_broken: bool) -> None:
    """Refuses what is nested deeply, and halves of characters, which can be neither printed nor written."""
    level = [content]
    for _ in range(_MOST_LEVELS):
        if may_be_broken and any(map(_is_broken, level)):
            raise ValueError("a text in it holds half a character")
        level = [child for node in level if isinstance(node, dict | list) for child in _children(node)]
        if not level:
            return
    raise ValueError(f"it is nested in more than {_MOST_LEVELS} levels")


def _children(node: Any) -> list[Any]:
    return [*node.keys(), *node.values()] if isinstance(node, dict) else node


def _is_broken(value: Any) -> bool:
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def misfit(value: Any, shape: Shape, place: str = "") -> str:
    """In what a value of JSON is not of a shape; empty if it is.

    >>> misfit({"seed": [1, "two"]}, {"seed": (int, [int])})
    "seed[1] must be a whole number, not 'two'"
    """
    wanted = shape if isinstance(shape, tuple) else (shape,)
    fitting = next((one for one in wanted if _is_of(value, one)), _NONE)
    if fitting is _NONE:
        return _told(value, wanted, place or "it")
    if isinstance(fitting, list):
        inner = (misfit(one, fitting[0], f"{place}[{number}]") for number, one in enumerate(value))
        return next(filter(None, inner), "")
    return _object_misfit(value, fitting, place) if isinstance(fitting, dict) else ""


_NONE = object()


def _is_of(value: Any, shape: Shape) -> bool:
    """Whether a value is of a shape, what it holds left aside."""
    if isinstance(shape, dict | list):
        return isinstance(value, type(shape))
    if shape is int:
        return type(value) is int and -(2**63) <= value < 2**63
    if shape is float:
        return _is_of(value, int) or (type(value) is float and math.isfinite(value))
    if isinstance(shape, type):
        return isinstance(value, shape)
    return type(value) is type(shape) and value == shape


def _told(value: Any, wanted: Sequence[Shape], place: str) -> str:
    known = [str(one) for one in wanted if type(one) is int]
    if known:
        return f"it has the {place} {_brief(value)}; this version reads {' and '.join(known)}"
    words = dict.fromkeys(_word(one) for one in wanted)
    return f"{place} must be {' or '.join(words)}, not {_brief(value)}"


def _word(shape: Shape) -> str:
    if isinstance(shape, dict | list):
        return "an object" if isinstance(shape, dict) else "a list"
    return _WORDS.get(shape, repr(shape))


def _brief(value: Any) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else f"{text[:36]} ..."


def _object_misfit(value: Mapping[str, Any], shape: Mapping[Any, Shape], place: str) -> str:
    names = {name.removesuffix("?"): one for name, one in shape.items() if name is not ...}
    for name, one in names.items():
        if name not in value and name in shape:
            return f"{place or 'it'} lacks '{name}'"
        if name in value and (problem := misfit(value[name], one, _inner(place, name))):
            return problem
    for name in value.keys() - names.keys() if ... not in shape else ():
        return f"{place or 'it'} has '{_inner('', name)}', which is not known.{nearest(name, names)}".removesuffix(".")
    others = (misfit(one, shape[...], _inner(place, name)) for name, one in value.items() if name not in names)
    return next(filter(None, others), "")


def _inner(place: str, name: str) -> str:
    name = name if len(name) <= 40 else f"{name[:36]} ..."
    return f"{place}.{name}" if place else name


def shape_of(kind: Any) -> Shape:
    """The shape of a dataclass as JSON: NaN is null, fields with a default may be missing.

    >>> from jaxnets.basics import stored
    >>> stored.shape_of(tuple[float, ...])
    [(None, <class 'float'>)]
    """
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {f"{one.name}{_mark(one)}": shape_of(hints[one.name]) for one in dataclasses.fields(kind)}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return [shape_of(arguments[0])]
    if origin in (types.UnionType, typing.Union):
        return tuple(None if one is type(None) else shape_of(one) for one in arguments)
    if origin is not None:  # a mapping
        return {...: shape_of(arguments[1])}
    return (None, float) if kind is float else kind


def _mark(declared: Any) -> str:
    has_default = declared.default is not dataclasses.MISSING or declared.default_factory is not dataclasses.MISSING
    return "?" if has_default else ""


def made(kind: Any, value: Any) -> Any:
    """A dataclass from JSON of its shape; see `shape_of`."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: made(hints[name], one) for name, one in value.items()})
    if typing.get_origin(kind) is tuple:
        return tuple(made(typing.get_args(kind)[0], one) for one in value)
    return math.nan if kind is float and value is None else value

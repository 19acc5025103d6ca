"""A configuration as JSON, and back: what `config.json` holds repeats the sweep exactly."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxnets import schema, user_code
from jaxnets.config.config import Config
from jaxnets.config.values import Range, linear_range, log_range
from jaxnets.errors import UserError

FORMAT = 3
_OBJECT = "object"
_ONE = (*schema.SCALAR, {"tuple?": [int], "log_range?": [float], "linear_range?": [float], "object?": str})
_VALUES = {...: (*_ONE, [_ONE])}
SHAPE = {
    "format?": (FORMAT,),
    "version?": str,
    "experiment?": str,
    "config?": _VALUES,
    "options?": _VALUES,
    ...: object,
}
"""Of a `config.json`."""


def read(path: Path) -> dict[str, Any]:
    """The content of a `config.json`."""
    content = schema.read_json(path, SHAPE)
    if "config" not in content:
        raise UserError(f"{path}: it has no 'config' with values by name; take the config.json of a run.")
    return content


def places(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that name a place to write to, programs to run, or a cluster, on the machine of whoever gave them.

    >>> places({"output": None, "export": "model.safetensors", "compilation_cache": "off", "cluster": "local"})
    {'export': 'model.safetensors'}
    """
    harmless = {"output": None, "export": None, "compilation_cache": "off", "cluster": "local"}
    return {name: values[name] for name, value in harmless.items() if values.get(name) and values[name] != value}


def to_json(config: Config) -> dict[str, Any]:
    """All values of a configuration but `output`: a repetition has its own.

    A list stays a list, a tuple and a range are objects of one key, and a function is its import path.

    >>> to_json(Config(learning_rate=log_range(0.1, 1, 2), width=(3,), f=lambda x: x))["width"]
    {'tuple': [3]}
    """
    return encoded({name: value for name, value in config.values().items() if name != "output"})


def encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name as JSON."""
    return {name: _encoded(value) for name, value in values.items()}


def from_json(content: Mapping[str, Any]) -> dict[str, Any]:
    """The values that `to_json` wrote, by name."""
    return {name: _decoded(name, value) for name, value in content.items()}


def unrepeatable(values: Mapping[str, Any]) -> list[str]:
    """The names of the values, as JSON, that were objects without an import path.

    >>> unrepeatable(to_json(Config(model=lambda: None)))
    ['model']
    """
    return [name for name, value in values.items() if _holds_object(value)]


def _encoded(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Range):
        bounds = [value.low, value.high, *([] if value.count is None else [value.count])]
        return {"log_range" if value.logarithmic else "linear_range": bounds}
    if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
        return {"tuple": list(value)}
    if isinstance(value, list) and all(_is_plain(item) for item in value):
        return [_encoded(item) for item in value]
    return user_code.path_of(value) or {_OBJECT: getattr(value, "__name__", type(value).__name__)}


def _is_plain(value: Any) -> bool:
    """Whether a value of a list is one of a field, and no data."""
    return value is None or isinstance(value, str | bool | int | float | tuple) or callable(value)


def _decoded(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(name, item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items() if len(value) == 1 else ((None, None),)
    if kind in ("log_range", "linear_range") and isinstance(content, list) and 2 <= len(content) <= 3:
        return (log_range if kind == "log_range" else linear_range)(*content)
    if kind == "tuple" and isinstance(content, list):
        return tuple(content)
    if kind == _OBJECT:
        raise UserError(f"{name}: it was the object '{content}', which has no import path; give it again.")
    raise UserError(f"{name}: {value} is not a value.")


def _holds_object(value: Any) -> bool:
    if isinstance(value, list):
        return any(_holds_object(item) for item in value)
    return isinstance(value, dict) and _OBJECT in value

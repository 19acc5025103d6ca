"""A configuration as JSON, and back: what `config.json` holds repeats the sweep exactly."""

from collections.abc import Mapping
from typing import Any

from jaxnets import schema, user_code
from jaxnets.config.config import Config
from jaxnets.config.values import Range, linear_range, log_range
from jaxnets.errors import UserError

FORMAT = 3
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


def places(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that name a place to write to, programs to run, or a cluster, on the machine of whoever gave them.

    >>> places({"output": None, "export": "model.safetensors", "compilation_cache": "off", "cluster": "local"})
    {'export': 'model.safetensors'}
    """
    harmless = {"output": None, "export": None, "compilation_cache": "off", "cluster": "local"}
    return {name: values[name] for name, value in harmless.items() if values.get(name) and values[name] != value}


def to_json(config: Config) -> dict[str, Any]:
    """All values of a configuration but `output`: a repetition has its own.

    >>> to_json(Config(learning_rate=log_range(0.1, 1, 2), width=(3,), f=lambda x: x))["width"]
    {'tuple': [3]}
    """
    return encoded({name: value for name, value in config.values().items() if name != "output"})


def encoded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by name as JSON: tuples and ranges are objects of one key, a function is its import path."""

    def encode(value: Any) -> Any:
        if value is None or isinstance(value, str | bool | int | float):
            return value
        if isinstance(value, Range):
            return {"log_range" if value.logarithmic else "linear_range": value.bounds}
        if isinstance(value, tuple) and all(isinstance(item, int) for item in value):
            return {"tuple": list(value)}
        is_axis = isinstance(value, list) and all(
            item is None or isinstance(item, str | bool | int | float | tuple) or callable(item) for item in value
        )
        if is_axis:  # and not data
            return list(map(encode, value))
        return user_code.path_of(value) or {"object": getattr(value, "__name__", type(value).__name__)}

    return {name: encode(value) for name, value in values.items()}


def from_json(content: Mapping[str, Any]) -> dict[str, Any]:
    """The values that `encoded` wrote, by name."""
    return {name: _decoded(name, value) for name, value in content.items()}


def _decoded(name: str, value: Any) -> Any:
    match value:
        case list():
            return [_decoded(name, item) for item in value]
        case {"log_range": [low, high, *count], **rest} if len(count) < 2 and not rest:
            return log_range(low, high, *count)
        case {"linear_range": [low, high, *count], **rest} if len(count) < 2 and not rest:
            return linear_range(low, high, *count)
        case {"tuple": list(sizes), **rest} if not rest:
            return tuple(sizes)
        case {"object": kind, **rest} if not rest:
            raise UserError(f"{name}: it was the object '{kind}', which has no import path; give it again.")
        case dict():
            raise UserError(f"{name}: {value} is not a value.")
    return value


def unrepeatable(values: Mapping[str, Any]) -> list[str]:
    """The names of the values, as JSON, that were objects without an import path.

    >>> unrepeatable(to_json(Config(model=lambda: None)))
    ['model']
    """
    of_all = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    return [name for name, items in of_all.items() if any(isinstance(one, dict) and "object" in one for one in items)]

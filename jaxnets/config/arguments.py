"""Which arguments a plug-in (a model, optimizer, schedule, data set ...) takes: each becomes a keyword and a flag."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jaxnets.config.values import Field, Kind
from jaxnets.errors import UserError

LIMITS = ("least", "most", "above", "below", "distinct", "choices")
"""What a plug-in may say of its arguments; see `Field`."""


@dataclass(frozen=True)
class Argument:
    """One argument of a plug-in."""

    name: str
    default: Any
    kind: Kind
    help: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)

    @property
    def traced(self) -> bool:
        """Whether runs that differ in this argument share one compiled program."""
        return self.kind == "float"

    def of_values(self) -> Field:
        """What its values must be."""
        return Field(self.name, self.kind, optional=self.default is None, **self.limits)


def arguments(
    plugin: Callable[..., Any],
    skip: Callable[[str], bool] = lambda name: False,
    is_plugin: Callable[[str], bool] = lambda name: False,
    limits: Callable[[str], Mapping[str, Any]] = lambda name: {},
) -> dict[str, Argument]:
    """The arguments of a plug-in that have a default of a known kind, by name.

    >>> def my_opt(learning_rate, decay=0.9, nesterov=False, mask=None): ...
    >>> [(a.name, a.kind) for a in arguments(my_opt).values()]
    [('decay', 'float'), ('nesterov', 'bool')]
    """
    described, own = _descriptions(inspect.getdoc(getattr(plugin, "func", plugin)) or ""), _own_limits(plugin)
    taken = {}
    for name, parameter in inspect.signature(plugin).parameters.items():
        kind: Kind | None = "plugin" if is_plugin(name) and callable(parameter.default) else _kind(parameter)
        if kind is not None and not skip(name):
            taken[name] = Argument(
                name, parameter.default, kind, described.get(name, ""), {**limits(name), **own.get(name, {})}
            )
    return taken


def _own_limits(plugin: Any) -> Mapping[str, Mapping[str, Any]]:
    """The limits that a plug-in says of its arguments, as `{"width": {"least": 1, "most": 4096}}`."""
    own = getattr(plugin, "limits", {})
    if not isinstance(own, Mapping):  # an attribute of another meaning
        return {}
    for name, limits in own.items():
        if not isinstance(limits, Mapping) or not set(limits) <= set(LIMITS):
            raise UserError(f"limits: those of '{name}' are none; give a dict of some of {', '.join(LIMITS)}.")
    return own


def _kind(parameter: inspect.Parameter) -> Kind | None:
    default = parameter.default
    if isinstance(default, bool):
        return "bool"
    if isinstance(default, int):
        return "int"
    if isinstance(default, float):
        return "float"
    if isinstance(default, str):
        return "text"
    if isinstance(default, tuple) and all(isinstance(size, int) for size in default):
        return "sizes"
    if default is None and _may_be_float(parameter.annotation):
        return "float"
    return None


def _may_be_float(annotation: Any) -> bool:
    """Whether an annotation such as `float | None` admits a float, and is not a catch-all."""
    words = annotation if isinstance(annotation, str) else repr(annotation)
    return "float" in words and "Any" not in words


def _descriptions(docstring: str) -> dict[str, str]:
    r"""The first sentence on each argument in the sections `Args` and `Attributes` of a docstring.

    >>> _descriptions("Adds.\n\nArgs:\n  x: the one\n    number. More.\n  y (int): other.\n\nReturns:\n  z.")
    {'x': 'The one number.', 'y': 'Other.'}
    """
    section = re.search(r"^(?:Args|Attributes):\n((?:[ \t]+\S.*\n?|\n(?=[ \t]))*)", docstring, re.MULTILINE)
    if section is None:
        return {}
    lines = section.group(1)
    indent = len(lines) - len(lines.lstrip(" "))
    entries = re.findall(
        rf"^ {{{indent}}}(\w+)(?: \([^)]*\))?: *((?:.*\n?)(?:^ {{{indent + 1}}}.*\n?)*)", lines, re.MULTILINE
    )
    return {name: _sentence(text) for name, text in entries}


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    first = re.split(r"(?<=[^.][.])\s(?=[A-Z`])", joined)[0].rstrip(".")
    return f"{first[:1].upper()}{first[1:]}." if first else ""

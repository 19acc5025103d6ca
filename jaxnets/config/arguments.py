"""Which arguments a plug-in (a model, optimizer, schedule or data set) takes: each becomes a flag."""

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["float", "int", "bool", "text", "sizes"]


@dataclass(frozen=True)
class Argument:
    """One argument of a plug-in.

    Attributes:
      name: its name, which is also the name of its flag and of its column in the result tables.
      default: the plug-in's own default; None where the plug-in may go without.
      kind: `float` arguments are traced: runs that differ in them share one compiled program. The others are static.
        `sizes` is a tuple of whole numbers, written `128x128`.
    """

    name: str
    default: Any
    kind: Kind

    @property
    def traced(self) -> bool:
        """Whether runs that differ in this argument share one compiled program."""
        return self.kind == "float"


def arguments(plugin: Callable[..., Any], skip: Collection[str] = ()) -> dict[str, Argument]:
    """The numeric, boolean, text and size arguments of a plug-in that have a default, by name.

    Args:
      plugin: a function or class.
      skip: arguments that are given to the plug-in by jaxnets itself.

    >>> def my_opt(learning_rate, decay=0.9, nesterov=False, mask=None): ...
    >>> [(a.name, a.kind) for a in arguments(my_opt).values()]
    [('decay', 'float'), ('nesterov', 'bool')]
    """
    found = {}
    for name, parameter in inspect.signature(plugin).parameters.items():
        kind = _kind(parameter)
        if kind is not None and name not in skip:
            found[name] = Argument(name, parameter.default, kind)
    return found


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

"""The kinds of plug-ins, in one place: their look-up by name, import path or object, their arguments, their validation.

A name is looked up once, when the table of runs is made; from there on a `Plugin` travels, not a name.
"""

import inspect
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flax import linen as nn

from jaxnets import data, metrics, models, user_code
from jaxnets.config import config as configuration
from jaxnets.config.values import Field, choices
from jaxnets.config.values import Kind as ValueKind
from jaxnets.errors import UserError, unknown
from jaxnets.models import blocks
from jaxnets.training import heads, initializers, optimizers, schedules
from jaxnets.user_code import calling, fingerprint

LIMITS = ("least", "most", "above", "below", "distinct", "choices")
"""What a plug-in may say of its arguments; see `Field`."""


@dataclass(frozen=True)
class Argument:
    """One argument of a plug-in."""

    name: str
    default: Any
    kind: ValueKind
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
        kind: ValueKind | None = "plugin" if is_plugin(name) and callable(parameter.default) else _kind(parameter)
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


def _kind(parameter: inspect.Parameter) -> ValueKind | None:
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


# Attributes that a guest may not take as arguments: the tables have columns of these names.
_COLUMNS = (
    *("run", "status", "fold", "block", "task", "phase", "contestant", "seconds", "step", "epoch"),
    *("diverged_step", "judged_step", "best_dev_accuracy", "best_step"),
    *metrics.columns(),
)
_SHARED = ("weight_decay",)  # a field that is given to the optimizer where it has an argument of that name
RESERVED = (
    *_COLUMNS,
    *(field.name for field in configuration.fields() if field.name not in _SHARED),
    "config",
    "preset",
    "debug",
)
_IMPORT_PATH = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
NESTED = ("activation", "pooling")
"""Arguments that are plug-ins themselves."""


Trust = bool | Collection[str]
"""Which import paths may be looked up that stand in a file: all, none, or those that are named."""


@dataclass(frozen=True)
class Plugin:
    """A plug-in that was looked up."""

    kind: str
    name: str
    value: Any
    arguments: Mapping[str, Argument] = field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        """The name."""
        return self.name

    @property
    def reference(self) -> Any:
        """What finds it again: its name, or where it has none that could be found, the object."""
        return self.name if ":" in self.name or KINDS[self.kind].known().get(self.name) is self.value else self.value

    def __eq__(self, other: object) -> bool:
        """Whether both are called the same and read the same: how an object compares itself says nothing of that."""
        if not isinstance(other, Plugin) or (self.kind, self.name) != (other.kind, other.name):
            return False
        told = None if self.value is other.value else fingerprint(self.value)
        return self.value is other.value or (told is not None and told == fingerprint(other.value))

    def __hash__(self) -> int:
        """That of kind and name: a guest's object need not have one."""
        return hash((self.kind, self.name))


@dataclass(frozen=True)
class Kind:
    """A kind of plug-ins."""

    name: str
    noun: str
    known: Callable[[], Mapping[str, Any]]
    check: Callable[["Kind", str, Any], Any]
    provided: Callable[[str], bool] = lambda name: False
    special: Callable[[Any], Any] = lambda value: None
    is_imported: Callable[[str], bool] = lambda name: ":" in name
    limits: Callable[[str], Mapping[str, Any]] = lambda name: {}

    def find(self, value: Any) -> Plugin:
        """The plug-in of a name, an import path or an object.

        >>> OPTIMIZER.find("sgd").name
        'sgd'
        """
        if isinstance(value, Plugin):
            return value
        target = self.special(value)
        if target is None:
            target = self._of_name(value) if isinstance(value, str) else value
        name = value if isinstance(value, str) else self._name_of(target)
        with calling(f"{self.name}: '{name}'"):
            checked = self.check(self, name, target)
            return Plugin(self.name, name, checked, self._arguments(name, checked))

    def imports(self, value: Any) -> bool:
        """Whether to look a value up is to import a module.

        >>> OPTIMIZER.imports("sgd"), OPTIMIZER.imports("my_lab.updates:mine"), DATASET.imports("tfds:mnist")
        (False, True, False)
        """
        return isinstance(value, str) and value not in self.known() and self.is_imported(value)

    def _of_name(self, name: str) -> Any:
        known = self.known()
        if name in known:
            return known[name]
        if self.is_imported(name):
            return user_code.load(self.name, name)
        raise unknown(self.name, name, known, hint=" An import path 'package.module:name' works as well.")

    def _name_of(self, value: Any) -> str:
        """The name of a built-in object; of others the import path, or what they are called."""
        known = self.known()
        path = next((name for name, one in known.items() if one is value), None) or user_code.path_of(value)
        name = str(getattr(value, "__name__", type(value).__name__))
        return path or (f"{name} of {getattr(value, '__module__', None)}" if name in known else name)

    def _arguments(self, name: str, value: Any) -> Mapping[str, Argument]:
        if not callable(value) or self.name in ("activation", "pooling", "initializer", "head"):
            return {}
        try:
            limits = {"limits": self.limits} if any(value is one for one in self.known().values()) else {}
            declared = arguments(value, self.provided, lambda argument: argument in NESTED, **limits)
        except UserError as error:
            raise UserError(f"{self.name}: '{name}': {error}") from None
        except (TypeError, ValueError) as error:  # a builtin without a signature
            raise UserError(f"{self.name}: the arguments of '{name}' are not known: {error}.") from None
        for reserved in RESERVED:
            if reserved in declared:
                raise UserError(f"{self.name}: '{name}' has an argument '{reserved}'; that is {_taken(reserved)}.")
        return declared


def _taken(reserved: str) -> str:
    return "a column of the results" if reserved in _COLUMNS else "a flag of every sweep"


def _model(kind: Kind, name: str, value: Any) -> type[nn.Module]:
    if not (isinstance(value, type) and issubclass(value, nn.Module)):
        raise UserError(f"model: '{name}' is not a flax.linen.Module class.")
    if "num_outputs" not in getattr(value, "__dataclass_fields__", {}):
        raise UserError(f"model: '{name}' has no attribute 'num_outputs', the number of logits that it must give.")
    parameters = inspect.signature(value.__call__).parameters.values()
    if not any(parameter.name == "train" or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        raise UserError(f"model: '{name}' has a __call__ without 'train', which tells training from evaluation.")
    return value


def _function(kind: Kind, name: str, value: Any) -> Callable:
    if not callable(value):
        raise UserError(f"{kind.name}: '{name}' is a {type(value).__name__}, not a function.")
    return value


def _function_of(first: str) -> Callable[[Kind, str, Any], Callable]:
    """A check for functions whose first argument has a name, and the others a default."""

    def check(kind: Kind, name: str, value: Any) -> Callable:
        function = _function(kind, name, value)
        try:
            parameters = dict(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            parameters = {}
        if next(iter(parameters), None) != first:
            raise UserError(f"{kind.name}: '{name}' is not {kind.noun}: its first argument must be '{first}'.")
        needed = [
            f"'{one}'"
            for one, parameter in parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            and one not in (first, "key", *_SHARED)
        ]
        if needed:
            raise UserError(
                f"{kind.name}: '{name}' needs {', '.join(needed)}, which a sweep gives only where there is a default; "
                f"wrap it in a function of '{first}' that does."
            )
        return function

    return check


def _head(kind: Kind, name: str, value: Any) -> heads.Head:
    head = value() if isinstance(value, type) else value
    missing = [
        method for method in ("num_outputs", "losses", "probabilities", "predictions") if not hasattr(head, method)
    ]
    if missing:
        raise UserError(f"head: '{name}' lacks {', '.join(missing)}.")
    return head


MODEL = Kind(
    "model",
    "a model",
    lambda: models.KNOWN,
    _model,
    lambda name: name in (*models.GIVEN, "name", "parent"),
    limits=models.limits,
)
OPTIMIZER = Kind(
    "optimizer",
    "an optimizer",
    optimizers.known,
    _function_of("learning_rate"),
    optimizers.is_provided,
    limits=optimizers.limits,
)
SCHEDULE = Kind(
    "schedule", "a schedule", lambda: schedules.KNOWN, _function_of("progress"), limits=lambda name: {"least": 0}
)
DATASET = Kind(
    "dataset",
    "a data set",
    lambda: data.KNOWN,
    _function,
    data.PROVIDED.__contains__,
    data.find,
    data.is_imported,
    limits=data.limits,
)
INITIALIZER = Kind("initializer", "an initializer", lambda: initializers.KNOWN, _function)
HEAD = Kind("head", "a head", lambda: heads.KNOWN, _head)
ACTIVATION = Kind("activation", "an activation", blocks.nonlinearities, _function)
POOLING = Kind("pooling", "a pooling", lambda: blocks.POOLINGS, _function)

KINDS = {k.name: k for k in (MODEL, OPTIMIZER, SCHEDULE, DATASET, INITIALIZER, HEAD, ACTIVATION, POOLING)}
WITH_ARGUMENTS = (MODEL, OPTIMIZER, SCHEDULE)
"""The hyperparameters whose values bring arguments of their own, each a hyperparameter too."""


def check_trust(file: Path | str, values: Mapping[str, Any], trust: Trust) -> None:
    """Refuses import paths that stand in a file: a module that is imported runs, whoever wrote it."""
    if trust is True:
        return
    trusted = [trust] if isinstance(trust, str) else trust or ()
    for name, value in ((name, one) for name, given in values.items() for one in choices(given)):
        if _is_import_path(name, value) and value not in trusted and not _is_own(value):
            raise UserError(
                f"{file}: {name} is the import path '{value}', and importing it would run its code: to trust it, "
                f"give --trust={value}, or --trust for all that stands there (trust=... from Python)."
            )


def _is_import_path(name: str, value: Any) -> bool:
    """Whether a value leads to an import, or of a name that is no kind, as an experiment's own, looks so."""
    if name in KINDS:
        return KINDS[name].imports(value)
    return isinstance(value, str) and bool(_IMPORT_PATH.fullmatch(value)) and DATASET.imports(value)


def _is_own(path: str) -> bool:
    """Whether an import path leads to what is defined in jaxnets."""
    return path.startswith("jaxnets.") and user_code.path_of(user_code.load("plug-in", path)) == path


@cache
def built_in() -> tuple[Plugin, ...]:
    """The built-in plug-ins of the kinds that bring arguments of their own."""
    return tuple(kind.find(name) for kind in (*WITH_ARGUMENTS, DATASET) for name in kind.known())


def owners(argument: str) -> list[tuple[Kind, list[str]]]:
    """Which built-in plug-ins of each kind take an argument."""
    kinds = (*WITH_ARGUMENTS, DATASET)
    return [(kind, [n for n in kind.known() if argument in kind.find(n).arguments]) for kind in kinds]

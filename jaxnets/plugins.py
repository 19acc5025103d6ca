"""From a name, an import path or an object to a plug-in: its look-up, its arguments, and what it must be.

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

NESTED = ("activation", "pooling")
"""Arguments that are plug-ins themselves."""
_KINDS: tuple[tuple[type, ValueKind], ...] = ((bool, "bool"), (int, "int"), (float, "float"), (str, "text"))
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
    provided: Callable[[str], bool] = lambda name: False,
    limits: Callable[[str], Mapping[str, Any]] | None = None,
) -> dict[str, Argument]:
    """The arguments of a plug-in that have a default of a known kind, by name; `provided` are not the user's to give.

    `limits` are those of a built-in plug-in; others say them as `{"width": {"least": 1, "most": 4096}}`.

    >>> def my_opt(learning_rate, decay=0.9, nesterov=False, mask=None): ...
    >>> [(a.name, a.kind) for a in arguments(my_opt).values()]
    [('decay', 'float'), ('nesterov', 'bool')]
    """
    described = _descriptions(inspect.getdoc(getattr(plugin, "func", plugin)) or "")
    own = getattr(plugin, "limits", {})
    own = own if isinstance(own, Mapping) else {}  # an attribute of another meaning
    for name, given in own.items():
        if not isinstance(given, Mapping) or not set(given) <= set(LIMITS):
            raise UserError(f"limits: those of '{name}' are none; give a dict of some of {', '.join(LIMITS)}.")
    taken = {}
    for name, parameter in inspect.signature(plugin).parameters.items():
        default, kind = parameter.default, _kind(parameter)
        if kind is not None and not provided(name):
            within = {**(limits(name) if limits else {}), **own.get(name, {})}
            taken[name] = Argument(name, default, kind, described.get(name, ""), within)
    return taken


def _kind(parameter: inspect.Parameter) -> ValueKind | None:
    default, annotation = parameter.default, parameter.annotation
    for of_type, kind in _KINDS:
        if isinstance(default, of_type):
            return kind
    if isinstance(default, tuple) and all(isinstance(size, int) for size in default):
        return "sizes"
    if parameter.name in NESTED and callable(default) and default is not parameter.empty:
        return "plugin"
    words = annotation if isinstance(annotation, str) else repr(annotation)  # such as `float | None`
    return "float" if default is None and "float" in words and "Any" not in words else None


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
    first = {name: re.split(r"(?<=[^.][.])\s(?=[A-Z`])", " ".join(text.split()))[0] for name, text in entries}
    return {name: f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else "" for name, text in first.items()}


_COLUMNS = (
    *("run", "status", "fold", "repeat", "task", "phase", "method", "seconds", "step", "epoch"),
    *("diverged_step", "judged_step", "best_dev_accuracy", "best_step"),
    *metrics.columns(),
)
_SHARED = ("weight_decay",)  # a field that is given to the optimizer where it has an argument of that name
_FLAGS = (
    *(field.name for field in configuration.fields() if field.name not in _SHARED),
    *("config", "preset", "resume", "trust", "debug", "quiet", "version", "help", "helpfull", "helpshort", "helpxml"),
    *("flagfile", "undefok", "arguments", "options", "progress"),  # the last are keywords of the Python functions
)
_IMPORT_PATH = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")

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
        return self.name

    @property
    def reference(self) -> Any:
        """What finds it again: its name, or where it has none that could be found, the object."""
        return self.name if ":" in self.name or KINDS[self.kind].known().get(self.name) is self.value else self.value

    def __eq__(self, other: object) -> bool:
        """Whether both are called the same and read the same: how an object compares itself says nothing of that."""
        if not isinstance(other, Plugin) or (self.kind, self.name) != (other.kind, other.name):
            return False
        if self.value is other.value:
            return True
        found = fingerprint(self.value)
        return found is not None and found == fingerprint(other.value)

    def __hash__(self) -> int:
        return hash((self.kind, self.name))  # a user's object need not have one


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
    has_arguments: bool = True

    def find(self, value: Any) -> Plugin:
        """The plug-in of a name, an import path or an object.

        >>> OPTIMIZER.find("sgd").name
        'sgd'
        """
        if isinstance(value, Plugin):
            return value
        known = self.known()
        target = self.special(value)
        if target is None:
            target = value
            if isinstance(value, str):
                if value not in known and not self.is_imported(value):
                    raise unknown(self.name, value, known, hint=" An import path 'package.module:name' works as well.")
                target = known[value] if value in known else user_code.load(self.name, value)
        name = value
        if not isinstance(value, str):
            built_in = next((name for name, one in known.items() if one is target), None)
            called = str(getattr(target, "__name__", type(target).__name__))
            other = f"{called} of {getattr(target, '__module__', None)}" if called in known else called
            name = built_in or user_code.path_of(target) or other
        with calling(f"{self.name}: '{name}'"):
            checked = self.check(self, name, target)
            return Plugin(self.name, name, checked, self._arguments(name, checked))

    def imports(self, value: Any) -> bool:
        """Whether to look a value up is to import a module.

        >>> OPTIMIZER.imports("sgd"), OPTIMIZER.imports("my_lab.updates:mine"), DATASET.imports("tfds:mnist")
        (False, True, False)
        """
        return isinstance(value, str) and value not in self.known() and self.is_imported(value)

    def _arguments(self, name: str, value: Any) -> Mapping[str, Argument]:
        if not self.has_arguments or not callable(value):
            return {}
        try:
            is_built_in = any(value is one for one in self.known().values())
            declared = arguments(value, self.provided, self.limits if is_built_in else None)
        except UserError as error:
            raise UserError(f"{self.name}: '{name}': {error}") from None
        except (TypeError, ValueError) as error:  # a builtin without a signature
            raise UserError(f"{self.name}: the arguments of '{name}' are not known: {error}.") from None
        for reserved in declared:
            if reserved in _COLUMNS or reserved in _FLAGS:
                taken = "a column of the results" if reserved in _COLUMNS else "a flag of every sweep"
                raise UserError(f"{self.name}: '{name}' has an argument '{reserved}'; that is {taken}.")
        return declared


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
    methods = ("num_outputs", "losses", "probabilities", "predictions")
    if missing := [method for method in methods if not hasattr(head, method)]:
        raise UserError(f"head: '{name}' lacks {', '.join(missing)}.")
    return head


MODEL = Kind(
    *("model", "a model", lambda: models.KNOWN, _model),
    provided=lambda name: name in (*models.GIVEN, "name", "parent"),
    limits=models.limits,
)
OPTIMIZER = Kind(
    *("optimizer", "an optimizer", optimizers.known, _function_of("learning_rate")),
    provided=optimizers.is_provided,
    limits=optimizers.limits,
)
SCHEDULE = Kind(
    *("schedule", "a schedule", lambda: schedules.KNOWN, _function_of("progress")), limits=lambda name: {"least": 0}
)
DATASET = Kind(
    *("dataset", "a data set", lambda: data.KNOWN, _function),
    provided=data.PROVIDED.__contains__,
    special=data.find,
    is_imported=data.is_imported,
    limits=data.limits,
)
INITIALIZER = Kind("initializer", "an initializer", lambda: initializers.KNOWN, _function, has_arguments=False)
HEAD = Kind("head", "a head", lambda: heads.KNOWN, _head, has_arguments=False)
ACTIVATION = Kind("activation", "an activation", blocks.nonlinearities, _function, has_arguments=False)
POOLING = Kind("pooling", "a pooling", lambda: blocks.POOLINGS, _function, has_arguments=False)

KINDS = {k.name: k for k in (MODEL, OPTIMIZER, SCHEDULE, DATASET, INITIALIZER, HEAD, ACTIVATION, POOLING)}
WITH_ARGUMENTS = (MODEL, OPTIMIZER, SCHEDULE)
"""The hyperparameters whose values bring arguments of their own, each a hyperparameter too."""


def check_trust(file: Path | str, values: Mapping[str, Any], trust: Trust) -> None:
    """Refuses import paths that stand in a file: a module that is imported runs, whoever wrote it."""
    if trust is True:
        return
    trusted = [trust] if isinstance(trust, str) else trust or ()
    for name, value in ((name, one) for name, given in values.items() for one in choices(given)):
        if name in KINDS:
            leads = KINDS[name].imports(value)
        else:  # an option of an experiment
            leads = isinstance(value, str) and bool(_IMPORT_PATH.fullmatch(value)) and DATASET.imports(value)
        if not leads or value in trusted:
            continue
        if not value.startswith("jaxnets.") or user_code.path_of(user_code.load("plug-in", value)) != value:
            raise UserError(
                f"{file}: {name} is the import path '{value}', and importing it would run its code: to trust it, "
                f"give --trust={value}, or --trust for all that stands there (trust=... from Python)."
            )


@cache
def built_in() -> tuple[Plugin, ...]:
    """The built-in plug-ins of the kinds that bring arguments of their own."""
    return tuple(kind.find(name) for kind in (*WITH_ARGUMENTS, DATASET) for name in kind.known())


def owners(argument: str) -> list[tuple[Kind, list[str]]]:
    """Which built-in plug-ins of each kind take an argument."""
    kinds = (*WITH_ARGUMENTS, DATASET)
    return [(kind, [n for n in kind.known() if argument in kind.find(n).arguments]) for kind in kinds]

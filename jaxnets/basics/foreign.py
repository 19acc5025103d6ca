"""Code of others is called in one way: what it raises, an exit of the program too, is one line that names its place."""

import contextlib
import functools
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from jaxnets.basics.errors import UserError

_OWN = str(Path(__file__).parents[1])
_LIBRARIES = tuple(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib"))
_OF_TRACED = ("ConcretizationTypeError", "TracerArrayConversionError", "TracerIntegerConversionError")
_TRUSTED = ("jaxnets.", "jax.", "jaxlib.", "flax.", "optax.", "builtins.")
_DATA = (bool, int, float, complex, str, bytes, np.ndarray, np.generic, np.dtype)


def is_foreign(value: Any) -> bool:
    """Whether a plug-in is, or holds, code that is neither jaxnets' nor of a library that it is built on.

    A name that a function borrowed, as `functools.wraps` gives it, does not hide where it is from.

    >>> import functools, math
    >>> is_foreign(is_foreign), is_foreign(functools.partial(is_foreign, 3)), is_foreign(math.sin)
    (False, False, True)
    """
    return _is_foreign(value, set())


def _is_foreign(value: Any, seen: set[int]) -> bool:
    if id(value) in seen or value is None or isinstance(value, _DATA):
        return False
    seen.add(id(value))
    if isinstance(value, tuple | list | dict):
        return any(_is_foreign(item, seen) for item in (value.values() if isinstance(value, dict) else value))
    if is_function := isinstance(value, FunctionType):
        module: Any = value.__globals__.get("__name__")
        inside: Any = *cells(value), value.__defaults__, value.__kwdefaults__
    elif isinstance(value, type):
        module, inside = value.__module__, value.__bases__
    elif isinstance(value, MethodType):
        return _is_foreign(value.__func__, seen) or _is_foreign(value.__self__, seen)
    elif isinstance(value, functools.partial):
        return any(_is_foreign(item, seen) for item in (value.func, value.args, value.keywords))
    else:
        inside = getattr(value, "__wrapped__", None), getattr(value, "__dict__", None)
        module = getattr(value, "__module__", None) if callable(value) else None
        module = module or type(value).__module__
    if is_named(value) and f"{value.__module__}.".startswith(_TRUSTED):
        return False
    if not is_function and not isinstance(value, type) and _is_foreign(type(value), seen):
        return True
    return not f"{module}.".startswith(_TRUSTED) or any(_is_foreign(item, seen) for item in inside)


def is_named(value: Any) -> bool:
    """Whether a function or a class is what its module has under its name."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    return bool(module and name) and getattr(sys.modules.get(str(module)), str(name), None) is value


def is_library(module: str) -> bool:
    """Whether a module is jaxnets', Python's own, or installed."""
    file = getattr(sys.modules.get(module), "__file__", None)
    if f"{module}.".startswith(_TRUSTED):
        return True
    return module != "__main__" and (str(file).startswith(_LIBRARIES) if file else module in sys.stdlib_module_names)


def cells(function: FunctionType) -> list[Any]:
    """What a function closes over; a cell that is still empty holds nothing."""
    found = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):
            found.append(cell.cell_contents)
    return found


@contextlib.contextmanager
def calling(about: str) -> Iterator[None]:
    """Turns what code of others raises into one line.

    >>> try:
    ...     with calling("head: 'mine'"):
    ...         raise ValueError("no such thing")
    ... except UserError as error:
    ...     print(str(error)[:49])
    head: 'mine' fails with ValueError: no such thing
    """
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{about} fails with {described(error)}") from error


def described(error: BaseException) -> str:
    """An error in one line: its kind, the first line of its message, and where the code of others raised it."""
    kind = "an exit of the program" if isinstance(error, SystemExit) else type(error).__name__
    message = next(iter(str(error).strip().splitlines()), "") or "no message"
    place = place_of(error)
    return f"{kind}: {message.rstrip('.')}{f' ({place})' if place else ''}.{_hint(error)}"


def _hint(error: BaseException) -> str:
    """What to do where code looks at the value of a traced number, as `if` and `float` do."""
    if not any(kind.__name__ in _OF_TRACED for kind in type(error).__mro__):
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    in_dropout = any(frame.filename.endswith("flax/linen/stochastic.py") for frame in frames)
    remedy = "nn.Dropout looks at its rate: take jaxnets.models.blocks.Dropout" if in_dropout else "take jnp.where"
    return f" Arrays, and arguments that are floats, are traced: one program serves all their values; {remedy}."


def place_of(error: BaseException) -> str:
    """The file and line that raised an error, the innermost that is of no library; empty if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    outside = [frame for frame in frames if not frame.filename.startswith((_OWN, *_LIBRARIES))]
    return f"{outside[-1].filename}, line {outside[-1].lineno}" if outside else ""

"""User-supplied code: what it reads as one hash, where it is from, its import path, and its errors as one line."""

import contextlib
import enum
import functools
import hashlib
import importlib
import inspect
import pathlib
import re
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import Field
from types import BuiltinFunctionType, CodeType, FunctionType, GetSetDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

from jaxnets.errors import UserError, unknown

_OWN = str(pathlib.Path(__file__).parent)
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
    module: Any = None
    match value:
        case tuple() | list():
            return any(_is_foreign(item, seen) for item in value)
        case dict():
            return any(_is_foreign(item, seen) for item in value.values())
        case MethodType():
            return _is_foreign(value.__func__, seen) or _is_foreign(value.__self__, seen)
        case functools.partial():
            return any(_is_foreign(item, seen) for item in (value.func, value.args, value.keywords))
        case FunctionType():
            module = value.__globals__.get("__name__")
            inside: Any = *cells(value), value.__defaults__, value.__kwdefaults__
        case type():
            module, inside = value.__module__, value.__bases__
        case _:
            module = (getattr(value, "__module__", None) if callable(value) else None) or type(value).__module__
            inside = type(value), getattr(value, "__wrapped__", None), getattr(value, "__dict__", None)
    if is_named(value) and f"{value.__module__}.".startswith(_TRUSTED):
        return False
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
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    in_dropout = any(file.endswith("flax/linen/stochastic.py") for file in files)
    remedy = "nn.Dropout looks at its rate: take jaxnets.models.blocks.Dropout" if in_dropout else "take jnp.where"
    return f" Arrays, and arguments that are floats, are traced: one program serves all their values; {remedy}."


def place_of(error: BaseException) -> str:
    """The file and line that raised an error, the innermost that is of no library; empty if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    outside = [frame for frame in frames if not frame.filename.startswith((_OWN, *_LIBRARIES))]
    return f"{outside[-1].filename}, line {outside[-1].lineno}" if outside else ""


def load(field: str, path: str) -> Any:
    """The object that an import path leads to.

    >>> load("number", "math:pi")
    3.141592653589793
    """
    module_name, _, attribute = path.partition(":")
    if not attribute or not all(module_name.split(".")):
        raise UserError(f"{field}: cannot import '{module_name}' of '{path}'; write 'package.module:name'.")
    with calling(f"{field}: the import of '{module_name}'"):
        try:
            module = importlib.import_module(module_name)
        except ImportError as error:
            raise UserError(f"{field}: cannot import '{module_name}' of '{path}': {error}.") from error
        if not hasattr(module, attribute):
            public = [name for name in vars(module) if not name.startswith("_")]
            raise unknown(f"{field}, module '{module_name}'", attribute, public)
        return getattr(module, attribute)


def path_of(value: Any) -> str | None:
    """The import path that leads to this very object; None where there is none, as for a lambda or a notebook's cell.

    >>> import math
    >>> path_of(math.sqrt), path_of(lambda x: x)
    ('math:sqrt', None)
    """
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not module or not name or "<" in name or "." in name or module == "__main__":
        return None
    return f"{module}:{name}" if getattr(sys.modules.get(module), name, None) is value else None


# What reads by a name that no code shows, or from outside of the process.
_DYNAMIC = {
    *("eval", "exec", "globals", "locals", "vars", "__import__", "import_module", "environ", "getenv", "open", "input"),
    *("load", "loadtxt", "genfromtxt", "fromfile", "memmap", "read_text", "read_bytes", "read_csv", "read_parquet"),
}
# Of a class: what Python and Flax note down for themselves.
_NOTES = {
    *("__dict__", "__weakref__", "__doc__", "__module__", "__annotations__", "__annotate__", "__annotate_func__"),
    *("__firstlineno__", "__static_attributes__", "__annotations_cache__", "__match_args__", "__abstractmethods__"),
    *("_abc_impl", "_state", "_parent_ref"),
}


class _UntoldError(Exception):
    """Something whose content cannot be known."""


def fingerprint(value: Any) -> str | None:
    """A hash of all that a function, a class or an object reads; None if it cannot be told.

    >>> double, twice = (lambda x: 2 * x), (lambda x: 2 * x)
    >>> fingerprint(double) == fingerprint(twice) != fingerprint(lambda x: 3 * x)
    True
    >>> fingerprint(iter([])) is None
    True
    """
    try:
        return _digest(value, {})
    except (_UntoldError, RecursionError):
        return None


def _digest(value: Any, seen: dict[int, tuple[int, Any]]) -> str:
    """The hash of a value; `seen` numbers what was met before, and keeps it alive."""
    kind = type(value)
    pieces = [f"{kind.__module__}.{kind.__qualname__}".encode()]
    if (told := _bytes_of(value, seen)) is not None:
        pieces += told
    elif id(value) in seen:
        pieces.append(str(seen[id(value)][0]).encode())
    else:
        if not isinstance(value, tuple | CodeType):  # which of these are one object is chance
            seen[id(value)] = len(seen), value
        pieces += [_digest(part, seen).encode() for part in _parts(value)]
    return hashlib.sha256(b"".join(f"{len(piece)}:".encode() + piece for piece in pieces)).hexdigest()


def _bytes_of(value: Any, seen: dict[int, tuple[int, Any]]) -> list[bytes] | None:
    """What tells a value that has no parts; None of others."""
    kind = type(value)
    if value is None or kind in (bool, int, float, complex, str, type(...), type(NotImplemented), range, slice):
        return [repr(value).encode("utf-8", "surrogatepass")]
    if kind in (bytes, bytearray):
        return [bytes(value)]
    if isinstance(value, enum.Enum):
        return [_digest(kind, seen).encode(), value.name.encode()]
    if isinstance(value, np.dtype | pathlib.PurePath | inspect.Signature):
        return [str(value).encode()]
    if isinstance(value, re.Pattern):
        return [repr((value.pattern, value.flags)).encode()]
    if isinstance(value, set | frozenset):  # each by itself: their order is not the same in all processes
        return sorted(_digest(item, dict(seen)).encode() for item in value)
    jax = sys.modules.get("jax")
    if isinstance(value, np.generic | np.ndarray) or (jax and isinstance(value, jax.Array)):
        try:
            is_key = jax and str(value.dtype).startswith("key<")
            array = np.asarray(jax.random.key_data(value) if jax and is_key else value)
        except Exception as error:  # one of JAX that stands for no numbers
            raise _UntoldError from error
        content = _digest(array.tolist(), seen).encode() if array.dtype.hasobject else array.tobytes()
        return [f"{value.dtype}{array.shape}".encode(), content]
    return None


def _parts(value: Any) -> Iterable[Any]:
    """What a value consists of, in an order that is the same in all processes."""
    match value:
        case tuple() | list():
            return value
        case dict():
            return value.items()
        case ModuleType():
            if not is_library(value.__name__):
                raise _UntoldError  # what of it is read, a function that names it shows
            return [value.__name__]
        case CodeType():
            names = value.co_name, value.co_code, value.co_names, value.co_varnames, value.co_freevars
            counts = value.co_argcount, value.co_posonlyargcount, value.co_kwonlyargcount, value.co_flags
            return [*names, value.co_cellvars, *counts, value.co_consts]
        case FunctionType():
            return _of_function(value)
        case type():
            return _of_class(value)
        case MethodType():
            return [value.__func__, value.__self__]
        case functools.partial():
            return [value.func, value.args, value.keywords, vars(value)]
        case BuiltinFunctionType():
            bound = [] if isinstance(value.__self__, ModuleType | None) else [value.__self__]
            return [value.__module__, value.__qualname__, *bound]
        case staticmethod() | classmethod():
            return [value.__func__]
        case property():
            return [value.fget, value.fset]
        case Field():
            return [value.name, value.default, value.default_factory]
    return _of_object(value)


def _of_function(function: FunctionType) -> Iterator[Any]:
    if is_named(function) and is_library(function.__module__):
        yield from (function.__module__, function.__qualname__)
        return
    yield from (cells(function), function.__defaults__, function.__kwdefaults__, vars(function), function.__code__)
    module = function.__globals__.get("__name__", "")
    if is_library(module):
        yield module
        return
    names = sorted(set(_names(function.__code__)))
    if _DYNAMIC.intersection(names):
        raise _UntoldError
    for name in names:
        yield from _read(name, function.__globals__, names, frozenset())


def _names(code: CodeType) -> Iterator[str]:
    """The names that a function and those within it look up: globals, attributes, imports, and texts, for `getattr`."""
    yield from code.co_names
    for one in code.co_consts:
        if isinstance(one, str) and one.isidentifier():
            yield one
        if isinstance(one, CodeType):
            yield from _names(one)


def _read(name: str, found_in: dict[str, Any], names: list[str], above: frozenset[str]) -> Iterator[Any]:
    """What a name leads to; of a module of the user's what is named of it, as no more is read."""
    package = str(found_in.get("__package__") or "")
    imported = next((sys.modules[path] for path in (f"{package}.{name}", name) if path in sys.modules), None)
    value = found_in.get(name, imported)
    if name not in found_in and imported is None:
        return
    yield name
    if not isinstance(value, ModuleType) or is_library(value.__name__):
        yield value
    elif value.__name__ not in above:
        for inner in names:
            if inner in vars(value):
                yield from _read(inner, vars(value), names, above | {value.__name__})


def _of_class(kind: type) -> Iterator[Any]:
    yield from (kind.__module__, kind.__qualname__)
    if is_library(kind.__module__) and is_named(kind):
        return
    yield kind.__bases__
    for name, member in sorted(vars(kind).items()):
        # a dataclass writes functions of its own: its fields tell what they are
        code = getattr(inspect.unwrap(member), "__code__", None) if isinstance(member, FunctionType) else None
        written = code is not None and name.startswith("__") and code.co_filename == "<string>"
        if not (name in _NOTES or isinstance(member, GetSetDescriptorType) or written):
            yield from (name, member)


def _of_object(value: Any) -> Iterator[Any]:
    """The attributes of an object; a function of C that wraps one of Python's is what it wraps."""
    names = {
        name for kind in type(value).__mro__ for name in np.atleast_1d(vars(kind).get("__slots__", ())).tolist()
    } - {"__dict__", "__weakref__"}
    attributes = {name: getattr(value, name) for name in names if hasattr(value, name)}
    if not (
        attributes or hasattr(value, "__dict__") or hasattr(value, "__wrapped__") or "__slots__" in vars(type(value))
    ):
        raise _UntoldError(repr(value))  # what C keeps
    if is_named(value) and is_library(value.__module__):  # as those of jax.nn, which are compiled
        yield from (value.__module__, value.__qualname__)
        return
    yield from (type(value), getattr(value, "__wrapped__", None))
    if not type(value).__module__.startswith("jaxlib"):  # a compiled function of JAX has notes of its own
        yield from sorted({**attributes, **getattr(value, "__dict__", {})}.items())

"""What tells user code apart where nothing is lowered: all that it reads, as one hash.

Of a function its code, its closure, its defaults, and the globals that it names; of a class its members and bases; of
an object its attributes; of an array its content. What a library defines goes by its name. Equal hashes mean equal
reads, in any process with any hash seed; what cannot be told has none.
"""

import enum
import functools
import hashlib
import inspect
import pathlib
import re
import sys
from collections.abc import Iterator
from dataclasses import Field
from types import BuiltinFunctionType, CodeType, FunctionType, GetSetDescriptorType, MethodType, ModuleType
from typing import Any

import numpy as np

from jaxnets.basics.foreign import cells, is_library, is_named

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
    found = hashlib.sha256()
    for piece in _pieces(value, seen):
        found.update(f"{len(piece)}:".encode())
        found.update(piece)
    return found.hexdigest()


def _pieces(value: Any, seen: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    kind = type(value)
    yield f"{kind.__module__}.{kind.__qualname__}".encode()
    if value is None or kind in (bool, int, float, complex, str, type(...), type(NotImplemented), range, slice):
        yield repr(value).encode("utf-8", "surrogatepass")
    elif kind in (bytes, bytearray):
        yield bytes(value)
    elif isinstance(value, enum.Enum):
        yield from (_digest(type(value), seen).encode(), value.name.encode())
    elif isinstance(value, np.dtype | pathlib.PurePath):
        yield str(value).encode()
    elif isinstance(value, re.Pattern):
        yield repr((value.pattern, value.flags)).encode()
    elif isinstance(value, inspect.Signature):
        yield str(value).encode()
    elif isinstance(value, np.generic | np.ndarray) or _is_of_jax(value):
        yield from _of_array(value, seen)
    elif isinstance(value, set | frozenset):  # each by itself: their order is not the same in all processes
        yield from sorted(_digest(item, dict(seen)).encode() for item in value)
    elif id(value) in seen:
        yield str(seen[id(value)][0]).encode()
    else:
        if not isinstance(value, tuple | CodeType):  # which of these are one object is chance
            seen[id(value)] = len(seen), value
        for part in _parts(value):
            yield _digest(part, seen).encode()


def _is_of_jax(value: Any) -> bool:
    """Whether a value is an array of JAX."""
    return "jax" in sys.modules and isinstance(value, sys.modules["jax"].Array)


def _of_array(value: Any, seen: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    try:
        is_key = str(value.dtype).startswith("key<")
        array = np.asarray(sys.modules["jax"].random.key_data(value) if is_key else value)
    except Exception as error:  # one of JAX that stands for no numbers
        raise _UntoldError from error
    yield f"{value.dtype}{array.shape}".encode()
    yield _digest(array.tolist(), seen).encode() if array.dtype.hasobject else array.tobytes()


def _parts(value: Any) -> Iterator[Any]:
    """What a value consists of, in an order that is the same in all processes."""
    if isinstance(value, tuple | list):
        yield from value
    elif isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, ModuleType):
        if not is_library(value.__name__):
            raise _UntoldError  # what of it is read, a function that names it shows
        yield value.__name__
    elif isinstance(value, CodeType):
        yield from _of_code(value)
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    elif isinstance(value, type):
        yield from _of_class(value)
    elif isinstance(value, MethodType):
        yield from (value.__func__, value.__self__)
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords, vars(value))
    elif isinstance(value, BuiltinFunctionType):
        yield from (value.__module__, value.__qualname__)
        if not isinstance(value.__self__, ModuleType | None):
            yield value.__self__
    elif isinstance(value, staticmethod | classmethod):
        yield value.__func__
    elif isinstance(value, property):
        yield from (value.fget, value.fset)
    elif isinstance(value, Field):
        yield from (value.name, value.default, value.default_factory)
    else:
        yield from _of_object(value)


def _of_code(code: CodeType) -> Iterator[Any]:
    yield from (code.co_name, code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    yield from (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags, code.co_consts)


def _of_function(function: FunctionType) -> Iterator[Any]:
    module = function.__globals__.get("__name__", "")
    if is_named(function) and is_library(function.__module__):
        yield from (function.__module__, function.__qualname__)
        return
    yield from (cells(function), function.__defaults__, function.__kwdefaults__, vars(function))
    yield function.__code__
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
    slots = {
        name: getattr(value, name)
        for kind in type(value).__mro__
        for name in np.atleast_1d(kind.__dict__.get("__slots__", ())).tolist()
        if hasattr(value, name) and name not in ("__dict__", "__weakref__")
    }
    attributes = {**slots, **getattr(value, "__dict__", {})}
    if not (
        attributes or hasattr(value, "__dict__") or hasattr(value, "__wrapped__") or "__slots__" in vars(type(value))
    ):
        raise _UntoldError(repr(value))  # what C keeps
    if is_named(value) and is_library(value.__module__):  # as those of jax.nn, which are compiled
        yield from (value.__module__, value.__qualname__)
        return
    yield from (type(value), getattr(value, "__wrapped__", None))
    if not type(value).__module__.startswith("jaxlib"):  # a compiled function of JAX has notes of its own
        yield from sorted(attributes.items())

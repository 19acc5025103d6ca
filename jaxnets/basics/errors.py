"""Errors that tell the user what to do, and the one way in which names become Python objects."""

import difflib
import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class UserError(Exception):
    """A mistake of the user's: one line that says what is wrong and what would be right."""


def unknown(what: str, name: str, known: Iterable[str]) -> UserError:
    """The error for a name that stands for nothing; offers the nearest known one.

    >>> print(unknown("optimizer", "adm", ["adam", "sgd"]))
    optimizer: 'adm' is not known. Did you mean 'adam'? Known: adam, sgd.
    """
    known = sorted(known)
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return UserError(f"{what}: '{name}' is not known.{hint} Known: {', '.join(known)}.")


def lookup(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """The object that a name stands for: a built-in one, or whatever an import path `package.module:name` leads to.

    Args:
      what: the flag that the name was given to, for the error text, such as `--model`.
      name: a key of `known`, or an import path.
      known: the built-in objects by name.

    Raises:
      UserError: if the name is neither, or the import path leads nowhere.

    >>> lookup("number", "math:pi", {})
    3.141592653589793
    """
    if name in known:
        return known[name]
    if ":" in name:
        return _import(what, name)
    error = unknown(what, name, known)
    raise UserError(f"{error} An import path 'package.module:name' works as well.")


def lookup_function(what: str, name: str, known: Mapping[str, Callable]) -> Callable:
    """Like `lookup`, for what can be called.

    Raises:
      UserError: also if an import path leads to something else.
    """
    found = lookup(what, name, known)
    if not callable(found):
        raise UserError(f"{what}: '{name}' is a {type(found).__name__}, not a function.")
    return found


def _import(what: str, path: str) -> Any:
    module_name, _, attribute = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UserError(f"{what}: cannot import '{module_name}' of '{path}': {error}.") from error
    if not hasattr(module, attribute):
        public = [name for name in vars(module) if not name.startswith("_")]
        raise unknown(f"{what}, module '{module_name}'", attribute, public)
    return getattr(module, attribute)

"""Data sets: NumPy in, NumPy out."""

import inspect
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jaxnets.basics import imports
from jaxnets.basics.errors import UserError, unknown
from jaxnets.data import in_memory, text_files, tfds_sets
from jaxnets.data.dataset import Dataset
from jaxnets.data.digits import digits
from jaxnets.data.files import is_path
from jaxnets.data.generated import negation, ngrams, xor
from jaxnets.data.python_values import kind_of
from jaxnets.data.sentences import unseen_negations, unseen_ngrams, word_order
from jaxnets.data.validation import validate_folds

Loader = Callable[..., Any]
"""Gives a Dataset, a tuple of Datasets (folds), or data in another form that `in_memory.loader` takes."""

KNOWN: dict[str, Loader] = {
    loader.__name__: loader for loader in (digits, xor, negation, ngrams, unseen_negations, word_order, unseen_ngrams)
}


def loader_of(value: Any) -> Loader | None:
    """The loader of a value that is special to data sets; None for a name, an import path or a loader itself.

    Args:
      value: a path, a set of TFDS `tfds:NAME`, or data in memory as `in_memory.loader` takes them.

    Raises:
      UserError: if the value is no string, path, function or data.

    >>> loader_of("digits") is None, loader_of("tfds:mnist").func.__module__
    (True, 'jaxnets.data.tfds_sets')
    """
    if isinstance(value, str):
        if value.startswith(tfds_sets.PREFIX):
            return partial(tfds_sets.load, value.removeprefix(tfds_sets.PREFIX))
        return partial(text_files.load, Path(value)) if value not in KNOWN and is_path(value) else None
    if isinstance(value, os.PathLike):
        return partial(text_files.load, Path(value))
    return in_memory.loader(value)


def find(value: Any) -> Loader:
    """The loader of a name, an import path such as `my_lab.data:load`, a loader itself, or what `loader_of` takes.

    Raises:
      UserError: if there is none, or it cannot be called.
    """
    special = loader_of(value)
    if special is not None or not isinstance(value, str):
        return special or value
    if value in KNOWN:
        return KNOWN[value]
    if ":" not in value:
        raise unknown("dataset", value, KNOWN, " A path or an import path 'package.module:name' works as well.")
    imported = imports.load("dataset", value)
    if not callable(imported):
        raise UserError(f"dataset: '{value}' is {kind_of(imported)}, not a function.")
    return imported


def load_folds(value: Any, **arguments: Any) -> tuple[Dataset, ...]:
    """The folds of a data set, checked: a single one, unless it is to be cross-validated.

    Args:
      value: as `find` takes it.
      **arguments: for the loader.

    Raises:
      UserError: if there is no such data set, or something is wrong with it.
    """
    loader = find(value)
    try:
        inspect.signature(loader).bind(**arguments)
    except TypeError as error:
        name = value if isinstance(value, str) else getattr(loader, "__name__", type(value).__name__)
        raise UserError(f"dataset: '{name}' cannot be called with these arguments: {error}.") from None
    return validate_folds(_as_folds(loader(**arguments)))


def load(value: Any, **arguments: Any) -> Dataset:
    """The data set of a value, checked; see `load_folds`.

    Raises:
      UserError: also if it has several folds.
    """
    folds = load_folds(value, **arguments)
    if len(folds) > 1:
        raise UserError(f"dataset: '{folds[0].name}' has {len(folds)} folds; take load_folds, or folds=1.")
    return folds[0]


def _as_folds(loaded: Any) -> tuple[Dataset, ...]:
    """The result of a loader as Datasets."""
    try:
        convert = in_memory.loader(loaded)
    except UserError:
        convert = None
    if convert is None:
        given = kind_of(loaded)
        wanted = "a jaxnets Dataset, a tuple of these (folds), or data such as (inputs, labels)"
        raise UserError(f"dataset: the loader gave {given}; it must give {wanted}.")
    return convert()

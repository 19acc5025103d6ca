"""Data sets: NumPy in, NumPy out."""

import inspect
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from jaxnets import user_code
from jaxnets.data import python_data, text_files, tfds
from jaxnets.data import splits as of_splits
from jaxnets.data.dataset import Dataset, validate_folds
from jaxnets.data.grammars import mixed_negations, ngrams, unseen_negations, unseen_ngrams, word_order
from jaxnets.data.python_data import kind_of
from jaxnets.data.text_files import is_path
from jaxnets.data.toy import (
    breast_cancer,
    digits,
    digits_noise,
    mnist1d,
    negation,
    parity,
    spirals,
    teacher_student,
    wine,
    xor,
)
from jaxnets.errors import UserError, unknown

Loader = Callable[..., Any]
"""Gives a Dataset, a tuple of Datasets (folds), or data in another form that `python_data.loader` takes."""

_BUILT_IN: tuple[Loader, ...] = (
    digits,
    digits_noise,
    breast_cancer,
    wine,
    mnist1d,
    spirals,
    parity,
    teacher_student,
    xor,
    negation,
    ngrams,
    mixed_negations,
    unseen_negations,
    word_order,
    unseen_ngrams,
)
KNOWN: dict[str, Loader] = {loader.__name__: loader for loader in _BUILT_IN}

PROVIDED = ("num_repeats",)
"""What jaxnets itself gives to a loader that asks for it: it is no keyword of the data set."""


_MOST = {
    "num_examples": 1_000_000,
    "num_sentences": 100_000,
    "num_features": 10_000,
    "num_bits": 10_000,
    "num_layers": 100,
}


def limits(argument: str) -> Mapping[str, Any]:
    """What a data set's argument of a name keeps to, so that what is drawn fits into the memory, and soon.

    >>> limits("num_sentences"), limits("noise")
    ({'most': 100000}, {})
    """
    return {"most": _MOST[argument]} if argument in _MOST else {}


def loader_of(value: Any) -> Loader | None:
    """The loader of a value that is special to data sets; None for a name, an import path or a loader itself.

    >>> loader_of("digits") is None, loader_of("tfds:mnist").func.__module__
    (True, 'jaxnets.data.tfds')
    """
    if isinstance(value, str) and value.startswith(tfds.PREFIX):
        return partial(tfds.load, value.removeprefix(tfds.PREFIX))
    if isinstance(value, os.PathLike) or (isinstance(value, str) and value not in KNOWN and is_path(value)):
        path = Path(value)
        return partial(python_data.load_arrays if python_data.has_arrays(path) else text_files.load, path)
    return python_data.loader(value)


def is_imported(name: str) -> bool:
    """Whether a name that is not built in is an import path.

    >>> is_imported("my_lab.data:load"), is_imported("tfds:mnist"), is_imported("reviews/")
    (True, False, False)
    """
    return ":" in name and loader_of(name) is None


def find(value: Any) -> Loader:
    """The loader of a name, an import path such as `my_lab.data:load`, a loader itself, or what `loader_of` takes."""
    special = loader_of(value)
    if special is not None or not isinstance(value, str):
        return special or value
    if value in KNOWN:
        return KNOWN[value]
    if not is_imported(value):
        raise unknown("dataset", value, KNOWN, " A path or an import path 'package.module:name' works as well.")
    imported = user_code.load("dataset", value)
    if not callable(imported):
        raise UserError(f"dataset: '{value}' is {kind_of(imported)}, not a function.")
    return imported


def load_folds(value: Any, **arguments: Any) -> tuple[Dataset, ...]:
    """The folds of a data set, checked: a single one, unless it is to be cross-validated."""
    loader = find(value)
    _check_arguments(value, loader, arguments)
    return validate_folds(_as_datasets(loader(**arguments)))


def load_repeats(value: Any, num_repeats: int, *, first: int = 0, **arguments: Any) -> tuple[Dataset, ...]:
    """The repeats of a data set, checked: the same task so many times, each with splits of its own.

    All examples are pooled and drawn anew, the classes in proportion, in the sizes of the given splits, or those in
    which missing ones are held out. Generated data are made anew instead. See `jaxnets.data.splits`. The repeats have
    equally many training examples and one vocabulary.
    """
    loader = find(value)
    parameters = _check_arguments(value, loader, arguments)
    drawn = of_splits.drawn(loader, parameters, num_repeats, arguments, partial(_as_datasets, first=first))
    if len(drawn) < num_repeats:
        raise UserError(f"num_repeats: the loader of '{drawn[0].name}' gave {len(drawn)} of {num_repeats} repeats.")
    return validate_folds(drawn[:num_repeats], "repeats")


def _check_arguments(value: Any, loader: Loader, arguments: Mapping[str, Any]) -> Mapping[str, inspect.Parameter]:
    """The parameters of a loader, if it can be called with the arguments."""
    signature = inspect.signature(loader)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        name = value if isinstance(value, str) else getattr(loader, "__name__", type(value).__name__)
        raise UserError(f"dataset: '{name}' cannot be called with these arguments: {error}.") from None
    return signature.parameters


def load(value: Any, **arguments: Any) -> Dataset:
    """The data set of a value, checked; see `load_folds`."""
    folds = load_folds(value, **arguments)
    if len(folds) > 1:
        raise UserError(f"dataset: '{folds[0].name}' has {len(folds)} folds; take load_folds, or folds=1.")
    return folds[0]


def _as_datasets(loaded: Any, first: int = 0, **arguments: Any) -> tuple[Dataset, ...]:
    """The result of a loader as Datasets; repeats are drawn from a seed. `arguments` are its converter's."""
    try:
        convert = python_data.loader(loaded)
    except UserError:
        convert = None
    if convert is None:
        given = kind_of(loaded)
        wanted = "a jaxnets Dataset, a tuple of these (folds), or data such as (inputs, labels)"
        raise UserError(f"dataset: the loader gave {given}; it must give {wanted}.")
    return convert(**arguments, **({"split_seed": first} if "num_repeats" in arguments else {}))

"""Data sets: NumPy in, NumPy out."""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jaxnets.basics import errors
from jaxnets.data import text_files, tfds_sets
from jaxnets.data.dataset import Dataset, validate
from jaxnets.data.digits import digits
from jaxnets.data.generated import negation, ngrams, xor
from jaxnets.data.sentences import unseen_negations, unseen_ngrams, word_order
from jaxnets.data.text_files import is_path

Loader = Callable[..., Dataset | tuple[Dataset, ...]]

KNOWN: dict[str, Loader] = {
    loader.__name__: loader for loader in (digits, xor, negation, ngrams, unseen_negations, word_order, unseen_ngrams)
}


def find(name: str) -> Loader:
    """The loader of a name, a path, a set of TFDS `tfds:NAME`, or an import path such as `my_lab.data:load`.

    Raises:
      UserError: if there is none, or it cannot be called.
    """
    if name in KNOWN:
        return KNOWN[name]
    if name.startswith(tfds_sets.PREFIX):
        return partial(tfds_sets.load, name.removeprefix(tfds_sets.PREFIX))
    if is_path(name):
        return partial(text_files.load, Path(name))
    return errors.lookup_function("dataset", name, KNOWN)


def load_folds(name: str, **arguments: Any) -> tuple[Dataset, ...]:
    """The folds of a data set, checked: one, unless it is to be cross-validated.

    Args:
      name: as `find` takes it.
      **arguments: for the loader.

    Raises:
      UserError: if there is none, or its data are not what they must be.
    """
    loader = find(name)
    try:
        inspect.signature(loader).bind(**arguments)
    except TypeError as error:
        raise errors.UserError(f"dataset: '{name}' cannot be called with its flags alone: {error}.") from None
    loaded = loader(**arguments)
    return tuple(validate(fold) for fold in loaded) if isinstance(loaded, tuple) else (validate(loaded),)


def load(name: str, **arguments: Any) -> Dataset:
    """The data set of a name, checked; see `load_folds`.

    Raises:
      UserError: also if it has several folds.
    """
    folds = load_folds(name, **arguments)
    if len(folds) > 1:
        raise errors.UserError(f"dataset: '{name}' has {len(folds)} folds; take load_folds, or folds=1.")
    return folds[0]

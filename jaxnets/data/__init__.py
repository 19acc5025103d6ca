"""Data sets: NumPy in, NumPy out."""

from collections.abc import Callable
from typing import Any

from jaxnets import names
from jaxnets.data.dataset import Dataset, validate
from jaxnets.data.digits import digits
from jaxnets.data.generated import negation, ngrams, xor

KNOWN: dict[str, Callable[..., Dataset]] = {"digits": digits, "xor": xor, "negation": negation, "ngrams": ngrams}


def find(name: str) -> Callable[..., Dataset]:
    """The loader of a name, or of an import path such as `my_lab.data:load`.

    Raises:
      UserError: if there is none, or it cannot be called.
    """
    loader = names.lookup_function("--dataset", name, KNOWN)
    if not callable(loader):
        raise names.UserError(
            f"--dataset: '{name}' is a {type(loader).__name__}; it must be a function that loads data."
        )
    return loader


def load(name: str, **arguments: Any) -> Dataset:
    """The data set of a name or import path, checked.

    Args:
      name: of the loader.
      **arguments: for the loader.

    Raises:
      UserError: if there is none, or its data are not what they must be.
    """
    return validate(find(name)(**arguments))

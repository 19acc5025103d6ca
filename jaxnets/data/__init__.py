"""Data sets: NumPy in, NumPy out."""

import inspect
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
    return names.lookup_function("--dataset", name, KNOWN)


def load(name: str, **arguments: Any) -> Dataset:
    """The data set of a name or import path, checked.

    Args:
      name: of the loader.
      **arguments: for the loader.

    Raises:
      UserError: if there is none, or its data are not what they must be.
    """
    loader = find(name)
    try:
        inspect.signature(loader).bind(**arguments)
    except TypeError as error:
        raise names.UserError(f"--dataset: '{name}' cannot be called with its flags alone: {error}.") from None
    return validate(loader(**arguments))

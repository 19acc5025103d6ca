"""Arrays that stay in their file: mapped into memory, and looked at in pieces."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxnets import io
from jaxnets.data.archives import DAMAGE
from jaxnets.errors import UserError

_PIECE = 32 << 20  # bytes


def open_array(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped into memory and read-only; objects are never unpickled."""
    with io.opened(path, "dataset"), warnings.catch_warnings():  # an ordinary file
        warnings.simplefilter("ignore")  # of NumPy, on headers that it reads nevertheless or refuses
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except DAMAGE as error:
            reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
            raise UserError(f"dataset: '{io.shown(path)}' is not a .npy file of numbers: {reason}.") from None


def is_mapped(array: object) -> bool:
    """Whether an array, or what it is a view of, stays in its file.

    >>> is_mapped(np.zeros(3))
    False
    """
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False


def pieces(array: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """An array in pieces along its first axis, none much larger than 32 MiB: where each begins, and the piece.

    >>> [(start, piece.shape) for start, piece in pieces(np.zeros((3, 2)))]
    [(0, (3, 2))]
    """
    rows = max(1, _PIECE // max(1, array[:1].nbytes))
    return ((start, array[start : start + rows]) for start in range(0, len(array), rows))

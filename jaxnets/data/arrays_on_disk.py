"""Features in the user's own .npy files: a folder with inputs and labels of each split, which may stay on disk."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from jaxnets import io
from jaxnets.data import notes, python_data
from jaxnets.data.archives import DAMAGE
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.encoding import keywords
from jaxnets.data.labels import class_names, unknown_label
from jaxnets.data.splits import SPLITS, FoldRows, Splitting
from jaxnets.data.validation import check_lengths
from jaxnets.errors import UserError, printable


def is_here(path: Path) -> bool:
    """Whether a folder holds features as .npy files."""
    with io.file_errors(path, "read", "dataset"):
        return (path / "train_inputs.npy").is_file()


@keywords(splitting=Splitting(folds=1))
def load(path: Path, *, splitting: Splitting) -> tuple[Dataset, ...]:
    """The features of a folder with `train_inputs.npy` and `train_labels.npy`, and the same of `dev` and `test`.

    Inputs are numbers `[examples, features]`, which are not standardized; labels are whole numbers or strings. Where
    all three splits are there, the training inputs stay in their file. Otherwise missing ones are held out, in memory.
    """
    name = printable(path.name or path.resolve().name)
    given = [split for split in SPLITS if (path / f"{split}_inputs.npy").is_file()]
    inputs, labels = ({split: open_array(path / f"{split}_{of}.npy") for split in given} for of in ("inputs", "labels"))
    if given == ["train", "dev"]:
        raise UserError(f"dataset: '{path}' has dev and no test; name it test, and dev is held out.")
    if len(given) < len(SPLITS) or splitting.num_blocks > 1:
        pairs = tuple((np.array(inputs[split]), np.array(labels[split])) for split in given)
        return python_data.load_features(pairs, name, **vars(splitting))
    names, splits = _names(labels["train"], path / "train_labels.npy"), {}
    for split in SPLITS:
        numbers = _numbered(labels[split], names, path / f"{split}_labels.npy")
        check_lengths(inputs[split], numbers, f"dataset: '{name}', {split}")
        splits[split] = Split(inputs[split] if split == "train" else np.array(inputs[split]), numbers)
    rows = np.arange(len(splits["train"]))
    on_classes = notes.on_classes(splits["train"].labels, names, [FoldRows(rows, rows[:0], rows[:0])])
    on_examples = "Whether examples occur more than once was not looked at: those of training stay in their file."
    label_type = type(labels["train"][0].item()).__name__
    train, dev, test = splits.values()
    return (Dataset(name, train, dev, test, names, notes=(*on_classes, on_examples), label_type=label_type),)


def _names(labels: np.ndarray, path: Path) -> tuple[str, ...]:
    """The classes: whole numbers in numerical order, strings as `class_names` has them."""
    if labels.ndim != 1 or labels.dtype.kind not in "iubU":
        raise UserError(
            f"dataset: '{io.shown(path)}' must be a row of whole numbers or strings, not "
            f"{labels.dtype}{list(labels.shape)}."
        )
    distinct = np.unique(labels)
    if len(distinct) < 2 or labels.dtype.kind == "U":
        return class_names([str(label) for label in labels], io.shown(path))
    return tuple(map(str, distinct.tolist()))


def _numbered(labels: np.ndarray, names: tuple[str, ...], path: Path) -> np.ndarray:
    """The labels as numbers `int32[examples]`."""
    distinct, places = np.unique(labels, return_inverse=True)
    known = {name: number for number, name in enumerate(names)}
    numbers = np.array([known.get(str(label), -1) for label in distinct.tolist()], np.int32)[places.reshape(-1)]
    if (numbers < 0).any():
        row = int(np.argmin(numbers))
        raise unknown_label(f"dataset: '{io.shown(path)}', row {row}", str(labels[row]), names)
    return numbers


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

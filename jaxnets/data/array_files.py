"""Features in the user's own .npy files: a folder with inputs and labels of each split, which may stay on disk."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxnets import io
from jaxnets.data import in_memory, notes
from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.folds import FoldRows
from jaxnets.data.labels import class_names, unknown_label
from jaxnets.data.mapped import open_array
from jaxnets.data.validation import check_lengths
from jaxnets.errors import UserError, printable

SPLITS = ("train", "dev", "test")


def is_here(path: Path) -> bool:
    """Whether a folder holds features as .npy files."""
    with io.file_errors(path, "read", "dataset"):
        return _file(path, "train", "inputs").is_file()


def load(
    path: Path, folds: int = 1, dev_share: float = 0.1, split_seed: int = 0, num_blocks: int = 1
) -> tuple[Dataset, ...]:
    """The features of a folder with `train_inputs.npy` and `train_labels.npy`, and the same of `dev` and `test`.

    Inputs are numbers `[examples, features]`, which are not standardized; labels are whole numbers or strings. Where
    all three splits are there, the training inputs stay in their file. Otherwise missing ones are held out, in memory.

    Args:
      path: of the folder.
      folds: of the cross-validation if there is no test split; 1 holds out a tenth instead.
      dev_share: share of the training examples that become the dev split if there is none.
      split_seed: seed of the draws of missing splits.
      num_blocks: above 1, all splits are drawn anew, so many times.

    Raises:
      UserError: for the first mistake, with its file and row.
    """
    name = printable(path.name or path.resolve().name)
    given = [split for split in SPLITS if _file(path, split, "inputs").is_file()]
    inputs, labels = ({split: open_array(_file(path, split, of)) for split in given} for of in ("inputs", "labels"))
    if len(given) == len(SPLITS) and num_blocks == 1:
        return (_mapped(path, name, inputs, labels),)
    if given == ["train", "dev"]:
        raise UserError(f"dataset: '{path}' has dev and no test; name it test, and dev is held out.")
    pairs = tuple((np.array(inputs[split]), np.array(labels[split])) for split in given)
    return in_memory.load_features(pairs, name, folds, dev_share, split_seed, num_blocks)


def _file(folder: Path, split: str, of: str) -> Path:
    return folder / f"{split}_{of}.npy"


def _mapped(path: Path, name: str, inputs: Mapping[str, np.ndarray], labels: Mapping[str, np.ndarray]) -> Dataset:
    """The data set whose training inputs are mapped; those of dev and test are read."""
    names = _names(labels["train"], _file(path, "train", "labels"))
    numbered = {split: _numbered(labels[split], names, _file(path, split, "labels")) for split in SPLITS}
    for split in SPLITS:
        check_lengths(inputs[split], numbered[split], f"dataset: '{name}', {split}")
    train, dev, test = (
        Split(inputs[split] if split == "train" else np.array(inputs[split]), numbered[split]) for split in SPLITS
    )
    rows = np.arange(len(train))
    on_classes = notes.on_classes(train.labels, names, [FoldRows(rows, rows[:0], rows[:0])])
    on_examples = "Whether examples occur more than once was not looked at: those of training stay in their file."
    label_type = type(labels["train"][0].item()).__name__
    return Dataset(name, train, dev, test, names, notes=(*on_classes, on_examples), label_type=label_type)


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

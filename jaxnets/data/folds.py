"""Which examples are for training, dev and test: splits that are given, held out, or folds of a cross-validation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from jaxnets.basics.errors import UserError
from jaxnets.data.dataset import random_generator, stratified


@dataclass(frozen=True)
class Splitting:
    """How missing splits are drawn.

    Attributes:
      folds: of the cross-validation if there is no test split; 1 holds out a single test split of a tenth instead.
      dev_share: the share of the training examples that become the dev split if there is none.
      split_seed: the seed of the draws.
    """

    folds: int = 10
    dev_share: float = 0.1
    split_seed: int = 0


@dataclass(frozen=True, eq=False)
class FoldRows:
    """The examples of a fold's splits, as row numbers `int[examples]` into all examples."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def draw_folds(labels: np.ndarray, sizes: Mapping[str, int], splitting: Splitting) -> list[FoldRows]:
    """The rows of each fold; a single fold if there is a test split.

    Missing splits are drawn with the classes in proportion, and all folds have equally many training examples.

    Args:
      labels: of all examples, split after split.
      sizes: the sizes of the given splits: `train`, and `dev` and `test` if there are any.
      splitting: how the missing splits are drawn.

    Raises:
      UserError: if an option is out of range, or a split would be empty.
    """
    _check(splitting)
    ends = np.cumsum(list(sizes.values()))
    rows = {name: np.arange(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}
    return list(_drawn(labels, rows, splitting))


def _check(splitting: Splitting) -> None:
    if splitting.folds < 1:
        raise UserError(f"folds: {splitting.folds} is below 1.")
    if not 0 < splitting.dev_share < 1:
        raise UserError(f"dev_share: {splitting.dev_share:g} is not between 0 and 1.")


def _drawn(labels: np.ndarray, rows: Mapping[str, np.ndarray], splitting: Splitting) -> Iterator[FoldRows]:
    generator = random_generator("split_seed", splitting.split_seed)
    tests = [rows["test"]] if "test" in rows else _test_rows(labels, rows["train"], splitting, generator)
    num_rest = len(rows["train"]) - max((len(test) for test in tests), default=0) * ("test" not in rows)
    num_dev = 0 if "dev" in rows else round(num_rest * splitting.dev_share)
    num_train = num_rest - num_dev
    if num_train < 1 or ("dev" not in rows and num_dev < 1):
        raise UserError(f"dataset: {len(rows['train'])} examples are too few to hold out dev and test examples.")
    for test in tests:
        rest = np.setdiff1d(rows["train"], test)
        train = _subset(labels, rest, num_train, generator)
        yield FoldRows(train, rows["dev"] if "dev" in rows else np.setdiff1d(rest, train), test)


def _test_rows(
    labels: np.ndarray, rows: np.ndarray, splitting: Splitting, generator: np.random.Generator
) -> list[np.ndarray]:
    """The test rows of each fold, or of a single test split of a tenth."""
    num_parts = splitting.folds if splitting.folds > 1 else 10
    if len(rows) < 2 * num_parts and splitting.folds > 1:
        raise UserError(f"folds: {len(rows)} examples are too few for {num_parts} folds; take fewer.")
    if len(rows) < 2 * num_parts:
        raise UserError(
            f"dataset: {len(rows)} examples are too few to hold out a tenth for test; "
            f"it takes {2 * num_parts}, or a test split of your own."
        )
    sizes = [len(part) for part in np.array_split(rows, num_parts)]
    drawn = [rows[part] for part in stratified(labels[rows], sizes, generator)]
    return drawn if splitting.folds > 1 else drawn[:1]


def _subset(labels: np.ndarray, rows: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Some of the rows, the classes in proportion."""
    if size == len(rows):
        return rows
    return rows[stratified(labels[rows], [size], generator)[0]]

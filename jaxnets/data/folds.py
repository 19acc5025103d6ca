"""Which examples are for training, dev and test: splits as given or held out, folds of a cross-validation, blocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jaxnets.data.dataset import random_generator, stratified
from jaxnets.errors import UserError


@dataclass(frozen=True)
class Splitting:
    """How missing splits are drawn."""

    folds: int = 10
    dev_share: float = 0.1
    split_seed: int = 0
    num_blocks: int = 1


@dataclass(frozen=True, eq=False)
class FoldRows:
    """The examples of a fold's splits, as row numbers `int[examples]` into all examples."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def draw_folds(labels: np.ndarray, sizes: Mapping[str, int], splitting: Splitting) -> list[FoldRows]:
    """The rows of each fold, or of each block; a single fold if there is a test split.

    Splits are drawn with the classes in proportion, and all folds have equally many training examples. Blocks have the
    sizes of the given splits.
    """
    _check(splitting)
    if splitting.num_blocks > 1:
        return list(_blocks(labels, sizes, splitting))
    ends = np.cumsum(list(sizes.values()))
    rows = {name: np.arange(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}
    return list(_drawn(labels, rows, splitting))


def check_num_blocks(num_blocks: int) -> None:
    """Checks that there is a block."""
    if num_blocks < 1:
        raise UserError(f"num_blocks: {num_blocks} is below 1.")


def draw_blocks(
    labels: np.ndarray, sizes: Sequence[int], num_blocks: int, split_seed: int = 0
) -> list[list[np.ndarray]]:
    """New splits of all examples for each block, the classes in proportion."""
    generators = [random_generator("split_seed", split_seed, block) for block in range(num_blocks)]
    return [stratified(labels, sizes, generator) for generator in generators]


def _check(splitting: Splitting) -> None:
    check_num_blocks(splitting.num_blocks)
    if splitting.folds < 1:
        raise UserError(f"folds: {splitting.folds} is below 1.")
    if not 0 < splitting.dev_share < 1:
        raise UserError(f"dev_share: {splitting.dev_share:g} is not between 0 and 1.")


def _blocks(labels: np.ndarray, sizes: Mapping[str, int], splitting: Splitting) -> Iterator[FoldRows]:
    """The rows of each block, in the sizes of the given splits."""
    num_test = sizes["test"] if "test" in sizes else _tenth(sizes["train"])
    num_train, num_dev = _held_out(sizes, num_test, splitting.dev_share)
    drawn = (num_train, sizes.get("dev", num_dev), num_test)
    for rows in draw_blocks(labels, drawn, splitting.num_blocks, splitting.split_seed):
        yield FoldRows(*rows)


def _drawn(labels: np.ndarray, rows: Mapping[str, np.ndarray], splitting: Splitting) -> Iterator[FoldRows]:
    generator = random_generator("split_seed", splitting.split_seed)
    tests = [rows["test"]] if "test" in rows else _test_rows(labels, rows["train"], splitting, generator)
    sizes = {name: len(of_split) for name, of_split in rows.items()}
    num_train, _ = _held_out(sizes, max(map(len, tests)), splitting.dev_share)
    for test in tests:
        rest = np.setdiff1d(rows["train"], test)
        train = _subset(labels, rest, num_train, generator)
        yield FoldRows(train, rows["dev"] if "dev" in rows else np.setdiff1d(rest, train), test)


def _held_out(sizes: Mapping[str, int], num_test: int, dev_share: float) -> tuple[int, int]:
    """How many training examples stay if missing splits are held out of them, and how many are held out for dev."""
    num_rest = sizes["train"] - num_test * ("test" not in sizes)
    num_dev = 0 if "dev" in sizes else round(num_rest * dev_share)
    if num_rest - num_dev < 1 or ("dev" not in sizes and num_dev < 1):
        raise UserError(f"dataset: {sizes['train']} examples are too few to hold out dev and test examples.")
    return num_rest - num_dev, num_dev


def _tenth(count: int) -> int:
    """The size of a test split that is held out."""
    if count < 20:
        raise UserError(
            f"dataset: {count} examples are too few to hold out a tenth for test; "
            "it takes 20, or a test split of your own."
        )
    return -(-count // 10)


def _test_rows(
    labels: np.ndarray, rows: np.ndarray, splitting: Splitting, generator: np.random.Generator
) -> list[np.ndarray]:
    """The test rows of each fold, or of a single test split of a tenth."""
    if splitting.folds > 1 and len(rows) < 2 * splitting.folds:
        raise UserError(f"folds: {len(rows)} examples are too few for {splitting.folds} folds; take fewer.")
    parts = np.array_split(rows, splitting.folds)
    sizes = [len(part) for part in parts] if splitting.folds > 1 else [_tenth(len(rows))]
    return [rows[part] for part in stratified(labels[rows], sizes, generator)]


def _subset(labels: np.ndarray, rows: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    """Some of the rows, the classes in proportion."""
    if size == len(rows):
        return rows
    return rows[stratified(labels[rows], [size], generator)[0]]

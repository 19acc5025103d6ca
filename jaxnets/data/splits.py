"""Which examples are for training, dev and test: splits as given or held out, folds of a cross-validation, repeats.

A repeat is a data set with new splits, so that a finding holds for more than one of them. A loader that takes
`num_repeats` draws them itself. One that takes `data_seed` or `split_seed` is called once for each repeat, with the
seed plus the number of the repeat. What any other gives is pooled and drawn anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import Parameter, signature
from typing import Any

import numpy as np

from jaxnets.data.dataset import Dataset, Split, random_generator, stratified, validate
from jaxnets.data.texts import Texts
from jaxnets.errors import UserError

SPLITS = ("train", "dev", "test")
DATA_SEED = "data_seed"
"""The argument of a loader that makes its examples anew."""

SEEDS = (DATA_SEED, "split_seed")
"""Arguments of a loader by which all its splits change."""

Convert = Callable[..., Sequence[Dataset]]
"""Turns what a loader gave into Datasets; takes `num_repeats` as a keyword where it is above 1."""


@dataclass(frozen=True)
class Splitting:
    """How missing splits are drawn."""

    folds: int = 10
    dev_share: float = 0.1
    split_seed: int = 0
    num_repeats: int = 1


@dataclass(frozen=True, eq=False)
class FoldRows:
    """The examples of a fold's splits, as row numbers `int[examples]` into all examples."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def draw_folds(labels: np.ndarray, sizes: Mapping[str, int], splitting: Splitting) -> list[FoldRows]:
    """The rows of each fold, or of each repeat; a single fold if there is a test split.

    Splits are drawn with the classes in proportion, and all folds have equally many training examples. Repeats have the
    sizes of the given splits.
    """
    check_num_repeats(splitting.num_repeats)
    if splitting.folds < 1:
        raise UserError(f"folds: {splitting.folds} is below 1.")
    if not 0 < splitting.dev_share < 1:
        raise UserError(f"dev_share: {splitting.dev_share:g} is not between 0 and 1.")
    if splitting.num_repeats > 1:
        num_test = sizes["test"] if "test" in sizes else _tenth(sizes["train"])
        num_train, num_dev = _held_out(sizes, num_test, splitting.dev_share)
        drawn = (num_train, sizes.get("dev", num_dev), num_test)
        return [FoldRows(*rows) for rows in _draw_repeats(labels, drawn, splitting.num_repeats, splitting.split_seed)]
    ends = np.cumsum(list(sizes.values()))
    given = {name: np.arange(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}
    generator = random_generator("split_seed", splitting.split_seed)
    tests = [given["test"]] if "test" in given else _test_rows(labels, given["train"], splitting.folds, generator)
    num_train, _ = _held_out(sizes, max(map(len, tests)), splitting.dev_share)
    folds = []
    for test in tests:
        rest = np.setdiff1d(given["train"], test)
        train = rest if num_train == len(rest) else rest[stratified(labels[rest], [num_train], generator)[0]]
        folds.append(FoldRows(train, given["dev"] if "dev" in given else np.setdiff1d(rest, train), test))
    return folds


def check_num_repeats(num_repeats: int) -> None:
    """Checks that there is a repeat."""
    if num_repeats < 1:
        raise UserError(f"num_repeats: {num_repeats} is below 1.")


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
            f"dataset: {count} examples are too few to hold out a tenth for test; it takes 20, or a test split of "
            f"your own."
        )
    return -(-count // 10)


def _test_rows(labels: np.ndarray, rows: np.ndarray, folds: int, generator: np.random.Generator) -> list[np.ndarray]:
    """The test rows of each fold, or of a single test split of a tenth."""
    if folds > 1 and len(rows) < 2 * folds:
        raise UserError(f"folds: {len(rows)} examples are too few for {folds} folds; take fewer.")
    sizes = [len(part) for part in np.array_split(rows, folds)] if folds > 1 else [_tenth(len(rows))]
    return [rows[part] for part in stratified(labels[rows], sizes, generator)]


def _draw_repeats(
    labels: np.ndarray, sizes: Sequence[int], num_repeats: int, split_seed: int
) -> list[list[np.ndarray]]:
    """New splits of all examples for each repeat, the classes in proportion."""
    generators = [random_generator("split_seed", split_seed, repeat) for repeat in range(num_repeats)]
    return [stratified(labels, sizes, generator) for generator in generators]


def drawn(
    loader: Callable[..., Any],
    parameters: Mapping[str, Parameter],
    num_repeats: int,
    arguments: Mapping[str, Any],
    convert: Convert,
) -> Sequence[Dataset]:
    """The repeats of a loader, one after another; they have one vocabulary."""
    check_num_repeats(num_repeats)
    if (folds := arguments.get("folds", 1)) > 1:
        raise UserError(f"num_repeats: repeats take the place of folds; leave out folds={folds}.")
    if "num_repeats" in parameters:
        single = {"folds": 1} if "folds" in parameters else {}
        return convert(loader(**{**arguments, **single}, num_repeats=num_repeats))
    seeds = {name: arguments.get(name, parameters[name].default) for name in SEEDS if name in parameters}
    seed, first = next(iter(seeds.items()), ("", None))
    if first is None:
        return convert(loader(**arguments), num_repeats=num_repeats)
    made = [convert(loader(**{**arguments, seed: first + repeat})) for repeat in range(num_repeats)]
    return _with_one_vocabulary([validate(datasets[0]) for datasets in made])


def made_anew(loader: Callable[..., Any]) -> bool:
    """Whether each repeat of a loader has examples of its own; otherwise repeats share them. See `drawn`."""
    parameters = signature(loader).parameters
    return "num_repeats" not in parameters and DATA_SEED in parameters and parameters[DATA_SEED].default is not None


def redrawn(dataset: Dataset, num_repeats: int, split_seed: int = 0) -> tuple[Dataset, ...]:
    """New splits of all examples of a data set, in the sizes of its own; vocabulary and scaling stay as they are.

    Splits that are the same object stay the same: a data set that is judged on what it learns from does not change.
    """
    given, checked = [getattr(dataset, name).inputs for name in SPLITS], validate(dataset)
    source = [next(place for place, one in enumerate(given) if one is inputs) for inputs in given]
    places = list(dict.fromkeys(source))
    parts = [getattr(checked, SPLITS[place]) for place in places]
    labels = np.concatenate([part.labels for part in parts])
    inputs = [part.inputs for part in parts]
    pool = Texts.joined(inputs) if isinstance(inputs[0], Texts) else np.concatenate(inputs)
    repeats = []
    for rows in _draw_repeats(labels, list(map(len, parts)), num_repeats, split_seed):
        taken = [pool.take(own) if isinstance(pool, Texts) else pool[own] for own in rows]
        splits = [Split(one, labels[own]) for one, own in zip(taken, rows, strict=True)]
        train, dev, test = (splits[places.index(place)] for place in source)
        repeats.append(replace(checked, train=train, dev=dev, test=test))
    return tuple(repeats)


def _with_one_vocabulary(datasets: Sequence[Dataset]) -> list[Dataset]:
    """Data sets with the words of all of them; the vectors are those of the first, as others may lie elsewhere."""
    first = datasets[0]
    vectors = first.word_vectors
    ids = {word: place for place, word in enumerate(dict.fromkeys(word for one in datasets for word in one.vocabulary))}
    if vectors is not None:
        missing = len(ids) - len(vectors.given)
        vectors = replace(
            vectors,
            vectors=np.pad(vectors.vectors, ((0, missing), (0, 0))),
            given=np.pad(vectors.given, (0, missing)),
        )

    def renumbered(dataset: Dataset) -> Dataset:
        new = np.array([ids[word] for word in dataset.vocabulary], np.int32)
        train, dev, test = (
            replace(split, inputs=Texts(new[split.inputs.words], split.inputs.lengths))
            for split in (dataset.train, dataset.dev, dataset.test)
            if isinstance(split.inputs, Texts)
        )
        return replace(dataset, train=train, dev=dev, test=test, vocabulary=tuple(ids))

    same = all(dataset.vocabulary == first.vocabulary for dataset in datasets)
    return [replace(one if same else renumbered(one), word_vectors=vectors) for one in datasets]


def standardized(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Features with mean 0 and deviation 1 over the training rows; 0 everywhere if a feature is constant there.

    The weight of a constant feature learns nothing: its initial value would only disturb the dev and test examples.
    """
    mean, deviation = features[train].mean(axis=0), features[train].std(axis=0)
    constant = np.ptp(features[train], axis=0) == 0
    return np.where(constant, 0, (features - mean) / np.where(constant, 1, deviation)).astype(np.float32)


def in_splits(
    name: str, features: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...], rows: Sequence[np.ndarray]
) -> Dataset:
    """A data set of features."""
    features, labels = features.astype(np.float32, copy=False), labels.astype(np.int32, copy=False)
    train, dev, test = (Split(features[of_split], labels[of_split]) for of_split in rows)
    return Dataset(name, train, dev, test, class_names)

"""Blocks: a data set several times over, each time with new splits, so that a finding holds for more than one split.

A loader that takes `num_blocks` draws them itself. One that takes `data_seed` or `split_seed` is called once for each
block, with the seed plus the number of the block. What any other gives is pooled and drawn anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from inspect import Parameter, signature
from typing import Any

import numpy as np

from jaxnets.data.dataset import Dataset, Split, WordVectors
from jaxnets.data.folds import check_num_blocks, draw_blocks
from jaxnets.data.texts import Texts
from jaxnets.data.validation import validate
from jaxnets.errors import UserError

SPLITS = ("train", "dev", "test")
DATA_SEED = "data_seed"
"""The argument of a loader that makes its examples anew."""

SEEDS = (DATA_SEED, "split_seed")
"""Arguments of a loader by which all its splits change."""

Convert = Callable[..., Sequence[Dataset]]
"""Turns what a loader gave into Datasets; takes `num_blocks` as a keyword where it is above 1."""


def check(num_blocks: int, arguments: Mapping[str, Any]) -> None:
    """Checks that there is a block, and that no cross-validation is asked for at the same time."""
    check_num_blocks(num_blocks)
    folds = arguments.get("folds", 1)
    if folds > 1:
        raise UserError(f"num_blocks: blocks take the place of folds; leave out folds={folds}.")


def drawn(
    loader: Callable[..., Any],
    parameters: Mapping[str, Parameter],
    num_blocks: int,
    arguments: Mapping[str, Any],
    convert: Convert,
) -> Sequence[Dataset]:
    """The blocks of a loader, one after another; they have one vocabulary."""
    if "num_blocks" in parameters:
        single = {"folds": 1} if "folds" in parameters else {}
        return convert(loader(**{**arguments, **single}, num_blocks=num_blocks))
    seeds = {name: arguments.get(name, parameters[name].default) for name in SEEDS if name in parameters}
    seed, first = next(iter(seeds.items()), ("", None))
    if first is None:
        return convert(loader(**arguments), num_blocks=num_blocks)
    made = [convert(loader(**{**arguments, seed: first + block})) for block in range(num_blocks)]
    return with_one_vocabulary([validate(datasets[0]) for datasets in made])


def made_anew(loader: Callable[..., Any]) -> bool:
    """Whether each block of a loader has examples of its own; otherwise blocks share them. See `drawn`."""
    parameters = signature(loader).parameters
    return "num_blocks" not in parameters and DATA_SEED in parameters and parameters[DATA_SEED].default is not None


def redrawn(dataset: Dataset, num_blocks: int, split_seed: int = 0) -> tuple[Dataset, ...]:
    """New splits of all examples of a data set, in the sizes of its own; vocabulary and scaling stay as they are.

    Splits that are the same object stay the same: a data set that is judged on what it learns from does not change.
    """
    checked = validate(dataset)
    source = {name: next(one for one in SPLITS if _same(dataset, one, name)) for name in SPLITS}
    names = list(dict.fromkeys(source.values()))
    parts = [getattr(checked, name) for name in names]
    inputs, labels = _joined([part.inputs for part in parts]), np.concatenate([part.labels for part in parts])

    def block(rows: Sequence[np.ndarray]) -> Dataset:
        splits = {name: Split(_taken(inputs, own), labels[own]) for name, own in zip(names, rows, strict=True)}
        train, dev, test = (splits[source[name]] for name in SPLITS)
        return replace(checked, train=train, dev=dev, test=test)

    return tuple(map(block, draw_blocks(labels, list(map(len, parts)), num_blocks, split_seed)))


def _same(dataset: Dataset, one: str, other: str) -> bool:
    """Whether two splits have the same inputs."""
    return getattr(dataset, one).inputs is getattr(dataset, other).inputs


def _joined(inputs: Sequence[Any]) -> np.ndarray | Texts:
    return Texts.joined(inputs) if isinstance(inputs[0], Texts) else np.concatenate(inputs)


def _taken(inputs: np.ndarray | Texts, rows: np.ndarray) -> np.ndarray | Texts:
    return inputs.take(rows) if isinstance(inputs, Texts) else inputs[rows]


def with_one_vocabulary(datasets: Sequence[Dataset]) -> list[Dataset]:
    """Data sets with the words of all of them; the vectors are those of the first, as others may lie elsewhere."""
    first = datasets[0]
    if all(dataset.vocabulary == first.vocabulary for dataset in datasets):
        return [replace(dataset, word_vectors=first.word_vectors) for dataset in datasets]
    union = reduce(lambda words, dataset: words | dict.fromkeys(dataset.vocabulary), datasets, dict[str, None]())
    vocabulary = tuple(union)
    vectors = _widened(first.word_vectors, len(vocabulary))
    return [replace(_renumbered(one, vocabulary), word_vectors=vectors) for one in datasets]


def _widened(vectors: WordVectors | None, num_words: int) -> WordVectors | None:
    """Vectors of a larger vocabulary, whose new words have none."""
    if vectors is None:
        return None
    missing = num_words - len(vectors.given)
    return WordVectors(np.pad(vectors.vectors, ((0, missing), (0, 0))), np.pad(vectors.given, (0, missing)))


def _renumbered(dataset: Dataset, vocabulary: tuple[str, ...]) -> Dataset:
    """A data set of texts whose words have the numbers of a larger vocabulary."""
    places = {word: place for place, word in enumerate(vocabulary)}
    ids = np.array([places[word] for word in dataset.vocabulary], np.int32)

    def split(given: Split) -> Split:
        assert isinstance(given.inputs, Texts)
        return replace(given, inputs=Texts(ids[given.inputs.words], given.inputs.lengths))

    train, dev, test = map(split, (dataset.train, dataset.dev, dataset.test))
    return replace(dataset, train=train, dev=dev, test=test, vocabulary=vocabulary)

"""From tokenized texts to data sets that a sweep can train on: splits, folds, vocabulary, word vectors."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jaxnets.basics.errors import UserError
from jaxnets.data import word_vectors
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, WordVectors, random_generator, stratified
from jaxnets.data.texts import Texts
from jaxnets.data.tokenized import Tokenized, TokenizedSplit
from jaxnets.data.tokenizer import Tokenizer


@dataclass(frozen=True)
class Encoding:
    """How words become a vocabulary, and examples splits.

    Attributes:
      folds: of the cross-validation where there is no test split; 1 holds out one test split instead.
      dev_share: of the training examples, where there is no dev split.
      split_seed: of the draws.
      min_count: a word must stand so often in the training texts to be known.
      max_vocabulary: only so many words are known, the most frequent ones; 0 for all.
      length_percentile: texts are cut to the length of this percentile of the training texts; 100 cuts none.
      word_vectors: a file of vectors; a word that has one is known, wherever it stands. Empty for none.
    """

    folds: int = 10
    dev_share: float = 0.1
    split_seed: int = 0
    min_count: int = 1
    max_vocabulary: int = 0
    length_percentile: float = 100.0
    word_vectors: str = ""


@dataclass(frozen=True, eq=False)
class Parts:
    """The rows of a fold's splits in the pool of all examples."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray


def draw_parts(labels: np.ndarray, sizes: Mapping[str, int], encoding: Encoding) -> list[Parts]:
    """The splits of each fold.

    Args:
      labels: of all examples, split after split.
      sizes: of the splits that there are: `train`, and `dev` and `test` or not.
      encoding: tells of the splits that there are not.

    Raises:
      UserError: if an option is out of range, or a split would be empty.
    """
    _check(encoding)
    ends = np.cumsum(list(sizes.values()))
    rows = {name: np.arange(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}
    return list(_parts(labels, rows, encoding))


def assemble(tokenized: Tokenized, encoding: Encoding, tokenizer: Tokenizer) -> tuple[Dataset, ...]:
    """The folds of a data set, one if there is a test split; all with one vocabulary.

    In each fold the words that do not stand in its own training texts, and have no vector, are `<unk>`.

    Raises:
      UserError: if an option is out of range, or a split would be empty.
    """
    pool, labels = _pool(tokenized)
    sizes = {name: len(split.labels) for name, split in tokenized.splits.items()}
    parts = draw_parts(labels, sizes, encoding)
    vectors = word_vectors.read(Path(encoding.word_vectors), tokenized.words) if encoding.word_vectors else None
    longest = _longest(pool.lengths, parts[0].train, encoding.length_percentile)
    notes = [*_duplicates(pool, parts), *_truncation(pool.lengths, longest)]
    pool = pool.truncated(longest)
    known = [_known_words(pool.take(part.train), len(tokenized.words), encoding, vectors) for part in parts]
    order = _frequency_order(pool, len(tokenized.words))
    kept = order[np.any(known, axis=0)[order]]
    vocabulary = (PADDING, UNKNOWN, *(tokenized.words[place] for place in kept))
    given = _of_vocabulary(vectors, kept)
    shared = Dataset(
        tokenized.name,
        *(Split(pool, labels),) * 3,
        class_names=tokenized.class_names,
        vocabulary=vocabulary,
        word_vectors=given,
        tokenizer=tokenizer.to_json(),
        notes=(*notes, *_coverage(vocabulary, given)),
    )
    return tuple(_fold(shared, pool, part, of_fold, kept) for part, of_fold in zip(parts, known, strict=True))


def _longest(lengths: np.ndarray, train: np.ndarray, percentile: float) -> int:
    """The words of the longest text that is kept whole."""
    if percentile == 100:
        return int(lengths.max())
    return max(1, int(np.ceil(np.percentile(lengths[train], percentile))))


def _check(encoding: Encoding) -> None:
    least = {"folds": 1, "min_count": 1, "max_vocabulary": 0}
    for name, bound in least.items():
        if getattr(encoding, name) < bound:
            raise UserError(f"{name}: {getattr(encoding, name)} is below {bound}.")
    if not 0 < encoding.dev_share < 1:
        raise UserError(f"dev_share: {encoding.dev_share:g} is not between 0 and 1.")
    if not 0 < encoding.length_percentile <= 100:
        raise UserError(f"length_percentile: {encoding.length_percentile:g} is not above 0 and up to 100.")


def _pool(tokenized: Tokenized) -> tuple[Texts, np.ndarray]:
    """All examples, split after split."""
    splits: Sequence[TokenizedSplit] = list(tokenized.splits.values())
    texts = Texts(
        np.concatenate([split.texts.words for split in splits]),
        np.concatenate([split.texts.lengths for split in splits]),
    )
    return texts, np.concatenate([split.labels for split in splits])


def _parts(labels: np.ndarray, rows: Mapping[str, np.ndarray], encoding: Encoding) -> Iterator[Parts]:
    """The splits, what is missing drawn with the classes in their shares; all folds' training sets are as large."""
    generator = random_generator("split_seed", encoding.split_seed)
    tests = [rows["test"]] if "test" in rows else _drawn_tests(labels, rows["train"], encoding, generator)
    least_rest = len(rows["train"]) - max((len(test) for test in tests), default=0) * ("test" not in rows)
    num_dev = 0 if "dev" in rows else round(least_rest * encoding.dev_share)
    num_train = least_rest - num_dev
    if num_train < 1 or ("dev" not in rows and num_dev < 1):
        raise UserError(f"dataset: {len(rows['train'])} examples are too few to hold out dev and test examples of.")
    for test in tests:
        rest = np.setdiff1d(rows["train"], test)
        if "dev" in rows:
            yield Parts(_some(labels, rest, num_train, generator), rows["dev"], test)
        else:
            train = _some(labels, rest, num_train, generator)
            yield Parts(train, np.setdiff1d(rest, train), test)


def _drawn_tests(
    labels: np.ndarray, rows: np.ndarray, encoding: Encoding, generator: np.random.Generator
) -> list[np.ndarray]:
    """The test rows of each fold, or of one test split of a tenth."""
    num_parts = encoding.folds if encoding.folds > 1 else 10
    if len(rows) < 2 * num_parts:
        raise UserError(f"folds: {len(rows)} examples are too few for {num_parts} folds; take fewer.")
    sizes = [len(part) for part in np.array_split(rows, num_parts)]
    drawn = [rows[part] for part in stratified(labels[rows], sizes, generator)]
    return drawn if encoding.folds > 1 else drawn[:1]


def _some(labels: np.ndarray, rows: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
    if size == len(rows):
        return rows
    return rows[stratified(labels[rows], [size], generator)[0]]


def _known_words(texts: Texts, num_words: int, encoding: Encoding, vectors: WordVectors | None) -> np.ndarray:
    """Which words a fold knows: the frequent ones of its training texts, and those with a vector."""
    counts = np.bincount(texts.words, minlength=num_words)
    known = counts >= encoding.min_count
    if encoding.max_vocabulary and known.sum() > encoding.max_vocabulary:
        ranked = np.argsort(-np.where(known, counts, 0), kind="stable")
        known = np.zeros(num_words, bool)
        known[ranked[: encoding.max_vocabulary]] = True
    return known if vectors is None else known | vectors.given


def _frequency_order(texts: Texts, num_words: int) -> np.ndarray:
    """The words, the most frequent first."""
    return np.argsort(-np.bincount(texts.words, minlength=num_words), kind="stable")


def _of_vocabulary(vectors: WordVectors | None, kept: np.ndarray) -> WordVectors | None:
    """The vectors of the kept words, after padding and the unknown word, which have none."""
    if vectors is None:
        return None
    return WordVectors(
        np.concatenate([np.zeros((2, vectors.dim), np.float32), vectors.vectors[kept]]),
        np.concatenate([np.zeros(2, bool), vectors.given[kept]]),
    )


def _fold(shared: Dataset, pool: Texts, parts: Parts, known: np.ndarray, kept: np.ndarray) -> Dataset:
    """A fold's own splits, its unknown words as such."""
    ids = np.full(len(known), 1, np.int32)
    ids[kept] = np.arange(2, len(kept) + 2, dtype=np.int32)
    ids[~known] = 1

    def split(rows: np.ndarray) -> Split:
        texts = pool.take(rows)
        return Split(Texts(ids[texts.words], texts.lengths), shared.train.labels[rows])

    return replace(shared, train=split(parts.train), dev=split(parts.dev), test=split(parts.test))


def _duplicates(pool: Texts, parts: Sequence[Parts]) -> Iterator[str]:
    """How many texts of dev and test stand in train as well."""
    keys = np.array([hash(pool[row].tobytes()) for row in range(len(pool))])
    if len(np.unique(keys)) == len(keys):
        return
    if len(parts) > 1:
        yield f"{len(keys) - len(np.unique(keys))} texts stand there more than once, so folds may share them."
        return
    train = keys[parts[0].train]
    for name in ("dev", "test"):
        count = int(np.isin(keys[getattr(parts[0], name)], train).sum())
        if count:
            yield f"{count} texts of {name} stand in train as well."


def _truncation(lengths: np.ndarray, longest: int) -> Iterator[str]:
    count = int((lengths > longest).sum())
    if count:
        lost = int(np.maximum(lengths - longest, 0).sum())
        yield f"{count:,} of {len(lengths):,} texts were cut to {longest} words, {lost:,} words in all."


def _coverage(vocabulary: Sequence[str], vectors: WordVectors | None) -> Iterator[str]:
    words = len(vocabulary) - 2
    with_vector = "" if vectors is None else f", {int(vectors.given.sum()):,} of them with a vector"
    yield f"The vocabulary has {words:,} words{with_vector}."

"""From tokenized texts to data sets that a sweep can train on: vocabulary, word vectors, splits as word ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from jaxnets.data import notes, word_vectors
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, WordVectors
from jaxnets.data.folds import FoldRows, Splitting, draw_folds
from jaxnets.data.texts import Texts
from jaxnets.data.tokenized import Tokenized
from jaxnets.data.tokenizer import Tokenizer
from jaxnets.errors import UserError


@dataclass(frozen=True)
class Encoding:
    """How words become a vocabulary."""

    min_count: int = 1
    max_vocabulary: int = 0
    length_percentile: float = 100.0
    word_vectors: str = ""


def assemble_texts(
    tokenized: Tokenized, splitting: Splitting, encoding: Encoding, tokenizer: Tokenizer
) -> tuple[Dataset, ...]:
    """The folds of a data set of texts, all with one vocabulary; a single fold if there is a test split.

    A word that neither occurs in a fold's own training texts nor has a vector is `<unk>` in that fold.
    """
    check(encoding)
    pool, labels = pooled(tokenized)
    folds = draw_folds(labels, {name: len(split) for name, split in tokenized.splits.items()}, splitting)
    vectors = word_vectors.read(Path(encoding.word_vectors), tokenized.words) if encoding.word_vectors else None
    num_words, most = len(tokenized.words), longest(pool.lengths, folds[0].train, encoding.length_percentile)
    on_source = [*tokenized.notes, *notes.on_classes(labels, tokenized.class_names, folds)]
    on_texts = [*notes.on_examples(pool, labels, folds), *notes.on_lengths(pool.lengths, most)]
    pool = pool.truncated(most)
    known = [known_words(_counts(pool.take(fold.train), num_words), encoding, vectors) for fold in folds]
    counts = _counts(pool, num_words)
    on_texts += notes.on_words(tokenized.words, counts)
    order = np.argsort(-counts, kind="stable")
    kept = order[np.any(known, axis=0)[order]]
    vocabulary = (PADDING, UNKNOWN, *(tokenized.words[place] for place in kept))
    kept_vectors = of_vocabulary(vectors, kept)
    shared = Dataset(
        tokenized.name,
        *(Split(pool, labels),) * 3,
        class_names=tokenized.class_names,
        vocabulary=vocabulary,
        word_vectors=kept_vectors,
        tokenizer=tokenizer.to_json(),
        notes=(*on_source, *on_texts, *coverage(vocabulary, kept_vectors)),
        label_type=tokenized.label_type,
        max_length=max_length(most, encoding),
    )
    return tuple(_fold(shared, pool, fold, of_fold, kept) for fold, of_fold in zip(folds, known, strict=True))


def check_unused(name: str, encoding: Encoding, tokenizer: Tokenizer) -> None:
    """Checks that no option of texts is given for a data set of features."""
    given = [field.name for field in fields(encoding) if getattr(encoding, field.name) != field.default]
    given += ["tokenizer"] * (tokenizer.kind != Tokenizer().kind)
    given += ["lowercase"] * (tokenizer.lowercase != Tokenizer().lowercase)
    if given:
        raise UserError(f"{given[0]}: this option is for texts; '{name}' has features.")


def check(encoding: Encoding) -> None:
    """Checks the options of an encoding."""
    for name, bound in {"min_count": 1, "max_vocabulary": 0}.items():
        if getattr(encoding, name) < bound:
            raise UserError(f"{name}: {getattr(encoding, name)} is below {bound}.")
    if not 0 < encoding.length_percentile <= 100:
        raise UserError(f"length_percentile: {encoding.length_percentile:g} is not above 0 and at most 100.")


def pooled(tokenized: Tokenized, words: np.ndarray | None = None) -> tuple[Texts, np.ndarray]:
    """All texts and labels, split after split."""
    texts = Texts.joined([split.inputs for split in tokenized.splits.values() if isinstance(split.inputs, Texts)])
    texts = texts if words is None else Texts(words, texts.lengths)
    if not len(texts.words):
        raise UserError(f"dataset: all texts of '{tokenized.name}' are empty.")
    return texts, np.concatenate([split.labels for split in tokenized.splits.values()])


def longest(lengths: np.ndarray, train: np.ndarray, percentile: float) -> int:
    """The number of words that is kept of each text."""
    if percentile == 100:
        return int(lengths.max())
    return max(1, int(np.ceil(np.percentile(lengths[train], percentile))))


def max_length(longest: int, encoding: Encoding) -> int:
    """The words that are kept of any text, also of those to come; 0 if texts are not cut."""
    return longest if encoding.length_percentile < 100 else 0


def known_words(counts: np.ndarray, encoding: Encoding, vectors: WordVectors | None) -> np.ndarray:
    """Which words a fold knows: `bool[words]`, the frequent ones of its training texts and those with a vector."""
    known = counts >= encoding.min_count
    if encoding.max_vocabulary and known.sum() > encoding.max_vocabulary:
        ranked = np.argsort(-np.where(known, counts, 0), kind="stable")
        known = np.zeros(len(counts), bool)
        known[ranked[: encoding.max_vocabulary]] = True
    return known if vectors is None else known | vectors.given


def _counts(texts: Texts, num_words: int) -> np.ndarray:
    """How often each word occurs, `int[words]`."""
    return np.bincount(texts.words, minlength=num_words)


def of_vocabulary(vectors: WordVectors | None, kept: np.ndarray) -> WordVectors | None:
    """The vectors of the kept words, after padding and the unknown word, which have none."""
    if vectors is None:
        return None
    return WordVectors(
        np.concatenate([np.zeros((2, vectors.dim), np.float32), vectors.vectors[kept]]),
        np.concatenate([np.zeros(2, bool), vectors.given[kept]]),
        vectors.notes,
    )


def _fold(shared: Dataset, pool: Texts, fold: FoldRows, known: np.ndarray, kept: np.ndarray) -> Dataset:
    """The data set of a fold, in which the words that it does not know are `<unk>`."""
    ids = word_ids(known, kept)

    def split(rows: np.ndarray) -> Split:
        texts = pool.take(rows)
        return Split(Texts(ids[texts.words], texts.lengths), shared.train.labels[rows])

    return replace(shared, train=split(fold.train), dev=split(fold.dev), test=split(fold.test))


def word_ids(known: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The id of each word, `int32[words]`: after padding those that are kept, `<unk>` where the fold knows none."""
    ids = np.full(len(known), 1, np.int32)
    ids[kept] = np.arange(2, len(kept) + 2, dtype=np.int32)
    ids[~known] = 1
    return ids


def coverage(vocabulary: Sequence[str], vectors: WordVectors | None) -> Iterator[str]:
    """Notes on the size of the vocabulary and on its vectors."""
    words = len(vocabulary) - 2
    with_vector = "" if vectors is None else f", {int(vectors.given.sum()):,} of them with a vector"
    yield f"The vocabulary has {words:,} words{with_vector}."
    yield from () if vectors is None else vectors.notes

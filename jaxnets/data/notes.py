"""What the user should know about a data set that is valid, but may not be what was meant."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from jaxnets.data import mapped
from jaxnets.data.folds import FoldRows
from jaxnets.data.texts import Texts

FEW_EXAMPLES = 5
MOST_LISTED = 10
_CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")  # U+0085 ends a line
_ENOUGH_WORDS = 5_000


def on_examples(inputs: Texts | np.ndarray, labels: np.ndarray, folds: Sequence[FoldRows]) -> Iterator[str]:
    """Notes on examples that occur more than once, within and across splits, or with several labels."""
    noun = "text" if isinstance(inputs, Texts) else "example"
    keys = np.array([hash(inputs[row].tobytes()) for row in range(len(inputs))])
    num_repeated = len(keys) - len(np.unique(keys))
    if num_repeated:
        key_of_pair = np.unique(np.stack([keys, labels]), axis=1)[0]
        num_labels = np.unique(key_of_pair, return_counts=True)[1]
        if most := int(num_labels.max(initial=1)) - 1:
            num_texts = int((num_labels > 1).sum())
            verb = "has" if num_texts == 1 else "have"
            yield f"{counted(num_texts, noun)} {verb} {'two' if most == 1 else f'up to {most + 1}'} labels."
    if len(folds) > 1 and num_repeated:
        verb = "occurs" if num_repeated == 1 else "occur"
        yield f"{counted(num_repeated, noun)} {verb} more than once, so splits may share them."
    if len(folds) == 1 and num_repeated:
        splits = {name: keys[getattr(folds[0], name)] for name in ("train", "dev", "test")}
        for name, other in (("dev", "train"), ("test", "train"), ("test", "dev")):
            yield from _on_overlap(name, other, splits[name], splits[other], noun)


def _on_overlap(name: str, other: str, keys: np.ndarray, other_keys: np.ndarray, noun: str) -> Iterator[str]:
    """A note if two splits share examples."""
    count = int(np.isin(keys, other_keys).sum())
    if np.array_equal(np.sort(keys), np.sort(other_keys)):
        yield f"{other} and {name} have the same {noun}s: {name} tells nothing that {other} does not."
    elif count:
        yield f"{counted(count, noun)} of {name} also {'occurs' if count == 1 else 'occur'} in {other}."


def on_digits(splits: Sequence[Any]) -> Iterator[str]:
    """A note on features whose whole numbers float32 does not hold: those above 2**24, as of ids and times."""
    lost: dict[str, str] = {}
    for split in splits:
        for names, values in _named(split):
            for start, piece in mapped.pieces(values):
                for row, column in _lost(piece):
                    becomes = f"{int(piece[row, column])} becomes {int(np.float32(piece[row, column]))}"
                    lost.setdefault(names[column], f"{names[column]} (row {start + row}: {becomes})")
    if lost:
        more = f" and {len(lost) - MOST_LISTED} more" if len(lost) > MOST_LISTED else ""
        yield f"Whole numbers lose digits as float32 in {', '.join([*lost.values()][:MOST_LISTED])}{more}."


def _named(inputs: Any) -> Iterator[tuple[Sequence[str], np.ndarray]]:
    """Features `[examples, features]` with their names or numbers."""
    if hasattr(inputs, "iloc"):
        for place, name in enumerate(inputs.columns):
            column = inputs.iloc[:, place].to_numpy()
            yield (
                [f"column '{name}'"],
                column.astype(np.float64)[:, None] if column.dtype.kind == "O" else column[:, None],
            )
    else:
        array = inputs if isinstance(inputs, np.ndarray) else np.asarray(inputs)
        yield [f"feature {place}" for place in range(array.shape[1])], array


def _lost(piece: np.ndarray) -> Iterator[tuple[int, int]]:
    """Row and column of the first whole number of each feature that float32 does not hold."""
    if piece.dtype.kind not in "iuf" or piece.dtype.itemsize < 4 or piece.dtype == np.float32:
        return
    wide = piece.astype(np.float64)
    size = np.abs(wide)
    whole = (size > 2**24) & (np.mod(wide, 1) == 0)
    with np.errstate(invalid="ignore"):  # beyond the largest integer
        changed = whole & ((wide != wide.astype(np.float32)) | (wide.astype(piece.dtype) != piece))
    if piece.dtype.kind == "f":  # above 2**53 all floats are whole
        changed &= size <= 2**53
    for column in np.flatnonzero(changed.any(axis=0)):
        yield int(np.argmax(changed[:, column])), int(column)


def on_classes(labels: np.ndarray, class_names: Sequence[str], folds: Sequence[FoldRows]) -> Iterator[str]:
    """Notes on classes with few training examples, and on names that differ only in their writing."""
    variants = defaultdict(list)
    for name in class_names:
        variants[" ".join(name.casefold().split())].append(name)
    for names in variants.values():
        if len(names) > 1:
            listed = " and ".join(map(repr, names))
            yield f"The labels {listed} differ only in case or white space, and are different classes."
    counts = np.min([np.bincount(labels[rows.train], minlength=len(class_names)) for rows in folds], axis=0)
    few = [f"{name!r} ({count})" for name, count in zip(class_names, counts, strict=True) if count < FEW_EXAMPLES]
    if few:
        more = f" and {len(few) - MOST_LISTED} more" if len(few) > MOST_LISTED else ""
        noun = "This class has" if len(few) == 1 else "These classes have"
        yield f"{noun} fewer than {FEW_EXAMPLES} training examples: {', '.join(few[:MOST_LISTED])}{more}."


def on_lengths(lengths: np.ndarray, longest: int) -> Iterator[str]:
    """Notes on empty texts, and on texts that are cut."""
    num_empty = int((lengths == 0).sum())
    if num_empty:
        yield f"{counted(num_empty, 'text')} {'has' if num_empty == 1 else 'have'} no words."
    num_cut = int((lengths > longest).sum())
    if num_cut:
        lost = int(np.maximum(lengths - longest, 0).sum())
        yield f"{num_cut:,} of {len(lengths):,} texts were cut to {longest} words, {lost:,} words in all."


def on_words(words: Sequence[str], counts: np.ndarray) -> Iterator[str]:
    """Notes on words that are none: control characters, and what a script without spaces leaves uncut."""
    num_controls = sum(int(count) for word, count in zip(words, counts, strict=True) if _CONTROLS.search(word))
    if num_controls:
        noun = counted(num_controls, "control character")
        yield (
            f"The texts hold {noun} (U+0080 to U+009F), as where Windows-1252 was read as Latin-1; "
            f"convert the original by 'iconv -f cp1252 -t utf8'."
        )
    total, num_once = int(counts.sum()), int((counts == 1).sum())
    if total >= _ENOUGH_WORDS and 2 * num_once > total:
        yield (
            f"{num_once:,} of {total:,} words occur once, as where a script without spaces is not cut into words "
            f"(tokenizer=words cuts Han, kana, Thai and others)."
        )


def counted(count: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "text"), counted(2000, "text")
    ('1 text', '2,000 texts')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"

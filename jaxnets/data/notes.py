"""What the user should know about a data set that is valid, but may not be what was meant."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from jaxnets.data.splits import FoldRows
from jaxnets.data.texts import Texts

ENOUGH_WORDS = 5_000
FEW_EXAMPLES = 5
MOST_LISTED = 10
_CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")  # U+0085 ends a line


def on_examples(inputs: Texts | np.ndarray, labels: np.ndarray, folds: Sequence[FoldRows]) -> Iterator[str]:
    """Notes on examples that occur more than once, within and across splits, or with several labels."""
    noun = "text" if isinstance(inputs, Texts) else "example"
    keys = np.array([hash(inputs[row].tobytes()) for row in range(len(inputs))])
    num_repeated = len(keys) - len(np.unique(keys))
    if not num_repeated:
        return
    num_labels = np.unique(np.unique(np.stack([keys, labels]), axis=1)[0], return_counts=True)[1]
    if several := int((num_labels > 1).sum()):
        most = int(num_labels.max())
        yield f"{_have(several, noun)} {'two' if most == 2 else f'up to {most}'} labels."
    if len(folds) > 1:
        yield f"{_occur(num_repeated, noun)} more than once, so splits may share them."
        return
    of = {name: keys[getattr(folds[0], name)] for name in ("train", "dev", "test")}
    for name, other in (("dev", "train"), ("test", "train"), ("test", "dev")):
        if np.array_equal(np.sort(of[name]), np.sort(of[other])):
            yield f"{other} and {name} have the same {noun}s: {name} tells nothing that {other} does not."
        elif count := int(np.isin(of[name], of[other]).sum()):
            yield f"{counted(count, noun)} of {name} also {'occurs' if count == 1 else 'occur'} in {other}."


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
        noun = "This class has" if len(few) == 1 else "These classes have"
        yield f"{noun} fewer than {FEW_EXAMPLES} training examples: {listed_some(few)}."


def on_lengths(lengths: np.ndarray, longest: int) -> Iterator[str]:
    """Notes on empty texts, and on texts that are cut."""
    if num_empty := int((lengths == 0).sum()):
        yield f"{_have(num_empty, 'text')} no words."
    if num_cut := int((lengths > longest).sum()):
        lost = int(np.maximum(lengths - longest, 0).sum())
        yield f"{num_cut:,} of {len(lengths):,} texts were cut to {longest} words, {lost:,} words in all."


def on_words(words: Sequence[str], counts: np.ndarray) -> Iterator[str]:
    """Notes on words that are none: control characters, and what a script without spaces leaves uncut."""
    num_controls = sum(int(count) for word, count in zip(words, counts, strict=True) if _CONTROLS.search(word))
    if num_controls:
        yield (
            f"The texts hold {counted(num_controls, 'control character')} (U+0080 to U+009F), as where Windows-1252 "
            f"was read as Latin-1; convert the original by 'iconv -f cp1252 -t utf8'."
        )
    total, num_once = int(counts.sum()), int((counts == 1).sum())
    if total >= ENOUGH_WORDS and 2 * num_once > total:
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


def listed_some(items: Sequence[str]) -> str:
    """The first of some items, and how many more there are."""
    more = f" and {len(items) - MOST_LISTED} more" if len(items) > MOST_LISTED else ""
    return f"{', '.join(items[:MOST_LISTED])}{more}"


def _have(count: int, noun: str) -> str:
    return f"{counted(count, noun)} {'has' if count == 1 else 'have'}"


def _occur(count: int, noun: str) -> str:
    return f"{counted(count, noun)} {'occurs' if count == 1 else 'occur'}"

"""From texts and labels to data sets of word ids: words, kept in a cache; vocabulary; word vectors; splits; notes."""

import contextlib
import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Any

import numpy as np

from jaxnets.data import files, vectors
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, WordVectors, counted, listed_some
from jaxnets.data.splits import FoldRows, Splitting, draw_folds, in_splits, standardized
from jaxnets.data.texts import Texts, Tokenizer
from jaxnets.errors import UserError

_VERSION = 6  # of the tokenizer, the checks and the form of the cache
_ENOUGH_WORDS = 5_000
_FEW_EXAMPLES = 5
_CONTROLS = re.compile("[\x80-\x84\x86-\x9f]")  # U+0085 ends a line


@dataclass(frozen=True, eq=False)
class RawDataset:
    """A classification task as its source gives it, or with its texts as numbers of `words`."""

    name: str
    class_names: tuple[str, ...]
    splits: dict[str, Split]
    notes: tuple[str, ...] = ()
    label_type: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Encoding:
    """How texts become words, and words a vocabulary."""

    tokenizer: str = "words"
    lowercase: bool = True
    min_count: int = 1
    max_vocabulary: int = 0
    length_percentile: float = 100.0
    word_vectors: str = ""

    @property
    def splitter(self) -> Tokenizer:
        """What cuts a text into words."""
        return Tokenizer(self.tokenizer, self.lowercase)


def keywords(**groups: Any) -> Callable[[Callable[..., tuple[Dataset, ...]]], Callable[..., tuple[Dataset, ...]]]:
    """Lets a loader that takes some dataclasses be called with their fields as keywords; their values are defaults."""
    owners = {field.name: group for group, default in groups.items() for field in fields(default)}

    def decorate(load: Callable[..., tuple[Dataset, ...]]) -> Callable[..., tuple[Dataset, ...]]:
        @wraps(load)
        def flat(*given: Any, **values: Any) -> tuple[Dataset, ...]:
            made = dict(groups)
            for name in owners.keys() & values:
                made[owners[name]] = replace(made[owners[name]], **{name: values.pop(name)})
            return load(*given, **values, **made)

        parameters = [one for one in signature(load).parameters.values() if one.name not in groups]
        parameters += [
            Parameter(name, Parameter.KEYWORD_ONLY, default=getattr(groups[group], name))
            for name, group in owners.items()
        ]
        flat.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        return flat

    return decorate


def assemble(raw: RawDataset, splitting: Splitting, encoding: Encoding, *, standardize: bool) -> tuple[Dataset, ...]:
    """The folds of a data set, of texts or of features as its inputs are; a single one if there is a test split."""
    if isinstance(raw.splits["train"].inputs, list):
        return assemble_texts(tokenize(raw, encoding.splitter), splitting, encoding)
    for field in fields(encoding):
        if getattr(encoding, field.name) != field.default:
            raise UserError(f"{field.name}: this option is for texts; '{raw.name}' has features.")
    pool = np.concatenate([np.asarray(split.inputs) for split in raw.splits.values()])
    labels, folds = _split(raw, splitting)
    on_data = (*raw.notes, *on_classes(labels, raw.class_names, folds), *_on_examples(pool, labels, folds))
    datasets = []
    for fold in folds:
        features = standardized(pool, fold.train) if standardize else pool
        plain = in_splits(raw.name, features, labels, raw.class_names, (fold.train, fold.dev, fold.test))
        datasets.append(replace(plain, notes=on_data, label_type=raw.label_type))
    return tuple(datasets)


def _split(raw: RawDataset, splitting: Splitting) -> tuple[np.ndarray, list[FoldRows]]:
    labels = np.concatenate([split.labels for split in raw.splits.values()])
    return labels, draw_folds(labels, {name: len(split) for name, split in raw.splits.items()}, splitting)


def tokenize(raw: RawDataset, tokenizer: Tokenizer) -> RawDataset:
    """Splits all texts of a data set into words."""
    places: defaultdict[str, int] = defaultdict()
    places.default_factory = places.__len__  # a new word gets the next number
    split_text, splits = tokenizer.splitter(), {}
    for name, split in raw.splits.items():
        assert isinstance(split.inputs, list)
        rows = [np.fromiter(map(places.__getitem__, split_text(text)), np.int32) for text in split.inputs]
        splits[name] = Split(Texts.of(rows), split.labels)
    return replace(raw, words=tuple(places), splits=splits)


def assemble_texts(raw: RawDataset, splitting: Splitting, encoding: Encoding) -> tuple[Dataset, ...]:
    """The folds of a data set of words, all with one vocabulary; a single fold if there is a test split.

    A word that neither occurs in a fold's own training texts nor has a vector is `<unk>` in that fold.
    """
    for name, bound in {"min_count": 1, "max_vocabulary": 0}.items():
        if getattr(encoding, name) < bound:
            raise UserError(f"{name}: {getattr(encoding, name)} is below {bound}.")
    percentile = encoding.length_percentile
    if not 0 < percentile <= 100:
        raise UserError(f"length_percentile: {percentile:g} is not above 0 and at most 100.")
    pool = Texts.joined([split.inputs for split in raw.splits.values() if isinstance(split.inputs, Texts)])
    if not len(pool.words):
        raise UserError(f"dataset: all texts of '{raw.name}' are empty.")
    labels, folds = _split(raw, splitting)
    given = vectors.read(Path(encoding.word_vectors), raw.words) if encoding.word_vectors else None
    on_data = [*raw.notes, *on_classes(labels, raw.class_names, folds), *_on_examples(pool, labels, folds)]
    longest = int(pool.lengths.max())
    if percentile < 100:
        longest = max(1, int(np.ceil(np.percentile(pool.lengths[folds[0].train], percentile))))
    on_data += _on_lengths(pool.lengths, longest)
    pool = pool.truncated(longest)
    counts = np.bincount(pool.words, minlength=len(raw.words))
    on_data += _on_words(raw.words, counts)
    known = [
        _known(np.bincount(pool.take(fold.train).words, minlength=len(raw.words)), encoding, given) for fold in folds
    ]
    order = np.argsort(-counts, kind="stable")
    kept = order[np.any(known, axis=0)[order]]
    with_vector = ""
    if given is not None:  # padding and the unknown word have none
        table = np.concatenate([np.zeros((2, given.dim), np.float32), given.vectors[kept]])
        given = WordVectors(table, np.concatenate([np.zeros(2, bool), given.given[kept]]), given.notes)
        with_vector = f", {int(given.given.sum()):,} of them with a vector"
    on_data.append(f"The vocabulary has {len(kept):,} words{with_vector}.")
    shared = Dataset(
        raw.name,
        *(Split(pool, labels),) * 3,
        class_names=raw.class_names,
        vocabulary=(PADDING, UNKNOWN, *(raw.words[place] for place in kept)),
        word_vectors=given,
        tokenizer=encoding.splitter.to_json(),
        notes=(*on_data, *(given.notes if given else ())),
        label_type=raw.label_type,
        max_length=longest if percentile < 100 else 0,
    )
    datasets = []
    for fold, of_fold in zip(folds, known, strict=True):
        ids = np.full(len(raw.words), 1, np.int32)
        ids[kept] = np.arange(2, len(kept) + 2, dtype=np.int32)
        ids[~of_fold] = 1
        texts = [pool.take(rows) for rows in (fold.train, fold.dev, fold.test)]
        train, dev, test = (
            Split(Texts(ids[some.words], some.lengths), labels[rows])
            for some, rows in zip(texts, (fold.train, fold.dev, fold.test), strict=True)
        )
        datasets.append(replace(shared, train=train, dev=dev, test=test))
    return tuple(datasets)


def _known(counts: np.ndarray, encoding: Encoding, given: WordVectors | None) -> np.ndarray:
    """Which words a fold knows: `bool[words]`, the frequent ones of its training texts and those with a vector."""
    known = counts >= encoding.min_count
    if encoding.max_vocabulary and known.sum() > encoding.max_vocabulary:
        ranked = np.argsort(-np.where(known, counts, 0), kind="stable")
        known = np.zeros(len(counts), bool)
        known[ranked[: encoding.max_vocabulary]] = True
    return known if given is None else known | given.given


def cached(
    sources: Sequence[Path], options: object, tokenizer: Tokenizer, read: Callable[[], RawDataset]
) -> RawDataset:
    """The tokenized data set of some files; from the user's cache if their content and options are in it."""
    digest = hashlib.sha256(f"{_VERSION} {options!r} {tokenizer.to_json()}".encode())
    for source in sources:
        with contextlib.suppress(OSError), source.open("rb") as stream:  # reading the file reports what is wrong
            digest.update(f"{source.name} {source.stat().st_size} ".encode())
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxnets" / "texts"
    path = cache / f"{digest.hexdigest()[:32]}.npz"
    tokenized = _load(path)
    if tokenized is None:
        tokenized = tokenize(read(), tokenizer)
        _save(path, tokenized)
    return tokenized


def _save(path: Path, tokenized: RawDataset) -> None:
    """Writes the cache, whole or not at all; if it cannot be written, the texts are tokenized again next time."""
    header = {field.name: getattr(tokenized, field.name) for field in fields(tokenized) if field.name != "splits"}
    arrays = {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    for name, split in tokenized.splits.items():
        assert isinstance(split.inputs, Texts)
        arrays |= {f"{name}_words": split.inputs.words, f"{name}_lengths": split.inputs.lengths}
        arrays[f"{name}_labels"] = split.labels
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp.npz")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            np.savez(temporary, **arrays)  # type: ignore[arg-type]
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _load(path: Path) -> RawDataset | None:
    """The data set in the cache; None if there is none, or it cannot be read."""
    try:
        arrays = files.archive(path)
        header = json.loads(arrays.pop("header").tobytes())
        splits = {
            name: Split(Texts(arrays[f"{name}_words"], arrays[f"{name}_lengths"]), arrays[f"{name}_labels"])
            for name in ("train", "dev", "test")
            if f"{name}_labels" in arrays
        }
        listed: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in header.items()
        }
        return RawDataset(**listed, splits=splits)
    except (ValueError, KeyError, TypeError):  # a UserError among them: it is not there, or not whole
        return None


def _on_examples(inputs: Texts | np.ndarray, labels: np.ndarray, folds: Sequence[FoldRows]) -> Iterator[str]:
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
        occur = "occurs" if num_repeated == 1 else "occur"
        yield f"{counted(num_repeated, noun)} {occur} more than once, so splits may share them."
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
    few = [f"{name!r} ({count})" for name, count in zip(class_names, counts, strict=True) if count < _FEW_EXAMPLES]
    if few:
        noun = "This class has" if len(few) == 1 else "These classes have"
        yield f"{noun} fewer than {_FEW_EXAMPLES} training examples: {listed_some(few)}."


def _on_lengths(lengths: np.ndarray, longest: int) -> Iterator[str]:
    """Notes on empty texts, and on texts that are cut."""
    if num_empty := int((lengths == 0).sum()):
        yield f"{_have(num_empty, 'text')} no words."
    if num_cut := int((lengths > longest).sum()):
        lost = int(np.maximum(lengths - longest, 0).sum())
        yield f"{num_cut:,} of {len(lengths):,} texts were cut to {longest} words, {lost:,} words in all."


def _on_words(words: Sequence[str], counts: np.ndarray) -> Iterator[str]:
    """Notes on words that are none: control characters, and what a script without spaces leaves uncut."""
    num_controls = sum(int(count) for word, count in zip(words, counts, strict=True) if _CONTROLS.search(word))
    if num_controls:
        yield (
            f"The texts hold {counted(num_controls, 'control character')} (U+0080 to U+009F), as where Windows-1252 "
            f"was read as Latin-1; convert the original by 'iconv -f cp1252 -t utf8'."
        )
    total, num_once = int(counts.sum()), int((counts == 1).sum())
    if total >= _ENOUGH_WORDS and 2 * num_once > total:
        yield (
            f"{num_once:,} of {total:,} words occur once, as where a script without spaces is not cut into words "
            f"(tokenizer=words cuts Han, kana, Thai and others)."
        )


def _have(count: int, noun: str) -> str:
    return f"{counted(count, noun)} {'has' if count == 1 else 'have'}"

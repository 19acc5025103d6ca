"""Texts that do not fit into memory: read line by line, encoded once, and mapped from the user's cache after that.

The data set is the one that `assemble_texts` makes, word for word. In memory are what each text has one of, its length
and its label, and the splits of dev and test.
"""

import contextlib
import json
import os
import shutil
import tempfile
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxnets import io, schema
from jaxnets.data import archives, assemble, files, mapped, notes, word_vectors
from jaxnets.data.assemble import Encoding
from jaxnets.data.dataset import PADDING, UNKNOWN, Dataset, Split, WordVectors
from jaxnets.data.file_rows import Columns, rows_of
from jaxnets.data.folds import FoldRows, Splitting, draw_folds
from jaxnets.data.texts import Texts
from jaxnets.data.tokenized import Tokenized, cache_folder, key_of
from jaxnets.data.tokenizer import Tokenizer

_AT_A_TIME = 1 << 14  # texts
_NOT_COMPARED = "Whether texts occur more than once was not looked at: those of training stay on disk."
_HEADER: dict[Any, Any] = {
    "name": str,
    "class_names": [str],
    "vocabulary": [str],
    "tokenizer": str,
    "notes": [str],
    "label_type": str,
    "max_length": int,
    "digests": {"words.npy": str, "rest.npz": str},
}


def load(path: Path, columns: Columns, tokenizer: Tokenizer, splitting: Splitting, encoding: Encoding) -> Dataset:
    """The data set of files of texts, its training words mapped from the cache."""
    sources = files.sources(path)
    vectors = [Path(encoding.word_vectors)] if encoding.word_vectors else []
    options = ("stream", path.name, columns, splitting, encoding, *files.on_unread(path))
    key = key_of([*sources, *vectors], options, tokenizer)
    folder = cache_folder("streams") / key
    dataset = _read(folder)
    if dataset is None:
        _make(folder, lambda temporary: _encode(temporary, path, columns, tokenizer, splitting, encoding))
        dataset = _read(folder)
    assert dataset is not None, folder
    return dataset


def _make(folder: Path, fill: Callable[[Path], None]) -> None:
    """Lets `fill` write a folder beside another, and puts it in place when it is whole."""
    with io.file_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            fill(temporary)
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(FileExistsError):  # another process was sooner
                os.rename(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _read(folder: Path) -> Dataset | None:
    """The data set in the cache; None if there is none, or it is not what was written."""
    try:
        header = schema.read_json(folder / "header.json", _HEADER)
        if any(io.digest(folder / name) != digest for name, digest in header["digests"].items()):
            return None
        arrays = archives.read(folder / "rest.npz")
        words = {"train": mapped.open_array(folder / "words.npy"), **{s: arrays[f"{s}_words"] for s in ("dev", "test")}}
        splits = {
            name: Split(Texts(of_split, arrays[f"{name}_lengths"]), arrays[f"{name}_labels"])
            for name, of_split in words.items()
        }
        vectors = WordVectors(arrays["vectors"], arrays["given"]) if "vectors" in arrays else None
    except (OSError, ValueError, KeyError):  # a UserError among them
        return None
    names, vocabulary, told = (tuple(header[name]) for name in ("class_names", "vocabulary", "notes"))
    train, dev, test = splits.values()
    return Dataset(
        *(header["name"], train, dev, test, names, vocabulary, vectors, header["tokenizer"], told),
        label_type=header["label_type"],
        max_length=header["max_length"],
    )


def _write(folder: Path, dataset: Dataset) -> None:
    """Writes all of a data set but the training words, which are there."""
    arrays: dict[str, np.ndarray] = {}
    for name in ("train", "dev", "test"):
        split = getattr(dataset, name)
        arrays |= {f"{name}_lengths": split.inputs.lengths, f"{name}_labels": split.labels}
        arrays |= {f"{name}_words": split.inputs.words} if name != "train" else {}
    if dataset.word_vectors is not None:
        arrays |= {"vectors": dataset.word_vectors.vectors, "given": dataset.word_vectors.given}
    np.savez(folder / "rest.npz", **arrays)  # type: ignore[arg-type]
    header = {name: getattr(dataset, name) for name in _HEADER if name != "digests"}
    header["digests"] = {name: io.digest(folder / name) for name in _HEADER["digests"]}
    (folder / "header.json").write_text(json.dumps(header))


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows of a file: of each its label and its number of words, and of each label the first line with it."""

    labels: list[str]
    lengths: array
    lines: Mapping[str, int]
    label_type: str


def _encode(
    folder: Path, path: Path, columns: Columns, tokenizer: Tokenizer, splitting: Splitting, encoding: Encoding
) -> None:
    """Reads the texts of some files, and writes them into a folder as a data set."""
    assemble.check(encoding)
    raw = folder / "raw"
    tokenized = _tokenized(raw, path, columns, tokenizer)
    pool, labels = assemble.pooled(tokenized, np.memmap(raw, np.int32, "r") if raw.stat().st_size else None)
    (fold,) = draw_folds(labels, {name: len(split) for name, split in tokenized.splits.items()}, splitting)
    dataset = _assembled(folder, tokenized, pool, labels, fold, encoding)
    _write(folder, replace(dataset, tokenizer=tokenizer.to_json()))
    raw.unlink()


def _tokenized(raw: Path, path: Path, columns: Columns, tokenizer: Tokenizer) -> Tokenized:
    """The words of all files in one file, and what else is to be known of them; the splits hold lengths alone."""
    places: defaultdict[str, int] = defaultdict()
    places.default_factory = places.__len__  # a new word gets the next number
    sources = files.files_of(path)
    with raw.open("wb") as stream:
        rows = {split: _rows(file, columns, tokenizer.splitter(), places, stream) for split, file in sources.items()}
    told, names = files.checked_classes(rows["train"].labels, sources["train"], columns)
    splits = {
        split: Split(
            Texts(np.zeros(0, np.int32), np.frombuffer(of_split.lengths, np.int32)),
            files.numbered(of_split.labels, of_split.lines, names, sources[split]),
        )
        for split, of_split in rows.items()
    }
    told = (*files.on_unread(path), *told)
    return Tokenized(files.name_of(path), names, tuple(places), splits, told, rows["train"].label_type)


def _rows(
    file: Path, columns: Columns, split_text: Callable[[str], list[str]], places: Mapping[str, int], stream: BinaryIO
) -> _Rows:
    """Writes the words of the rows of a file, as their places, after those of the files before."""
    labels: list[str] = []
    lengths, lines, are_numbers = array("i"), dict[str, int](), set[bool]()
    for row in rows_of(file, columns):
        words = np.fromiter(map(places.__getitem__, split_text(row.text)), np.int32)
        stream.write(words.tobytes())
        lengths.append(len(words))
        labels.append(row.label)
        lines.setdefault(row.label, row.line)
        are_numbers.add(row.is_number)
    return _Rows(labels, lengths, lines, files.label_type(are_numbers))


def _assembled(
    folder: Path, tokenized: Tokenized, pool: Texts, labels: np.ndarray, fold: FoldRows, encoding: Encoding
) -> Dataset:
    """The data set of a fold, as `assemble_texts` makes it; its training words go into a file of the folder."""
    num_words = len(tokenized.words)
    longest = assemble.longest(pool.lengths, fold.train, encoding.length_percentile)
    vectors = word_vectors.read(Path(encoding.word_vectors), tokenized.words) if encoding.word_vectors else None
    of_train, of_all = (_counts(pool, rows, longest, num_words) for rows in (fold.train, np.arange(len(pool))))
    known = assemble.known_words(of_train, encoding, vectors)
    order = np.argsort(-of_all, kind="stable")
    kept = order[known[order]]
    vocabulary = (PADDING, UNKNOWN, *(tokenized.words[place] for place in kept))
    kept_vectors = assemble.of_vocabulary(vectors, kept)
    ids = assemble.word_ids(known, kept)

    def held(rows: np.ndarray) -> Split:
        texts = pool.take(rows).truncated(longest)
        return Split(Texts(ids[texts.words], texts.lengths), labels[rows])

    on_source = *tokenized.notes, *notes.on_classes(labels, tokenized.class_names, [fold]), _NOT_COMPARED
    on_words = *notes.on_words(tokenized.words, of_all), *assemble.coverage(vocabulary, kept_vectors)
    on_texts = *notes.on_lengths(pool.lengths, longest), *on_words
    train = Split(_written(folder / "words.npy", pool, fold.train, longest, ids), labels[fold.train])
    return Dataset(
        *(tokenized.name, train, held(fold.dev), held(fold.test), tokenized.class_names),
        vocabulary=vocabulary,
        word_vectors=kept_vectors,
        notes=(*on_source, *on_texts),
        label_type=tokenized.label_type,
        max_length=assemble.max_length(longest, encoding),
    )


def _counts(pool: Texts, rows: np.ndarray, longest: int, num_words: int) -> np.ndarray:
    """How often each word occurs in some texts, `int[words]`."""
    counts = np.zeros(num_words, np.int64)
    for texts in _pieces(pool, rows, longest):
        counts += np.bincount(texts.words, minlength=num_words)
    return counts


def _written(path: Path, pool: Texts, rows: np.ndarray, longest: int, ids: np.ndarray) -> Texts:
    """The word ids of some texts, in a file."""
    lengths = np.minimum(pool.lengths[rows], longest)
    total, end = int(lengths.sum(dtype=np.int64)), 0
    words = np.lib.format.open_memmap(path, "w+", np.int32, (total,))
    for texts in _pieces(pool, rows, longest):
        words[end : end + len(texts.words)] = ids[texts.words]
        end += len(texts.words)
    words.flush()
    return Texts(words, lengths)


def _pieces(pool: Texts, rows: np.ndarray, longest: int) -> Iterator[Texts]:
    """Some texts, a few at a time."""
    starts: Sequence[int] = range(0, len(rows), _AT_A_TIME)
    return (pool.take(rows[start : start + _AT_A_TIME]).truncated(longest) for start in starts)

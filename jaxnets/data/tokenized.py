"""Data sets as streams of words, kept in a cache that notices when their files change."""

import contextlib
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxnets.data import archives
from jaxnets.data.dataset import Split
from jaxnets.data.raw import RawDataset
from jaxnets.data.texts import Texts
from jaxnets.data.tokenizer import Tokenizer

_VERSION = 5  # of the tokenizer, the checks and the form of the cache


@dataclass(frozen=True, eq=False)
class Tokenized:
    """A data set whose texts are split into words."""

    name: str
    class_names: tuple[str, ...]
    words: tuple[str, ...]
    splits: dict[str, Split]
    notes: tuple[str, ...] = ()
    label_type: str = ""


def tokenize(raw: RawDataset, tokenizer: Tokenizer) -> Tokenized:
    """Splits all texts of a data set into words."""
    places: defaultdict[str, int] = defaultdict()
    places.default_factory = places.__len__  # a new word gets the next number
    split_text = tokenizer.splitter()

    def tokenized(split: Split) -> Split:
        assert isinstance(split.inputs, list)
        rows = [np.fromiter(map(places.__getitem__, split_text(text)), np.int32) for text in split.inputs]
        return Split(Texts.of(rows), split.labels)

    splits = {name: tokenized(split) for name, split in raw.splits.items()}
    return Tokenized(raw.name, raw.class_names, tuple(places), splits, raw.notes, raw.label_type)


def cached(sources: Sequence[Path], options: object, tokenizer: Tokenizer, read: Callable[[], RawDataset]) -> Tokenized:
    """The tokenized data set of some files, from the cache if it is there."""
    path = cache_folder("texts") / f"{key_of(sources, options, tokenizer)}.npz"
    tokenized = _load(path)
    if tokenized is None:
        tokenized = tokenize(read(), tokenizer)
        _save(path, tokenized)
    return tokenized


def cache_folder(name: str) -> Path:
    """A folder of the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxnets" / name


def key_of(sources: Sequence[Path], options: object, tokenizer: Tokenizer) -> str:
    """A hash of the content of some files, and of all else that their words depend on."""
    digest = hashlib.sha256(f"{_VERSION} {options!r} {tokenizer.to_json()}".encode())
    for source in sources:
        with contextlib.suppress(OSError), source.open("rb") as stream:  # reading the file reports what is wrong
            digest.update(f"{source.name} {source.stat().st_size} ".encode())
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]


def _save(path: Path, tokenized: Tokenized) -> None:
    """Writes the cache, whole or not at all; if it cannot be written, the texts are tokenized again next time."""
    header = {name: getattr(tokenized, name) for name in ("name", "class_names", "words", "notes", "label_type")}
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


def _load(path: Path) -> Tokenized | None:
    """The data set in the cache; None if there is none, or it cannot be read."""
    try:
        arrays = archives.read(path)
        header = json.loads(arrays["header"].tobytes())
        splits = {
            name: Split(Texts(arrays[f"{name}_words"], arrays[f"{name}_lengths"]), arrays[f"{name}_labels"])
            for name in ("train", "dev", "test")
            if f"{name}_labels" in arrays
        }
        class_names, words, notes = (tuple(header[name]) for name in ("class_names", "words", "notes"))
        return Tokenized(header["name"], class_names, words, splits, notes, header["label_type"])
    except (ValueError, KeyError, TypeError):  # a UserError among them: it is not there, or not whole
        return None

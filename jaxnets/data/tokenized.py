"""Data sets as streams of words, kept in a cache that notices when their files change."""

import contextlib
import hashlib
import json
import os
import zipfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jaxnets.data.raw import RawDataset, RawSplit
from jaxnets.data.texts import Texts
from jaxnets.data.tokenizer import Tokenizer

_VERSION = 1  # of the splitting and of the files in the cache


@dataclass(frozen=True, eq=False)
class TokenizedSplit:
    """Texts as numbers of their words, with labels `int32[texts]`."""

    texts: Texts
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Tokenized:
    """A data set whose texts are split into words.

    Attributes:
      name: what to call it.
      class_names: a name for each label.
      words: all words of all splits; a text holds their places here.
      splits: `train`, and `dev` and `test` where there are any.
    """

    name: str
    class_names: tuple[str, ...]
    words: tuple[str, ...]
    splits: dict[str, TokenizedSplit]


def tokenize(raw: RawDataset, tokenizer: Tokenizer) -> Tokenized:
    """Splits all texts of a data set into words."""
    places: defaultdict[str, int] = defaultdict()
    places.default_factory = places.__len__  # a new word gets the next number
    split_text = tokenizer.splitter()

    def tokenized(split: RawSplit) -> TokenizedSplit:
        rows = [np.fromiter(map(places.__getitem__, split_text(text)), np.int32) for text in split.inputs]
        return TokenizedSplit(Texts.of(rows), split.labels)

    present = {"train": raw.train, "dev": raw.dev, "test": raw.test}
    splits = {name: tokenized(split) for name, split in present.items() if split is not None}
    return Tokenized(raw.name, raw.class_names, tuple(places), splits)


def cached(sources: Sequence[Path], options: object, tokenizer: Tokenizer, read: Callable[[], RawDataset]) -> Tokenized:
    """The tokenized data set of some files, from the cache if it holds it.

    Args:
      sources: the files that it is made of; their content is part of the key.
      options: what else it depends on, as its `repr` tells.
      tokenizer: that splits its texts.
      read: makes it.
    """
    path = _cache_folder() / f"{_key(sources, options, tokenizer)}.npz"
    found = _load(path)
    if found is None:
        found = tokenize(read(), tokenizer)
        _save(path, found)
    return found


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxnets" / "texts"


def _key(sources: Sequence[Path], options: object, tokenizer: Tokenizer) -> str:
    digest = hashlib.sha256(f"{_VERSION} {options!r} {tokenizer.to_json()}".encode())
    for source in sources:
        with contextlib.suppress(OSError), source.open("rb") as stream:  # reading it will tell what is wrong
            digest.update(f"{source.name} {source.stat().st_size} ".encode())
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:32]


def _save(path: Path, tokenized: Tokenized) -> None:
    """Writes the cache, whole or not at all; without room for it nothing is lost but time."""
    header = {"name": tokenized.name, "class_names": tokenized.class_names, "words": tokenized.words}
    arrays = {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)}
    for name, split in tokenized.splits.items():
        arrays |= {f"{name}_words": split.texts.words, f"{name}_lengths": split.texts.lengths}
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
    """What the cache holds; None if nothing, or nothing that can be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            header = json.loads(arrays["header"].tobytes())
            splits = {
                name: TokenizedSplit(
                    Texts(arrays[f"{name}_words"], arrays[f"{name}_lengths"]), arrays[f"{name}_labels"]
                )
                for name in ("train", "dev", "test")
                if f"{name}_labels" in arrays
            }
        return Tokenized(header["name"], tuple(header["class_names"]), tuple(header["words"]), splits)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None

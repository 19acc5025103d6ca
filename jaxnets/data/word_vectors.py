"""Word vectors from a file: the text form of word2vec, GloVe and fastText, or a NumPy archive."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jaxnets.basics.errors import UserError
from jaxnets.data.dataset import WordVectors

FORMATS = (".vec", ".txt", ".npz")
LONGEST_LINE = 1 << 20  # characters; a longer line is no vector, but a file in another format


def read(path: Path, wanted: Sequence[str]) -> WordVectors:
    """The vectors of a file for the words of a vocabulary.

    Args:
      path: `.vec` or `.txt`, with a word and its numbers in each line, after an optional line with the number of
        words and of numbers, plain or `.gz`; or `.npz` with `words` (text) and `vectors` (`float[words, dim]`).
      wanted: the words, each once; a word that the file does not have gets no vector.

    Raises:
      UserError: if the file cannot be read or is not of its format, with its line.
    """
    places = {word: place for place, word in enumerate(wanted)}
    by_place = _archive(path, places) if path.suffix == ".npz" else _lines(path, places)
    if not by_place:
        raise UserError(f"word_vectors: '{path}' has a vector for none of the {len(wanted):,} words.")
    vectors = np.zeros((len(wanted), len(next(iter(by_place.values())))), np.float32)
    given = np.zeros(len(wanted), bool)
    for place, vector in by_place.items():
        vectors[place], given[place] = vector, True
    if not np.isfinite(vectors).all():
        word = wanted[int(np.argmin(np.isfinite(vectors).all(axis=1)))]
        raise UserError(f"word_vectors: '{path}': the vector of '{word}' has numbers that are not finite.")
    return WordVectors(vectors, given)


def words(path: Path) -> frozenset[str]:
    """All words that a file has a vector for.

    Raises:
      UserError: as `read` does.
    """
    if path.suffix == ".npz":
        return frozenset(_opened(path)[0].tolist())
    return frozenset(line.partition(" ")[0] for _, line in _vector_lines(path))


def _opened(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in ("words", "vectors") if name not in archive]
            if missing:
                raise UserError(f"word_vectors: '{path}' has no array '{missing[0]}'.")
            words, vectors = archive["words"], archive["vectors"]
    except OSError as error:
        raise UserError(f"word_vectors: '{path}' cannot be read: {error.strerror or error}.") from None
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        hint = " Save the words as text, not as objects." if "allow_pickle" in str(error) else ""
        raise UserError(f"word_vectors: '{path}' is not an archive without pickles: {reason}.{hint}") from None
    of_form = vectors.ndim == 2 and words.dtype.kind == "U" and vectors.dtype.kind == "f" and vectors.shape[1]
    if not of_form or words.shape != vectors.shape[:1]:
        raise UserError(
            f"word_vectors: '{path}' must hold words, text[n], and vectors, float[n, dim]; not "
            f"{words.dtype}{list(words.shape)} and {vectors.dtype}{list(vectors.shape)}."
        )
    return words, vectors


def _archive(path: Path, places: dict[str, int]) -> dict[int, np.ndarray]:
    names, vectors = _opened(path)
    return {places[word]: vectors[row] for row, word in enumerate(names.tolist()) if word in places}


def _lines(path: Path, places: dict[str, int]) -> dict[int, np.ndarray]:
    vectors: dict[int, np.ndarray] = {}
    dim = 0
    for number, line in _vector_lines(path):
        word, _, numbers = line.rstrip(" ").partition(" ")
        length = numbers.count(" ") + 1 if numbers else 0
        dim = dim or length
        if length != dim or length == 0:
            raise UserError(f"{path}, line {number}: the vector has {length} numbers, those before have {dim}.")
        if word in places and places[word] not in vectors:
            vectors[places[word]] = _vector(numbers, path, number)
    return vectors


def _vector(numbers: str, path: Path, line: int) -> np.ndarray:
    try:
        return np.array(numbers.split(" "), np.float32)
    except ValueError as error:
        raise UserError(f"{path}, line {line}: {error}.") from None


def _vector_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with a vector, numbered from 1.

    The first line may hold two whole numbers instead, of which the first is the number of vectors.

    Raises:
      UserError: also if there are more or fewer vectors than that.
    """
    num_declared, number = None, 0
    for number, line in _text_lines(path):
        counts = line.split()
        if number == 1 and len(counts) == 2 and all(count.isascii() and count.isdigit() for count in counts):
            num_declared = int(counts[0])
        else:
            yield number, line
    if num_declared not in (None, number - 1):
        hint = "; the file may be cut off" if number - 1 < num_declared else ""
        raise UserError(f"{path}, line 1: {num_declared:,} vectors are declared, but there are {number - 1:,}{hint}.")


def _text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file, numbered from 1, without the line's end and without a byte order mark."""
    if not path.name.removesuffix(".gz").endswith(FORMATS[:2]):
        raise UserError(f"word_vectors: '{path}' must end in .vec, .txt (or these with .gz) or .npz.")
    number = 0
    open_text = gzip.open if path.suffix == ".gz" else open
    try:
        with open_text(path, "rt", encoding="utf-8-sig") as stream:
            while line := stream.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise UserError(f"{path}, line {number}: the line is longer than {LONGEST_LINE:,} characters.")
                yield number, line.rstrip("\r\n")
    except UnicodeDecodeError:
        raise UserError(f"{path}, line {number + 1}: not UTF-8.") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path}, after line {number}: the .gz file is damaged or cut off ({error}).") from None
    except OSError as error:
        raise UserError(f"word_vectors: '{path}' cannot be read: {error.strerror or error}.") from None

"""Word vectors from a file: the text form of word2vec, GloVe and fastText, or a NumPy archive."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jaxnets.basics import limits
from jaxnets.basics.errors import UserError
from jaxnets.basics.limits import LARGEST_VECTOR
from jaxnets.data import archives, text_lines
from jaxnets.data.dataset import WordVectors

FORMATS = (".vec", ".txt", ".npz")
_LONGEST_COUNT = 18  # digits


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
        return frozenset(_opened(path)[0])
    return frozenset(line.partition(" ")[0] for _, line in _vector_lines(path))


def _opened(path: Path) -> tuple[list[str], np.ndarray]:
    words, vectors = archives.read(path, ("words", "vectors"), "word_vectors").values()
    of_form = vectors.ndim == 2 and words.dtype.kind == "U" and vectors.dtype.kind == "f" and vectors.shape[1]
    if not of_form or words.shape != vectors.shape[:1]:
        raise UserError(
            f"word_vectors: '{path}' must hold words, text[n], and vectors, float[n, dim]; not "
            f"{words.dtype}{list(words.shape)} and {vectors.dtype}{list(vectors.shape)}."
        )
    try:
        return words.tolist(), vectors
    except (ValueError, SystemError):  # a number that is no character
        raise UserError(f"word_vectors: '{path}': the words are not text; the file is damaged.") from None


def _archive(path: Path, places: dict[str, int]) -> dict[int, np.ndarray]:
    names, vectors = _opened(path)
    _checked_dim(vectors.shape[1], len(places), f"word_vectors: '{path}'")
    return {places[word]: vectors[row] for row, word in enumerate(names) if word in places}


def _lines(path: Path, places: dict[str, int]) -> dict[int, np.ndarray]:
    vectors: dict[int, np.ndarray] = {}
    dim = 0
    for number, line in _vector_lines(path):
        word, _, numbers = line.rstrip(" ").partition(" ")
        length = numbers.count(" ") + 1 if numbers else 0
        dim = dim or _checked_dim(length, len(places), f"{path}, line {number}")
        if length != dim:
            raise UserError(f"{path}, line {number}: the vector has {length} numbers, those before have {dim}.")
        if word in places and places[word] not in vectors:
            vectors[places[word]] = _vector(numbers, path, number)
    return vectors


def _checked_dim(dim: int, num_words: int, where: str) -> int:
    """The number of numbers in a vector, if there can be such vectors for all words.

    Raises:
      UserError: if not.
    """
    if not 1 <= dim <= LARGEST_VECTOR:
        raise UserError(f"{where}: the vector has {dim:,} numbers; 1 to {LARGEST_VECTOR:,} are possible.")
    limits.check_memory(f"{where}: {num_words:,} words with {dim:,} numbers each", 4 * dim * num_words)
    return dim


def _vector(numbers: str, path: Path, line: int) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite, which is reported
            return np.array(numbers.split(" "), np.float32)
    except ValueError as error:
        raise UserError(f"{path}, line {line}: {error}.") from None


def _vector_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with a vector, numbered from 1.

    The first line may hold two whole numbers instead: how many vectors there are, and how many numbers in each.

    Raises:
      UserError: also if there are more or fewer vectors than that, or others.
    """
    if not path.name.removesuffix(".gz").endswith(FORMATS[:2]):
        raise UserError(f"word_vectors: '{path}' must end in .vec, .txt (or these with .gz) or .npz.")
    declared, number = None, 0
    for number, line in text_lines.read(path, "word_vectors"):
        declared = _declared(line) if number == 1 else declared
        if declared is not None and number == 2 and line.rstrip(" ").count(" ") != declared[1]:
            found = line.rstrip(" ").count(" ")
            raise UserError(f"{path}, line 1: {declared[1]:,} numbers are declared, but line 2 has {found:,}.")
        if declared is None or number > 1:
            yield number, line
    if declared is not None and declared[0] != number - 1:
        hint = "; the file may be cut off" if number - 1 < declared[0] else ""
        raise UserError(f"{path}, line 1: {declared[0]:,} vectors are declared, but there are {number - 1:,}{hint}.")


def _declared(line: str) -> tuple[int, int] | None:
    """How many vectors a first line declares, and how many numbers in each; None if it is a vector itself."""
    counts = line.split()
    if len(counts) != 2 or not all(c.isascii() and c.isdigit() and len(c) <= _LONGEST_COUNT for c in counts):
        return None
    return int(counts[0]), int(counts[1])

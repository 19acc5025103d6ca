"""Word vectors from a file: the text form of word2vec, GloVe and fastText, or a NumPy archive."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jaxnets import io
from jaxnets.data import archives, text_lines
from jaxnets.data.dataset import WordVectors
from jaxnets.data.notes import counted
from jaxnets.errors import UserError
from jaxnets.io import LARGEST_VECTOR

FORMATS = (".vec", ".txt", ".npz")
_LONGEST_COUNT = 18  # digits
_SURROGATE = re.compile("[\ud800-\udfff]")  # of a byte that is not UTF-8


def read(path: Path, wanted: Sequence[str]) -> WordVectors:
    """The vectors of a file for the words of a vocabulary.

    Args:
      path: `.vec` or `.txt`, with a word and its numbers in each line, after an optional line with the number of
        words and of numbers, plain or `.gz`; or `.npz` with `words` (text) and `vectors` (`float[words, dim]`).
      wanted: the words, each once; a word that the file does not have gets no vector, and one that it has several times
        the first.

    Raises:
      UserError: if the file cannot be read or is not of its format, with its line.
    """
    places = {word: place for place, word in enumerate(wanted)}
    form = _archive if path.suffix == ".npz" else _lines
    by_place, notes = form(path, places)
    if not by_place:
        more = "".join(f" {note}" for note in notes)
        raise UserError(f"word_vectors: '{path}' has a vector for none of the {len(wanted):,} words.{more}")
    vectors = np.zeros((len(wanted), len(next(iter(by_place.values())))), np.float32)
    given = np.zeros(len(wanted), bool)
    for place, vector in by_place.items():
        vectors[place], given[place] = vector, True
    if not np.isfinite(vectors).all():
        word = wanted[int(np.argmin(np.isfinite(vectors).all(axis=1)))]
        raise UserError(f"word_vectors: '{path}': the vector of '{word}' has numbers that are not finite.")
    return WordVectors(vectors, given, notes)


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


def _archive(path: Path, places: dict[str, int]) -> tuple[dict[int, np.ndarray], tuple[str, ...]]:
    names, vectors = _opened(path)
    _checked_dim(vectors.shape[1], len(places), f"word_vectors: '{path}'")
    rows = [row for row, word in enumerate(names) if word in places]
    by_place = {places[names[row]]: vectors[row] for row in reversed(rows)}  # the first of several
    return by_place, tuple(_notes(path, len(rows) - len(by_place), 0))


def _lines(path: Path, places: dict[str, int]) -> tuple[dict[int, np.ndarray], tuple[str, ...]]:
    vectors: dict[int, np.ndarray] = {}
    dim = num_repeated = num_undecoded = 0
    for number, word, numbers in _vector_lines(path):
        dim = dim or _checked_dim(len(numbers.split()), len(places), f"{path}, line {number}")
        if not word.isascii() and _SURROGATE.search(word):
            num_undecoded += 1
        elif word in places and places[word] in vectors:
            num_repeated += 1
        elif word in places:
            vectors[places[word]] = _vector(numbers, path, number)
    return vectors, tuple(_notes(path, num_repeated, num_undecoded))


def _notes(path: Path, num_repeated: int, num_undecoded: int) -> Iterator[str]:
    if num_repeated:
        yield f"{counted(num_repeated, 'vector')} of {path.name} not used: the word has one further up."
    if num_undecoded:
        yield f"{counted(num_undecoded, 'word')} of {path.name} left out: not UTF-8."


def _checked_dim(dim: int, num_words: int, where: str) -> int:
    """The number of numbers in a vector, if there can be such vectors for all words.

    Raises:
      UserError: if not.
    """
    if not 1 <= dim <= LARGEST_VECTOR:
        raise UserError(f"{where}: the vector has {dim:,} numbers; 1 to {LARGEST_VECTOR:,} are possible.")
    io.check_memory(f"{where}: {num_words:,} words with {dim:,} numbers each", 4 * dim * num_words)
    return dim


def _vector(numbers: str, path: Path, line: int) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite, which is reported
            return np.array(numbers.split(" "), np.float32)
    except ValueError as error:
        raise UserError(f"{path}, line {line}: {error}.") from None


def _vector_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """The lines with a vector: their number from 1, the word, and its numbers with a space between.

    The first line may hold two whole numbers instead: how many vectors there are, and how many numbers in each. Spaces
    or tabs part the cells. A word may have several: its numbers are as many last cells as the first line has.

    Raises:
      UserError: also if there are more or fewer vectors than that, or others.
    """
    if not path.name.removesuffix(".gz").endswith(FORMATS[:2]):
        raise UserError(f"word_vectors: '{path}' must end in .vec, .txt (or these with .gz) or .npz.")
    declared, dim, count = None, 0, 0
    for number, line in text_lines.read(path, "word_vectors", "surrogateescape"):
        line = line.replace("\t", " ").rstrip(" ")
        if number == 1 and (declared := _declared(line)):
            dim = declared[1]
        elif line:
            count += 1
            dim = dim or _num_numbers(line)
            word, _, numbers = line.partition(" ")
            if line.count(" ") != dim or "  " in line:
                cells = [cell for cell in line.split(" ") if cell]
                word, numbers, found = " ".join(cells[:-dim]), " ".join(cells[-dim:]), len(cells) - 1
                is_sure = declared is not None and count > 1
                if found < dim or (found > dim and not is_sure and all(map(_is_number, cells[1:-dim]))):
                    if declared is not None and count == 1:
                        raise UserError(
                            f"{path}, line 1: {dim:,} numbers are declared, but line {number} has {found:,}."
                        )
                    raise UserError(f"{path}, line {number}: the vector has {found} numbers, those before have {dim}.")
            yield number, word, numbers
    if declared is not None and declared[0] != count:
        hint = "; the file may be cut off" if count < declared[0] else ""
        raise UserError(f"{path}, line 1: {declared[0]:,} vectors are declared, but there are {count:,}{hint}.")


def _num_numbers(line: str) -> int:
    """How many of the last cells of a line are numbers; the first cell is the word's."""
    cells = [cell for cell in line.split(" ") if cell][1:]
    return next((place for place, cell in enumerate(reversed(cells)) if not _is_number(cell)), len(cells))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _declared(line: str) -> tuple[int, int] | None:
    """How many vectors a first line declares, and how many numbers in each; None if it is a vector itself."""
    counts = line.split()
    if len(counts) != 2 or not all(c.isascii() and c.isdigit() and len(c) <= _LONGEST_COUNT for c in counts):
        return None
    return int(counts[0]), int(counts[1])

"""Word vectors from a file: the text form of word2vec, GloVe and fastText, or a NumPy archive."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from jaxnets import io
from jaxnets.data import files
from jaxnets.data.dataset import WordVectors, counted
from jaxnets.errors import UserError
from jaxnets.io import LARGEST_VECTOR

FORMATS = (".vec", ".txt", ".npz")
_SURROGATE = re.compile("[\ud800-\udfff]")  # of a byte that is not UTF-8


def read(path: Path, wanted: Sequence[str]) -> WordVectors:
    """The vectors of a file for the words of a vocabulary; of a word that it has several times, the first.

    `.vec` or `.txt`, with a word and its numbers in each line, after an optional line with the number of words and of
    numbers, plain or `.gz`; or `.npz` with `words` (text) and `vectors` (`float[words, dim]`).
    """
    places = {word: place for place, word in enumerate(wanted)}
    found: dict[int, np.ndarray] = {}
    num_repeated = num_undecoded = 0
    for word, vector in _archive(path, len(wanted)) if path.suffix == ".npz" else _lines(path, places):
        if vector is None:
            num_undecoded += 1
        elif (place := places.get(word)) is not None:
            num_repeated += place in found
            found.setdefault(place, vector)
    notes = []
    if num_repeated:
        notes.append(f"{counted(num_repeated, 'vector')} of {path.name} not used: the word has one further up.")
    if num_undecoded:
        notes.append(f"{counted(num_undecoded, 'word')} of {path.name} left out: not UTF-8.")
    if not found:
        more = "".join(f" {note}" for note in notes)
        raise UserError(f"word_vectors: '{path}' has a vector for none of the {len(wanted):,} words.{more}")
    vectors = np.zeros((len(wanted), len(next(iter(found.values())))), np.float32)
    given = np.zeros(len(wanted), bool)
    for place, vector in found.items():
        vectors[place], given[place] = vector, True
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        word = wanted[int(np.argmin(finite))]
        raise UserError(f"word_vectors: '{path}': the vector of '{word}' has numbers that are not finite.")
    return WordVectors(vectors, given, tuple(notes))


def _archive(path: Path, num_words: int) -> Iterator[tuple[str, np.ndarray]]:
    words, vectors = files.archive(path, ("words", "vectors"), "word_vectors").values()
    of_form = vectors.ndim == 2 and words.dtype.kind == "U" and vectors.dtype.kind == "f" and vectors.shape[1]
    if not of_form or words.shape != vectors.shape[:1]:
        raise UserError(
            f"word_vectors: '{path}' must hold words, text[n], and vectors, float[n, dim]; not "
            f"{words.dtype}{list(words.shape)} and {vectors.dtype}{list(vectors.shape)}."
        )
    _check_dim(vectors.shape[1], num_words, f"word_vectors: '{path}'")
    try:
        return zip(words.tolist(), vectors, strict=True)
    except (ValueError, SystemError):  # a number that is no character
        raise UserError(f"word_vectors: '{path}': the words are not text; the file is damaged.") from None


def _check_dim(dim: int, num_words: int, where: str) -> None:
    """Checks that there can be vectors of so many numbers for all words."""
    if not 1 <= dim <= LARGEST_VECTOR:
        raise UserError(f"{where}: the vector has {dim:,} numbers; 1 to {LARGEST_VECTOR:,} are possible.")
    io.check_memory(f"{where}: {num_words:,} words with {dim:,} numbers each", 4 * dim * num_words)


def _lines(path: Path, places: dict[str, int]) -> Iterator[tuple[str, np.ndarray | None]]:
    """The wanted words with their vectors, and None for a word that is not UTF-8.

    The first line may hold two whole numbers: how many vectors there are, and how many numbers in each. Spaces or tabs
    part the cells. A word may have several: its numbers are as many last cells as the first line has.
    """
    if not path.name.removesuffix(".gz").endswith(FORMATS[:2]):
        raise UserError(f"word_vectors: '{path}' must end in .vec, .txt (or these with .gz) or .npz.")
    declared, dim, count = None, 0, 0
    for number, line in files.lines(path, "word_vectors", "surrogateescape"):
        line = line.replace("\t", " ").rstrip(" ")
        if number == 1 and re.fullmatch(r"[0-9]{1,18} +[0-9]{1,18}", line.strip()):
            declared, dim = map(int, line.split())
            continue
        if not line:
            continue
        count += 1
        word, _, numbers = line.partition(" ")
        if not dim or line.count(" ") != dim or "  " in line:
            cells = [cell for cell in line.split(" ") if cell]
            found = len(cells) - 1
            if not dim:  # how many of the last cells are numbers
                dim = next((place for place, cell in enumerate(cells[:0:-1]) if not _is_number(cell)), found)
            word, numbers = " ".join(cells[:-dim]), " ".join(cells[-dim:])
            is_sure = declared is not None and count > 1
            if dim and (found < dim or (found > dim and not is_sure and all(map(_is_number, cells[1:-dim])))):
                if declared is not None and count == 1:
                    raise UserError(f"{path}, line 1: {dim:,} numbers are declared, but line {number} has {found:,}.")
                raise UserError(f"{path}, line {number}: the vector has {found} numbers, those before have {dim}.")
        if count == 1:
            _check_dim(dim, len(places), f"{path}, line {number}")
        if not word.isascii() and _SURROGATE.search(word):
            yield word, None
        elif word in places:
            try:
                with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite, which is reported
                    yield word, np.array(numbers.split(" "), np.float32)
            except ValueError as error:
                raise UserError(f"{path}, line {number}: {error}.") from None
    if declared is not None and declared != count:
        hint = "; the file may be cut off" if count < declared else ""
        raise UserError(f"{path}, line 1: {declared:,} vectors are declared, but there are {count:,}{hint}.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

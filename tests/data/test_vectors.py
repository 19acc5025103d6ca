import gzip

import numpy as np
import pytest

from jaxnets.data import vectors as word_vectors
from jaxnets.errors import UserError

WORDS = ["the", "film", "naïve", "unseen"]
LINES = "the 1 2 3\nfilm 0.5 -1 1e-3\nother 9 9 9\nnaïve 4 5 6\n"
EXPECTED = [[1, 2, 3], [0.5, -1, 1e-3], [4, 5, 6], [0, 0, 0]]


@pytest.mark.parametrize("name", ["a.vec", "a.txt", "a.vec.gz", "a.txt.gz", "a.npz"])
@pytest.mark.parametrize("header", [True, False])
def test_each_form_gives_the_same(tmp_path, name, header):
    path = tmp_path / name
    text = ("4 3\n" if header else "") + LINES
    if name == "a.npz":
        rows = [line.split() for line in LINES.splitlines()]
        np.savez(
            path, words=np.array([row[0] for row in rows]), vectors=np.array([row[1:] for row in rows], np.float32)
        )
    else:
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    result = word_vectors.read(path, WORDS)
    np.testing.assert_allclose(result.vectors, EXPECTED, rtol=1e-6)
    assert result.given.tolist() == [True, True, True, False]
    assert result.vectors.dtype == np.float32
    assert np.isclose(result.deviation, np.std(EXPECTED[:3]))


MISTAKES = {
    "cut off at a line": ("a.vec", "999 3\n" + LINES, "line 1: 999 vectors are declared, but there are 4; the"),
    "more than declared": ("a.vec", "3 3\n" + LINES, "a.vec, line 1: 3 vectors are declared, but there are 4."),
    "endless line": ("a.vec", "the " + "1 " * 600_000, "a.vec, line 1: the line is longer than 1,048,576 characters"),
    "width": ("a.vec", LINES + "bad 1 2\n", "a.vec, line 5: the vector has 2 numbers, those before have 3"),
    "no number": ("a.vec", LINES + "unseen 1 2 x\n", "a.vec, line 5: could not convert"),
    "infinite": ("a.vec", LINES + "unseen 1 2 inf\n", "the vector of 'unseen' has numbers that are not finite"),
    "empty": ("a.vec", "", "has a vector for none of the 4 words"),
    "latin-1": ("a.vec", b"caf\xe9 1 2\n", "a vector for none of the 4 words. 1 word of a.vec left out: not UTF-8."),
    "more numbers": ("a.vec", LINES + "bad 1 2 3 4\n", "a.vec, line 5: the vector has 4 numbers, those before have 3"),
    "more than declared in each": ("a.vec", "4 2\n" + LINES, "line 1: 2 numbers are declared, but line 2 has 3"),
    "cut off": ("a.vec.gz", gzip.compress(LINES.encode() * 50)[:-30], "after line"),
    "name": ("a.bin", LINES, "must end in .vec, .txt"),
    "no archive": ("a.npz", b"PK nothing", "is not an archive without pickles"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_in_one_line(tmp_path, mistake):
    name, content, fragment = MISTAKES[mistake]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        word_vectors.read(tmp_path / name, WORDS)
    assert fragment in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.vec", "a.vec.gz"])
@pytest.mark.parametrize("header", ["", "4 3\n"])
def test_a_byte_order_mark_is_no_part_of_a_word(tmp_path, name, header):
    content = ("\ufeff" + header + LINES).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    np.testing.assert_allclose(word_vectors.read(tmp_path / name, WORDS).vectors, EXPECTED, rtol=1e-6)


def test_a_first_line_of_a_word_and_a_number_is_a_vector(tmp_path):
    (tmp_path / "a.vec").write_text("the 0.5\nfilm 1\n")
    assert word_vectors.read(tmp_path / "a.vec", WORDS).vectors.tolist() == [[0.5], [1], [0], [0]]


def test_an_archive_with_pickles_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, words=np.array(WORDS, object), vectors=np.zeros((4, 3), np.float32))
    with pytest.raises(UserError, match="holds objects, which are not read"):
        word_vectors.read(path, WORDS)
    np.savez(path, words=np.array(WORDS), vectors=np.zeros((3, 3), np.float32))
    with pytest.raises(UserError, match=r"must hold words, text\[n\]"):
        word_vectors.read(path, WORDS)
    np.savez(path, words=np.array(WORDS), vectors=np.zeros((4, 0), np.float32))
    with pytest.raises(UserError, match=r"must hold words, text\[n\]"):
        word_vectors.read(path, WORDS)
    np.savez(path, words=np.array(WORDS))
    with pytest.raises(UserError, match="has no array 'vectors'"):
        word_vectors.read(path, WORDS)
    with pytest.raises(UserError, match="cannot be read"):
        word_vectors.read(tmp_path / "none.npz", WORDS)


@pytest.mark.parametrize("name", ["a.vec", "a.txt.gz"])
@pytest.mark.parametrize("header", ["", "7 3\n"])
def test_words_may_hold_spaces_and_cells_are_parted_as_it_comes(tmp_path, name, header):
    lines = (
        ". . 1 1 1\nthe\t1 2\t3\n  film  0.5 -1   1e-3 \nat name@domain.com 9 9 9\nx 5 6 7 8 9\nnew\u00a0york 1 2 3\n"
    )
    content = (header + lines + "naïve 4 5 6\r\n\n").replace("x 5 6", "x y 6").encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    vectors = word_vectors.read(tmp_path / name, [*WORDS, ". .", "at name@domain.com", "x y 6", "new\u00a0york"])
    np.testing.assert_allclose(vectors.vectors[:4], EXPECTED, rtol=1e-6)
    assert vectors.given.tolist() == [True, True, True, False, True, True, True, True]
    assert vectors.vectors[4:7].tolist() == [[1, 1, 1], [9, 9, 9], [7, 8, 9]]


def test_words_in_broken_bytes_are_left_out_and_repeats_not_used(tmp_path):
    content = LINES.encode() + b"caf\xe9 1 2 3\n\xff\xfe 1 2 3\nthe 7 7 7\nother 1 1 1\n"
    (tmp_path / "a.vec").write_bytes(content)
    vectors = word_vectors.read(tmp_path / "a.vec", WORDS)
    np.testing.assert_allclose(vectors.vectors, EXPECTED, rtol=1e-6)
    assert vectors.notes == (
        "1 vector of a.vec not used: the word has one further up.",
        "2 words of a.vec left out: not UTF-8.",
    )
    np.savez(tmp_path / "a.npz", words=np.array(["the", "film", "the"]), vectors=np.eye(3, dtype=np.float32))
    vectors = word_vectors.read(tmp_path / "a.npz", WORDS)
    assert vectors.vectors[0].tolist() == [1, 0, 0]
    assert vectors.notes == ("1 vector of a.npz not used: the word has one further up.",)

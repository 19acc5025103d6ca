import gzip
import os
import tracemalloc

import pytest

from jaxnets import io
from jaxnets.data import files, text_files, vectors
from jaxnets.data.text_files import Columns
from jaxnets.errors import UserError


def write(path, content):
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_lines_have_numbers_and_no_ends(tmp_path, name):
    path = write(tmp_path / name, "\ufeffa\r\n\nnaïve\ufeff\n\ufeffb\rc".encode())
    assert list(files.lines(path)) == [(1, "a"), (2, ""), (3, "naïve\ufeff"), (4, "b\rc")]


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"x\n" + b"y" * 10_000_000, "line 2: the line is longer than 1,048,576 characters"),
        (b"x\n" + "é".encode() * 5_000_000, "line 2: the line is longer than 1,048,576 characters"),
        (b"x\xff\n", "line 1: byte 2 is not UTF-8"),
        (b"\xed\xa0\x80\n", "line 1: byte 1 is not UTF-8"),
        (b"x\n\0\n", "line 2: there is a zero byte"),
        ("a\tnaïve\nb\ty\n".encode("utf-16"), "the file is UTF-16; convert it with 'iconv -f UTF-16 -t utf8'"),
        ("\ufeffa\tx\nb\ty\n".encode("utf-16-be"), "the file is UTF-16; convert"),
        ("a\tx\nb\ty\n".encode("utf-16-le"), "the file is UTF-16LE; convert it with 'iconv -f UTF-16LE -t utf8'"),
        ("a\tx\nb\ty\n".encode("utf-16-be"), "the file is UTF-16BE"),
        ("a\tx\nb\ty\n".encode("utf-32"), "the file is UTF-32"),
        ("a\tit’s\n".encode("cp1252"), "line 1: byte 5 is not UTF-8; convert .* 'iconv -f cp1252 -t utf8'"),
        (b"a\tx\rb\ty\r", r"its lines end in carriage returns alone, .* \"tr '\\r' '\\n'\""),
    ],
)
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_what_is_no_line_is_one_line_with_its_number(tmp_path, name, content, fragment):
    with pytest.raises(UserError, match=f"{name}[,:] {fragment}"):
        list(files.lines(write(tmp_path / name, content)))


BOMBS = {
    "rows.tsv.gz": b"a\t\n" * 2_000_000,
    "long.tsv.gz": (b"a\t" + b"x" * 1_000_000 + b"\n") * 10,
    "vectors.vec.gz": (b"the" + b" 1" * 10_000 + b"\n") * 500,
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_is_packed_to_fill_the_memory_is_refused(tmp_path, name, monkeypatch):
    monkeypatch.setattr(io, "ALWAYS", 1 << 20)
    packed = write(tmp_path / name, BOMBS[name])
    assert packed.stat().st_size < 50_000
    tracemalloc.start()
    with pytest.raises(UserError, match=rf"{name}, line \d+: .* would unpack to more than 100 times as much"):
        vectors.read(packed, ["the"]) if ".vec" in name else text_files.read(packed, Columns())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


def test_small_files_may_be_repetitive(tmp_path):
    path = write(tmp_path / "a.tsv.gz", b"a\tthe film\nb\tthe film\n" * 10_000)
    assert path.stat().st_size * 100 < 440_000
    assert len(text_files.read(path, Columns()).splits["train"].inputs) == 20_000


def test_vectors_that_would_fill_the_memory_are_refused_at_their_first_line(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "free_memory", lambda: 1 << 30)
    path = write(tmp_path / "a.vec", b"the" + b" 1" * 16_000 + b"\n")
    assert vectors.read(path, ["the"]).dim == 16_000
    with pytest.raises(UserError, match=r"a\.vec, line 1: 100,000 words with 16,000 numbers each: it takes 6\.0 GiB"):
        vectors.read(path, ["the", *map(str, range(99_999))])


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"1 0\nthe\n", "line 1: 0 numbers are declared|line 2: the vector has 0 numbers"),
        (b"the\nfilm\n", "line 1: the vector has 0 numbers; 1 to 16,384 are possible"),
        (b"2 5\nthe 1 2\nfilm 1 2\n", "line 1: 5 numbers are declared, but line 2 has 2"),
        (b"9" * 5000 + b" 3\nthe 1 2 3\n", "line 2: the vector has 3 numbers, those before have 1"),
        (b"999999999999999999 2\nthe 1 2\n", "999,999,999,999,999,999 vectors are declared, but there are 1"),
    ],
)
def test_headers_of_vectors_that_lie(tmp_path, content, fragment):
    with pytest.raises(UserError, match=fragment):
        vectors.read(write(tmp_path / "a.vec", content), ["the"])


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "a.tsv")
    (tmp_path / "b.tsv").symlink_to("none")
    (tmp_path / "c.vec").mkdir()
    for name, fragment in (("a.tsv", "is neither a file nor a folder"), ("b.tsv", "there is no file or folder")):
        with pytest.raises(UserError, match=fragment):
            text_files.read(tmp_path / name, Columns())
    with pytest.raises(UserError, match=r"word_vectors: '.*c\.vec' cannot be read: Is a directory"):
        vectors.read(tmp_path / "c.vec", ["the"])
    with pytest.raises(UserError, match=r"dataset: '.*' cannot be read: File name too long"):
        text_files.read(tmp_path / ("x" * 5000), Columns())


@pytest.mark.parametrize("label", ["9" * 5000, '"' + "9" * 5000 + '"', '"\\ud800"'])
def test_labels_that_are_none(tmp_path, label):
    path = write(tmp_path / "a.jsonl", f'{{"label": "b", "text": "x"}}\n{{"label": {label}, "text": "x"}}\n'.encode())
    with pytest.raises(UserError, match=r"a\.jsonl, line 2: (not JSON|the label '9999.* has 5,000|there is half)"):
        text_files.read(path, Columns())

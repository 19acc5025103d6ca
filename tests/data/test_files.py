"""Files of others: what they claim is checked before it takes memory, and what is wrong is one line with its place."""

import gzip
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from io import BytesIO

import numpy as np
import pytest

from jaxnets import data, io
from jaxnets.data import files, text_files, vectors
from jaxnets.data.dataset import fingerprint, in_memory
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


EXECUTED = []


class Stranger:
    """Its unpickling would be noticed."""

    def __reduce__(self):
        return execute, ()


def execute():
    EXECUTED.append("executed")


def npy(descr="<f4", shape=(2, 3), content=bytes(24)):
    """An array in NumPy's format, whose header says what one likes."""
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


def archive(path, packing=zipfile.ZIP_STORED, **members):
    with zipfile.ZipFile(path, "w", packing) as written:
        for name, content in members.items():
            written.writestr(f"{name}.npy", content)
    return path


def test_arrays_are_those_that_were_saved(tmp_path):
    saved = {"a": np.arange(6).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.float32(3), "d": np.zeros((0, 2))}
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **saved)
        read = files.archive(tmp_path / "a.npz")
        assert read.keys() == saved.keys()
        for name, array in saved.items():
            np.testing.assert_array_equal(read[name], array)
    assert list(files.archive(tmp_path / "a.npz", ["b"])) == ["b"]
    with pytest.raises(UserError, match="has no array 'e'"):
        files.archive(tmp_path / "a.npz", ["e"])


CLAIMS = {
    "14.6 TiB": npy(shape=(4_000_000_000, 1000)),
    "one row too many": npy(shape=(3, 3)),
    "one row too few": npy(shape=(1, 3)),
    "negative": npy(shape=(-2, -3)),
    "past 64 bits": npy(shape=(10**30, 10**30)),
    "texts without characters": npy("<U0", (10**12,), b""),
    "no header": b"nothing",
    "a later form": b"\x93NUMPY\x03\x00" + npy()[8:],
    "a header that is code": b"\x93NUMPY\x01\x00\x1b\x00__import__('os').getpid()\n",
    "a header that is deep": b"\x93NUMPY\x01\x00\x00\x20" + b"(" * 8192,
    "a header past its file": b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{",
}


@pytest.mark.parametrize("claim", CLAIMS)
@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_that_claims_what_is_not_there_takes_no_memory(tmp_path, claim, packing):
    path = archive(tmp_path / "a.npz", packing, a=CLAIMS[claim])
    tracemalloc.start()
    with pytest.raises(UserError, match="vectors: '") as error:
        files.archive(path, field="vectors")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "\n" not in str(error.value)
    assert peak < 4_000_000


def test_objects_are_never_unpickled(tmp_path):
    content = pickle.dumps(Stranger())
    for descr in ("|O", [("a", "|O")]):
        path = archive(tmp_path / "a.npz", a=npy(descr, (), content))
        with pytest.raises(UserError, match="holds objects"):
            files.archive(path)
    assert not EXECUTED
    pickle.loads(content)
    assert EXECUTED.pop() == "executed"  # it would have been noticed


def test_an_archive_that_is_packed_to_fill_the_memory_is_refused(tmp_path):
    path = archive(tmp_path / "a.npz", zipfile.ZIP_DEFLATED, a=npy("|u1", (30 << 20,), bytes(30 << 20)))
    assert path.stat().st_size < 50_000
    with pytest.raises(UserError, match="would unpack to more than 100 times as much"):
        files.archive(path)
    path = archive(tmp_path / "a.npz", zipfile.ZIP_BZIP2, a=npy())
    with pytest.raises(UserError, match="a way that NumPy does not write"):
        files.archive(path)


def test_members_that_lie_about_their_sizes(tmp_path):
    content = archive(tmp_path / "a.npz", a=npy()).read_bytes()
    place = content.index(b"PK\x01\x02") + 20  # of the sizes in the directory at the end
    for sizes in ((1 << 31, 1 << 31), (len(npy()), 1 << 31), (len(npy()) - 9, len(npy()) - 9)):
        (tmp_path / "a.npz").write_bytes(content[:place] + struct.pack("<II", *sizes) + content[place + 8 :])
        with pytest.raises(UserError):
            files.archive(tmp_path / "a.npz")


def test_many_names_for_one_content(tmp_path):
    """Entries that overlap claim more than the file has."""
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        written.writestr("a.npy", npy("|u1", (1 << 16,), bytes(1 << 16)))
        first = written.filelist[0]
        for number in range(100):
            copy = zipfile.ZipInfo(f"a{number}.npy")
            for name in ("header_offset", "compress_size", "file_size", "CRC", "compress_type"):
                setattr(copy, name, getattr(first, name))
            written.filelist.append(copy)
    (tmp_path / "a.npz").write_bytes(content.getvalue())
    with pytest.raises(UserError, match="claims more than its"):
        files.archive(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK nothing", json.dumps({}).encode(), npy()])
def test_what_is_no_archive(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UserError, match="is not an archive"):
        files.archive(tmp_path / "a.npz")
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(UserError, match="it is a pipe"):
        files.archive(tmp_path / "pipe.npz")


def write_arrays(folder, splits, dtype=np.float32, names=("no", "yes")):
    generator = np.random.default_rng(0)
    for split, size in splits.items():
        np.save(folder / f"{split}_inputs.npy", generator.integers(0, 9, (size, 3)).astype(dtype))
        np.save(folder / f"{split}_labels.npy", np.array(names)[np.arange(size) % len(names)])


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_training_inputs_stay_in_their_file(tmp_path, dtype):
    write_arrays(tmp_path, {"train": 30, "dev": 6, "test": 8}, dtype)
    dataset = data.load(str(tmp_path))
    assert files.is_mapped(dataset.train.inputs)
    assert dataset.train.inputs.dtype == dtype
    assert not files.is_mapped(dataset.dev.inputs)
    assert dataset.class_names == ("no", "yes")
    assert dataset.train.labels.tolist() == [0, 1] * 15
    assert fingerprint([dataset]) == fingerprint([in_memory(dataset)])
    assert in_memory(dataset).train.inputs.dtype == np.float32


def test_missing_splits_are_held_out(tmp_path):
    write_arrays(tmp_path, {"train": 40})
    dataset = data.load(str(tmp_path))
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [32, 4, 4]


def test_mistakes_are_told_with_their_row(tmp_path):
    write_arrays(tmp_path, {"train": 30, "dev": 6, "test": 8})
    inputs = np.load(tmp_path / "train_inputs.npy")
    inputs[20, 1] = np.nan
    np.save(tmp_path / "train_inputs.npy", inputs)
    with pytest.raises(UserError, match=r", train, row 20: feature 1 is nan; it must be a finite float32 number\.$"):
        data.load(str(tmp_path))


def test_labels_and_files_that_do_not_fit_are_one_line(tmp_path):
    write_arrays(tmp_path, {"train": 30, "dev": 6, "test": 8})
    np.save(tmp_path / "dev_labels.npy", np.array(["no", "maybe", "yes", "no", "no", "no"]))
    with pytest.raises(UserError, match=r"dev_labels.npy', row 1: the label 'maybe' is not one of the training set's"):
        data.load(str(tmp_path))
    np.save(tmp_path / "dev_labels.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"dev_labels.npy' is not a .npy file of numbers: .*objects in dtype"):
        data.load(str(tmp_path))
    (tmp_path / "train_inputs.npy").write_bytes((tmp_path / "train_inputs.npy").read_bytes()[:-10])
    with pytest.raises(UserError, match=r"^dataset: '.*train_inputs.npy' is not a .npy file of numbers"):
        data.load(str(tmp_path))

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from jaxnets.data import files
from jaxnets.errors import UserError

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
    content = io.BytesIO()
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

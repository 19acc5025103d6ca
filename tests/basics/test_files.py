import os
import re

import pytest

from jaxnets import io
from jaxnets.errors import UserError


def test_a_file_is_opened_and_nothing_else(tmp_path):
    (tmp_path / "a").write_bytes(b"content")
    with io.opened(tmp_path / "a") as stream:
        assert stream.read() == b"content"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "none")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "pipe", "it is a pipe, not a file"),
        (tmp_path / "dangling", "No such file"),
        (tmp_path / "loop", "symbolic links"),
        ("/dev/zero", "it is a device, not a file"),
        (tmp_path / ("x" * 5000), "name too long"),
        (tmp_path / "a" / "b", "Not a directory"),
        (f"{tmp_path}/zero\0byte", "no zero byte"),
        (f"{tmp_path}/half\ud800", "no file has such a name"),
    ):
        with pytest.raises(UserError, match=reason) as error, io.opened(path, "dataset"):
            pass
        assert str(error.value).startswith("dataset: '")
        assert len(str(error.value)) < 400


class WrappedError(Exception):
    """As a library raises it."""


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), WrappedError("No space left on device [28]")]
)
def test_a_full_disk_leaves_what_was_there(tmp_path, error):
    path = io.write_json(tmp_path / "a.json", {"a": 1})

    def fill(temporary):
        temporary.write_bytes(b"half")
        raise error

    with pytest.raises(UserError, match=r"a\.json: no space left on the device; what was written before is whole"):
        io.write(path, fill)
    assert path.read_text() == '{\n  "a": 1\n}\n'
    assert os.listdir(tmp_path) == ["a.json"]


def test_other_errors_are_not_those_of_the_system(tmp_path):
    with pytest.raises(WrappedError), io.file_errors(tmp_path):
        raise WrappedError("a fault of its own")
    with pytest.raises(UserError, match="its own"), io.file_errors(tmp_path):
        raise UserError("its own")


def test_only_files_are_written_over(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", tmp_path / "none" / "a"):
        with pytest.raises(UserError, match=re.escape(f"{path}: cannot be written")):
            io.write_json(path, {})
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


def test_a_folder_that_takes_no_file_is_told_beforehand(tmp_path):
    io.check_writable(tmp_path, "export")
    with pytest.raises(UserError, match="export: '/proc' cannot be written"):
        io.check_writable(io.Path("/proc"), "export")
    with pytest.raises(UserError, match="name too long"):
        io.exists(tmp_path / ("x" * 300))
    assert not os.listdir(tmp_path)


def test_what_dead_processes_left_is_taken_away(tmp_path):
    alive, dead = os.getppid(), 2**22 + 1  # more than a process can have
    for name in (f".a.{dead}.tmp", f".b.{dead}.tmp", f".a.{alive}.tmp", f".a.{os.getpid()}.tmp", ".a.x.tmp", "a.tmp"):
        (tmp_path / name).touch()
    (tmp_path / f".c.{dead}.tmp").mkdir()
    io.clear_temporaries(tmp_path, "a")
    kept = [".a.x.tmp", "a.tmp", f".a.{alive}.tmp"]
    assert sorted(os.listdir(tmp_path)) == sorted([*kept, f".b.{dead}.tmp", f".c.{dead}.tmp"])
    io.clear_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)


@pytest.mark.parametrize("number", [(), (28,)])
def test_a_full_disk_is_told_in_the_words_of_a_library(tmp_path, number):
    error = OSError(*number, "Error writing bytes to file. Detail: [errno 28] No space left on device")
    with pytest.raises(UserError, match="no space left on the device"), io.file_errors(tmp_path):
        raise error

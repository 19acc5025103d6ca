import json
import os

import pytest

from jaxnets import io
from jaxnets.errors import UserError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "inner").mkdir()
    for name in ("a.json", "inner/b"):
        (tmp_path / name).write_bytes(b"content")
    io.write_checksums(tmp_path, [tmp_path / "a.json", tmp_path / "inner" / "b"])
    return tmp_path


@pytest.mark.parametrize("content", [b"", b"conten", b"bontent", b"content "])
def test_a_damaged_file_is_told(folder, content):
    io.check_checksums(folder)
    (folder / "inner" / "b").write_bytes(content)
    io.check_checksums(folder, "a.json")
    for names in ((), ("inner/b",)):
        with pytest.raises(UserError, match=r"inner/b: cannot be read: it is not as it was written"):
            io.check_checksums(folder, *names)


def test_what_is_not_there_or_not_listed_is_passed_over(folder):
    io.check_checksums(folder, "none")
    (folder / "a.json").unlink()
    os.mkfifo(folder / "a.json")  # it would be waited for
    io.check_checksums(folder, "a.json")
    (folder / io.CHECKSUMS).unlink()
    io.check_checksums(folder)


@pytest.mark.parametrize(
    "listed",
    ["", "[", "[" * 100_000, "[]", "null", "\xff", json.dumps({"/etc/passwd": "0"}), json.dumps({"../a": "0"})],
)
def test_a_list_that_is_none_is_told(folder, listed):
    (folder / io.CHECKSUMS).write_text(listed, encoding="latin-1")
    with pytest.raises(UserError, match=r"checksums\.json: cannot be read: it is not a list of checksums\."):
        io.check_checksums(folder, "a.json")

from pathlib import Path

import pytest

from jaxnets import io
from jaxnets.errors import UserError


def test_what_is_packed_grows_in_proportion():
    io.check_unpacked("a.gz", 0, io.ALWAYS)
    io.check_unpacked("a.gz", 1 << 20, io.ALWAYS + (100 << 20))
    with pytest.raises(UserError, match=r"a\.gz: 114 KiB would unpack to more than 100 times as much.*unpack it first"):
        io.check_unpacked("a.gz", 117_000, 120_000_000)


def test_memory_must_be_free(monkeypatch):
    monkeypatch.setattr(io, "free_memory", lambda: 3 << 30)
    io.check_memory("a", 3 << 30)
    with pytest.raises(UserError, match=r"^a: it takes 14,950 GiB of memory, but 3\.0 GiB are free\.$"):
        io.check_memory("a", 14_950 << 30)


def test_the_machine_tells_its_free_memory():
    assert 1 << 20 < io.free_memory() < 1 << 50


def test_the_docs_tell_the_limits():
    text = (Path(__file__).parents[2] / "docs" / "text.md").read_text(encoding="utf-8")
    for number in (io.LONGEST_LINE, io.LARGEST_VECTOR, io.LONGEST_EXPLAINED):
        assert f"{number:,}" in text
    always = io.readable(io.ALWAYS)
    for sentence in (
        f"| {io.LONGEST_LABEL} characters |",
        f"| {io.GROWTH} times its size and {always}; a line counts for {io.LEAST_LINE} bytes at least |",
    ):
        assert sentence in text

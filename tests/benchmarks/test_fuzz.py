"""A few mutated inputs for each parser; `python -m benchmarks.reliability.fuzz` has more."""

import time

import pytest

from benchmarks.reliability import fuzz
from jaxnets.errors import UserError


@pytest.mark.slow
@pytest.mark.parametrize("name", fuzz.PARSERS)
def test_mutated_inputs_are_taken_or_refused_in_one_line(name, tmp_path):
    parser = fuzz.PARSERS[name]
    for seed in range(100, 200):  # the last one is a bomb
        assert fuzz.failure(parser, fuzz.inputs(parser, seed), tmp_path) is None, seed


@pytest.mark.parametrize("name", [name for name in fuzz.PARSERS if not name.endswith(".gz")])
def test_the_seeds_are_valid(name, tmp_path):
    parser = fuzz.PARSERS[name]
    for content in parser.seeds[:2]:  # the third archive holds objects
        path = tmp_path / parser.name
        path.write_bytes(content)
        parser.read(path)


@pytest.mark.parametrize("what", ["raises", "hangs", "says two lines"])
def test_what_goes_wrong_is_noticed(what, tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "SECONDS", 1)

    def read(path):
        if what == "raises":
            raise KeyError(what)
        if what == "hangs":
            time.sleep(3)
        error = UserError("")
        error.args = ("two\nlines",)
        raise error

    assert fuzz.failure(fuzz.Parser([b""], "a", read), b"", tmp_path) is not None

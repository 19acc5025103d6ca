"""What a fingerprint sees of code, and what it says it cannot see."""

import functools
import sys
from dataclasses import dataclass, field

import numpy as np
import pytest

from jaxnets.user_code import fingerprint

HERE = sys.modules[__name__]
NUMBER = 1
TABLE = {"a": np.ones(3), "b": {1, 2}}


def helper(x):
    return x * NUMBER


def caller(x):
    return helper(x) + (caller(x - 1) if x > 0 else 0)  # which calls itself


def reads(x):
    return TABLE["a"] * x


@dataclass(frozen=True)
class Plain:
    share: float = 0.1
    names: tuple = ()
    more: dict = field(default_factory=dict)

    def losses(self, x):
        return helper(x)


class Silent(Plain):
    """Its `==` knows nothing of this attribute."""

    def __init__(self, weight):
        object.__setattr__(self, "weight", weight)


def made(number):
    return lambda x: x + number


def cached(x):
    return functools.lru_cache(made(x))


DIFFERENT = {
    "closures": (made(1), made(2)),
    "types": (made(1), made(1.0)),
    "defaults": (lambda x, y=1: x, lambda x, y=2: x),
    "partials": (functools.partial(helper, x=1), functools.partial(helper, x=2)),
    "keywords": (functools.partial(helper, 1), functools.partial(helper, x=1)),
    "wrapped": (cached(1), cached(2)),
    "code": (lambda x: x + 1, lambda x: x - 1),
    "operands": (lambda x: x.a, lambda x: x.b),
    "attributes": (Silent(1), Silent(np.array([1]))),
    "subclasses": (Plain(), Silent(1)),
    "methods": (Silent(1).losses, Silent(2).losses),
    "fields": (Plain(names=("a", "b")), Plain(names=("ab",))),
    "sets": ({1, 2}, frozenset({1, 2})),
    "arrays": (np.zeros(1000), np.zeros(1000, np.float32)),
    "shapes": (np.zeros((2, 3)), np.zeros((3, 2))),
    "objects in arrays": (np.array([made(1)]), np.array([made(2)])),
}


@pytest.mark.parametrize("kind", DIFFERENT)
def test_what_differs_has_another_fingerprint(kind):
    one, other = map(fingerprint, DIFFERENT[kind])
    assert None not in (one, other)
    assert one != other


EQUAL = {
    "closures": lambda: made(3),
    "objects": lambda: Silent([1, {"a": np.arange(3)}]),
    "sets": lambda: {"one", "two", ("three",)},
    "classes": lambda: Plain,
    "library": lambda: np.tanh,
}


@pytest.mark.parametrize("kind", EQUAL)
def test_what_is_made_twice_has_one(kind):
    assert fingerprint(EQUAL[kind]()) == fingerprint(EQUAL[kind]()) is not None


@pytest.mark.parametrize("function", [helper, caller, Plain().losses, functools.partial(caller)])
def test_globals_are_read_through_all_that_is_called(function, monkeypatch):
    before = fingerprint(function)
    monkeypatch.setattr(HERE, "NUMBER", 2)
    assert fingerprint(function) != before


def test_arrays_are_told_by_their_content():
    before = fingerprint(reads)
    TABLE["a"][1] = 5
    assert fingerprint(reads) != before
    TABLE["a"][1] = 1
    assert fingerprint(reads) == before


@pytest.mark.parametrize(
    "untold", [np.random.default_rng(0), iter([1]), lambda: globals(), lambda: eval("x"), made(iter(())), object()]
)
def test_what_cannot_be_told_has_none(untold):
    assert fingerprint(untold) is None

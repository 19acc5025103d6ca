import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.basics.errors import UserError
from jaxnets.config.values import Range, parse, show


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("0.1", "float", (0.1,)),
        ("1e-3, 1", "float", (0.001, 1.0)),
        ("log:1e-4:1:5", "float", (0.0001, 0.001, 0.01, 0.1, 1.0)),
        ("lin:0:1:3", "float", (0.0, 0.5, 1.0)),
        ("log:8:128:5", "int", (8, 16, 32, 64, 128)),
        ("3,3,7", "int", (3, 7)),
        ("true,false", "bool", (True, False)),
        ("128x64,0,5", "sizes", ((128, 64), (), (5,))),
        ("relu,tanh", "text", ("relu", "tanh")),
    ],
)
def test_parse(text, kind, values):
    parsed = parse("x", text, kind)
    assert (parsed.grid() if isinstance(parsed, Range) else parsed) == values


def test_a_range_without_a_count_is_for_draws():
    assert parse("x", "log:1e-4:1", "float") == Range(1e-4, 1.0, True)


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("", "float", "the list is empty"),
        ("a", "float", "'a' is not a number"),
        ("nan", "float", "not a finite number"),
        ("1,,2", "float", "'' is not a number"),
        ("1.5", "int", "not a whole number"),
        ("maybe", "bool", "neither 'true' nor 'false'"),
        ("128x0", "sizes", "below 1"),
        ("128xx", "sizes", "not a whole number"),
        ("log:0:1:3", "float", "not above 0"),
        ("log:-1:1:3", "float", "not above 0"),
        ("log:1:2:0", "float", "1 or more"),
        ("log:1", "float", "LOW:HIGH:COUNT"),
        ("log:a:b:c", "float", "not a number"),
        ("lin:1:2:3", "text", "takes no range"),
        ("relu,,tanh", "text", "empty"),
    ],
)
def test_mistakes_are_one_line_that_names_the_flag(text, kind, part):
    with pytest.raises(UserError) as error:
        parse("rate", text, kind)
    assert str(error.value).startswith("rate: ")
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@given(st.lists(st.lists(st.integers(1, 999), max_size=3).map(tuple), min_size=1, unique=True))
def test_sizes_survive_being_shown(values):
    assert parse("x", ",".join(show(value) for value in values), "sizes") == tuple(values)


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.booleans(), st.integers(0, 99))
def test_draws_stay_within_the_range(low, high, logarithmic, seed):
    low, high = sorted((low, high))
    draw = Range(low, high, logarithmic).draw(np.random.default_rng(seed))
    assert low * (1 - 1e-9) <= draw <= high * (1 + 1e-9)
    whole = Range(low, high, logarithmic, whole=True).draw(np.random.default_rng(seed))
    assert isinstance(whole, int)
    assert abs(whole - draw) <= 0.5


def test_a_logarithmic_range_is_evenly_spaced_in_its_logarithm():
    grid = np.array(Range(1e-4, 1.0, True, 9).grid())
    np.testing.assert_allclose(grid[1:] / grid[:-1], np.sqrt(10), rtol=1e-9)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.config.values import Range
from jaxnets.errors import UserError
from jaxnets.lab.flagtext import parse, unparse


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("0.1", "float", 0.1),
        ("1e-3, 1", "float", [0.001, 1.0]),
        ("log:1e-4:1:5", "float", [0.0001, 0.001, 0.01, 0.1, 1.0]),
        ("lin:0:1:3", "float", [0.0, 0.5, 1.0]),
        ("3,3,7", "int", [3, 3, 7]),
        ("true,false", "bool", [True, False]),
        ("128x64,0,5", "sizes", [(128, 64), (), (5,)]),
        ("relu,tanh", "plugin", ["relu", "tanh"]),
        ("my_lab.nets:MyNet", "plugin", "my_lab.nets:MyNet"),
    ],
)
def test_parse(text, kind, values):
    parsed = parse("x", text, kind)
    assert (parsed.grid() if isinstance(parsed, Range) else parsed) == values


def test_a_text_that_is_one_value_keeps_its_commas():
    assert parse("phrases", "a,b", "text", several=False) == "a,b"
    assert parse("word_vectors", "", "text", several=False) == ""


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("", "float", "the value is empty"),
        ("a", "float", "'a' is not a number"),
        ("1,,2", "float", "the value is empty"),
        ("1.5", "int", "not a whole number"),
        ("2_0", "int", "not a whole number"),
        ("٠.١", "float", "not a number"),
        ("maybe", "bool", "neither 'true' nor 'false'"),
        ("128xx", "sizes", "not a whole number"),
        ("log:0:1:3", "float", "not above 0"),
        ("log:-1:1:3", "float", "not above 0"),
        ("log:1:2:0", "float", "1 or more"),
        ("log:0.1:0.1:5", "float", "there is one value, not 5"),
        ("log:1", "float", "LOW:HIGH:COUNT"),
        ("log:a:b:c", "float", "not a number"),
        ("log:1:nan:3", "float", "not a finite number"),
        ("lin:1:2:3", "plugin", "takes no range"),
    ],
)
def test_mistakes_are_one_line_that_names_the_flag(text, kind, part):
    with pytest.raises(UserError) as error:
        parse("rate", text, kind)
    assert str(error.value).startswith("rate: ")
    assert part in str(error.value)
    assert "\n" not in str(error.value)


@given(st.lists(st.lists(st.integers(1, 999), max_size=3).map(tuple), min_size=2, unique=True))
def test_sizes_survive_being_written(values):
    assert parse("x", unparse(values), "sizes") == values


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_being_written(number):
    assert parse("x", unparse(number), "float") == number

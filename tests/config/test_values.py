import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.basics.errors import UserError
from jaxnets.config.values import Field, Range, linear_range, log_range


def test_sizes_are_tuples_and_a_number_is_one_size():
    field = Field("hidden_units", "sizes")
    assert field.axis([128, (64, 64), 0]) == [(128,), (64, 64), ()]
    assert field.axis((64, 64)) == (64, 64)
    for wrong, part in (
        ((0,), "size 0"),
        ((-3, 2), "size -3"),
        ("8x8", "give a tuple of sizes such as (8, 8)"),
        (1.5, "not a whole number"),
        ((2.0,), "not a whole number"),
        (None, "not a whole number"),
    ):
        with pytest.raises(UserError, match="hidden_units: ") as error:
            field.value(wrong)
        assert part in str(error.value)


@pytest.mark.parametrize(
    ("kind", "values", "line"),
    [
        ("int", [3, 3, 7], "3 is given twice; a list is an axis of the sweep, with each value once"),
        ("float", np.array([1, 0.5, 1]), "1.0 is given twice"),
        ("float", [1, 1.0], "1.0 is given twice"),
        ("bool", [True, False, True], "True is given twice"),
        ("plugin", [len, "sgd", len], "is given twice"),
        ("text", ["a", "a"], "'a' is given twice"),
        ("sizes", [64, 64], r"For two layers write \(64, 64\), as a flag 64x64"),
        ("sizes", [(8, 8), (8, 8)], "with each value once"),
        ("sizes", [0, ()], r"\(\) is given twice"),
    ],
)
def test_an_axis_has_each_value_once(kind, values, line):
    with pytest.raises(UserError, match=line):
        Field("x", kind).axis(values)


def test_ranges():
    assert Field("batch_size", "int").axis(log_range(8, 128, 5)).grid() == [8, 16, 32, 64, 128]
    assert log_range(1e-4, 1) == Range(1e-4, 1.0, True)
    for make, part in (
        (lambda: log_range(0, 1, 3), "log_range: 0 is not above 0"),
        (lambda: log_range("a", 1), "log_range: 'a' is a text"),
        (lambda: linear_range(0, 1, 0), "the count must be 1 or more"),
        (lambda: linear_range(0, 1, 1.5), "not a whole number"),
        (lambda: linear_range(2, 2, 3), "from 2 to 2 there is one value, not 3"),
        (lambda: linear_range(0, float("inf"), 3), "not a finite number"),
    ):
        with pytest.raises(UserError) as error:
            make()
        assert part in str(error.value)


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.booleans(), st.integers(0, 99))
def test_draws_stay_within_the_range(low, high, logarithmic, seed):
    low, high = sorted((low, high))
    draw = Range(low, high, logarithmic).draw(np.random.default_rng(seed))
    assert low * (1 - 1e-9) <= draw <= high * (1 + 1e-9)
    whole = Range(low, high, logarithmic, whole=True).draw(np.random.default_rng(seed))
    assert isinstance(whole, int)
    assert abs(whole - draw) <= 0.5


def test_a_logarithmic_range_is_evenly_spaced_in_its_logarithm():
    grid = np.array(log_range(1e-4, 1.0, 9).grid())
    np.testing.assert_allclose(grid[1:] / grid[:-1], np.sqrt(10), rtol=1e-9)

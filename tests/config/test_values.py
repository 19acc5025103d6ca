import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jaxnets.config.values import Field, Range, linear_range, log_range
from jaxnets.errors import UserError


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
        (lambda: linear_range(0, 1, 0), "linear_range, count: 0 is below 1"),
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


WHOLE = [(1, 4, False), (0, 9, False), (7, 7, False), (4, 1, False), (1, 4, True), (3, 200, True), (0.4, 3.7, True)]


@pytest.mark.parametrize(("low", "high", "logarithmic"), WHOLE)
def test_whole_numbers_are_as_probable_as_the_range_says_to_its_ends(low, high, logarithmic):
    """Of evenly spaced places, each number has its share: 1/n, or in proportion to log((k + 1/2) / (k - 1/2))."""
    span = Field("batch_size", "int").axis(Range(low, high, logarithmic))
    values = np.arange(np.ceil(min(low, high)), np.floor(max(low, high)) + 1)
    shares = np.log((values + 0.5) / (values - 0.5)) if logarithmic else np.ones(len(values))
    size = 20_000
    expected = size * shares / shares.sum()
    places = (np.arange(size) + 0.5) / size
    generator = np.random.default_rng(0)
    for drawn, slack in (
        ([span.number(place) for place in places], 1.0),
        ([span.draw(generator) for _ in range(size)], None),
    ):
        assert {type(one) for one in drawn} == {int}
        found, counts = np.unique(drawn, return_counts=True)
        assert set(found) <= set(values)
        seen = np.zeros(len(values))
        seen[np.searchsorted(values, found)] = counts
        if slack is not None:
            assert np.abs(seen - expected).max() <= slack
        elif len(values) > 1:
            assert stats.chisquare(seen, expected).pvalue > 0.001
    assert {span.number(place) for place in (0.0, np.nextafter(1, 0))} == {int(values[0]), int(values[-1])}


def test_fractions_are_drawn_as_ever():
    for span in (log_range(1e-4, 1), linear_range(-2, 3)):
        low, high = (np.log10(span.low), np.log10(span.high)) if span.logarithmic else (span.low, span.high)
        place = np.random.default_rng(5).uniform()
        expected = low + (high - low) * place
        assert span.draw(np.random.default_rng(5)) == (10.0**expected if span.logarithmic else expected)


def test_a_range_without_a_whole_number_is_refused():
    with pytest.raises(UserError, match=r"num_steps: there is no whole number from 1\.2 to 1\.8\."):
        Field("num_steps", "int").axis(linear_range(1.2, 1.8, 3))
    assert Field("batch_size", "int").axis(log_range(0.4, 100, 5)).grid()[0] == 1


def test_a_logarithmic_range_is_evenly_spaced_in_its_logarithm():
    grid = np.array(log_range(1e-4, 1.0, 9).grid())
    np.testing.assert_allclose(grid[1:] / grid[:-1], np.sqrt(10), rtol=1e-9)

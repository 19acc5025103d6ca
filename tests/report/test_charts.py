import numpy as np
import pandas as pd
import pytest

from jaxnets.report import charts, figures
from jaxnets.stats import estimates
from jaxnets.stats.estimates import Estimate

TABLE = pd.DataFrame(
    {"width": ["2", "2", "10", "10"] * 2, "kind": ["a"] * 4 + ["b"] * 4, "loss": [1.0, 3, 2, np.nan, 5, 5, 6, 8]}
)


def test_lines_are_means_in_the_order_of_the_table():
    _, axes = charts.lines(TABLE, "width", "loss", "kind", xlabel="hidden units")
    first, second = axes.get_lines()
    assert first.get_ydata().tolist() == [2, 2]
    assert second.get_ydata().tolist() == [5, 7]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "10"]
    assert axes.get_xlabel() == "hidden units"
    assert axes.get_ylabel() == "loss"
    assert first.get_marker() != second.get_marker()


def test_lines_without_markers_differ_in_their_dashes():
    _, axes = charts.lines(TABLE, "width", "loss", "kind", markers=False)
    assert [line.get_linestyle() for line in axes.get_lines()] == ["-", "--"]


def test_without_a_number_there_are_no_lines_and_no_legend():
    _, axes = charts.lines(TABLE.assign(loss=np.nan), "width", "loss", "kind")
    assert len(axes.get_lines()) == 0
    assert axes.get_legend() is None


def test_means_of_a_series_stand_in_their_rows():
    _, axes = charts.series_of_means(TABLE.fillna(2), "kind", "width", "loss")
    assert [list(line.get_xdata()) for line in axes.get_lines()] == [[2, 5], [2, 7]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]


def test_points_against_a_line():
    _, axes = charts.against(TABLE.assign(other=1.0), "loss", "other", "kind", slope=-1)
    assert [line.get_label() for line in axes.get_lines()[:2]] == ["a", "b"]
    assert axes.get_lines()[-1].get_slope() == -1


def test_bands_are_the_intervals():
    table = pd.DataFrame({"width": ["2"] * 4 + ["10"] * 4, "loss": [5.0, 5, 5, 5, 6, 8, 7, 0.5]})
    _, axes = charts.lines(table, "width", "loss")
    band = axes.collections[0].get_paths()[0].vertices
    expected = estimates.mean([6, 8, 7, 0.5], estimates.POSITIVE)
    assert expected.low > 0
    at_ten = band[band[:, 0] == 1][:, 1]
    assert at_ten.min() == pytest.approx(expected.low)
    assert at_ten.max() == pytest.approx(expected.high)


def test_what_is_shown_in_percent_is_a_share():
    table = pd.DataFrame({"rate": 0.1, "right": [1.0, 1.0, 0.9, 1.0], "kind": ["a"] * 4, "system": "dan"})
    _, axes = charts.lines(table, "rate", "right", percent=True)
    assert axes.collections[0].get_paths()[0].vertices[:, 1].max() < 1
    _, axes = charts.series_of_means(table, "kind", "system", "right", percent=True)
    assert axes.collections[0].get_segments()[0][:, 0].max() < 1


def test_shares_and_logarithmic_axes():
    table = pd.DataFrame({"rate": [0.1, 0.1, 1.0], "solved": [True, False, True]})
    _, axes = charts.lines(table, "rate", "solved", estimate=charts.of_shares, percent=True, xscale="log", yscale="log")
    assert axes.get_lines()[0].get_xdata().tolist() == [0.1, 1.0]
    assert axes.get_lines()[0].get_ydata().tolist() == [0.5, 1.0]
    assert (axes.collections[0].get_paths()[0].vertices[:, 1] > 0).all()


def test_dots_of_a_series_stand_in_their_rows():
    rows = {name: {"x": Estimate(x, x - 1, x + 1), "y": Estimate(x + 1, x, x + 2)} for name, x in (("a", 1), ("b", 3))}
    _, axes = charts.series_of_dots(rows)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b"]
    first, second = axes.get_lines()
    np.testing.assert_allclose(first.get_xdata(), [1, 3])
    np.testing.assert_allclose(second.get_xdata(), [2, 4])
    assert (np.round(first.get_ydata()) == [0, 1]).all()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["x", "y"]


def test_other_charts_draw(tmp_path):
    estimates = {"adam": Estimate(1, 0.5, 2), "sgd": Estimate(0, np.nan, np.nan)}
    grid = pd.DataFrame({"x": [0, 1, 0, 1], "y": [0, 0, 1, 1], "z": [0.0, 1, 1, 0]})
    figure, axes = charts.plane(grid, "z", boundary=0.5)
    charts.points(axes, [0, 1], [0, 1], [0, 1], {0: "no", 1: "yes"})
    drawn = [
        figure,
        charts.dots(estimates, zero=0.0, xlabel="difference")[0],
        charts.series_of_dots({"first": estimates, "second": estimates}, percent=True)[0],
    ]
    for number, one in enumerate(drawn):
        paths = figures.save(one, tmp_path, str(number))
        assert all(path.stat().st_size > 1000 for path in paths)


def test_a_zone_is_named_in_its_middle():
    _, axes = charts.lines(TABLE, "width", "loss", xscale="log")
    charts.zone(axes, 1.0, 100.0, "good", "red")
    (text,) = axes.texts
    assert text.get_position()[0] == 10
    assert text.get_text() == "good"

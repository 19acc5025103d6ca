"""Figures tell the truth: each rule on the chart object, and the whole on what is rendered."""

import io
import itertools
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import vl_convert

from jaxnets.claims.verdicts import EMPIRICAL, Rule
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.stats import estimates, selection
from jaxnets.stats.estimates import Estimate
from tests.report import comparisons

TABLE = pd.DataFrame(
    {"width": ["2", "2", "10", "10"] * 2, "kind": ["a"] * 4 + ["b"] * 4, "loss": [1.0, 3, 2, np.nan, 5, 5, 6, 8]}
)
UNKNOWN = Estimate(0.3, np.nan, np.nan)


def drawn(figure, layer=0):
    """The rows of a layer."""
    content = figure.to_dict()
    data = content["layer"][layer].get("data") or content["data"]
    return pd.DataFrame(content["datasets"][data["name"]] if "name" in data else data["values"])


def encoding(figure, channel, layer=0):
    return figure.to_dict()["layer"][layer]["encoding"][channel]


def test_lines_are_means_in_the_order_of_the_table():
    figure = figures.lines(TABLE, "width", "loss", "kind", xlabel="hidden units")
    assert drawn(figure)["value"].tolist() == [2, 2, 5, 7]
    assert encoding(figure, "x")["scale"]["domain"] == ["2", "10"]
    assert encoding(figure, "x")["title"] == "hidden units"
    assert encoding(figure, "shape", 2)["scale"]["range"] == ["circle", "square"]
    dashes = encoding(figures.lines(TABLE, "width", "loss", "kind", markers=False), "strokeDash", 1)["scale"]["range"]
    assert dashes[0] != dashes[1]


def test_without_a_number_there_are_no_lines_and_no_legend():
    figure = figures.lines(TABLE.assign(loss=np.nan), "width", "loss", "kind")
    assert drawn(figure).empty
    assert encoding(figure, "color")["legend"] is None


def test_bands_are_the_intervals_and_a_missing_one_is_not_drawn():
    table = pd.DataFrame({"width": [2] * 4 + [10] * 4 + [20], "loss": [4.0, 5, 5, 5, 6, 8, 7, 0.5, 9]})
    band = drawn(figures.lines(table, "width", "loss"))
    expected = estimates.mean([6, 8, 7, 0.5], estimates.POSITIVE)
    assert (band["low"][1], band["high"][1]) == pytest.approx((expected.low, expected.high))
    assert band.loc[2, ["low", "high"]].isna().all()
    assert '"low":null' in figures.lines(table, "width", "loss").to_json(indent=None).replace(" ", "")
    one_end = figures.dots({"a": Estimate(0.5, 0.4, np.nan)})
    assert drawn(one_end).loc[0, ["low", "high"]].isna().all()


def test_shares_have_bands_within_0_and_1():
    table = pd.DataFrame({"rate": 0.1, "right": [1.0, 1.0, 0.2, 1.0], "kind": ["a"] * 4, "system": "dan"})

    def wide(values):
        return Estimate(0.9, -0.05, 1.48, kind=estimates.SHARE)

    bounds = {"low": [0.0], "high": [1.0]}
    figure = figures.lines(table, "rate", "right", percent=True, estimate=wide)
    assert drawn(figure)[["low", "high"]].to_dict("list") == bounds
    figure = figures.dots({"a": {"x": wide(0)}}, percent=True)
    assert drawn(figure)[["low", "high"]].to_dict("list") == bounds
    assert drawn(figures.dots_of_means(table, "kind", "system", "right", percent=True))["high"].max() <= 1


def test_ratio_axes_are_ticked_at_whole_ratios():
    rule = Rule(statement="More.", kind=EMPIRICAL, bound=np.log(1.1), unit="log×", reason="Less is noise.", over="mean")
    effects = pd.DataFrame({"task": ["a"] * 3 + ["b"] * 3, "seed": [0, 1, 2] * 2, "effect": [0.1, 0.2, 0.3, 2, 2.3, 2]})
    x = encoding(figures.on_tasks(effects, rule), "x", 3)
    assert x["scale"]["type"] == "log"
    assert {0.5, 1, 2, 5} <= set(x["axis"]["values"])
    assert figures.ticks(0.5, 10) == [0.5, 1, 2, 5, 10]
    assert figures.ticks(1e-3, 1e3)[:2] == [0.001, 0.1] or set(figures.ticks(1e-3, 1e3)) >= {0.001, 1.0}
    assert drawn(figures.dots({"a": Estimate(np.log(2), 0, np.log(4))}, ratio=True))["value"][0] == pytest.approx(2)


def test_colours_do_not_repeat():
    for count in (7, 20, 60):
        assert len({colour.lower() for colour in figures.palette(count)}) == count
    table = pd.DataFrame({"x": 1, "y": 1.0, "kind": [str(number) for number in range(12)]})
    assert len(set(encoding(figures.lines(table, "x", "y", "kind"), "color")["scale"]["range"])) == 12


def test_what_coincides_is_seen():
    table = pd.DataFrame({"x": [1, 2] * 2, "y": [1.0, 2.0] * 2, "kind": ["a", "a", "b", "b"]})
    figure = figures.lines(table, "x", "y", "kind")
    first, second = encoding(figure, "strokeWidth", 1)["scale"]["range"]
    assert first > 2 * second
    first, second = encoding(figure, "size", 2)["scale"]["range"]
    assert first > 2 * second


def test_numbers_that_are_missing_or_hostile():
    assert figures.rows([{"a": np.inf, "b": "x\x1b"}]).data.to_dict()["values"][0]["a"] is None
    figure = figures.against(TABLE.assign(other=np.nan), "loss", "other", "kind", slope=-1)
    assert drawn(figure, 1).empty
    assert drawn(figures.against(TABLE.assign(other=1.0), "loss", "other", "kind", slope=-1))["y"].tolist() == [-1, -8]


def everything():
    """A figure of each kind with long names."""
    long = "a name that is longer than most names are, without a negation"
    estimates = {long: Estimate(1, 0.5, 2), "sgd": UNKNOWN}
    places = np.linspace(-1, 1, 9)
    x, y = (axis.ravel() for axis in np.meshgrid(places, places))
    heights = pd.DataFrame({"x": x, "y": y, "z": x**2 + y})
    ways = pd.DataFrame({"x": [-0.9, 0.9, 0.0], "y": [0.9, 1.4, 0.0], "named": ["sgd: 12", "sgd: 12", f"{long}: 4"]})
    named = TABLE.assign(kind=TABLE["kind"] + f" {long}")
    yield figures.lines(named, "width", "loss", "kind", title=long, xlabel=f"{long} over {long}", ylabel=long)
    yield figures.dots(estimates, zero=0.0, bound=0.1, ratio=True, xlabel=long * 2)
    yield figures.dots({"first": estimates, long: estimates}, percent=True, xlabel=long)
    yield figures.plane(heights, "z", *figures.path(ways, "x", "y", "named", figures.COLOURS, "steps"), label=long)
    corners = figures.points([-1, 1], [-1, 1], [0, 1], {0: "no", 1: long})
    yield figures.plane(heights.assign(z=0.0), "z", corners, boundary=0.5)
    yield figures.confusion(np.eye(3, dtype=int), [long, "a", "a"], long)
    yield from comparisons.on_paper(*comparisons.make(confirm=4)).values()


@pytest.mark.slow
def test_nothing_is_cut_off():
    """No name is shortened, and around all that is drawn the canvas is empty."""
    for number, figure in enumerate(everything()):
        content = figures.specification(figure)
        assert "…" not in vl_convert.vegalite_to_svg(content), number
        pixels = pixels_of(vl_convert.vegalite_to_png({**content, "background": "white"}))
        for edge in (pixels[:3], pixels[-3:], pixels[:, :3], pixels[:, -3:]):
            assert (edge == 255).all(), number


def pixels_of(png):
    return np.asarray(PIL.Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.fixture(scope="module")
def results():
    """Runs and curves of a sweep that never was; all runs of sgd at rate 1 diverged."""
    generator, rows, curves = np.random.default_rng(0), [], []
    for optimizer, rate, seed in itertools.product(("sgd", "adam"), (0.01, 0.1, 1.0), range(3)):
        accuracy, lost = generator.uniform(0.5, 0.9), optimizer == "sgd" and rate == 1.0
        values = [np.nan] * 3 if lost else [accuracy, 1 - accuracy, accuracy]
        rows.append((len(rows), optimizer, rate, seed, "diverged" if lost else "finished", *values))
        curves += [(len(rows) - 1, step, 1 / step, accuracy) for step in (10, 20)]
    columns = ["run", "optimizer", "learning_rate", "seed", "status", "dev_accuracy", "dev_loss", "test_accuracy"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(
        curves, columns=["run", "step", "train_loss", "dev_accuracy"]
    )


def test_learning_curves_are_those_of_the_best_runs(results):
    runs, curves = results
    loss, accuracy = figures.learning_curves(runs, curves).hconcat
    assert encoding(loss, "y", 1)["scale"]["type"] == "log"
    for _, row in selection.best_configurations(runs).iterrows():
        expected = curves[curves["run"].isin(row["members"])].groupby("step")["dev_accuracy"].mean()
        own = drawn(accuracy)[drawn(accuracy)["series"].str.startswith(row["optimizer"])]
        np.testing.assert_allclose(own["value"], expected.to_numpy())


def test_a_sweep_in_which_nothing_came_of_any_run_is_drawn(results, tmp_path):
    runs = results[0].assign(status="diverged", dev_accuracy=np.nan, dev_loss=np.nan, test_accuracy=np.nan)
    assert figures.save(figures.learning_curves(runs, results[1][:0]), tmp_path, "figure")


def test_every_figure_is_the_same_file_each_time():
    """Vega counts clips and gradients over all figures of a process."""
    for figure in everything():
        content = figures.specification(figure)
        once, again = (figures.adapting(vl_convert.vegalite_to_svg(content)) for _ in range(2))
        assert once == again


def test_figures_are_written_whole_or_not_at_all(results, tmp_path, monkeypatch):
    figure = figures.learning_curves(*results)
    paths = figures.save(figure, tmp_path, "figure", ["png", "svg"])
    before = {path.name: path.read_bytes() for path in paths}
    assert list(before) == ["figure.png", "figure.svg"]
    assert before["figure.png"].startswith(b"\x89PNG")
    text = "".join(ElementTree.fromstring(before["figure.svg"]).itertext())
    assert "dev accuracy" in text
    assert "adam" in text
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match="no space left"):
        figures.save(figure, tmp_path, "figure")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_label_on_a_figure_is_text(tmp_path, kind):
    name = r"$\f$ &<b>\$"
    table = pd.DataFrame({"x": [name, name, "$x$"], "y": 1.0, "z": ["$x$", name, name]})
    figure = figures.lines(table, "x", "y", "z", title=name + "\x1b[2J\ud800", ylabel=name)
    (path,) = figures.save(figure, tmp_path, "figure", [kind])
    if kind == "svg":
        text = path.read_text(encoding="utf-8")
        assert text.count(r">$\f$ &amp;&lt;b&gt;\$") >= 4
        assert ">$x$<" in text
        assert "\x1b" not in text


@pytest.mark.parametrize("names", [("好评", "差评"), tuple(map(str, range(80)))])
def test_a_confusion_of_any_names_and_of_many_is_bounded_and_warns_of_nothing(names, tmp_path, recwarn):
    figure = figures.confusion(np.eye(len(names), dtype=int), names, "网")
    assert max(figure.width, figure.height) <= 1000
    figures.save(figure, tmp_path, "confusion", ["png"])
    shown = figure.layer[0].to_dict()["encoding"]["x"]["scale"]["domain"]
    assert shown == [f"{number + 1} {name}" for number, name in enumerate(names)]
    assert not len(recwarn)


def test_a_figure_can_be_restyled_and_written(tmp_path):
    figure = figures.lines(TABLE, "width", "loss", "kind").properties(width=90).configure_axis(labelFontSize=30)
    content = figures.specification(figure)
    assert content["config"]["axis"]["labelFontSize"] == 30
    assert content["config"]["axis"]["gridColor"] == figures.theme()["axis"]["gridColor"]
    (path,) = figures.save(figure, tmp_path, "one", ["svg"])
    text = path.read_text(encoding="utf-8")
    assert "prefers-color-scheme" in text
    assert "var(--on-page-0)" in text

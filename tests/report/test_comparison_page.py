"""The page of a comparison, its figures, and the tables behind them."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxnets.report import comparison_page, figures
from jaxnets.stats.estimates import POSITIVE, mean
from tests.report import comparisons
from tests.report.pages import Reader

HOSTILE = "</script><img src=x onerror=alert(1)>&amp;'\""
SMALL = {"tasks": 2, "repeats": 2, "seeds": 1, "confirm": 2, "trials": 3}


def content(reader):
    return json.loads(next(script for script in reader.scripts if script.startswith("{")))


def frame(table):
    return pd.DataFrame(table["rows"], columns=table["columns"])


def words(reader):
    return " ".join(reader.text.split())


@pytest.fixture(scope="module")
def grid():
    return comparisons.make(confirm=4)


@pytest.fixture(scope="module")
def text(grid):
    return comparisons.page(*grid, "python run.py compare_optimizers")


def test_the_page_is_one_file_and_says_what_was_asked_done_and_found(text, grid):
    told = words(Reader(text))
    assert "Which optimizer is better on digits: sgd, momentum or adam?" in told
    assert all(sentence in told for sentence in (*grid[1].sentences, *grid[1].cautions))
    assert "python run.py compare_optimizers" in told
    assert "jaxnets 0.4.0, jax 0.10.2" in told
    assert len(text.encode()) < 2_000_000
    assert "default-src 'none'" in text
    assert text.count("window.vegaEmbed = ") + text.count("window.vegaEmbed=") == 1


def test_figures_read_data_that_the_page_holds(text, grid):
    found = content(Reader(text))
    lines = ["accuracy_over_learning_rate", "dev_accuracy", "training_loss", "profiles"]
    assert [chart["name"] for chart in found["charts"]] == ["leaderboard", "pairs", *lines]
    wanted = set(re.findall(r'"data":\{"name":"(\w+)"\}', json.dumps(found["charts"], separators=(",", ":"))))
    assert wanted <= set(found["data"])
    runs = frame(found["data"]["runs"])
    assert len(runs) == len(grid[0].runs)
    assert runs["test_accuracy"].isna().sum() == (grid[0].runs["status"] == "diverged").sum()
    kinds = {name: kind for name, _, kind in found["table"]}
    assert (kinds["test_accuracy"], kinds["test_loss"], kinds["status"]) == ("number share", "number", "text")


def test_what_comes_from_outside_is_text():
    comparison, said = comparisons.make((HOSTILE, "adam"), trials=3, seeds=2, confirm=2)
    said = replace(said, sentences=(HOSTILE,), cautions=(HOSTILE,))
    environment = {HOSTILE: HOSTILE, "versions": {HOSTILE: HOSTILE}}
    reader = Reader(comparisons.page(comparison, said, f"python run.py '{HOSTILE}'", environment))
    assert "img" not in reader.tags
    assert reader.tags.count("script") == 3
    assert HOSTILE in reader.text
    assert HOSTILE in set(frame(content(reader)["data"]["runs"])["method"])


def test_several_tasks_and_repeats():
    made = comparisons.make(**SMALL)
    reader = Reader(comparisons.page(*made))
    assert "Which optimizer is better on 2 tasks" in words(reader)
    assert "The repeat is the unit of inference." in words(reader)
    assert "task" in reader.ids
    files, lines = (
        comparisons.on_paper(*made),
        ["accuracy_over_learning_rate", "dev_accuracy", "training_loss", "profiles"],
    )
    assert list(files) == [*lines, "critical_difference"]
    panels, data = files["dev_accuracy"]["concat"], files["dev_accuracy"]["datasets"]
    assert [panel["title"] for panel in panels] == ["digits", "task_1"]
    assert {row["task"] for row in data["task_1/curve_lines"]} == {"task_1"}
    ranks = chart(made, "critical_difference").tables
    by_name = ranks["ranks"].set_index("method")["rank"]
    assert by_name.is_monotonic_increasing
    spans = [(by_name[list(group)].min(), by_name[list(group)].max()) for group in made[1].groups if len(group) > 1]
    assert list(zip(ranks["groups"]["low"], ranks["groups"]["high"], strict=True)) == spans


def test_nothing_came_of_any_run(grid):
    comparison, said = grid
    values = ["dev_accuracy", "test_accuracy", "dev_loss", "test_loss", "train_loss"]
    runs = comparison.runs.assign(status="diverged", **dict.fromkeys(values, np.nan))
    lost = replace(comparison, runs=runs, curves=comparison.curves[:0])
    bare = {name: getattr(said, name)[:0] for name in ("pairs", "sensitivity", "tuning", "profiles")}
    Reader(comparisons.page(lost, replace(said, methods=said.methods.assign(accuracy=np.nan), **bare)))


def test_a_large_comparison_keeps_the_runs_that_report_and_fewer_lines(grid, monkeypatch):
    monkeypatch.setattr(comparison_page, "MOST_RUNS", 20)
    monkeypatch.setattr(comparison_page, "MOST_POINTS", 180)
    reader = Reader(comparisons.page(*grid))
    runs = frame(content(reader)["data"]["runs"])
    assert (len(runs), runs["reports"].sum()) == (20, 12)
    assert "20 of 228 runs" in words(reader)
    assert "thin lines: 6 of 12 runs" in words(reader)


def test_page_and_figures_are_computed_once_and_written(grid, tmp_path, monkeypatch):
    counted, charts = [], comparison_page.charts
    monkeypatch.setattr(comparison_page, "charts", lambda *given: counted.append(1) or charts(*given))
    monkeypatch.setattr(figures, "save", lambda figure, folder, name, kinds: [folder / f"{name}.{kinds[0]}"])
    page, *drawn = comparison_page.write(tmp_path, *grid, "", {}, "svg")
    assert (page.name, len(counted)) == ("report.html", 1)
    assert drawn[0].name == "accuracy_over_learning_rate.svg"


# ---- the tables behind the figures ------------------------------------------------------------------------------


def chart(made, name):
    return next(one for one in comparison_page.charts(*made) if one.name == name)


def test_runs_have_what_tells_them_apart_and_stand_where_they_ended(grid):
    comparison = grid[0]
    found = comparison_page.runs(comparison)
    assert {"run", "phase", "method", "learning_rate", "seed", "status", "test_accuracy"} <= set(found)
    assert "weight_decay" not in found  # all runs have the same
    lost = found[found["status"] == "diverged"]
    assert len(lost)
    assert (lost["score"] == comparisons.CHANCE).all()
    assert set(found.loc[found["reports"], "phase"]) == {"final"}
    runs = comparison.runs.copy()
    runs.loc[0, ["status", "dev_accuracy"]] = ["stopped", np.nan]
    cut = comparison.curves[(comparison.curves["run"] != 0) | (comparison.curves["step"] <= 230)]
    stopped = comparison_page.runs(replace(comparison, runs=runs, curves=cut))
    assert stopped.loc[0, "score"] == cut[cut["run"] == 0]["dev_accuracy"].iloc[-1]


def test_a_line_for_each_rate_or_for_thirds_of_a_decade_and_settings_over_two(grid):
    assert chart(grid, "accuracy_over_learning_rate").tables["rates"] is grid[1].sensitivity
    drawn = comparisons.make(search="random", trials=20, seeds=1, confirm=2)
    table = chart(drawn, "accuracy_over_learning_rate").tables["rates"]
    places = 3 * np.log10(table["learning_rate"])
    np.testing.assert_allclose(places, places.round(), atol=1e-9)
    assert ((table["low"] <= table["accuracy"]) & (table["accuracy"] <= table["high"])).all()
    two = chart(drawn, "settings")
    assert list(two.variants) == [f"{name}: learning rate × weight decay" for name in ("sgd", "momentum", "adam")]
    settings, tuning = two.tables["settings"], drawn[0].phase("tuning")
    assert settings["accuracy"].to_list() == tuning["dev_accuracy"].fillna(comparisons.CHANCE).to_list()


def test_curves_count_a_run_that_diverged_and_what_it_costs(grid):
    comparison = grid[0]
    runs = comparison.runs.copy()
    own = runs.index[(runs["optimizer"] == "sgd") & (runs["phase"] == "final")]
    runs.loc[own[0], "status"] = "diverged"
    lost = runs.loc[own[0], "run"]
    cut = comparison.curves[(comparison.curves["run"] != lost) | (comparison.curves["step"] <= 115)]
    lines, means = comparison_page.learning_curves(replace(comparison, runs=runs, curves=cut))
    end = lines[(lines["run"] == lost) & (lines["step"] == comparisons.NUM_STEPS)].iloc[0]
    assert end["dev_accuracy"] == comparisons.CHANCE
    assert end["training_loss"] == pytest.approx(np.log(10))
    last = means[(means["method"] == "sgd") & (means["step"] == comparisons.NUM_STEPS)].set_index("curve")
    others = cut[cut["run"].isin(runs.loc[own[1:], "run"]) & (cut["step"] == comparisons.NUM_STEPS)]["dev_accuracy"]
    assert last.loc["dev_accuracy", "mean"] == pytest.approx((others.sum() + comparisons.CHANCE) / len(own))
    assert (lines["examples"] == 64 * lines["step"]).all()
    sgd = means[means["method"] == "sgd"]
    np.testing.assert_allclose(sgd["seconds"], sgd["step"] * 0.02 / comparisons.NUM_STEPS)
    loss = means[means["curve"] == "training_loss"].dropna()
    assert ((loss["low"] <= loss["mean"]) & (loss["mean"] <= loss["high"]) & (loss["low"] > 0)).all()
    assert mean([1e-4, 1e-3, 0.1, 3.0], POSITIVE).low > 0


def test_profiles_begin_where_they_differ(grid):
    shares = {"sgd": [1, 1, 1, 0.5], "adam": [1, 1, 0.9, 0.2]}
    table = pd.concat(
        pd.DataFrame({"method": name, "threshold": range(4), "share": own}) for name, own in shares.items()
    )
    cut = chart((grid[0], replace(grid[1], profiles=table)), "profiles").tables["profiles"]
    assert sorted(set(cut["threshold"])) == [1, 2, 3]


def test_the_rows_of_figures_and_pages_are_strict_json():
    table = pd.DataFrame({"a": [1.0, np.nan, np.inf], "b": pd.array([1, None, 2], "Int64"), "c": ["x\x1b", None, True]})
    rows = json.loads(json.dumps(figures.records(table), allow_nan=False))
    assert [list(row.values()) for row in rows] == [[1.0, 1, "x"], [None, None, None], [None, 2, True]]

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from jaxnets.report import study_tables
from tests.report import studies


@pytest.fixture(scope="module")
def grid():
    return studies.make()


def test_runs_have_what_tells_them_apart(grid):
    found = study_tables.runs(grid[0])
    assert {"run", "phase", "contestant", "learning_rate", "seed", "status", "test_accuracy"} <= set(found)
    assert "weight_decay" not in found  # all runs have the same
    assert study_tables.shared(grid[0])["weight_decay"] == 1e-4
    lost = found[found["status"] == "diverged"]
    assert len(lost)
    assert (lost["score"] == studies.CHANCE).all()
    assert set(found.loc[found["reports"], "phase"]) == {"confirmation"}


def test_a_run_that_was_stopped_stands_at_its_last_accuracy(grid):
    study = grid[0]
    runs = study.runs.copy()
    runs.loc[0, ["status", "dev_accuracy"]] = ["stopped", np.nan]
    cut = study.curves[(study.curves["run"] != 0) | (study.curves["step"] <= 230)]
    found = study_tables.runs(dataclasses.replace(study, runs=runs, curves=cut))
    assert found.loc[0, "score"] == cut[cut["run"] == 0]["dev_accuracy"].iloc[-1]


def test_a_line_for_each_rate_or_for_thirds_of_a_decade(grid):
    table, each = study_tables.rates(grid[1])
    assert each
    assert table is grid[1].sensitivity
    table, each = study_tables.rates(studies.make(search="random", trials=64, seeds=1)[1])
    assert not each
    places = 3 * np.log10(table["learning_rate"])
    np.testing.assert_allclose(places, places.round(), atol=1e-9)
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()


def test_curves_count_a_run_that_diverged(grid):
    study = grid[0]
    runs = study.runs.copy()
    own = runs.index[(runs["optimizer"] == "sgd") & (runs["phase"] == "confirmation")]
    runs.loc[own[0], "status"] = "diverged"
    lost = runs.loc[own[0], "run"]
    cut = study.curves[(study.curves["run"] != lost) | (study.curves["step"] <= 115)]
    lines, means = study_tables.learning_curves(dataclasses.replace(study, runs=runs, curves=cut))
    end = lines[(lines["run"] == lost) & (lines["step"] == studies.NUM_STEPS)].iloc[0]
    assert end["dev_accuracy"] == studies.CHANCE
    assert end["train_loss"] == pytest.approx(np.log(10))
    last = means[(means["contestant"] == "sgd") & (means["step"] == studies.NUM_STEPS)].set_index("curve")
    others = cut[cut["run"].isin(runs.loc[own[1:], "run"]) & (cut["step"] == studies.NUM_STEPS)]["dev_accuracy"]
    assert last.loc["dev_accuracy", "mean"] == pytest.approx((others.sum() + studies.CHANCE) / len(own))


def test_steps_examples_and_seconds(grid):
    lines, means = study_tables.learning_curves(grid[0])
    assert (lines["examples"] == 64 * lines["step"]).all()
    sgd = means[means["contestant"] == "sgd"]
    np.testing.assert_allclose(sgd["seconds"], sgd["step"] * 0.02 / studies.NUM_STEPS)


def test_a_large_study_has_fewer_lines(grid, monkeypatch):
    lines, _ = study_tables.learning_curves(grid[0])
    assert study_tables.few_lines(lines) is lines
    monkeypatch.setattr(study_tables, "MOST_POINTS", len(lines) // 4)
    few = study_tables.few_lines(lines)
    assert len(few) <= len(lines) // 4
    assert few.groupby("contestant")["run"].nunique().to_list() == [4, 4, 4]


def test_settings_are_means_over_their_runs(grid):
    table = study_tables.settings(grid[0])
    assert len(table) == 27
    tuning = grid[0].phase("tuning")
    own = tuning[(tuning["optimizer"] == "adam") & np.isclose(tuning["learning_rate"], 0.01)]
    row = table[(table["contestant"] == "adam") & np.isclose(table["learning_rate"], 0.01)].iloc[0]
    assert row["score"] == pytest.approx(own["dev_accuracy"].mean())
    assert row["runs"].startswith(str(own["run"].iloc[0]))
    assert set(table.loc[np.isclose(table["score"], studies.CHANCE), "status"]) == {"diverged"}


def test_numbers_share_cells():
    values = pd.Series(np.geomspace(1e-4, 1, 100))
    cells, order = study_tables.binned(values)
    assert len(order) == 9
    assert cells.iloc[0] == order[0]
    assert cells.iloc[-1] == order[-1]
    assert cells.value_counts().max() <= 13  # evenly, as the range is logarithmic
    assert study_tables.binned(pd.Series(["b", "a", None]))[1] == ["b", "a"]


def test_places_on_an_axis():
    places, marks = study_tables.positions(pd.Series([1e-4, 1e-2, 1.0]))
    np.testing.assert_allclose(places, [0, 0.5, 1])
    assert [mark for _, mark in marks] == ["0.0001", "0.01", "1"]
    assert study_tables.positions(pd.Series([0.0, 1.0, 4.0]))[0].to_list() == [0, 0.25, 1]
    assert study_tables.positions(pd.Series(["relu", "tanh"]))[1] == [(0.0, "relu"), (1.0, "tanh")]


def test_columns_are_strict_json():
    table = pd.DataFrame({"a": [1.0, np.nan, np.inf], "b": pd.array([1, None, 2], "Int64"), "c": ["x", None, "y"]})
    assert json.loads(json.dumps(study_tables.columns(table), allow_nan=False)) == {
        "a": [1.0, None, None],
        "b": [1, None, 2],
        "c": {"texts": ["x", "y"], "places": [0, -1, 1]},
    }


def test_groups_span_the_ranks_of_their_members():
    answer = studies.make(tasks=2, seeds=1, confirm=2)[1]
    ranks, bars = study_tables.ranks(answer)
    by_name = ranks.set_index("contestant")["rank"]
    assert ranks["rank"].is_monotonic_increasing
    assert (bars["low"].iloc[0], bars["high"].iloc[0]) == (by_name["sgd"], by_name["momentum"])


def test_profiles_begin_where_they_differ(grid):
    table, cut = grid[1].profiles, study_tables.profiles(grid[1])
    least = cut["threshold"].min()
    assert 0 < least < 1
    assert (table.loc[table["threshold"] <= least, "share"] == 1).all()
    assert len(cut) == (table["threshold"] >= least).sum()

import numpy as np
import pandas as pd
import pytest

from jaxnets.claims import effects
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol, TaskFacts

FACTS = TaskFacts("wine", "", np.nan, 0.4, 3, 100, 20, 20, independent=False)


def comparison(repeats=2, seeds=3, chosen=(0.1, 1.0)):
    """Two methods, each with three rates tried; the final runs of the second have half the loss."""
    rows = []
    for repeat in range(repeats):
        for name, rate, loss in (("sgd", chosen[0], 0.4), ("adam", chosen[1], 0.2)):
            common = {"repeat": repeat, "optimizer": name, "status": "finished", "task": "wine"}
            tuning = {**common, "seed": repeat, "phase": TUNING, "train_loss": 1.0}
            rows += [{**tuning, "learning_rate": tried} for tried in (0.01, 0.1, 1.0)]
            for seed in range(seeds):
                numbers = {"seed": 10 + repeat * seeds + seed, "train_loss": loss, "test_accuracy": 0.9 + loss / 10}
                rows.append({**common, "learning_rate": rate, "phase": FINAL, **numbers})
    runs = pd.DataFrame(rows)
    runs.insert(0, "run", range(len(runs)))
    order = ["run", "optimizer", "learning_rate", "seed", "repeat", "status"]
    runs = runs[[*order, *(name for name in runs if name not in order)]]
    curves = pd.DataFrame(
        [
            {"run": row.run, "step": step, "train_loss": row.train_loss + (40 - step) / 100}
            for row in runs.itertuples()
            for step in (10, 20, 30, 40)
        ]
    )
    return Comparison(runs, curves, pd.DataFrame(), "optimizer", (FACTS,), Protocol("grid", 3, 1, seeds, repeats))


def test_scores_are_those_of_the_confirming_runs():
    table = effects.scores(comparison())
    assert len(table) == 12
    assert table["number"].tolist() == [0, 1, 2] * 4
    assert table.groupby("method")["edge"].first().to_dict() == {"adam": True, "sgd": False}
    assert set(table["examples"]) == {20}


def test_a_run_that_diverged_has_the_loss_and_accuracy_of_chance():
    lost = comparison()
    lost.runs.loc[3, ["status", "train_loss", "test_accuracy"]] = "diverged", np.nan, np.nan
    first = effects.scores(lost).iloc[0]
    assert first["train_loss"] == pytest.approx(np.log(3))
    assert first["test_accuracy"] == 0.4


def test_a_contrast_pairs_the_seeds_of_a_repeat():
    table = effects.contrast(effects.scores(comparison()), "train_loss", {"sgd": 1, "adam": -1}, log=True)
    assert len(table) == 6
    assert np.allclose(table["effect"], np.log(2))
    assert table["edge"].all()
    assert "examples" not in table
    assert "examples" in effects.contrast(effects.scores(comparison()), "test_accuracy", {"sgd": 1, "adam": -1})


def test_a_method_that_is_missing_leaves_no_effects():
    assert effects.contrast(effects.scores(comparison()), "train_loss", {"sgd": 1, "other": -1}).empty


def test_steps_to_the_loss_at_which_another_ends():
    made = comparison()
    table = effects.steps_to(made, effects.scores(made), "sgd").groupby("method")["steps"].mean()
    assert table.to_dict() == {"adam": 20.0, "sgd": 40.0}  # 0.2 + (40 - 20) / 100 is 0.4


def test_a_run_that_never_gets_there_counts_with_its_last_step():
    made = comparison()
    table = effects.steps_to(made, effects.scores(made), "adam").groupby("method")["steps"].mean()
    assert table.to_dict() == {"adam": 40.0, "sgd": 40.0}

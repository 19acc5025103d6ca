"""Studies of claims: tuned alike, confirmed on fresh seeds, in blocks, on tasks."""

import numpy as np
import pytest

from jaxnets.claims import effects
from jaxnets.config.config import Config
from jaxnets.runs.results import Results

SMALL = {"num_steps": 8, "evaluate_every": 4, "hidden_units": 4, "num_blocks": 2, "learning_rate": [0.01, 0.1]}


def results(options=None, **values):
    config = Config(**{"dataset": "wine", **SMALL, **values}, options={"confirm_seeds": 3, **(options or {})})
    return Results(config, None, None)


def test_each_contestant_is_tuned_and_confirmed_in_each_block():
    asked = results(optimizer=["sgd", "adam"])
    studied = asked.study("optimizer", score="train_loss", keep="last")
    table = effects.scores(studied.study)
    assert len(studied.study.phase("tuning")) == 8
    assert table.groupby(["contestant", "block"]).size().tolist() == [3] * 4
    assert not set(table["seed"]) & set(studied.study.phase("tuning")["seed"])
    assert len(asked.further) == 2
    (reporting,) = studied.reporting.values()
    assert set(reporting.params(0))
    best = studied.study.phase("tuning").groupby(["optimizer", "block", "learning_rate"])["train_loss"].mean()
    for (name, block), own in table.groupby(["contestant", "block"]):
        assert set(own["learning_rate"]) == {best[name, block].idxmin()}


def test_a_label_names_contestants_of_several_hyperparameters():
    asked = results(schedule=["constant", "cosine", "linear"], optimizer="sgd")
    studied = asked.study(lambda runs: runs["schedule"].where(runs["schedule"] == "constant", "decaying"))
    assert set(effects.scores(studied.study)["contestant"]) == {"constant", "decaying"}
    reporting = studied.study.reporting
    assert reporting.groupby(["contestant", "block"])["schedule"].nunique().max() == 1


def test_tasks_may_have_values_of_their_own():
    asked = results({"tasks": ["wine", "spirals"]})
    changes = {"wine": (3,), "spirals": (5,)}
    studied = asked.study("hidden_units", changes=lambda task: {"hidden_units": changes[task.name], "num_steps": 4})
    runs = studied.study.runs
    assert dict(zip(runs["task"], runs["hidden_units"], strict=True)) == {"wine": "3", "spirals": "5"}
    assert set(runs["num_steps"]) == {4}
    assert [task.independent for task in studied.study.tasks] == [False, True]


@pytest.mark.parametrize("dataset", ["wine", "spirals"])
def test_another_base_seed_is_another_study(dataset):
    first, same, other = (
        effects.scores(results(dataset=dataset, base_seed=seed).study("optimizer").study) for seed in (0, 0, 500)
    )
    assert first["train_loss"].tolist() == same["train_loss"].tolist()
    assert not set(first["seed"]) & set(other["seed"])
    assert not np.isin(first["test_loss"], other["test_loss"]).any()

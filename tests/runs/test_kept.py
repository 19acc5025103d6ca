"""Models that are kept are those of runs that finished, at the evaluation by which they are judged."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

import jaxnets
from jaxnets.engine import active
from jaxnets.inference import predict
from jaxnets.stats import selection

FEATURES = np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)
LABELS = (FEATURES[:, 0] > 0).astype(int)
VALUES = {"hidden_units": 24, "batch_size": 64, "num_steps": 12, "evaluate_every": 2, "optimizer": "sgd"}


EXTRAS = [{"folds": 1}, {"folds": 1, "select": "best"}, {"num_blocks": 2, "search": "halving", "num_trials": 4}]


@pytest.mark.usefixtures("fully_compiled")
@pytest.mark.parametrize("extra", EXTRAS)
def test_the_seeds_of_the_best_setting_are_kept_where_they_are_judged(extra, tmp_path):
    rates = jaxnets.log_range(0.01, 1, 4)
    values = {**VALUES, "dataset": (FEATURES, LABELS), "learning_rate": rates, "num_seeds": 3, **extra}
    results = jaxnets.sweep(**values, keep="seeds", output=tmp_path / "run", progress=False)
    assert results.num_programs == 1
    kept = sorted({run for run, _ in results.kept})
    runs = results.runs.iloc[kept]
    groups = [name for name in ("optimizer", "block") if name in results.runs]
    best = selection.best_configurations(results.runs, groups).sort_values(["dev_score", "dev_loss"]).iloc[::-1]
    assert len(kept) == 3
    assert runs["learning_rate"].nunique() == 1
    assert runs["dev_accuracy"].mean() == pytest.approx(best["dev_score"].max())
    loaded = jaxnets.load(tmp_path / "run")
    assert sorted(json.loads((tmp_path / "run" / "models.json").read_text())["runs"]) == sorted(map(str, kept))
    for run in kept:
        assert results.steps(run) == [results.runs["judged_step"][run]]
        test = results.dataset(run).test
        probabilities = loaded.probabilities(run, test.inputs)
        assert np.mean(probabilities.argmax(axis=1) == test.labels) == pytest.approx(runs["test_accuracy"][run])


def test_a_run_that_diverged_has_no_model():
    """The larger rate is ahead until the schedule lets it burst."""

    def burst(progress):
        return jnp.where(progress > 0.5, 1e30, 1.0)

    values = {**VALUES, "dataset": (FEATURES, LABELS), "folds": 1, "select": "best", "schedule": burst}
    results = jaxnets.sweep(**values, learning_rate=[1e-36, 0.5], keep="best", progress=False)
    assert results.runs["status"].tolist() == ["finished", "diverged"]
    assert results.runs["best_dev_accuracy"][1] > results.runs["best_dev_accuracy"][0]
    assert results.kept_model.about["run"] == 0
    test = results.folds[0].test
    said = results.predict(0, test.inputs)
    assert np.mean(said == test.labels) == pytest.approx(results.runs["test_accuracy"][0])


@pytest.mark.parametrize("keep", ["last", "all"])
def test_what_answers_is_what_the_table_judged(keep, tmp_path):
    """Large rates: the best evaluation is seldom the last one."""
    values = {**VALUES, "dataset": (FEATURES, LABELS), "folds": 1, "select": "best", "num_steps": 30}
    results = jaxnets.sweep(
        **values, learning_rate=[1.0, 3.0], num_seeds=4, keep=keep, output=tmp_path / "run", progress=False
    )
    loaded, test = jaxnets.load(tmp_path / "run"), results.folds[0].test
    assert (results.runs["judged_step"] < 30).any()
    for run in results.runs["run"]:
        assert results.runs["judged_step"][run] in results.steps(run)
        assert len(results.steps(run)) == (15 if keep == "all" else 1)
        for source in (results, loaded, results.model(run), loaded.model(run)):
            of_run = () if hasattr(source, "plugin") else (run,)
            said = predict.labels(source, test.inputs) if not of_run else source.predict(run, test.inputs)
            assert np.mean(said == test.labels) == pytest.approx(results.runs["test_accuracy"][run])


@pytest.mark.parametrize("keep", ["best", "seeds"])
@pytest.mark.parametrize("select", ["last", "best"])
def test_no_run_is_trained_twice_for_its_model(keep, select, monkeypatch):
    """A run is ahead and then dropped: the model is that of the best run that finished, as it was trained."""
    segments, dispatch = [], active.ActiveRuns.dispatch
    monkeypatch.setattr(
        active.ActiveRuns,
        "dispatch",
        lambda *asked: segments.append((len(asked[0]._runs), *asked[1:])) or dispatch(*asked),
    )
    values = {**VALUES, "dataset": (FEATURES, LABELS), "folds": 1, "select": select, "num_seeds": 3, "num_steps": 18}
    search = {"learning_rate": jaxnets.log_range(0.01, 3), "search": "halving", "num_trials": 6}
    results = jaxnets.sweep(**values, **search, keep=keep, progress=False)
    assert sum(runs * (last - first) for runs, first, last in segments) == results.steps_taken
    finished = results.runs[results.runs["status"] == "finished"]
    test = results.folds[0].test
    if keep == "best":
        best = finished[finished["dev_accuracy"] == finished["dev_accuracy"].max()]
        run = results.kept_model.about["run"]
        assert run == best.sort_values(["judged_step", "run"])["run"].iloc[0]
        kept = [run]
    else:
        kept = sorted({run for run, _ in results.kept})
        assert kept == sorted(finished["run"])
    for run in kept:
        said = results.predict(run, test.inputs)
        assert np.mean(said == test.labels) == pytest.approx(results.runs["test_accuracy"][run])


def test_where_nothing_finished_nothing_is_kept(tmp_path):
    values = {
        **VALUES,
        "folds": 1,
        "dataset": (FEATURES, LABELS),
        "activation": "identity",
        "learning_rate": 1e12,
        "progress": False,
    }
    for keep in ("best", "seeds"):
        results = jaxnets.sweep(**values, keep=keep, output=tmp_path / keep)
        assert (results.runs["status"] == "diverged").all()
        assert results.kept_model is None
        assert not results.kept
        assert not (tmp_path / keep / "checkpoint").exists()

"""What is kept of runs and trained on from results; models are those of runs that finished, where they are judged."""

import json

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import jaxnets
from jaxnets.data.dataset import Dataset, Split
from jaxnets.engine import active
from jaxnets.engine.sweep import load_folds
from jaxnets.errors import UserError
from jaxnets.inference import predict
from jaxnets.stats import selection

FLAGS = {"hidden_units": 5, "num_steps": 6, "evaluate_every": 3, "learning_rate": [0.1, 0.01], "num_seeds": 2}
FEATURES = np.random.default_rng(0).normal(size=(150, 5)).astype(np.float32)
LABELS = (FEATURES[:, 0] > 0).astype(int)
VALUES = {"hidden_units": 24, "batch_size": 64, "num_steps": 12, "evaluate_every": 2, "optimizer": "sgd"}
VALUES |= {"dataset": (FEATURES, LABELS), "progress": False}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "one"
    return jaxnets.sweep(**FLAGS, keep="all", output=output, progress=False)


def test_the_parameters_of_each_run_are_those_of_its_metrics(results):
    test, dev = results.folds[0].test, results.folds[0].dev
    assert results.steps(2) == [3, 6]
    for run in results.runs["run"]:
        accuracy = (results.logits(run, test.inputs).argmax(axis=1) == test.labels).mean()
        assert accuracy == pytest.approx(results.runs["test_accuracy"][run], abs=1e-6)
    accuracy = (results.logits(1, dev.inputs, step=3).argmax(axis=1) == dev.labels).mean()
    (row,) = results.curves[(results.curves["run"] == 1) & (results.curves["step"] == 3)]["dev_accuracy"]
    assert accuracy == pytest.approx(row, abs=1e-6)
    kept = load_file(results.directory / "parameters.safetensors")
    np.testing.assert_array_equal(kept["run_3.step_6.output.kernel"], results.params(3)["output"]["kernel"])
    assert len(kept) == 4 * 2 * 4


def test_runs_of_one_seed_start_alike(results):
    first, other = (results.params(run, step=0)["output"]["kernel"] for run in (0, 2))
    np.testing.assert_array_equal(first, other)  # the same seed at another learning rate
    assert not np.array_equal(first, results.params(1, step=0)["output"]["kernel"])
    with pytest.raises(UserError, match="after step 5 were not kept; kept are those after 3, 6; keep=all"):
        results.params(0, step=5)
    with pytest.raises(UserError, match="there is no run 9; the runs are 0 to 3"):
        results.numbers(9)


def test_training_further_changes_flags_and_writes_nothing(results):
    before = sorted(results.directory.rglob("*"))
    further = results.train(seed=1, learning_rate=0.1, keep="last", num_seeds=1)
    assert further.steps(0) == [6]
    np.testing.assert_array_equal(further.params(0)["output"]["kernel"], results.params(1)["output"]["kernel"])
    assert sorted(results.directory.rglob("*")) == before
    assert results.num_runs == 5  # 4 and this one


def test_arguments_of_what_is_no_longer_chosen_are_left_out(results):
    values = {"batch_size": 20, "num_seeds": 1, "learning_rate": 0.1, "hidden_units": (), "predictions": True}
    text = {"dataset": "ngrams", "num_sentences": 40, "model": "dan", "embedding_dim": 4}
    further = results.train(**text, **values, keep="last")
    with pytest.raises(UserError, match="num_sentences"):
        results.train(num_sentences=40)  # asked for by name
    model, test = further.model(0), further.folds[0].test
    probabilities = predict.class_probabilities(model, [test.inputs[row] for row in range(len(test))])
    expected = further.predictions.filter(regex="^probability").to_numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    log_odds = np.log(expected[0, 1] / expected[0, 0])
    np.testing.assert_allclose(predict.log_odds(model, [test.inputs[0]]), log_odds, rtol=1e-4)
    assert results.predictions.empty


def test_smaller_training_sets_are_nested_in_larger_ones(results):
    few, more = (load_folds(results.config.changed(num_train=count))[0] for count in (50, 200))
    assert (len(few.train), len(more.train)) == (50, 200)
    rows = {row.tobytes() for row in more.train.inputs}
    assert all(row.tobytes() in rows for row in few.train.inputs)
    assert pd.Series(few.train.labels).value_counts().between(4, 6).all()
    np.testing.assert_array_equal(few.test.inputs, results.folds[0].test.inputs)
    with pytest.raises(UserError, match="num_train: 5000 asked for, but 'digits' has 1437"):
        results.train(num_train=5000)


@pytest.mark.parametrize("form", ["pair", *(pytest.param(one, marks=pytest.mark.slow) for one in ("pairs", "Dataset"))])
def test_what_becomes_of_the_callers_arrays_is_not_trained_on(form):
    inputs = FEATURES[:40, :3].copy()
    split = Split(inputs, (inputs[:, 0] > 0).astype(np.int32))
    pair = split.inputs, split.labels
    data = {"pair": pair, "pairs": (pair, pair), "Dataset": Dataset("own", split, split, split, ("a", "b"))}[form]
    results = jaxnets.sweep(dataset=data, hidden_units=(2,), batch_size=8, num_steps=2, progress=False)
    inputs[:] = 0
    assert results.train(num_seeds=1).runs["test_loss"].tolist() == results.runs["test_loss"].tolist()
    with pytest.raises(UserError, match="have changed since they were trained on"):
        results.train(num_train=20)


def test_a_loader_that_gives_something_else_each_time_is_asked_once():
    calls = []

    def loader():
        calls.append(1)
        generator = np.random.default_rng(len(calls))
        return generator.normal(size=(40, 3)).astype(np.float32), [0, 1] * 20

    results = jaxnets.sweep(dataset=loader, hidden_units=(2,), batch_size=8, num_steps=2, progress=False)
    assert results.train().runs["test_loss"].tolist() == results.runs["test_loss"].tolist()
    assert len(calls) == 1


def is_judged(results, runs, test, loaded=None):
    """Whether the parameters that answer are those of the test accuracy in the table."""
    for run in runs:
        said = results.predict(run, test.inputs)
        assert np.mean(said == test.labels) == pytest.approx(results.runs["test_accuracy"][run])
        if loaded is not None:
            np.testing.assert_array_equal(loaded.predict(run, test.inputs), said)


EXTRAS = [{"folds": 1, "select": "best"}, {"num_repeats": 2, "search": "halving", "num_trials": 4}]


@pytest.mark.parametrize("extra", [EXTRAS[0], pytest.param(EXTRAS[1], marks=pytest.mark.slow)])
def test_the_seeds_of_the_best_setting_are_kept_where_they_are_judged(extra, tmp_path):
    values = {**VALUES, "learning_rate": jaxnets.log_range(0.01, 1, 4), "num_seeds": 3, **extra}
    results = jaxnets.sweep(**values, keep="seeds", output=tmp_path / "run")
    assert results.num_programs == 1
    kept = sorted({run for run, _ in results.kept})
    runs = results.runs.iloc[kept]
    groups = [name for name in ("optimizer", "repeat") if name in results.runs]
    best = selection.best_configurations(results.runs, groups)
    assert len(kept) == 3
    assert runs["learning_rate"].nunique() == 1
    assert runs["dev_accuracy"].mean() == pytest.approx(best["dev_score"].max())
    assert sorted(json.loads((tmp_path / "run" / "models.json").read_text())["runs"]) == sorted(map(str, kept))
    assert all(results.steps(run) == [results.runs["judged_step"][run]] for run in kept)
    is_judged(results, kept, results.dataset(kept[0]).test, jaxnets.load(tmp_path / "run"))


@pytest.mark.parametrize("keep", ["all", pytest.param("last", marks=pytest.mark.slow)])
def test_what_answers_is_what_the_table_judged(keep, tmp_path):
    """Large rates: the best evaluation is seldom the last one."""
    values = {**VALUES, "folds": 1, "select": "best", "num_steps": 30, "learning_rate": [1.0, 3.0], "num_seeds": 4}
    results = jaxnets.sweep(**values, keep=keep, output=tmp_path / "run")
    loaded, test = jaxnets.load(tmp_path / "run"), results.folds[0].test
    assert (results.runs["judged_step"] < 30).any()
    is_judged(results, results.runs["run"], test, loaded)
    for run in results.runs["run"]:
        assert results.runs["judged_step"][run] in results.steps(run)
        assert len(results.steps(run)) == (15 if keep == "all" else 1)
        said = results.predict(run, test.inputs)
        for model in (results.model(run), loaded.model(run)):
            np.testing.assert_array_equal(predict.labels(model, test.inputs), said)


def test_a_run_that_diverged_has_no_model():
    """The larger rate is ahead until the schedule lets it burst."""

    def burst(progress):
        return jnp.where(progress > 0.5, 1e30, 1.0)

    values = {**VALUES, "folds": 1, "select": "best", "schedule": burst, "learning_rate": [1e-36, 0.5]}
    results = jaxnets.sweep(**values, keep="best")
    assert results.runs["status"].tolist() == ["finished", "diverged"]
    assert results.runs["best_dev_accuracy"][1] > results.runs["best_dev_accuracy"][0]
    assert results.kept_model.about["run"] == 0
    is_judged(results, [0], results.folds[0].test)


@pytest.mark.parametrize(
    ("keep", "select"),
    [("best", "best"), *(pytest.param(*one, marks=pytest.mark.slow) for one in (("best", "last"), ("seeds", "best")))],
)
def test_no_run_is_trained_twice_for_its_model(keep, select, monkeypatch):
    """A run is ahead and then dropped: the model is that of the best run that finished, as it was trained."""
    segments, dispatch = [], active.ActiveRuns.dispatch

    def counted(*asked):
        segments.append((len(asked[0]._runs), *asked[1:]))
        return dispatch(*asked)

    monkeypatch.setattr(active.ActiveRuns, "dispatch", counted)
    values = {**VALUES, "folds": 1, "select": select, "num_seeds": 3, "num_steps": 18, "num_trials": 6}
    results = jaxnets.sweep(**values, learning_rate=jaxnets.log_range(0.01, 3), search="halving", keep=keep)
    assert sum(runs * (last - first) for runs, first, last in segments) == results.steps_taken
    finished = results.runs[results.runs["status"] == "finished"]
    kept = sorted({run for run, _ in results.kept})
    if keep == "best":
        best = finished[finished["dev_accuracy"] == finished["dev_accuracy"].max()]
        kept = [results.kept_model.about["run"]]
        assert kept == [best.sort_values(["judged_step", "run"])["run"].iloc[0]]
    else:
        assert kept == sorted(finished["run"])
    is_judged(results, kept, results.folds[0].test)


@pytest.mark.parametrize("keep", ["best", pytest.param("seeds", marks=pytest.mark.slow)])
def test_where_nothing_finished_nothing_is_kept(keep, tmp_path):
    values = {**VALUES, "folds": 1, "activation": "identity", "learning_rate": 1e12}
    results = jaxnets.sweep(**values, keep=keep, output=tmp_path / keep)
    assert (results.runs["status"] == "diverged").all()
    assert results.kept_model is None
    assert not results.kept
    assert not (tmp_path / keep / "checkpoint").exists()


def test_exporting_the_best_does_not_go_with_keeping_all(tmp_path):
    with pytest.raises(UserError, match="export"):
        jaxnets.sweep(keep="all", export=str(tmp_path / "a.safetensors"), progress=False)

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

import jaxnets
from jaxnets.data.dataset import Dataset, Split
from jaxnets.errors import UserError
from jaxnets.inference import predict

FLAGS = {"hidden_units": 5, "num_steps": 6, "evaluate_every": 3, "learning_rate": [0.1, 0.01], "num_seeds": 2}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "one"
    return jaxnets.sweep(**FLAGS, keep="all", output=output, progress=False)


def test_the_parameters_of_each_run_are_those_of_its_metrics(results):
    test = results.folds[0].test
    assert results.steps(2) == [3, 6]
    for run in results.runs["run"]:
        accuracy = (results.logits(run, test.inputs).argmax(axis=1) == test.labels).mean()
        assert accuracy == pytest.approx(results.runs["test_accuracy"][run], abs=1e-6)
    dev = results.folds[0].dev
    accuracy = (results.logits(1, dev.inputs, step=3).argmax(axis=1) == dev.labels).mean()
    (row,) = results.curves[(results.curves["run"] == 1) & (results.curves["step"] == 3)]["dev_accuracy"]
    assert accuracy == pytest.approx(row, abs=1e-6)


def test_runs_of_one_seed_start_alike(results):
    first, other = (results.params(run, step=0)["output"]["kernel"] for run in (0, 2))
    np.testing.assert_array_equal(first, other)  # the same seed at another learning rate
    assert not np.array_equal(first, results.params(1, step=0)["output"]["kernel"])
    with pytest.raises(UserError, match="after step 5 were not kept; kept are those after 3, 6; keep=all"):
        results.params(0, step=5)
    with pytest.raises(UserError, match="there is no run 9; the runs are 0 to 3"):
        results.numbers(9)


def test_the_parameters_are_on_disk(results):
    kept = load_file(results.directory / "parameters.safetensors")
    np.testing.assert_array_equal(kept["run_3.step_6.output.kernel"], results.params(3)["output"]["kernel"])
    assert len(kept) == 4 * 2 * 4


def test_training_further_changes_flags_and_writes_nothing(results):
    before = sorted(results.directory.rglob("*"))
    further = results.train(seed=1, learning_rate=0.1, keep="last", num_seeds=1)
    assert further.steps(0) == [6]
    np.testing.assert_array_equal(further.params(0)["output"]["kernel"], results.params(1)["output"]["kernel"])
    assert sorted(results.directory.rglob("*")) == before
    assert results.num_runs == 5  # 4 and this one


def test_arguments_of_what_is_no_longer_chosen_are_left_out(results):
    values = {"batch_size": 20, "num_seeds": 1, "learning_rate": 0.1, "hidden_units": (), "predictions": True}
    further = results.train(dataset="ngrams", num_sentences=40, model="dan", **values, keep="last")
    again = results.train(dataset="xor", batch_size=0, num_seeds=1, learning_rate=0.1)
    assert again.folds[0].name == "xor"
    with pytest.raises(UserError, match="num_sentences"):
        results.train(num_sentences=40)  # asked for by name
    model, test = further.model(0), further.folds[0].test
    probabilities = predict.class_probabilities(model, [test.inputs[row] for row in range(len(test))])
    expected = further.predictions.filter(regex="^probability").to_numpy()
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(
        predict.log_odds(model, [test.inputs[0]]), np.log(expected[0, 1] / expected[0, 0]), rtol=1e-4
    )
    assert results.predictions.empty


def test_smaller_training_sets_are_nested_in_larger_ones(results):
    few, more = (results.train(num_train=count, batch_size=10, num_seeds=1).folds[0] for count in (50, 200))
    assert (len(few.train), len(more.train)) == (50, 200)
    rows = {row.tobytes() for row in more.train.inputs}
    assert all(row.tobytes() in rows for row in few.train.inputs)
    assert pd.Series(few.train.labels).value_counts().between(4, 6).all()
    np.testing.assert_array_equal(few.test.inputs, results.folds[0].test.inputs)
    with pytest.raises(UserError, match="num_train: 5000 asked for, but 'digits' has 1437"):
        results.train(num_train=5000)


def test_exporting_the_best_does_not_go_with_keeping_all(tmp_path):
    with pytest.raises(UserError, match="export"):
        jaxnets.sweep(keep="all", export=str(tmp_path / "a.safetensors"), progress=False)


def _owned_by_the_caller():
    inputs = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    split = Split(inputs, (inputs[:, 0] > 0).astype(np.int32))
    return inputs, split


@pytest.mark.parametrize("form", ["pair", "pairs", "Dataset"])
def test_what_becomes_of_the_callers_arrays_is_not_trained_on(form):
    inputs, split = _owned_by_the_caller()
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
        return generator.normal(size=(40, 2)).astype(np.float32), [0, 1] * 20

    results = jaxnets.sweep(dataset=loader, hidden_units=(2,), batch_size=8, num_steps=2, progress=False)
    assert results.train().runs["test_loss"].tolist() == results.runs["test_loss"].tolist()
    assert len(calls) == 1

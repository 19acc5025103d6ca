import jax
import numpy as np
import pytest

from jaxnets import data
from jaxnets.config.config import Config
from jaxnets.config.values import log_range
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.table import runs
from jaxnets.errors import UserError

DIGITS, NGRAMS = data.load("digits"), data.load("ngrams", num_sentences=100)


def programs(dataset=DIGITS, **flags):
    return plan([resolve(run, dataset) for run in runs(Config(**flags))], dataset)


def test_what_is_traced_shares_a_program():
    got = programs(
        optimizer=["sgd", "momentum", "adam"],
        learning_rate=log_range(1e-4, 1, 9),
        initializer=["he", "xavier", "pytorch", "zeros"],
        warmup_steps=[0, 10],
        initializer_scale=[1, 2],
        num_seeds=8,
    )
    assert [program.label for program in got] == ["sgd", "momentum", "adam"]
    assert {len(program.runs) for program in got} == {9 * 4 * 2 * 2 * 8}
    assert sorted(np.concatenate([program.runs for program in got])) == list(range(3 * 9 * 4 * 2 * 2 * 8))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hidden_units", [8, 16]),
        ("activation", ["relu", "tanh"]),
        ("batch_size", [8, 16]),
        ("schedule", ["constant", "cosine"]),
        ("num_steps", [8, 16]),
        ("nesterov", [True, False]),
        ("model", ["mlp", "mlp2"]),
        ("initializer", ["he", jax.nn.initializers.orthogonal()]),
    ],
)
def test_what_is_static_does_not(name, values, monkeypatch):
    from jaxnets import models

    monkeypatch.setitem(models.KNOWN, "mlp2", models.KNOWN["mlp"])
    assert len(programs(optimizer="momentum", **{name: values})) == 2


def test_the_traced_numbers_are_those_of_the_runs():
    program = programs(optimizer="adam", learning_rate=[0.1, 0.2], b1=0.5, initializer=["zeros", "he"], seed=4)[0]
    np.testing.assert_allclose(program.hyperparameters["learning_rate"], [0.1, 0.1, 0.2, 0.2])
    np.testing.assert_allclose(program.hyperparameters["b1"], 0.5)
    np.testing.assert_array_equal(program.hyperparameters["initializer"], [4, 0, 4, 0])
    assert list(program.seeds) == [4] * 4
    assert dict(program.task.model.static)["num_outputs"] == 10


def test_an_absent_number_makes_another_program_than_a_given_one():
    assert len(programs(weight_decay=[0.1, 0.2])) == 1
    assert "weight_decay" not in programs()[0].hyperparameters
    assert "dropout_rate" in programs(dropout_rate=0.5)[0].hyperparameters
    assert "dropout_rate" not in programs()[0].hyperparameters


def test_steps_and_batches_are_resolved_with_the_data():
    run = resolve(runs(Config(batch_size=0, num_epochs=7))[0], DIGITS)
    assert (run["batch_size"], run["num_steps"], run["num_epochs"]) == (1437, 7, 7.0)
    run = resolve(runs(Config(batch_size=64, num_steps=46))[0], DIGITS)
    assert (run["num_steps"], run["num_epochs"]) == (46, 2.0)


@pytest.mark.parametrize(
    ("dataset", "flags", "part"),
    [
        (DIGITS, {"batch_size": 1438}, "batch_size: 1438 is larger than the 1437 training examples of 'digits'"),
        (DIGITS, {"head": "sigmoid"}, "two classes, and there are 10"),
        (DIGITS, {"model": "dan"}, "'dan' takes text, but dataset=digits holds features; take --model=mlp"),
        (NGRAMS, {"model": "mlp"}, "'mlp' takes features, but dataset=ngrams holds text; take --model=dan or"),
    ],
)
def test_mistakes_that_show_with_the_data(dataset, flags, part):
    with pytest.raises(UserError) as error:
        programs(dataset, **flags)
    assert part in str(error.value)

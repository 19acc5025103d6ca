"""What cannot be is refused before it is made, with the number and the limit."""

import time

import pytest

from jaxnets import io
from jaxnets.config.config import Config
from jaxnets.config.values import log_range
from jaxnets.engine import layout, table
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError

XOR = {"dataset": "xor", "batch_size": 0, "num_steps": 10}
GIB = 2**30
MANY = log_range(1e-4, 1, 3000)

REFUSED = {
    "num_seeds: 1,000,000,000 runs are more than the 10,000,000 that a sweep may have.": {"num_seeds": 10**9},
    "learning_rate: 1,000,000,000 runs are more": {"learning_rate": log_range(1e-4, 1, 10**9)},
    "learning_rate: 9,000,000 runs take about 33.5 GiB, more than the 8.0 GiB": {
        "learning_rate": MANY,
        "weight_decay": MANY,
    },
    "evaluate_every: 2,000,000,000 evaluations take about": {"num_steps": 2 * 10**9, "evaluate_every": 1},
    "num_epochs: 2,147,483,647 evaluations take about": {"num_steps": 2**31 - 1},
    "model: 'MLP' of 400,120,002 parameters in training take about": {"hidden_units": (20000, 20000)},
    "model: 'MLP' of 4,611,686,027,017,322,493 parameters": {"hidden_units": (2**31 - 1, 2**31 - 1)},
    "keep: the parameters of keep=all take about": {"keep": "all", "num_steps": 10**6, "evaluate_every": 1},
}


@pytest.fixture(autouse=True)
def eight_gib(monkeypatch):
    set_free(monkeypatch, 8 * GIB)


def set_free(monkeypatch, num_bytes):
    for place in (layout, table, io):
        monkeypatch.setattr(place, "free_memory", lambda: num_bytes)


@pytest.mark.parametrize("part", REFUSED)
def test_a_sweep_that_cannot_be_is_refused_before_it_is_made(part):
    start = time.perf_counter()
    with pytest.raises(UserError) as error:
        prepare(Config(**XOR | REFUSED[part]))
    assert str(error.value).startswith(part), str(error.value)
    assert time.perf_counter() - start < 2


def test_predictions_are_counted(monkeypatch):
    set_free(monkeypatch, GIB // 10)
    with pytest.raises(UserError, match="predictions: the predictions of all runs take"):
        prepare(Config(dataset="digits", hidden_units=(), num_steps=1, num_seeds=9000, predictions=True))


def test_models_of_all_seeds_and_runs_that_wait_for_each_other_are_counted(monkeypatch):
    set_free(monkeypatch, GIB // 4)
    digits = {"dataset": "digits", "num_steps": 18, "evaluate_every": 2}
    with pytest.raises(UserError, match="keep: the parameters of keep=seeds take about"):
        prepare(Config(**digits, num_seeds=3000, keep="seeds"))
    halving = {**digits, "search": "halving", "num_trials": 2000, "learning_rate": log_range(1e-4, 1)}
    with pytest.raises(UserError, match="search: the states of 2,000 runs that halving ranks take about"):
        prepare(Config(**halving, memory_limit=0.01))


def test_what_fits_is_not_refused():
    assert len(prepare(Config(**XOR, num_seeds=50, keep="all", predictions=True)).table) == 50

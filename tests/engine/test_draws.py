import warnings

import numpy as np
import pytest
from scipy import stats

from jaxnets.config.config import Config
from jaxnets.config.values import linear_range, log_range
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.runs import protocol

RANGES = {"learning_rate": log_range(1e-4, 1), "initializer_scale": linear_range(0, 1)}


def rates(repeat=None, **values):
    table = runs(Config(**{"search": "random", "num_trials": 6, **RANGES, **values}))
    return [run["learning_rate"] for run in table if repeat in (None, run.get("repeat"))]


def test_repeat_0_draws_as_one_repeat_does_and_others_draw_anew():
    alone = rates()
    assert rates(0, num_repeats=3) == alone
    assert len({*rates(num_repeats=3)}) == 3 * len(alone)
    expected = 10.0 ** (-4 + 4 * np.random.default_rng([0, 2, *b"learning_rate", 256 + 1]).uniform())
    assert rates(1, num_repeats=3)[2] == pytest.approx(expected, rel=1e-12)
    assert rates(search="halving") == alone


def test_each_repeat_has_seeds_of_its_own():
    table = runs(Config(num_repeats=2, num_seeds=2, learning_rate=[0.1, 0.2]))
    assert [(run["repeat"], run["seed"]) for run in table] == [(0, 0), (0, 1)] * 2 + [(1, 2), (1, 3)] * 2
    with pytest.raises(UserError, match="seed: each repeat has seeds of its own"):
        runs(Config(num_repeats=2, seed=3))
    with pytest.raises(UserError, match="num_repeats: 100,000,000 runs are more than"):
        runs(Config(num_repeats=100_000_000))


@pytest.mark.parametrize("num_trials", [8, 11])
def test_sobol_points_are_spread_evenly_over_the_ranges(num_trials):
    """Of the first 8 points there is one in each eighth of each range (a digital net in base 2)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = {**RANGES, "batch_size": linear_range(1, 64), "search": "sobol", "num_trials": num_trials}
        table = runs(Config(**values, num_repeats=2))
    first = [run for run in table if run["repeat"] == 0]
    assert len(first) == num_trials
    places = [(np.log10(run["learning_rate"]) + 4) / 4 for run in first[:8]]
    scales = [run["initializer_scale"] for run in first[:8]]
    for values in (places, scales):
        assert sorted(int(8 * value) for value in values) == list(range(8))
    assert all(isinstance(run["batch_size"], int) for run in table)
    other = [run["initializer_scale"] for run in table if run["repeat"] == 1]
    assert not set(other) & set(scales)
    assert rates(search="sobol", num_trials=1) != rates(search="sobol", num_trials=1, search_seed=1)


@pytest.mark.parametrize("search", ["random", "sobol", "halving"])
def test_another_base_seed_repeat_or_task_draws_anew(search):
    asked = {"learning_rate": log_range(1e-4, 1), "search": search, "num_trials": 4, "num_repeats": 3}
    keys = [(base, task) for base in (0, 1, 2, 97, 256, 10_000, 21_473) for task in ("", "wine", "digits", "winea")]
    drawn = [run["learning_rate"] for base, task in keys for run in runs(Config(**asked, base_seed=base), task)]
    drawn += [run["learning_rate"] for run in runs(Config(**asked, search_seed=1))]
    assert len(set(drawn)) == len(drawn) == 4 * 3 * (len(keys) + 1)


def test_each_of_several_tasks_has_draws_of_its_own_and_one_alone_those_of_no_task():
    asked = {"learning_rate": log_range(1e-4, 1), "search": "random", "num_trials": 3, "num_steps": 2}
    config = Config(**asked)

    def drawn(*names):
        return [[run["learning_rate"] for run in part.sweep.table] for part in protocol.parts(config, names)]

    several, (alone,), (own,) = drawn("wine", "spirals"), drawn("wine"), drawn("own")
    assert alone == own == [run["learning_rate"] for run in runs(config)]
    assert len({*several[0], *several[1], *alone}) == 9


@pytest.mark.parametrize("search", ["random", "sobol", "halving"])
@pytest.mark.parametrize("span", [linear_range(3, 12), log_range(3, 12)], ids=["linear", "log"])
def test_whole_numbers_are_drawn_as_often_as_the_range_says(search, span):
    table = runs(Config(batch_size=span, search=search, num_trials=4096))
    counts = np.bincount([run["batch_size"] for run in table], minlength=13)
    values = np.arange(3, 13)
    shares = np.log((values + 0.5) / (values - 0.5)) if span.logarithmic else np.ones(10)
    expected = 4096 * shares / shares.sum()
    assert counts.sum() == counts[3:].sum()
    assert stats.chisquare(counts[3:], expected).pvalue > 0.001
    if search == "sobol":
        assert np.abs(counts[3:] - expected).max() <= 2

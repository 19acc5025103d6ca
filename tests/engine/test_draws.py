import warnings

import numpy as np
import pytest

from jaxnets.basics.errors import UserError
from jaxnets.config.config import Config
from jaxnets.config.values import linear_range, log_range
from jaxnets.engine.runs import runs

RANGES = {"learning_rate": log_range(1e-4, 1), "initializer_scale": linear_range(0, 1)}


def rates(block=None, **values):
    table = runs(Config(**{"search": "random", "num_trials": 6, **RANGES, **values}))
    return [run["learning_rate"] for run in table if block in (None, run.get("block"))]


def test_block_0_draws_as_one_block_does_and_others_draw_anew():
    alone = rates()
    assert rates(0, num_blocks=3) == alone
    assert len({*rates(num_blocks=3)}) == 3 * len(alone)
    expected = 10.0 ** (-4 + 4 * np.random.default_rng([0, 2, *b"learning_rate", 256 + 1]).uniform())
    assert rates(1, num_blocks=3)[2] == pytest.approx(expected, rel=1e-12)
    assert rates(search="halving") == alone


def test_each_block_has_seeds_of_its_own():
    table = runs(Config(num_blocks=2, num_seeds=2, learning_rate=[0.1, 0.2]))
    assert [(run["block"], run["seed"]) for run in table] == [(0, 0), (0, 1)] * 2 + [(1, 2), (1, 3)] * 2
    with pytest.raises(UserError, match="seed: each block has seeds of its own"):
        runs(Config(num_blocks=2, seed=3))
    with pytest.raises(UserError, match="num_blocks: 100,000,000 runs are more than"):
        runs(Config(num_blocks=100_000_000))


@pytest.mark.parametrize("num_trials", [8, 11])
def test_sobol_points_are_spread_evenly_over_the_ranges(num_trials):
    """Of the first 8 points there is one in each eighth of each range (a digital net in base 2)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = {**RANGES, "batch_size": linear_range(1, 64), "search": "sobol", "num_trials": num_trials}
        table = runs(Config(**values, num_blocks=2))
    first = [run for run in table if run["block"] == 0]
    assert len(first) == num_trials
    places = [(np.log10(run["learning_rate"]) + 4) / 4 for run in first[:8]]
    scales = [run["initializer_scale"] for run in first[:8]]
    for values in (places, scales):
        assert sorted(int(8 * value) for value in values) == list(range(8))
    assert all(isinstance(run["batch_size"], int) for run in table)
    other = [run["initializer_scale"] for run in table if run["block"] == 1]
    assert not set(other) & set(scales)
    assert rates(search="sobol", num_trials=1) != rates(search="sobol", num_trials=1, search_seed=1)


@pytest.mark.parametrize("search", ["random", "sobol"])
def test_another_base_seed_draws_anew(search):
    asked = {"learning_rate": log_range(1e-4, 1), "search": search, "num_trials": 4}
    first, other = ({run["learning_rate"] for run in runs(Config(**asked, base_seed=seed))} for seed in (0, 500))
    assert len(first) == 4
    assert not first & other

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.stats import selection


@pytest.mark.parametrize("ends", [(0.01, 0.03), (0.03, 0.01)])
def test_every_run_reaches_the_loss_with_which_the_worst_ends(ends):
    parts = [
        pd.DataFrame({"kind": kind, "seed": seed, "step": [10, 20, 30], "train_loss": [1.0, max(ends) * 0.9, end]})
        for kind, end in zip("ab", ends, strict=True)
        for seed in (0, 1)
    ]
    parts[0].loc[1, "train_loss"] = parts[2].loc[1, "train_loss"] = 0.5  # seed 0 is slower
    target, reached = selection.to_worst_loss(pd.concat(parts), "kind", ["step"])
    assert target == max(ends)
    assert reached[reached["seed"] == 0]["step"].tolist() == [30, 30]
    assert reached[reached["seed"] == 1]["step"].tolist() == [20, 20]


@pytest.mark.parametrize("ties", [False, True])
def test_the_expected_best_is_the_mean_over_all_sets_of_trials(ties):
    generator = np.random.default_rng(0)
    dev, scores = generator.normal(size=(2, 8))
    dev = np.round(dev) if ties else dev
    table = selection.expected_best(dev, scores, range(1, 9))
    for budget, value in zip(table["budget"], table["value"], strict=True):
        sets = np.array(list(itertools.combinations(range(8), budget)))
        best = [scores[one[dev[one] == dev[one].max()]].mean() if not ties else None for one in sets]
        if ties:  # of trials that are equal on dev any may be taken
            best = [scores[dev == dev[one].max()].mean() for one in sets]
        assert value == pytest.approx(np.mean(best))


def test_the_expected_best_of_dev_alone_is_dodges_estimate_without_its_bias():
    generator, truth = np.random.default_rng(0), 1 - 1 / 5  # the largest of four uniform numbers
    samples = generator.random((300, 12))
    means = [selection.expected_best(values, values, [4])["value"][0] for values in samples]
    assert np.mean(means) == pytest.approx(truth, abs=4 * np.std(means) / 300**0.5)
    # Dodge et al. (2019) draw with replacement from the values at hand
    ordered, steps = np.sort(samples[0]), (np.arange(13) / 12) ** 4
    assert (ordered * np.diff(steps)).sum() < means[0]


def test_bounds_of_the_expected_best_cover_it():
    generator, covered = np.random.default_rng(1), np.zeros(3)
    for _ in range(300):
        values = generator.random(32)
        table = selection.expected_best(values, values, [1, 4, 8])
        covered += (table["low"] <= table["budget"] / (table["budget"] + 1)) & (
            table["budget"] / (table["budget"] + 1) <= table["high"]
        )
    assert (covered / 300 > 0.9).all()


def test_budgets_of_which_there_are_too_few_sets_have_no_bounds():
    table = selection.expected_best(np.arange(9.0), np.arange(9.0), [1, 3, 4, 9])
    assert table["low"].isna().tolist() == [False, False, True, True]
    assert table["value"].iloc[-1] == 8
    assert selection.expected_best([], [], [1]).empty
    with pytest.raises(ValueError, match="budgets: 10"):
        selection.expected_best(np.arange(9.0), np.arange(9.0), [10])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(0.001, 0.3))
def test_the_width_of_good_rates_against_a_fine_grid(scores, tolerance):
    places = np.linspace(-3, 0, len(scores))
    grid = np.linspace(-3, 0, 30_001)
    good = np.interp(grid, places, scores) >= max(scores) - tolerance
    assert selection.good_width(10**places, scores, tolerance) == pytest.approx(3 * good.mean(), abs=0.01)


def test_the_width_of_good_rates_in_special_cases():
    assert selection.good_width([0.1, 0.01, 1.0], [0.9, 0.9, 0.9]) == pytest.approx(2)
    assert selection.good_width([0.01, 0.1, 0.1], [0.5, 0.2, 0.9]) == pytest.approx(0.025)  # the better of equal rates
    assert selection.good_width([0.01, 0.1], [np.nan, 0.5], 0.1) == pytest.approx(0.2)
    assert np.isnan(selection.good_width([0.1, 0.1], [0.5, 0.6]))


def test_widths_are_those_of_what_is_gained_over_guessing():
    rates = [0.01, 0.1, 1.0, 10.0]
    losses = {"sgd": [1.0, 0.1, 1.0, 1.0], "adam": [1.0, 0.1, 0.1, 1.0], "deaf": [1.0, 1.0, 1.0, 1.0]}
    common = {"task": "xor", "block": 0, "chance": 1.0, "test_share": 0.0}
    rows = [
        {**common, "kind": kind, "learning_rate": rate, "loss": loss}
        for kind, of_kind in losses.items()
        for rate, loss in zip(rates, of_kind, strict=True)
    ]
    table = selection.widths(pd.DataFrame(rows), "kind").set_index("contestant")["width"]
    assert table.to_dict() == pytest.approx({"sgd": 0.2, "adam": 1.2, "deaf": 0.0})


def test_the_edge_of_the_rates():
    grid = np.geomspace(3e-4, 1, 8)
    assert [selection.on_edge(grid, rate) for rate in grid] == [True, *[False] * 6, True]
    assert selection.on_edge(np.geomspace(1e-4, 1, 64), 0.8)  # near the end of a range of draws
    assert not selection.on_edge([0.1, 0.1], 0.1)
    assert not selection.on_edge([], 0.1)


def test_what_runs_take_to_a_target_with_those_that_never_arrive():
    curves = pd.DataFrame(
        {
            "run": [0, 0, 0, 1, 1, 2],
            "step": [10, 20, 30, 10, 20, 10],
            "examples": [1, 2, 3, 1, 2, 1],
            "dev_accuracy": [0.5, 0.9, 0.8, 0.2, 0.3, 0.95],
            "dev_loss": [1.0, 0.2, 0.4, 2.0, 2.0, 0.1],
        }
    )
    table = selection.to_target(curves, 0.9, ["step", "examples"], runs=[2, 1, 0, 3])
    assert table.to_dict("list") == {
        "run": [2, 1, 0, 3],
        "step": [10, np.inf, 20, np.inf],
        "examples": [1, np.inf, 2, np.inf],
    }
    assert selection.to_target(curves, 0.2, ["step"], score="dev_loss")["step"].tolist() == [20, np.inf, 10]
    assert table["step"].median() == np.inf


def test_a_run_that_diverged_never_gets_to_the_worst_loss():
    whole = pd.DataFrame({"kind": "a", "seed": 0, "step": [10, 20], "train_loss": [1.0, 0.1]})
    cut = pd.DataFrame({"kind": "a", "seed": 1, "step": [10], "train_loss": [3.0]})
    target, reached = selection.to_worst_loss(pd.concat([whole, cut]), "kind", ["step"])
    assert target == 0.1
    assert reached["step"].tolist() == [20, np.inf]

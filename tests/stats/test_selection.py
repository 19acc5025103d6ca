"""Choosing a setting: what counts, what is best, what luck, trials and hyperparameters do."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from jaxnets.stats import estimates, selection


def table(rows, status="finished"):
    """A table of runs from (optimizer, learning rate, seed, dev accuracy, test accuracy)."""
    columns = ["optimizer", "learning_rate", "seed", "dev_accuracy", "test_accuracy"]
    runs = pd.DataFrame(rows, columns=columns)
    runs.insert(0, "run", range(len(runs)))
    runs.insert(4, "status", status)
    return runs.assign(dev_loss=1.0)


def test_the_best_is_chosen_on_dev_and_never_on_test():
    runs = table(
        [
            ("sgd", 0.1, 0, 0.9, 0.1),
            ("sgd", 0.1, 1, 0.8, 0.1),
            ("sgd", 1.0, 0, 0.7, 0.99),
            ("sgd", 1.0, 1, 0.7, 0.99),
            ("adam", 1.0, 0, 0.5, 0.3),
            ("adam", 1.0, 1, 0.5, 0.5),
        ]
    )
    best = selection.best_configurations(runs).set_index("optimizer")
    assert best.loc["sgd", "learning_rate"] == 0.1
    assert best.loc["sgd", "test_accuracy"] == pytest.approx(0.1)
    assert best.loc["sgd", "dev_accuracy"] == pytest.approx(0.85)
    assert best.loc["sgd", "members"] == [0, 1]
    assert np.isnan(best.loc["adam", "test_accuracy_low"])
    assert best.loc["adam", "test_accuracy_note"] == "of 2: 30.0%, 50.0%"
    assert list(best["num_runs"]) == [4, 2]


def test_a_run_that_diverged_counts_against_its_configuration():
    rows = [
        ("sgd", 0.1, 0, 0.6, 0.6),
        ("sgd", 0.1, 1, 0.6, 0.6),
        ("sgd", 1.0, 0, 0.99, 0.9),
        ("sgd", 1.0, 1, np.nan, np.nan),
    ]
    runs = table(rows)
    runs.loc[3, "status"] = "diverged"
    best = selection.best_configurations(runs).iloc[0]
    assert best["learning_rate"] == 0.1
    assert best["diverged_share"] == 0.25


def test_ties_go_to_the_smaller_loss_then_to_the_smaller_rate():
    runs = table([("sgd", rate, 0, 0.9, 0.9) for rate in (1.0, 0.1, 0.5)])
    assert selection.best_configurations(runs).iloc[0]["learning_rate"] == 0.1
    runs.loc[2, "dev_loss"] = 0.5
    assert selection.best_configurations(runs).iloc[0]["learning_rate"] == 0.5


def test_a_hyperparameter_that_an_optimizer_lacks_does_no_harm():
    runs = table([("sgd", 0.1, 0, 0.9, 0.9), ("momentum", 0.1, 0, 0.8, 0.8), ("momentum", 0.1, 0, 0.7, 0.7)])
    runs.insert(3, "momentum", [np.nan, 0.5, 0.9])
    best = selection.best_configurations(runs).set_index("optimizer")
    assert set(best.index) == {"sgd", "momentum"}
    assert best.loc["momentum", "momentum"] == 0.5
    assert selection.varying(runs) == ["optimizer", "momentum"]
    assert selection.hyperparameters(runs) == ["optimizer", "learning_rate", "momentum", "seed"]


def test_fresh_seeds_confirm_what_others_chose():
    rows = []
    for kind, rate, dev in [("a", 0.1, 0.9), ("a", 0.2, 0.8), ("b", 0.1, 0.5), ("b", 0.2, 0.7)]:
        rows += [
            {
                "kind": kind,
                "learning_rate": rate,
                "seed": seed,
                "dev_accuracy": dev if seed < 2 else 1 - dev,
                "dev_loss": 1 - dev,
                "status": "finished",
            }
            for seed in range(4)
        ]
    runs = pd.DataFrame(rows)
    chosen = selection.confirmed(runs, ["kind"])
    assert chosen.groupby("kind")["learning_rate"].unique().map(list).to_dict() == {"a": [0.1], "b": [0.2]}
    assert sorted(chosen["seed"].unique()) == [2, 3]
    pd.testing.assert_frame_equal(selection.confirmed(runs, ["kind"], score="dev_loss"), chosen)
    runs.loc[(runs["kind"] == "a") & (runs["learning_rate"] == 0.1) & (runs["seed"] == 1), "status"] = "diverged"
    assert selection.confirmed(runs, ["kind"]).groupby("kind")["learning_rate"].first()["a"] == 0.2
    assert len(selection.confirmed(runs[runs["seed"] == 0], ["kind"])) == 2


def test_the_best_show_each_number_that_varies_in_one_order():
    rows = [
        {"optimizer": o, "learning_rate": 0.1, "momentum": m, "b1": b, "seed": s, "dev_accuracy": a}
        for o, m, b, a in (("adam", np.nan, 0.9, 0.5), ("momentum", 0.5, np.nan, 0.6), ("momentum", 0.9, np.nan, 0.7))
        for s in (0, 1)
    ]
    runs = pd.DataFrame(rows).assign(status="finished", dev_loss=1.0, test_accuracy=0.5)
    runs.insert(0, "run", range(len(runs)))
    best = selection.best_configurations(
        runs[
            [
                "run",
                "optimizer",
                "learning_rate",
                "momentum",
                "b1",
                "seed",
                "status",
                "dev_accuracy",
                "dev_loss",
                "test_accuracy",
            ]
        ]
    )
    assert list(best.columns[:4]) == ["optimizer", "learning_rate", "momentum", "num_seeds"]
    assert best["momentum"].tolist()[1] == 0.9
    assert "b1" in best.columns[4:]


def test_failures_count_as_chance_or_as_the_worst():
    runs = pd.DataFrame({"status": ["finished", "diverged", "stopped", "finished"]})
    runs = runs.assign(test_accuracy=[0.9, 0.7, np.nan, 0.8], test_loss=[0.2, np.nan, np.inf, 0.5])
    assert selection.counted(runs, "test_accuracy", 0.1).tolist() == [0.9, 0.1, 0.1, 0.8]
    assert selection.counted(runs, "test_accuracy").tolist() == [0.9, 0, 0, 0.8]
    assert selection.counted(runs, "test_loss", np.log(10)).tolist() == [0.2, np.log(10), np.log(10), 0.5]
    both = selection.with_failures(runs, chance=0.1)
    assert both["test_loss"].tolist() == [0.2, 0.5, 0.5, 0.5]
    assert both["test_accuracy"].tolist() == [0.9, 0.1, 0.1, 0.8]


def test_one_survivor_of_five_does_not_win():
    rows = [("sgd", 0.1, seed, 0.8, 0.8) for seed in range(5)] + [("sgd", 9.0, seed, 0.99, 0.99) for seed in range(5)]
    runs = table(rows)
    runs.loc[6:, "status"] = "diverged"
    assert selection.best_configurations(runs).iloc[0]["learning_rate"] == 0.1
    lost = selection.configurations(runs).set_index("learning_rate").loc[9.0]
    assert lost["dev_score"] == lost["test_accuracy"] == pytest.approx(0.99 / 5)
    assert lost["dev_loss"] == np.inf
    assert selection.confirmed(runs, ["optimizer"])["learning_rate"].unique().tolist() == [0.1]


def test_equal_runs_count_once():
    runs = table([("sgd", 0.1, seed, 0.5 + 0.1 * seed, 0.5 + 0.1 * seed) for seed in range(4) for _ in range(5)])
    (row,) = selection.configurations(runs).to_dict("records")
    assert row["num_seeds"] == 4
    assert row["members"] == [0, 5, 10, 15]
    expected = estimates.mean([0.5, 0.6, 0.7, 0.8], estimates.SHARE)
    assert (row["test_accuracy_low"], row["test_accuracy_high"]) == pytest.approx((expected.low, expected.high))
    assert len(selection.paired(runs, "optimizer", "test_accuracy")) == 4
    assert len(selection.confirmed(runs, ["optimizer"])) == 2


def folded(num_folds=5, num_seeds=20):
    """Folds that differ, and seeds that do not."""
    generator = np.random.default_rng(0)
    of_fold = 0.8 + 0.02 * generator.normal(size=num_folds)
    rows = [("sgd", 0.1, seed, of_fold[fold], of_fold[fold]) for fold in range(num_folds) for seed in range(num_seeds)]
    runs = table(rows)
    runs.insert(4, "fold", np.repeat(range(num_folds), num_seeds))
    return runs, of_fold


def test_folds_are_the_unit_however_many_seeds_there_are():
    runs, of_fold = folded()
    (row,) = selection.configurations(runs, test_share=0.3).to_dict("records")
    expected = estimates.corrected_difference(of_fold, 0.3, kind=estimates.SHARE)
    assert (row["test_accuracy"], row["test_accuracy_low"]) == pytest.approx((expected.value, expected.low))
    assert row["num_seeds"] == 100
    few, _ = folded(num_seeds=2)
    assert selection.configurations(few, 0.3).iloc[0]["test_accuracy_high"] == pytest.approx(row["test_accuracy_high"])
    assert np.isnan(selection.configurations(few).iloc[0]["test_accuracy_low"])  # nothing is known of what folds share


@pytest.mark.parametrize(
    ("columns", "unit"),
    [({}, "seed"), ({"fold": 6}, "fold"), ({"fold": 1, "repeat": 4}, "repeat")],
)
def test_the_unit_is_the_repeat_or_the_fold_if_there_are_several(columns, unit):
    runs = pd.DataFrame({"seed": range(8)} | {name: np.arange(8) % count for name, count in columns.items()})
    runs = runs.assign(status="finished", test_accuracy=np.linspace(0.8, 0.9, 8))
    assert selection.unit(runs) == unit
    means = runs.groupby(unit)["test_accuracy"].mean()
    found = selection.mean_score(runs, "test_accuracy", 1 / 3)
    expected = estimates.corrected_difference(means, 0.0 if unit == "seed" else 1 / 3, kind=estimates.SHARE)
    assert found.half_width == pytest.approx(expected.half_width)
    assert np.isnan(selection.mean_score(runs, "test_accuracy", np.nan).half_width) == (unit != "seed")


def test_pairs_are_means_over_the_seeds_of_a_unit_with_failures():
    rows = [(name, 0.1, seed, 0.5, 0.5 + 0.1 * seed) for name in ("adam", "sgd") for seed in range(3)]
    runs = table(rows)
    runs.loc[5, "status"] = "diverged"
    pairs = selection.paired(runs, "optimizer", "test_accuracy", 0.1)
    assert pairs["sgd"].tolist() == pytest.approx([0.5, 0.6, 0.1])
    assert pairs["adam"].tolist() == pytest.approx([0.5, 0.6, 0.7])
    assert list(selection.paired(runs, ["optimizer", "learning_rate"], "test_accuracy")) == [
        ("adam", 0.1),
        ("sgd", 0.1),
    ]


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
    for _ in range(150):
        values = generator.random(32)
        table = selection.expected_best(values, values, [1, 4, 8])
        covered += (table["low"] <= table["budget"] / (table["budget"] + 1)) & (
            table["budget"] / (table["budget"] + 1) <= table["high"]
        )
    assert (covered / 150 > 0.9).all()


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
    common = {"task": "xor", "repeat": 0, "chance": 1.0, "test_share": 0.0}
    rows = [
        {**common, "kind": kind, "learning_rate": rate, "loss": loss}
        for kind, of_kind in losses.items()
        for rate, loss in zip(rates, of_kind, strict=True)
    ]
    table = selection.widths(pd.DataFrame(rows), "kind").set_index("method")["width"]
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


def test_a_certain_choice_adds_no_variance():
    dev = np.array([[0.9, 0.91, 0.92], [0.8, 0.82, 0.81]])
    assert selection.choice_variance(dev, dev, 1e-4, drawn=False) == 0


@pytest.mark.parametrize("drawn", [False, True])
def test_the_variance_is_that_of_repeated_tunings(drawn):
    """Of 400 comparisons the mean estimate is near what repeated tuning gives: the noise of the seeds is no part."""
    generator = np.random.default_rng(0)
    settings, seeds, noise = 6, 1 if drawn else 8, 0.01
    chosen, estimates = [], []
    fixed = np.linspace(0.90, 0.92, settings)
    for _ in range(400):
        true = generator.uniform(0.90, 0.92, settings) if drawn else fixed
        dev, test = (true[:, None] + generator.normal(0, noise, (settings, seeds)) for _ in range(2))
        chosen.append(true[dev.mean(axis=1).argmax()])
        estimates.append(selection.choice_variance(dev, test, noise**2, drawn=drawn))
    # floored at zero, it errs upwards
    assert 0.7 * np.var(chosen) < np.mean(estimates) < 3 * np.var(chosen)


DRAWS = np.random.default_rng(0).random((128, 3))


def test_the_shares_of_a_tree_are_those_of_its_predictions_on_a_grid():
    scores = np.sin(5 * DRAWS[:, 0]) + DRAWS[:, 1] * DRAWS[:, 2]
    tree = DecisionTreeRegressor(max_leaf_nodes=12, random_state=0).fit(DRAWS, scores)
    axis = (np.arange(80) + 0.5) / 80
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    predicted = tree.predict(grid.reshape(-1, 3)).reshape(80, 80, 80)
    others = [(1, 2), (0, 2), (0, 1)]
    brute = [predicted.mean(axis=axes).var() / predicted.var() for axes in others]
    np.testing.assert_allclose(selection.effects_of_tree(tree.tree_, 3), brute, atol=0.02)


def test_the_main_effects_of_a_sum_are_the_shares_of_its_variance():
    scores = 3 * DRAWS[:, 0] + 1.5 * DRAWS[:, 1]
    shares = np.mean([selection.main_effects(DRAWS, scores, seed) for seed in range(4)], axis=0)
    np.testing.assert_allclose(shares, [0.8, 0.2, 0.0], atol=0.08)


def test_an_interaction_is_no_main_effect():
    scores = (DRAWS[:, 0] > 0.5) ^ (DRAWS[:, 1] > 0.5)
    assert selection.main_effects(DRAWS, scores).sum() < 0.25


def test_scores_that_do_not_vary_have_no_effects():
    assert selection.main_effects(DRAWS, np.full(128, 2.3)).tolist() == [0.0, 0.0, 0.0]


def test_places_are_the_same_under_any_rising_function():
    draws = pd.DataFrame({"rate": 10.0 ** DRAWS[:, 0], "other": DRAWS[:, 1]})
    np.testing.assert_allclose(selection.placed(draws, ["rate"])[:, 0], (DRAWS[:, 0].argsort().argsort() + 0.5) / 128)


def draws(repeats=2, weight=3.0):
    rows = []
    for repeat in range(repeats):
        places = np.random.default_rng(repeat).random((64, 3))
        loss = np.exp(weight * places[:, 0] + places[:, 1])
        rows.append(
            pd.DataFrame(places, columns=["rate", "decay", "scale"]).assign(task="xor", repeat=repeat, loss=loss)
        )
    return pd.concat(rows, ignore_index=True).assign(test_share=1 / 8)


def test_each_group_of_each_repeat_has_its_shares():
    shares = selection.importances(draws(), ["rate", "decay", "scale"], "loss")
    assert len(shares) == 2 * selection.NUM_GROUPS * 3
    assert shares.groupby("name")["share"].mean().idxmax() == "rate"
    assert selection.importance_lead(shares, "rate")["effect"].mean() == pytest.approx(0.9 - 0.05, abs=0.25)
    assert (selection.importance_lead(shares, "scale", "max")["effect"] < -0.3).all()
    assert (selection.importance_lead(shares, "rate")["test_share"] == 1 / 8).all()


def test_with_nothing_to_compare_there_is_no_lead():
    shares = selection.importances(draws(), ["rate"], "loss")
    assert selection.importance_lead(shares, "rate").empty
    assert selection.importance_lead(shares, "other").empty

"""Tables made by hand, of which the effects are known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxnets.claims import effects, measures
from jaxnets.claims.verdicts import estimated
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol

STEP = np.logspace(-12, 0, 25)


def errors(order=2, rounding=1e-16, drowned=0.5, factor=3.0):
    """Errors of a method: what the step makes, and a share of what rounding can make."""
    bound = rounding / STEP
    return pd.DataFrame({"step": STEP, "error": factor * STEP**order + drowned * bound, "rounding": bound})


@pytest.mark.parametrize("order", [1, 2])
def test_the_power_is_read_off_where_rounding_does_not_count(order):
    assert measures.order_deviation(errors(order), order) < 0.02
    assert measures.order_deviation(errors(order), 3 - order) == pytest.approx(1, abs=0.02)


def test_small_steps_keep_to_what_rounding_and_the_step_make():
    assert measures.share_allowed(errors(), 2) < 1
    assert measures.share_allowed(errors(drowned=4), 2) > 1


def test_large_steps_do_not_count():
    table = errors()
    table.loc[table["step"] > 0.2, "error"] = 100
    assert measures.order_deviation(table, 2) < 0.02


def test_where_rounding_counts_everywhere_nothing_is_known():
    table = errors(rounding=1e6)
    assert np.isnan(measures.order_deviation(table, 2))
    assert np.isnan(measures.share_allowed(table, 2))


def times(power=0.5, repeats=3):
    rows = [
        {"repeat": repeat, "round": number, "size": size, "one": 2.0 * size**power, "other": 1.0}
        for size in (10, 100, 1000)
        for repeat in range(repeats)
        for number in range(2)
    ]
    return measures.time_ratios(pd.DataFrame(rows), "one", "other")


def test_effects_are_logarithms_of_ratios():
    assert times(power=0)["effect"].tolist() == pytest.approx([np.log(2)] * 18)


@pytest.mark.parametrize(("power", "size"), [(0.5, 1000), (-0.5, 10)])
def test_the_largest_is_that_of_one_size(power, size):
    rows = measures.at_largest(times(power), "size")
    assert rows["size"].unique().tolist() == [size]
    assert estimated(rows).value == pytest.approx(np.log(2 * size**power))


def test_slopes_are_those_of_a_regression_on_the_logarithm():
    rng = np.random.default_rng(0)
    runs = pd.DataFrame(
        {"repeat": np.repeat([3, 5], 4), "rate": np.tile([0.01, 0.1, 1.0, 10.0], 2), "test_share": 0.25}
    )
    runs["score"] = rng.normal(size=8)
    table = measures.slopes(runs, "rate", "score").set_index("repeat")
    assert (table["test_share"] == 0.25).all()
    for repeat, own in runs.groupby("repeat"):
        assert table["effect"][repeat] == pytest.approx(stats.linregress(np.log10(own["rate"]), own["score"]).slope)


def test_the_power_with_which_ratios_grow_is_a_slope_in_each_round():
    grown = measures.slopes(times(0.25), "size", "effect", ("repeat", "round"), np.log)
    assert list(grown) == ["repeat", "round", "effect", "test_share"]
    assert grown["effect"].tolist() == pytest.approx([0.25] * 6)


def test_two_values_are_no_trend():
    runs = pd.DataFrame({"repeat": [0, 0, 0], "rate": [0.1, 1.0, 1.0], "score": [0.0, 1.0, 1.0], "test_share": 0.0})
    for table in (runs, runs[:0]):
        assert measures.slopes(table, "rate", "score").empty
        assert list(measures.slopes(table, "rate", "score")) == ["repeat", "effect", "test_share"]


def of_depths():
    """Two tasks: on one nets of one and of three layers, on the other of two."""
    rows = [
        ("digits", "tanh | 1", 0.2),
        ("digits", "sigmoid | 1", 0.4),
        ("digits", "tanh | 3", 0.3),
        ("digits", "sigmoid | 3", 0.9),
        ("wine", "tanh | 2", 0.1),
    ]
    table = pd.DataFrame(rows, columns=["task", "method", "test_loss"])
    return table.assign(repeat=0, number=0, seed=0, edge=False, test_share=0.0, test_accuracy=0.9, learning_rate=0.1)


def test_layers_are_counted_in_what_tables_show():
    names = measures.with_layers(pd.Series(["a", "b", "c", "d"]), pd.Series(["8x8x8", "16", "0", 4]))
    assert names.tolist() == ["a | 3", "b | 1", "c | 0", "d | 1"]


def test_a_task_with_nets_of_several_depths_becomes_a_task_for_each():
    table = measures.by_depth(of_depths())
    assert table["task"].tolist() == ["digits, 1 layer"] * 2 + ["digits, 3 layers"] * 2 + ["wine"]
    assert table["method"].tolist() == ["tanh", "sigmoid", "tanh", "sigmoid", "tanh"]
    assert table["flattest"].tolist() == [True, True, False, False, True]
    assert measures.means_by_depth(of_depths())["test loss"].tolist() == [0.2, 0.4, 0.3, 0.9, 0.1]


def test_the_lead_of_the_deepest_is_contrasted_with_that_of_the_flattest():
    ends = measures.deepest_against_flattest(of_depths(), {"sigmoid": 1, "tanh": -1})
    found = effects.contrast(of_depths(), "test_loss", ends)
    assert found["effect"].round(6).tolist() == [0.4]  # 0.9 - 0.3 against 0.4 - 0.2
    flat = of_depths().iloc[[0, 1, 4]]
    nothing = measures.deepest_against_flattest(flat, {"sigmoid": 1, "tanh": -1})
    assert effects.contrast(flat, "test_loss", nothing).empty


def test_pairs_of_one_start_are_one_observation_and_no_barrier_counts_more_than_guessing():
    rows = [("a", 0, 0.1), ("a", 0, 0.3), ("b", 0, 5.0), ("a", 1, 0.4)]
    pairs = pd.DataFrame(rows, columns=["kind", "seed", "barrier"])
    pairs = pd.concat([pairs.assign(share=0.0), pairs.assign(share=0.5, barrier=9.0)])
    high = measures.barrier_heights(pairs, ["seed"], ["a", "b", "never"])
    assert high["a"].tolist() == pytest.approx([0.2, 0.4])
    assert high["b"].iloc[0] == 1
    assert high["never"].isna().all()


def high_of(*nets):
    rows = [("digits", net, seed, height + 0.01 * seed) for net, height in nets for seed in (0, 1)]
    return pd.DataFrame(rows, columns=["dataset", "net", "seed", "optimizers"])


def test_narrow_and_wide_nets_meet_by_depth_and_start():
    high = high_of(("8", 0.1), ("32", 0.04), ("16", 0.5), ("8x8", 0.3), ("32x32", 0.3))
    gaps = measures.barriers_by_width(high, "optimizers", ["seed"])
    assert gaps["task"].tolist() == [*["digits, hidden layers: 1"] * 2, *["digits, hidden layers: 2"] * 2]
    assert gaps["effect"].tolist() == pytest.approx([0.06, 0.06, 0, 0])


def test_without_another_width_there_is_nothing_to_compare():
    assert measures.barriers_by_width(high_of(("8", 0.1), ("8x8", 0.1)), "optimizers", ["seed"]).empty


def curve(method, rate, factor=1.0, seed=0, steps=8, repeat=0):
    """Training loss exp(-rate t), means over the steps before; the dev loss is `factor` times its square root."""
    steps = np.arange(1, steps + 1)
    # the geometric mean of the stretches before and after a step is the loss at it
    losses = {"train_loss": np.exp(-rate * (steps - 0.5)), "dev_loss": factor * np.exp(-rate * steps / 2)}
    return pd.DataFrame({"method": method, "repeat": repeat, "seed": seed, "step": steps, **losses})


def test_losses_are_compared_where_both_have_the_training_loss_with_which_the_slower_ends():
    curves = pd.concat([curve("slow", 0.2), curve("fast", 0.9, factor=3)])
    found = measures.at_equal_loss(curves, "method", ["repeat", "seed"]).set_index("method")
    level = np.exp(-0.2 * 7)  # the last evaluation is left out
    assert found["train_loss"].tolist() == pytest.approx([level, level])
    assert found.loc["slow", "dev_loss"] == pytest.approx(level**0.5)
    assert found.loc["fast", "dev_loss"] == pytest.approx(3 * level**0.5)  # between two evaluations


def levels(factor, noise=0.1, repeats=8, seeds=3):
    rng = np.random.default_rng(0)
    rows = [
        (repeat, seed, method, mean * np.exp(noise * rng.normal()))
        for repeat in range(repeats)
        for seed in range(seeds)
        for method, mean in (("a", 1.0), ("b", factor))
    ]
    return pd.DataFrame(rows, columns=["repeat", "seed", "method", "dev_loss"])


@pytest.mark.parametrize("factor", [1.5, 1 / 1.5])
def test_the_worse_method_is_above_whichever_it_is(factor):
    gaps = measures.gaps(levels(factor), "method")
    assert len(gaps) == 24
    assert gaps["effect"].mean() == pytest.approx(np.log(1.5), abs=0.08)


def test_where_methods_do_not_differ_the_mean_gap_is_not_above_zero():
    means = []
    for draw in range(60):
        rng = np.random.default_rng(draw)
        table = levels(1.0)
        table["dev_loss"] = np.exp(rng.normal(size=len(table)))
        means.append(measures.gaps(table, "method")["effect"].mean())
    assert np.mean(means) < 0.1  # the larger less the smaller would be at 0.23


def test_one_method_has_no_gap():
    only = levels(1.5)
    assert measures.gaps(only[only["method"] == "a"], "method").empty


def test_examples_are_counted_to_the_loss_of_the_worst_run_of_a_repeat():
    curves = pd.concat([curve("sgd", 0.9).assign(run=0), curve("full", 0.2).assign(run=1)])
    curves = curves[["run", "step", "train_loss"]]
    runs = pd.DataFrame({"run": [0, 1], "method": ["sgd", "full"], "seed": 5, "batch_size": [10, 100]})
    found = measures.examples_to_worst(runs, curves, "method").set_index("method")["examples"]
    assert found.to_dict() == {"sgd": 30, "full": 800}  # exp(-0.9 · 2.5) < exp(-0.2 · 7.5) < exp(-0.9 · 1.5)


def test_a_run_that_never_arrives_counts_as_if_it_did_with_its_last_step():
    curves = pd.concat([curve("sgd", 0.9).assign(run=0), curve("full", 0.9).assign(run=1)])
    curves.loc[(curves["run"] == 0) & (curves["step"] > 1), "train_loss"] = np.nan
    lost = curves[(curves["run"] == 1) | (curves["step"] == 1)][["run", "step", "train_loss"]]
    runs = pd.DataFrame({"run": [0, 1], "method": ["sgd", "full"], "seed": 5, "batch_size": [10, 100]})
    other = pd.concat([lost, curve("sgd", 0.9).assign(run=2)[["run", "step", "train_loss"]]])
    runs = pd.concat([runs, pd.DataFrame({"run": [2], "method": ["sgd"], "seed": [6], "batch_size": [10]})])
    found = measures.examples_to_worst(runs, other, "method")
    assert found.set_index(["method", "seed"])["examples"].to_dict() == {
        ("sgd", 5): 80,
        ("sgd", 6): 80,
        ("full", 5): 800,
    }


ACCURACIES = {"zeros": [0.1, 0.1], "he": [0.9, 0.8], "xavier": [0.7, 0.5], "pytorch": [0.8, 0.8]}
LOSSES = {"zeros": [2.0, 2.0], "he": [0.2, 0.4], "xavier": [0.1, 0.3], "pytorch": [0.4, 0.8]}
USUAL = ["he", "xavier", "pytorch"]


def scored(*without):
    rows = [
        {"task": "wine", "repeat": 0, "seed": seed, "number": seed, "method": name, "test_accuracy": accuracy}
        | {"test_loss": LOSSES[name][seed], "edge": False, "test_share": 0.0}
        for name, values in ACCURACIES.items()
        for seed, accuracy in enumerate(values)
        if name not in without
    ]
    return pd.DataFrame(rows)


def test_the_share_of_the_way_is_that_of_the_worst():
    found = measures.share_of_the_way(scored(), "test_accuracy", USUAL, "zeros")
    assert found["effect"].tolist() == pytest.approx([0.6 / 0.75, 0.4 / 0.75])  # xavier, on the way of he, 0.1 to 0.85


def test_a_way_that_leads_nowhere_is_not_gone():
    level = scored().assign(test_accuracy=0.1)
    assert measures.share_of_the_way(level, "test_accuracy", USUAL, "zeros")["effect"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("without", [("zeros",), ("he", "xavier")])
def test_without_its_ends_there_is_no_way(without):
    assert measures.share_of_the_way(scored(*without), "test_accuracy", USUAL, "zeros").empty


@pytest.mark.parametrize(("chosen", "ratios"), [("xavier", [2.0, 4 / 3]), ("pytorch", [0.5, 0.5])])
def test_a_default_meets_the_other_that_dev_chose(chosen, ratios):
    dev = {"he": 0.01, "xavier": 0.3, "pytorch": 0.3, "zeros": 0.0} | {chosen: 0.2}
    tuned = pd.DataFrame([{"task": "wine", "repeat": 0, "method": n, "dev_loss": loss} for n, loss in dev.items()])
    found = measures.against_chosen(scored(), tuned, "he", USUAL)
    assert np.exp(found["effect"]).tolist() == pytest.approx(ratios)
    assert measures.against_chosen(scored("he"), tuned, "he", USUAL).empty


def test_tuned_losses_are_means_over_the_seeds_that_tune_at_the_best_rate():
    rates, losses = [0.1, 0.1, 1.0, 1.0, 0.1], [0.4, 0.2, 0.1, np.nan, 0.0]
    runs = pd.DataFrame({"run": range(5), "initializer": "he", "learning_rate": rates, "seed": [0, 1, 0, 1, 2]})
    states = ["finished"] * 3 + ["diverged", "finished"]
    runs = runs.assign(repeat=0, status=states, dev_loss=losses, task="wine", phase=[TUNING] * 4 + [FINAL])
    comparison = Comparison(runs, pd.DataFrame(), pd.DataFrame(), "initializer", (), Protocol("grid", 2, 2, 1, 1))
    found = measures.tuned_losses(comparison)
    assert found["method"].tolist() == ["he"]
    # the run that diverged counts as the largest loss of those that did not, 0.4
    assert found["dev_loss"].tolist() == pytest.approx([0.25])


def test_log_ratios_are_by_seed():
    table = pd.DataFrame({"initializer": ["a", "b"] * 2, "seed": [3, 3, 4, 4], "size": [2.0, 1.0, 9.0, 3.0]})
    found = measures.log_ratio(table, "size", "a", "b")
    assert found["seed"].tolist() == [3, 4]
    assert np.exp(found["effect"]).tolist() == pytest.approx([2.0, 3.0])
    assert measures.log_ratio(table, "size", "a", "c").empty


NAMES = ["DAN", "CNN, width 1", "CNN, width 2", "CNN, width 3+4", "my_lab.nets:Net"]


def test_systems_by_model_and_width():
    runs = pd.DataFrame({"model": ["dan", "text_cnn", "text_cnn", "my_lab.nets:Net"]})
    runs["filter_widths"] = [None, "2", "3x4", None]
    assert measures.systems(runs).tolist() == ["DAN", "CNN, width 2", "CNN, width 3+4", "my_lab.nets:Net"]
    assert measures.systems(runs[["model"]].iloc[:1]).tolist() == ["DAN"]


@pytest.mark.parametrize(
    ("distance", "wanted"),
    [(1, "CNN, width 2"), (2, "CNN, width 3+4"), (3, "CNN, width 3+4"), (4, None), (0, "CNN, width 3+4")],
)
def test_the_narrowest_that_covers_a_distance(distance, wanted):
    assert measures.covering(NAMES, distance) == wanted


def test_of_whom_order_is_told():
    assert measures.telling(NAMES, 1) == ["DAN", "CNN, width 1", "CNN, width 2", "my_lab.nets:Net"]
    assert measures.telling(["CNN, width 2"], 3) == ["CNN, width 2"]

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.evidence import statistics


def table(rows, status="finished"):
    """A table of runs from (optimizer, learning rate, seed, dev accuracy, test accuracy)."""
    columns = ["optimizer", "learning_rate", "seed", "dev_accuracy", "test_accuracy"]
    runs = pd.DataFrame(rows, columns=columns)
    runs.insert(0, "run", range(len(runs)))
    runs.insert(4, "status", status)
    return runs.assign(dev_loss=1.0)


def test_student_interval_of_a_textbook_sample():
    # t quantile of 4 degrees of freedom at 97.5%: 2.776445
    mean, half_width = statistics.mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert mean == 3
    assert half_width == pytest.approx(2.776445 * (2.5 / 5) ** 0.5, rel=1e-6)


def test_intervals_of_too_few_values():
    mean, half_width = statistics.mean_interval([0.5])
    assert mean == 0.5
    assert np.isnan(half_width)
    assert np.isnan(statistics.mean_interval([])[0])


def test_student_intervals_cover_the_mean_as_often_as_they_say():
    samples = np.random.default_rng(0).normal(size=(4000, 5))
    covered = [abs(mean) < half for mean, half in map(statistics.mean_interval, samples)]
    assert abs(np.mean(covered) - 0.95) < 4 * (0.95 * 0.05 / 4000) ** 0.5


@given(st.integers(1, 400), st.data())
def test_wilson_against_its_formula(trials, data):
    successes = data.draw(st.integers(0, trials))
    share, low, high = statistics.share_interval(successes, trials)
    z, p = 1.959963984540054, successes / trials
    centre = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    reach = z / (1 + z**2 / trials) * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    assert share == p
    assert low == pytest.approx(max(0, centre - reach), abs=1e-6)
    assert high == pytest.approx(min(1, centre + reach), abs=1e-6)


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
    best = statistics.best_configurations(runs).set_index("optimizer")
    assert best.loc["sgd", "learning_rate"] == 0.1
    assert best.loc["sgd", "test_accuracy"] == pytest.approx(0.1)
    assert best.loc["sgd", "dev_accuracy"] == pytest.approx(0.85)
    assert best.loc["sgd", "members"] == [0, 1]
    assert best.loc["adam", "test_half_width"] == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert list(best["num_runs"]) == [4, 2]


def test_a_run_that_diverged_counts_against_its_configuration():
    runs = table(
        [
            ("sgd", 0.1, 0, 0.6, 0.6),
            ("sgd", 0.1, 1, 0.6, 0.6),
            ("sgd", 1.0, 0, 0.99, 0.9),
            ("sgd", 1.0, 1, np.nan, np.nan),
        ]
    )
    runs.loc[3, "status"] = "diverged"
    best = statistics.best_configurations(runs).iloc[0]
    assert best["learning_rate"] == 0.1
    assert best["diverged_share"] == 0.25


def test_ties_go_to_the_smaller_loss_then_to_the_smaller_rate():
    runs = table([("sgd", rate, 0, 0.9, 0.9) for rate in (1.0, 0.1, 0.5)])
    assert statistics.best_configurations(runs).iloc[0]["learning_rate"] == 0.1
    runs.loc[2, "dev_loss"] = 0.5
    assert statistics.best_configurations(runs).iloc[0]["learning_rate"] == 0.5


def test_a_hyperparameter_that_an_optimizer_lacks_does_no_harm():
    runs = table([("sgd", 0.1, 0, 0.9, 0.9), ("momentum", 0.1, 0, 0.8, 0.8), ("momentum", 0.1, 0, 0.7, 0.7)])
    runs.insert(3, "momentum", [np.nan, 0.5, 0.9])
    best = statistics.best_configurations(runs).set_index("optimizer")
    assert set(best.index) == {"sgd", "momentum"}
    assert best.loc["momentum", "momentum"] == 0.5
    assert statistics.varying(runs) == ["optimizer", "momentum"]
    assert statistics.hyperparameters(runs) == ["optimizer", "learning_rate", "momentum", "seed"]


def test_no_room_for_results_imports_jax():
    import subprocess
    import sys

    code = (
        "import sys, jaxnets.evidence.statistics, jaxnets.report.figures;"
        "import jaxnets.report.tables, jaxnets.report.progress;"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_difference_of_two_samples_has_the_coverage_that_it_claims():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        estimate = statistics.difference(generator.normal(1, 1, 6), generator.normal(0, 3, 12))
        covered += estimate.low <= 1 <= estimate.high
    assert 0.93 < covered / 2000 < 0.97


def test_paired_differences_are_those_of_a_t_test():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 9))
    interval = scipy.stats.ttest_rel(a, b).confidence_interval()
    estimate = statistics.paired_difference(a, b)
    assert (estimate.low, estimate.high) == pytest.approx((interval.low, interval.high))
    with pytest.raises(ValueError, match="as many"):
        statistics.paired_difference(a, b[1:])


def test_samples_without_spread_and_too_small_ones():
    assert statistics.difference([2, 2], [1, 1]) == statistics.Estimate(1, 1, 1)
    assert np.isnan(statistics.difference([2.0], [1, 1]).low)
    assert np.isnan(statistics.difference([], [1, 1]).value)


def test_a_ratio_is_a_difference_of_logarithms():
    generator = np.random.default_rng(0)
    a, b = np.exp(generator.normal(size=(2, 8)))
    both = statistics.ratio(a, b), statistics.ratio(b, a)
    assert both[0].value == pytest.approx(1 / both[1].value)
    assert (both[0].low, both[0].high) == pytest.approx((1 / both[1].high, 1 / both[1].low))
    assert statistics.ratio(2 * a, a, paired=True) == statistics.Estimate(*[pytest.approx(2)] * 3)


def test_the_slope_is_that_of_numpy():
    generator = np.random.default_rng(0)
    x = np.arange(10.0)
    y = 3 * x + generator.normal(size=10)
    coefficients, covariance = np.polyfit(x, y, 1, cov=True)
    estimate = statistics.slope(x, y)
    assert estimate.value == pytest.approx(coefficients[0])
    half_width = scipy.stats.t.ppf(0.975, 8) * covariance[0, 0] ** 0.5
    assert estimate.high - estimate.value == pytest.approx(half_width)
    assert np.isnan(statistics.slope([0, 1], [1, 2]).low)


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
    chosen = statistics.confirmed(runs, ["kind"])
    assert chosen.groupby("kind")["learning_rate"].unique().map(list).to_dict() == {"a": [0.1], "b": [0.2]}
    assert sorted(chosen["seed"].unique()) == [2, 3]
    pd.testing.assert_frame_equal(statistics.confirmed(runs, ["kind"], score="dev_loss"), chosen)
    runs.loc[(runs["kind"] == "a") & (runs["learning_rate"] == 0.1) & (runs["seed"] == 1), "status"] = "diverged"
    assert statistics.confirmed(runs, ["kind"]).groupby("kind")["learning_rate"].first()["a"] == 0.2
    assert len(statistics.confirmed(runs[runs["seed"] == 0], ["kind"])) == 2


@pytest.mark.parametrize("ends", [(0.01, 0.03), (0.03, 0.01)])
def test_every_run_reaches_the_loss_with_which_the_worst_ends(ends):
    parts = [
        pd.DataFrame({"kind": kind, "seed": seed, "step": [10, 20, 30], "train_loss": [1.0, max(ends) * 0.9, end]})
        for kind, end in zip("ab", ends, strict=True)
        for seed in (0, 1)
    ]
    parts[0].loc[1, "train_loss"] = parts[2].loc[1, "train_loss"] = 0.5  # seed 0 is slower
    target, reached = statistics.to_worst_loss(pd.concat(parts), "kind", ["step"])
    assert target == max(ends)
    assert reached[reached["seed"] == 0]["step"].tolist() == [30, 30]
    assert reached[reached["seed"] == 1]["step"].tolist() == [20, 20]


def test_the_best_group_changes_with_the_budget():
    fast = pd.DataFrame({"size": 4, "seconds": [1.0, 4.0], "train_loss": [0.5, 0.4]})
    slow = pd.DataFrame({"size": 64, "seconds": [2.0, 16.0], "train_loss": [0.6, 0.1]})
    table = statistics.best_within(pd.concat([fast, slow]), "size", "seconds", 3)
    assert table["seconds"].to_list() == pytest.approx([1, 4, 16])
    assert table["size"].to_list() == [4, 4, 64]
    assert table["train_loss"].to_list() == [0.5, 0.4, 0.1]
    assert statistics.best_within(fast.iloc[:0], "size", "seconds", 3).empty


def test_a_slope_needs_two_places():
    assert np.isnan(statistics.slope([], []).value)
    assert np.isnan(statistics.slope([1, 1], [2, 3]).value)


def test_the_best_show_each_number_that_varies_in_one_order():
    rows = [
        {"optimizer": o, "learning_rate": 0.1, "momentum": m, "b1": b, "seed": s, "dev_accuracy": a}
        for o, m, b, a in (("adam", np.nan, 0.9, 0.5), ("momentum", 0.5, np.nan, 0.6), ("momentum", 0.9, np.nan, 0.7))
        for s in (0, 1)
    ]
    runs = pd.DataFrame(rows).assign(status="finished", dev_loss=1.0, test_accuracy=0.5)
    runs.insert(0, "run", range(len(runs)))
    best = statistics.best_configurations(
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

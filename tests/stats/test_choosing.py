import numpy as np
import pandas as pd
import pytest

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
    runs = table(
        [
            ("sgd", 0.1, 0, 0.6, 0.6),
            ("sgd", 0.1, 1, 0.6, 0.6),
            ("sgd", 1.0, 0, 0.99, 0.9),
            ("sgd", 1.0, 1, np.nan, np.nan),
        ]
    )
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


def test_no_room_for_results_imports_jax():
    import subprocess
    import sys

    code = (
        "import sys, jaxnets.comparison.answer, jaxnets.stats.ensembles, jaxnets.report.figures;"
        "import jaxnets.report.tables, jaxnets.report.progress;"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
    [({}, "seed"), ({"fold": 6}, "fold"), ({"fold": 1, "block": 4}, "block")],
)
def test_the_unit_is_the_block_or_the_fold_if_there_are_several(columns, unit):
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

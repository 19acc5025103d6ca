"""The answer of a comparison, on tables whose truth is known."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from jaxnets.comparison import leaderboard
from jaxnets.comparison.answer import answer, headline
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol, TaskFacts, read, write

RATES = (0.01, 0.1, 1.0)


def facts(name="digits", target=0.9):
    return TaskFacts(name, "", target, 0.1, 10, 1000, 100, 200)


def comparison(means, *, repeats=1, confirm=8, tasks=("digits",), spread=0.004, lost=0, salt=0):
    """Methods whose runs at the rate 0.1 have these mean accuracies, and are 5 points worse at the others."""
    generator = np.random.default_rng(salt)
    rows = []
    for task, repeat, (name, mean) in itertools.product(tasks, range(repeats), means.items()):
        tuning = [(TUNING, rate, seed) for rate in RATES for seed in (0, 1)]
        fresh = [(FINAL, 0.1, seed) for seed in range(2, 2 + confirm)]
        for phase, rate, seed in [*tuning, *fresh]:
            accuracy = mean - 0.05 * (rate != 0.1) + generator.normal(0, spread)
            rows.append(
                {"run": len(rows), "optimizer": name, "learning_rate": rate, "batch_size": 10, "num_steps": 100}
                | ({"repeat": repeat} if repeats > 1 else {})
                | {"seed": seed, "status": "finished", "dev_accuracy": accuracy, "dev_loss": 1 - accuracy}
                | {"test_accuracy": accuracy, "test_loss": 1 - accuracy, "seconds": 2.0, "task": task, "phase": phase}
            )
    runs = pd.DataFrame(rows)
    for row in runs[(runs["phase"] == FINAL) & (runs["optimizer"] == next(iter(means)))].index[:lost]:
        runs.loc[row, ["status", "dev_accuracy", "test_accuracy", "test_loss"]] = ["diverged", np.nan, np.nan, np.nan]
    curves = pd.concat([runs[["run"]].assign(step=step, dev_accuracy=0.85 + step / 1000) for step in (25, 50, 100)])
    protocol = Protocol("grid", 3, 2, confirm, repeats)
    return Comparison(runs, curves, pd.DataFrame(), "optimizer", tuple(facts(task) for task in tasks), protocol)


def test_a_clear_winner_is_named_with_its_lead():
    said = answer(comparison({"sgd": 0.90, "adam": 0.95}))
    assert said.sentences[0].startswith("digits: adam is best. adam − sgd: +")
    (pair,) = said.pairs.to_dict("records")
    assert (pair["first"], pair["outcome"], pair["unit"]) == ("adam", "first", "seed")
    assert pair["difference"] == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize(
    ("spread", "outcome", "words"), [(0.001, "tie", " tie: "), (0.03, "open", "no significant diff")]
)
def test_equal_methods_tie_where_the_interval_is_narrow_and_are_open_elsewhere(spread, outcome, words):
    said = answer(comparison({"sgd": 0.95, "adam": 0.95}, spread=spread))
    assert list(said.pairs["outcome"]) == [outcome]
    assert words in said.sentences[0]


def test_all_tables_have_the_best_first():
    """Sentence, tables and figures agree in sign and order: whoever is ahead is the first of a pair."""
    said = answer(comparison({"sgd": 0.90, "adam": 0.95, "lion": 0.93}, tasks=("a", "b")))
    assert list(said.methods["method"]) == ["adam", "lion", "sgd"] * 2
    assert (
        list(zip(said.pairs["first"], said.pairs["second"], strict=True))
        == [
            ("adam", "lion"),
            ("adam", "sgd"),
            ("lion", "sgd"),
        ]
        * 2
    )
    assert (said.pairs["difference"] > 0).all()
    assert (said.pairs["improvement"] > 0.5).all()
    assert ((said.pairs["low"] <= said.pairs["difference"]) & (said.pairs["difference"] <= said.pairs["high"])).all()


def test_a_run_that_diverged_counts_as_chance():
    runs = comparison({"sgd": 0.95, "adam": 0.95}, lost=4)
    said = answer(runs)
    means = said.methods.set_index("method")
    assert means.loc["sgd", "accuracy"] == pytest.approx((4 * 0.95 + 4 * 0.1) / 8, abs=0.01)
    assert means.loc["sgd", "diverged_share"] == 0.5
    assert any("50% of the test runs of sgd" in caution for caution in said.cautions)


def test_the_choice_is_made_on_the_tuning_runs_and_reported_by_the_others():
    runs = comparison({"sgd": 0.95, "adam": 0.9})
    assert set(runs.reporting["phase"]) == {FINAL}
    without = replace(runs, runs=runs.phase(TUNING), protocol=Protocol("grid", 3, 2, 0, 1))
    assert set(without.reporting["learning_rate"]) == {0.1}
    assert any("No final runs" in caution for caution in answer(without).cautions)


def test_repeats_are_the_unit_and_their_interval_is_corrected():
    several = comparison({"sgd": 0.94, "adam": 0.95}, repeats=5)
    said = answer(several)
    (pair,) = said.pairs.to_dict("records")
    means = leaderboard.scores(several, several.tasks[0])
    differences = means["sgd"] - means["adam"]
    assert len(differences) == 5
    # Nadeau and Bengio (2003): the variance of the mean is (1/5 + 200/1000) s^2, with 4 degrees of freedom
    half_width = 2.776445 * np.sqrt((1 / 5 + 200 / 1000) * differences.var(ddof=1))
    assert pair["unit"] == "repeat"
    assert pair["high"] - pair["difference"] == pytest.approx(half_width, rel=1e-4)
    assert "5 repeats" in said.sentences[-1]


def test_generated_repeats_are_not_corrected_and_all_over_repeats_is_treated_alike():
    several = drawn(comparison({"sgd": 0.94, "adam": 0.95}, repeats=5))
    generated = replace(several, tasks=(replace(facts(), independent=True),))
    factor = np.sqrt(1 + 5 * 200 / 1000)
    shared, own = answer(several), answer(generated)
    for name, scale in (
        ("pairs", np.asarray),
        ("profiles", scipy.special.logit),
        ("sensitivity", scipy.special.logit),
        ("tuning", scipy.special.logit),
    ):
        one, other = getattr(shared, name), getattr(own, name)
        inside = (one["share"] > 0) & (one["share"] < 1) if name == "profiles" else one["low"] < one["high"]
        widths = [(scale(table["high"]) - scale(table["low"]))[inside] for table in (one, other)]
        assert inside.any()
        np.testing.assert_allclose(widths[0], factor * widths[1], err_msg=name)
    widths = [np.log(said.methods["loss_high"] / said.methods["loss_low"]) for said in (shared, own)]
    np.testing.assert_allclose(widths[0], factor * widths[1])
    assert "Nadeau" in shared.sentences[-1]
    assert "Nadeau" not in own.sentences[-1]


def test_the_best_is_decided_by_the_bounds_in_its_sentence():
    said = answer(comparison({"sgd": 0.90, "adam": 0.95, "lion": 0.948}, confirm=32))
    pairs = said.pairs.set_index(["first", "second"])
    lead = pairs.loc[("adam", "lion")]
    # one-sided t of two candidates: 0.05 / 2, over 32 seeds
    error = (lead["high"] - lead["difference"]) / scipy.stats.t.ppf(1 - 0.05 / 6, 31)
    assert lead["bound_low"] == pytest.approx(lead["difference"] - scipy.stats.t.ppf(0.975, 31) * error)
    assert (lead["level"], lead["bound_level"]) == pytest.approx((1 - 0.05 / 3, 0.975))
    assert (
        f"lion: +{100 * lead['difference']:.2f} pp (at least {100 * lead['bound_low']:.2f})".replace("-", "−")
        in said.sentences[0]
    )
    assert said.sentences[0].endswith("Each bound is one-sided, with 97.5% confidence.")


def test_who_is_out_by_another_than_the_leader_is_told_so():
    names = {"first": ["a", "a", "b"], "second": ["b", "c", "c"], "difference": [0.01, 0.02, 0.01]}
    bounds = {"bound_low": [-0.02, -0.01, 0.005], "bound_high": [0.04, 0.05, 0.015], "bound_level": 0.975}
    pairs = pd.DataFrame({**names, **bounds, "low": -0.1, "high": 0.1, "level": 0.98, "outcome": "open"})
    pairs = pairs.assign(improvement=0.5, improvement_low=0.4, improvement_high=0.6, values=[()] * 3)
    table = pd.DataFrame({"method": ["a", "b", "c"], "accuracy": [0.92, 0.91, 0.90]})
    told = headline("task", table, pairs)
    assert told.startswith("task: no single best. a − b: +1.00 pp (at least −2.00).")
    assert "b − c: +1.00 pp (at least 0.50)." in told


def test_all_that_tie_tie_with_each_other():
    said = answer(comparison({"sgd": 0.95, "adam": 0.9515, "lion": 0.953}, spread=0.0005))
    assert set(said.pairs["outcome"]) <= {"first", "second", "tie"}
    tied = answer(comparison({"sgd": 0.95, "adam": 0.95, "lion": 0.95}, spread=0.001, confirm=32))
    largest = tied.pairs[["low", "high"]].abs().to_numpy().max()
    assert f"differ by less than {100 * largest:.2f} pp of test accuracy (98.3% CI" in tied.sentences[0]


def test_the_sources_of_the_variance_are_shares_of_one_interval():
    runs = comparison({"sgd": 0.95, "adam": 0.95}, spread=0.02, confirm=6)
    generator = np.random.default_rng(1)
    kept = pd.DataFrame({"run": runs.phase(FINAL)["run"]}).merge(pd.DataFrame({"example": range(200)}), "cross")
    right = generator.random(len(kept)) < 0.9
    kept = kept.assign(
        fold=0, label=1, prediction=right.astype(int), probability_0=1.0 - right, probability_1=1.0 * right
    )
    kept = replace(runs, predictions=kept)
    without, with_examples = answer(kept), answer(kept, over_examples=True)
    pair, wider = without.pairs.iloc[0], with_examples.pairs.iloc[0]
    values = leaderboard.scores(kept, kept.tasks[0])
    error = (pair["high"] - pair["difference"]) / scipy.stats.t.ppf(0.975, 5)
    assert pair["of_seeds"] == pytest.approx((values["sgd"] - values["adam"]).var() / 6 / error**2)
    assert pair["of_seeds"] + pair["of_choice"] == pytest.approx(1)
    assert wider[["of_seeds", "of_choice", "of_examples"]].sum() == pytest.approx(1)
    assert wider["high"] - wider["low"] > pair["high"] - pair["low"]
    assert any(f"seeds {pair['of_seeds']:.0%}, choice of the setting" in sentence for sentence in without.sentences)
    assert any("test examples" in sentence for sentence in with_examples.sentences)
    assert not any("test examples" in caution for caution in (*without.cautions, *with_examples.cautions))


def test_the_edge_and_the_width_of_the_good_rates():
    runs = comparison({"sgd": 0.95, "adam": 0.9})
    said = answer(runs)
    assert not said.methods["edge"].any()
    # 5 points worse on both sides: within 1% is a fifth of the way there, in logarithms
    assert said.methods["width_decades"].to_numpy() == pytest.approx([2 * 0.0095 / 0.05] * 2, abs=0.15)
    best_is_largest = runs.runs.assign(learning_rate=runs.runs["learning_rate"].replace({0.1: 1.0, 1.0: 0.1}))
    edged = answer(replace(runs, runs=best_is_largest))
    assert edged.methods["edge"].all()
    assert any("edge of its range" in caution for caution in edged.cautions)


def test_steps_examples_and_seconds_to_the_target():
    runs = comparison({"sgd": 0.95, "adam": 0.9})
    rows = answer(runs).methods.iloc[0]
    # 0.85 + step / 1000 reaches 0.9 at step 50 of 100, in 2 s for all, with 10 examples a step
    assert (rows["steps_to_target"], rows["examples_to_target"], rows["seconds_to_target"]) == (50, 500, 1.0)
    assert rows["reached_share"] == 1
    late = answer(replace(runs, tasks=(facts(target=0.99),))).methods
    assert np.isinf(late["steps_to_target"]).all()
    assert (late["reached_share"] == 0).all()


def test_steps_that_were_saved_are_told():
    runs = comparison({"sgd": 0.95, "adam": 0.9})
    halved = replace(runs, protocol=replace(runs.protocol, search="halving", steps_taken=250, steps_saved=750))
    assert "75% of the steps were skipped (halving, divergence): 750 of 1,000." in answer(halved).sentences
    assert not any("skipped" in sentence for sentence in answer(runs).sentences)


def test_dropped_trials_count_with_what_they_had_reached_and_give_no_curve():
    runs = comparison({"sgd": 0.95, "adam": 0.9})
    table = runs.runs.assign(best_dev_accuracy=runs.runs["dev_accuracy"])
    dropped = (table["phase"] == TUNING) & (table["learning_rate"] == 1.0)
    table.loc[dropped, ["status", "dev_accuracy", "test_accuracy"]] = ["stopped", np.nan, np.nan]
    said = answer(replace(runs, runs=table, protocol=replace(runs.protocol, search="halving")))
    assert said.tuning.empty
    last = said.sensitivity[said.sensitivity["learning_rate"] == 1.0]["accuracy"]
    assert (last > 0.8).all()


def test_ranks_and_wins_over_tasks():
    tasks = tuple(f"task{number}" for number in range(6))
    said = answer(comparison({"sgd": 0.90, "adam": 0.95, "lion": 0.93}, tasks=tasks))
    assert list(said.ranks["method"]) == ["adam", "lion", "sgd"]
    assert list(said.ranks["rank"]) == [1, 2, 3]
    assert said.sentences[0].startswith("Mean ranks over 6 tasks: adam 1.0, lion 2.0 and sgd 3.0")
    assert "adam 12 won, 0 lost" in said.sentences[1]


def drawn(runs, name="random"):
    return replace(runs, protocol=replace(runs.protocol, search=name))


def test_tuning_curve_rises_to_what_all_trials_give():
    said = answer(drawn(comparison({"sgd": 0.95, "adam": 0.9})))
    curve = said.tuning[said.tuning["method"] == "sgd"].set_index("budget")["accuracy"]
    assert curve.is_monotonic_increasing
    assert curve[1] == pytest.approx(0.95 - 2 * 0.05 / 3, abs=0.01)
    assert curve[3] == pytest.approx(0.95, abs=0.01)


def test_of_a_single_trial_or_of_trials_that_are_no_draws_no_tuning_is_told():
    runs = comparison({"sgd": 0.95, "adam": 0.9})
    table = runs.runs
    single = replace(runs, runs=table[table["learning_rate"] == 0.1])
    crossed = pd.concat([table.assign(num_filters=width, run=table["run"] + width) for width in (0, 10_000)])
    crossed = crossed[["num_filters", *(name for name in table)]].set_index("run").reset_index()
    assert any("(of 3)" in sentence for sentence in answer(drawn(runs)).sentences)
    for made, has_curve in ((drawn(single), True), (runs, False), (drawn(replace(runs, runs=crossed)), False)):
        said = answer(made)
        assert said.tuning.empty != has_curve
        assert not any("trials" in sentence for sentence in said.sentences)


def test_accuracies_and_losses_keep_to_their_ranges():
    wild = comparison({"sgd": 0.985, "adam": 0.6}, repeats=4, spread=0.3, confirm=2, tasks=("digits", "spirals"))
    clipped = wild.runs.assign(**{name: wild.runs[name].clip(0, 1) for name in ("dev_accuracy", "test_accuracy")})
    clipped["test_loss"] = 1 - clipped["test_accuracy"]
    said = answer(replace(drawn(wild), runs=clipped))
    for table, name in (
        (said.methods, "accuracy"),
        (said.pairs, "improvement"),
        (said.sensitivity, ""),
        (said.tuning, ""),
        (said.profiles, ""),
    ):
        low, high = (table[f"{name}_{end}".lstrip("_")].dropna() for end in ("low", "high"))
        assert len(low)
        assert (low >= 0).all()
        assert (high <= 1).all()
    assert (said.methods["loss_low"].dropna() > 0).all()
    assert said.pairs["low"].ge(-1).all()
    assert said.pairs["high"].le(1).all()


def test_of_three_repeats_the_values_are_shown():
    said = answer(comparison({"sgd": 0.95, "adam": 0.9}, repeats=3))
    (pair,) = said.pairs.to_dict("records")
    assert np.isnan(pair["low"])
    assert pair["outcome"] == "open"
    assert len(pair["values"]) == 3
    row = said.methods.iloc[0]
    assert np.isnan(row["accuracy_low"])
    assert row["accuracy_note"].startswith("of 3: 9")
    assert "(of " in said.sentences[0]
    assert "no interval)" in said.sentences[0]


def test_the_probability_of_improvement_is_that_of_runs_within_a_repeat():
    runs = comparison({"sgd": 0.7, "adam": 0.7}, repeats=8, confirm=32, spread=0.01)
    table = runs.runs
    shift = 0.03 * table["repeat"] + 0.01 * (table["optimizer"] == "sgd")  # repeats differ more than methods do
    said = answer(replace(runs, runs=table.assign(test_accuracy=table["test_accuracy"] + shift)))
    (pair,) = said.pairs.to_dict("records")
    assert pair["improvement"] == pytest.approx(0.76, abs=0.05)  # of two normal runs a standard deviation apart
    assert pair["improvement_low"] > 0.5


def test_profiles_fall_and_end_beyond_the_best():
    profiles = answer(comparison({"sgd": 0.95, "adam": 0.9})).profiles
    for _, profile in profiles.groupby("method"):
        assert profile["share"].is_monotonic_decreasing
    last = profiles[profiles["threshold"] > 1.04]
    assert (last["share"] == 0).all()


def test_a_comparison_is_read_as_it_was_written(tmp_path):
    made = comparison({"sgd": 0.95, "adam": 0.9}, repeats=2)
    runs = replace(made, runs=made.runs.assign(model="mlp"), curves=made.curves.assign(train_loss=0.1, dev_loss=0.2))
    write(tmp_path, runs)
    again = read(tmp_path)
    pd.testing.assert_frame_equal(again.runs, runs.runs)
    assert (again.tasks, again.protocol, again.by) == (runs.tasks, runs.protocol, runs.by)

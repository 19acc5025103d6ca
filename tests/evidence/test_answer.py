"""The answer of a comparison, on tables whose truth is known."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxnets.evidence import standings, tuned
from jaxnets.evidence.answer import answer
from jaxnets.evidence.study import CONFIRMATION, TUNING, Protocol, Study, TaskFacts, read, write

RATES = (0.01, 0.1, 1.0)


def facts(name="digits", target=0.9):
    return TaskFacts(name, "", target, 0.1, 10, 1000, 100, 200)


def study(means, *, blocks=1, confirm=8, tasks=("digits",), spread=0.004, lost=0, salt=0):
    """Contestants whose runs at the rate 0.1 have these mean accuracies, and are 5 points worse at the others."""
    generator = np.random.default_rng(salt)
    rows = []
    for task, block, (name, mean) in itertools.product(tasks, range(blocks), means.items()):
        tuning = [(TUNING, rate, seed) for rate in RATES for seed in (0, 1)]
        fresh = [(CONFIRMATION, 0.1, seed) for seed in range(2, 2 + confirm)]
        for phase, rate, seed in [*tuning, *fresh]:
            accuracy = mean - 0.05 * (rate != 0.1) + generator.normal(0, spread)
            rows.append(
                {"run": len(rows), "optimizer": name, "learning_rate": rate, "batch_size": 10, "num_steps": 100}
                | ({"block": block} if blocks > 1 else {})
                | {"seed": seed, "status": "finished", "dev_accuracy": accuracy, "dev_loss": 1 - accuracy}
                | {"test_accuracy": accuracy, "test_loss": 1 - accuracy, "seconds": 2.0, "task": task, "phase": phase}
            )
    runs = pd.DataFrame(rows)
    for row in runs[(runs["phase"] == CONFIRMATION) & (runs["optimizer"] == next(iter(means)))].index[:lost]:
        runs.loc[row, ["status", "dev_accuracy", "test_accuracy", "test_loss"]] = ["diverged", np.nan, np.nan, np.nan]
    curves = pd.concat([runs[["run"]].assign(step=step, dev_accuracy=0.85 + step / 1000) for step in (25, 50, 100)])
    protocol = Protocol("grid", 3, 2, confirm, blocks)
    return Study(runs, curves, pd.DataFrame(), "optimizer", tuple(facts(task) for task in tasks), protocol)


def test_a_clear_winner_is_named_with_its_lead():
    said = answer(study({"sgd": 0.90, "adam": 0.95}))
    assert said.sentences[0].startswith("On digits adam is ahead: it is ahead of sgd by")
    (pair,) = said.pairs.to_dict("records")
    assert (pair["outcome"], pair["unit"]) == ("second", "seed")
    assert pair["difference"] == pytest.approx(-0.05, abs=0.01)


def test_equal_contestants_tie_where_the_interval_is_narrow():
    said = answer(study({"sgd": 0.95, "adam": 0.95}, spread=0.001))
    assert list(said.pairs["outcome"]) == ["tie"]
    assert " tie: " in said.sentences[0]


def test_what_cannot_be_told_is_left_open():
    said = answer(study({"sgd": 0.95, "adam": 0.95}, spread=0.03))
    assert list(said.pairs["outcome"]) == ["open"]
    assert "no winner can be named" in said.sentences[0]


def test_a_run_that_diverged_counts_as_chance():
    runs = study({"sgd": 0.95, "adam": 0.95}, lost=4)
    said = answer(runs)
    means = said.contestants.set_index("contestant")
    assert means.loc["sgd", "accuracy"] == pytest.approx((4 * 0.95 + 4 * 0.1) / 8, abs=0.01)
    assert means.loc["sgd", "diverged_share"] == 0.5
    assert any("50% of the confirming runs of sgd" in caution for caution in said.cautions)


def test_the_choice_is_made_on_the_tuning_runs_and_reported_by_the_others():
    runs = study({"sgd": 0.95, "adam": 0.9})
    assert set(runs.reporting["phase"]) == {CONFIRMATION}
    without = replace(runs, runs=runs.phase(TUNING), protocol=Protocol("grid", 3, 2, 0, 1))
    assert set(without.reporting["learning_rate"]) == {0.1}
    assert any("also report" in caution or "report as well" in caution for caution in answer(without).cautions)


def test_blocks_are_the_unit_and_their_interval_is_corrected():
    several = study({"sgd": 0.94, "adam": 0.95}, blocks=5)
    said = answer(several)
    (pair,) = said.pairs.to_dict("records")
    means = standings.scores(several, several.tasks[0])
    differences = means["sgd"] - means["adam"]
    assert len(differences) == 5
    # Nadeau and Bengio (2003): the variance of the mean is (1/5 + 200/1000) s^2, with 4 degrees of freedom
    half_width = 2.776445 * np.sqrt((1 / 5 + 200 / 1000) * differences.var(ddof=1))
    assert pair["unit"] == "block"
    assert pair["high"] - pair["difference"] == pytest.approx(half_width, rel=1e-4)
    assert "5 blocks" in said.sentences[-1]


def test_the_edge_and_the_width_of_the_good_rates():
    runs = study({"sgd": 0.95, "adam": 0.9})
    said = answer(runs)
    assert not said.contestants["edge"].any()
    # 5 points worse on both sides: within 1% is a fifth of the way there, in logarithms
    assert said.contestants["width_decades"].to_numpy() == pytest.approx([2 * 0.0095 / 0.05] * 2, abs=0.15)
    best_is_largest = runs.runs.assign(learning_rate=runs.runs["learning_rate"].replace({0.1: 1.0, 1.0: 0.1}))
    edged = answer(replace(runs, runs=best_is_largest))
    assert edged.contestants["edge"].all()
    assert any("edge of its range" in caution for caution in edged.cautions)


def test_steps_examples_and_seconds_to_the_target():
    rows = answer(study({"sgd": 0.95, "adam": 0.9})).contestants.iloc[0]
    # 0.85 + step / 1000 reaches 0.9 at step 50 of 100, in 2 s for all, with 10 examples a step
    assert (rows["steps_to_target"], rows["examples_to_target"], rows["seconds_to_target"]) == (50, 500, 1.0)
    assert rows["reached_share"] == 1


def test_a_target_that_is_never_reached_takes_forever():
    runs = study({"sgd": 0.95, "adam": 0.9})
    late = answer(replace(runs, tasks=(facts(target=0.99),))).contestants
    assert np.isinf(late["steps_to_target"]).all()
    assert (late["reached_share"] == 0).all()


def test_steps_that_were_saved_are_told():
    runs = study({"sgd": 0.95, "adam": 0.9})
    halved = replace(runs, protocol=replace(runs.protocol, search="halving", steps_taken=250, steps_saved=750))
    assert "250 steps were taken; 750 (75%) were saved, as halving dropped runs on the way." in answer(halved).sentences
    assert not any("saved" in sentence for sentence in answer(runs).sentences)


def test_dropped_trials_count_with_what_they_had_reached_and_give_no_curve():
    runs = study({"sgd": 0.95, "adam": 0.9})
    table = runs.runs.assign(best_dev_accuracy=runs.runs["dev_accuracy"])
    dropped = (table["phase"] == TUNING) & (table["learning_rate"] == 1.0)
    table.loc[dropped, ["status", "dev_accuracy", "test_accuracy"]] = ["stopped", np.nan, np.nan]
    said = answer(replace(runs, runs=table, protocol=replace(runs.protocol, search="halving")))
    assert said.tuning.empty
    last = said.sensitivity[said.sensitivity["learning_rate"] == 1.0]["accuracy"]
    assert (last > 0.8).all()


def test_ranks_and_wins_over_tasks():
    tasks = tuple(f"task{number}" for number in range(6))
    said = answer(study({"sgd": 0.90, "adam": 0.95, "lion": 0.93}, tasks=tasks))
    assert list(said.ranks["contestant"]) == ["adam", "lion", "sgd"]
    assert list(said.ranks["rank"]) == [1, 2, 3]
    assert said.sentences[0].startswith("Mean ranks over 6 tasks: adam 1.0, lion 2.0 and sgd 3.0")
    assert "adam 12 won and 0 lost" in said.sentences[1]


def test_tuning_curve_rises_to_what_all_trials_give():
    said = answer(study({"sgd": 0.95, "adam": 0.9}))
    curve = said.tuning[said.tuning["contestant"] == "sgd"].set_index("budget")["accuracy"]
    assert curve.is_monotonic_increasing
    assert curve[1] == pytest.approx(0.95 - 2 * 0.05 / 3, abs=0.01)
    assert curve[3] == pytest.approx(0.95, abs=0.01)


def test_of_a_single_trial_no_tuning_is_told():
    runs = study({"sgd": 0.95, "adam": 0.9})
    single = replace(runs, runs=runs.runs[runs.runs["learning_rate"] == 0.1])
    assert any("of 3 trials" in sentence for sentence in answer(runs).sentences)
    assert not any("trials" in sentence for sentence in answer(single).sentences)


def test_profiles_fall_and_end_beyond_the_best():
    profiles = answer(study({"sgd": 0.95, "adam": 0.9})).profiles
    for _, profile in profiles.groupby("contestant"):
        assert profile["share"].is_monotonic_decreasing
    last = profiles[profiles["threshold"] > 1.04]
    assert (last["share"] == 0).all()


def test_budgets_are_distinct_and_end_with_all():
    for trials in range(1, 70):
        budgets = tuned.budgets(trials)
        assert budgets == sorted(set(budgets))
        assert (budgets[0], budgets[-1]) == (1, trials)


def test_a_study_is_read_as_it_was_written(tmp_path):
    made = study({"sgd": 0.95, "adam": 0.9}, blocks=2)
    runs = replace(made, runs=made.runs.assign(model="mlp"), curves=made.curves.assign(train_loss=0.1, dev_loss=0.2))
    write(tmp_path, runs)
    again = read(tmp_path)
    pd.testing.assert_frame_equal(again.runs, runs.runs)
    assert (again.tasks, again.protocol, again.by) == (runs.tasks, runs.protocol, runs.by)

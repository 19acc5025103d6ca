"""Two studies compared, against scipy and by planted differences."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxnets.evidence import between
from jaxnets.evidence.between import CHOSEN, EQUAL, HIGHER, LOWER, OPEN, SETTING, TIE
from jaxnets.evidence.study import CONFIRMATION, TUNING, Protocol, Study, TaskFacts

RATES = (0.01, 0.1)
TASK = TaskFacts("digits", "", np.nan, 0.1, 10, 1400, 180, 180)
GENERATED = TaskFacts("digits", "", np.nan, 0.1, 10, 1400, 180, 180, independent=True)
UNKNOWN_SIZES = TaskFacts("digits", "", np.nan, 0.1, 10, 0, 0, 0)


def study(gains, *, seeds=range(6), noise=0.004, blocks=1, draw=0, confirm=0, task=TASK):
    """Runs of sgd and adam at two rates; `gains` are what each contestant is better by than 0.9."""
    generator = np.random.default_rng([7, draw])
    luck = generator.normal(0, 0.01, (blocks, 100))
    rows = []
    for name, gain in gains.items():
        settings = [(rate, seed, TUNING) for rate in RATES for seed in seeds]
        settings += [(RATES[1], 50 + seed, CONFIRMATION) for seed in range(confirm)]
        for (rate, seed, phase), block in ((setting, block) for setting in settings for block in range(blocks)):
            accuracy = 0.9 + gain - 0.2 * (rate < 0.1) + luck[block, seed] + generator.normal(0, noise)
            rows.append((name, rate, seed, block, accuracy, phase))
    runs = pd.DataFrame(rows, columns=["optimizer", "learning_rate", "seed", "block", "test_accuracy", "phase"])
    runs.insert(0, "run", range(len(runs)))
    runs.insert(5, "status", "finished")
    runs = runs.assign(dev_accuracy=runs["test_accuracy"], test_loss=1 - runs["test_accuracy"], dev_loss=0.1)
    runs = runs.assign(task=task.name)
    if blocks == 1:
        runs = runs.drop(columns="block")
    curves = pd.DataFrame({"run": runs["run"], "step": 10, "train_loss": 0.5, "dev_loss": 0.1})
    protocol = Protocol("grid", 2, len(seeds), confirm, blocks)
    return Study(runs, curves, pd.DataFrame(), "optimizer", (task,), protocol)


def row(table, name, kind=SETTING):
    (one,) = table[(table["kind"] == kind) & (table["name"] == name)].to_dict("records")
    return one


BEFORE = study({"sgd": 0.0, "adam": 0.02})


def accuracies(given, name, rate):
    runs = given.runs
    own = runs[(runs["optimizer"] == name) & (runs["learning_rate"] == rate) & (runs["phase"] == TUNING)]
    return own["test_accuracy"].to_numpy()


def test_equal_seeds_on_equal_data_are_pairs():
    after = study({"sgd": 0.03, "adam": 0.02}, noise=0.005)
    table = between.compare(BEFORE, after, same_data=True)
    for name, rate in (("sgd", 0.01), ("sgd", 0.1), ("adam", 0.01), ("adam", 0.1)):
        one = row(table, f"{name}, learning rate {rate}")
        test = stats.ttest_rel(accuracies(after, name, rate), accuracies(BEFORE, name, rate))
        interval = test.confidence_interval(1 - 0.05 / 4)  # of four settings
        assert one["paired"]
        assert (one["num_before"], one["num_after"], one["unit"]) == (6, 6, "seed")
        assert (one["low"], one["high"]) == pytest.approx((interval.low, interval.high))
        assert one["level"] == pytest.approx(1 - 0.05 / 4)
        assert one["difference"] == pytest.approx(one["after"] - one["before"])
    outcomes = table[table["kind"] == SETTING].set_index("name")["outcome"]
    assert outcomes["sgd, learning rate 0.1"] == HIGHER
    assert outcomes["adam, learning rate 0.1"] in (TIE, OPEN)
    assert row(table, "sgd", CHOSEN)["outcome"] == HIGHER


def test_other_seeds_or_other_data_are_no_pairs():
    for after, same in ((study({"sgd": -0.1, "adam": 0.02}, seeds=range(20, 28)), True), (study({"sgd": -0.1}), False)):
        table = between.compare(BEFORE, after, same_data=same)
        one, of_kind = row(table, "sgd, learning rate 0.1"), (table["kind"] == SETTING).sum()
        samples = accuracies(after, "sgd", 0.1), accuracies(BEFORE, "sgd", 0.1)
        test = stats.ttest_ind(*samples, equal_var=False)
        assert not one["paired"]
        assert one["low"] == pytest.approx(test.confidence_interval(1 - 0.05 / of_kind).low)
        assert one["outcome"] == LOWER


def test_outcomes_and_sentences_are_read_off_the_intervals_of_their_kind():
    table = between.compare(BEFORE, study({"sgd": 0.004, "adam": 0.03}, draw=1), same_data=False)
    assert table.groupby("kind")["level"].first().to_dict() == pytest.approx(
        {CHOSEN: 1 - 0.05 / 2, SETTING: 1 - 0.05 / 4}
    )
    beyond = (table["low"] > 0) | (table["high"] < 0)
    assert table["outcome"].isin([HIGHER, LOWER]).tolist() == beyond.tolist()
    said = between.sentences(table)
    for sentence, real in zip(said, beyond[table["kind"] == CHOSEN], strict=False):
        low, high = map(float, re.search(r"\(97\.5% CI (\S+) to (\S+)\)", sentence).groups())
        assert ("real" in sentence) == (low > 0 or high < 0) == real


def test_the_same_bits_are_told_from_the_same_numbers():
    table = between.compare(BEFORE, BEFORE, same_data=True)
    assert set(table["outcome"]) == {EQUAL}
    curves = BEFORE.curves.assign(train_loss=BEFORE.curves["train_loss"].where(BEFORE.curves["run"] != 0, 0.5000001))
    other = Study(BEFORE.runs, curves, BEFORE.predictions, "optimizer", BEFORE.tasks, BEFORE.protocol)
    one = row(between.compare(BEFORE, other, same_data=True), "sgd, learning rate 0.01")
    assert one["difference"] == 0
    assert one["outcome"] == OPEN  # all pairs are equal: nothing is known of the spread
    shuffled = BEFORE.runs.sample(frac=1, random_state=0)
    mixed = Study(shuffled, curves[::-1], BEFORE.predictions, "optimizer", BEFORE.tasks, BEFORE.protocol)
    assert row(between.compare(BEFORE, mixed, same_data=True), "adam, learning rate 0.1")["outcome"] == EQUAL
    assert EQUAL not in set(between.compare(BEFORE, BEFORE, same_data=False)["outcome"])


def test_a_run_that_diverged_counts_as_chance():
    runs = BEFORE.runs.copy()
    lost = runs.index[(runs["optimizer"] == "adam") & (runs["learning_rate"] == 0.1)][:2]
    runs.loc[lost, ["status", "test_accuracy"]] = ["diverged", np.nan]
    after = Study(runs, BEFORE.curves, BEFORE.predictions, "optimizer", BEFORE.tasks, BEFORE.protocol)
    one = row(between.compare(BEFORE, after, same_data=True), "adam, learning rate 0.1")
    expected = np.r_[[0.1, 0.1], accuracies(BEFORE, "adam", 0.1)[2:]].mean()
    assert one["after"] == pytest.approx(expected)


def test_blocks_are_counted_and_corrected_for_what_they_share():
    before, after = (
        study({"sgd": gain, "adam": 0.0}, blocks=6, confirm=3, draw=draw) for gain, draw in ((0, 0), (0.05, 1))
    )
    table = between.compare(before, after, same_data=True)
    one = row(table, "sgd", CHOSEN)
    assert (one["unit"], one["num_before"]) == ("block", 6)
    means = []
    for given in (before, after):
        own = given.runs[(given.runs["optimizer"] == "sgd") & (given.runs["phase"] == CONFIRMATION)]
        means.append(own.groupby("block")["test_accuracy"].mean())
    differences = (means[1] - means[0]).to_numpy()
    error = np.sqrt((1 / 6 + 180 / 1400) * differences.var(ddof=1))
    assert one["high"] - one["difference"] == pytest.approx(error * stats.t.ppf(1 - 0.025 / 2, 5))  # of two
    generated = [Study(s.runs, s.curves, s.predictions, s.by, (GENERATED,), s.protocol) for s in (before, after)]
    error = np.sqrt(differences.var(ddof=1) / 6)
    one = row(between.compare(*generated, same_data=True), "sgd", CHOSEN)
    assert one["high"] - one["difference"] == pytest.approx(error * stats.t.ppf(1 - 0.025 / 2, 5))
    nothing = [Study(s.runs, s.curves, s.predictions, s.by, (UNKNOWN_SIZES,), s.protocol) for s in (before, after)]
    for same in (True, False):
        one = row(between.compare(*nothing, same_data=same), "sgd", CHOSEN)
        assert np.isnan(one["low"])
        assert one["note"] == "the sizes of the splits are unknown"
    unpaired = row(between.compare(before, after, same_data=False), "sgd", CHOSEN)
    assert unpaired["high"] - unpaired["low"] > 2 * error


def test_a_planted_difference_is_found_and_none_is_rarely_claimed():
    found = claimed = 0
    for draw in range(24):
        before, after = (
            study({"sgd": 0, "adam": gain}, seeds=range(16), draw=2 * draw + place)
            for place, gain in ((0, 0), (1, 0.02))
        )
        outcomes = between.compare(before, after, same_data=False).set_index(["kind", "name"])["outcome"]
        found += outcomes[SETTING, "adam, learning rate 0.1"] == HIGHER
        claimed += outcomes[SETTING, "sgd, learning rate 0.1"] in (HIGHER, LOWER)
    assert found > 17
    assert claimed <= 4  # 5% of 24, and three standard errors


def test_what_has_nothing_in_common_says_so():
    other = study({"sgd": 0.0}, task=TaskFacts("wine", "", np.nan, 0.4, 3, 100, 20, 20))
    table = between.compare(BEFORE, other, same_data=False)
    assert list(table.columns) == list(between.COLUMNS)
    assert between.sentences(table) == ["They have no contestant and no setting in common."]
    unlike = study({"lion": 0.0})
    assert between.compare(BEFORE, unlike, same_data=True).empty


def test_the_sentences_name_real_differences_and_chance():
    table = between.compare(BEFORE, study({"sgd": 0.06, "adam": 0.02}, noise=0.02, draw=3), same_data=True)
    told = " ".join(between.sentences(table))
    assert "sgd, at its chosen setting: " in told
    assert "a real difference" in told
    assert "Of the 4 settings that both have, as tuned: " in told
    alike = " ".join(between.sentences(between.compare(BEFORE, BEFORE, same_data=True)))
    assert alike.endswith("Of the 4 settings that both have, as tuned: 4 equal to the last bit.")

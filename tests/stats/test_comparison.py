import numpy as np
import pandas as pd
import pytest

from jaxnets.claims import effects
from jaxnets.stats import ensembles, estimates
from jaxnets.stats.ensembles import System


def system(correct, name="one"):
    correct = np.array(correct, bool)
    return System(name, np.atleast_2d(correct), np.zeros(correct.shape[-1], int), np.array([0.5]), 1.0, "")


def test_the_difference_of_two_systems_is_that_over_seeds_and_examples():
    generator = np.random.default_rng(0)
    first, second = generator.random((3, 100)) < 0.8, generator.random((1, 100)) < 0.7
    result = ensembles.difference_of_systems(system(first), system(second))
    assert result == estimates.crossed_difference(first, second)
    assert ensembles.difference_of_systems(system(second), system(first)).value == pytest.approx(-result.value)


def test_over_folds_systems_differ_by_fold():
    accuracies = np.array([0.9, 0.7, 0.8, 0.7])
    first = system(np.ones((1, 40)))._replace(accuracies=accuracies, num_folds=4, test_share=1 / 3)
    second = first._replace(accuracies=np.full(4, 0.6))
    difference = estimates.corrected_difference(accuracies - 0.6, 1 / 3, kind=estimates.DIFFERENCE)
    assert ensembles.difference_of_systems(first, second) == difference
    assert ensembles.accuracy(first) == estimates.corrected_difference(accuracies, 1 / 3, kind=estimates.SHARE)
    assert ensembles.accuracy(first._replace(num_folds=1)) == estimates.mean(accuracies, estimates.SHARE)
    assert ensembles.accuracy(second) == estimates.mean([0.6] * 4, estimates.SHARE, examples=40)


def test_of_one_value_the_accuracy_has_the_interval_of_a_share():
    assert ensembles.accuracy(system([[True] * 8 + [False] * 2])) == estimates.share(8, 10)


def test_right_among_some_of_the_examples_of_two_folds():
    places = {"run": [0, 0, 0, 1, 1], "fold": [0, 0, 0, 1, 1], "example": [0, 1, 2, 0, 1]}
    predictions = pd.DataFrame({**places, "label": [0, 1, 1, 0, 1], "prediction": [0, 1, 0, 1, 1]})
    result = effects.right_among(predictions, [np.array([True, False, True]), np.array([False, True])])
    assert result.to_dict("list") == {"run": [0, 1], "right": [0.5, 1.0], "examples": [2, 1], "largest": [0.5, 1.0]}
    assert list(effects.right_among(pd.DataFrame(), []).columns) == list(result.columns)


def test_without_a_test_example_that_counts_there_is_no_accuracy():
    predictions = pd.DataFrame({"run": [0], "fold": [0], "example": [0], "label": [0], "prediction": [0]})
    table = effects.right_among(predictions, [np.array([False])])
    assert table.empty
    assert len(pd.DataFrame({"run": [0]}).merge(table, on="run")) == 0  # the columns have their types all the same


def nets(right, number=(0, 1), edge=False):
    table = pd.DataFrame({"repeat": 0, "number": number, "seed": number, "right": right, "edge": edge})
    return table.assign(test_share=0.0, examples=50)


def test_the_gap_is_that_from_the_mean_of_the_reference_to_no_errors():
    found = effects.gap_closed(nets([0.9, 0.7]), nets([0.7, 0.5], edge=[True, False]), "right")
    assert found["effect"].tolist() == pytest.approx([0.2 / 0.4, 0.2 / 0.4])
    assert found["edge"].tolist() == [True, False]
    same = nets([0.7, 0.5])
    assert effects.gap_closed(same, same, "right")["effect"].tolist() == [0, 0]


def test_a_gap_of_few_errors_is_not_blown_up():
    found = effects.gap_closed(nets([0.99, 1.0]), nets([1.0, 1.0]), "right")
    assert found["effect"].tolist() == pytest.approx([-0.01 / effects.LEAST_GAP, 0])


def test_what_nets_gain_on_a_classifier_of_each_repeat():
    baseline = pd.DataFrame({"repeat": [0, 1], "right": [0.6, 0.1], "edge": [True, False]})
    found = effects.over_baseline(nets([0.9, 0.7]), baseline, "right")
    assert found["effect"].tolist() == pytest.approx([0.3, 0.1])
    assert found["edge"].all()


def test_a_rise_is_from_the_lowest_to_the_highest_value():
    table = pd.concat([nets([0, 0]).assign(degree=of, effect=of**2) for of in (1.0, 3.0, 2.0)])
    found = effects.rise(table, "degree")
    assert found["effect"].tolist() == [8.0, 8.0]
    assert effects.rise(table[table["degree"] == 2.0], "degree").empty


def test_confusions():
    counts = ensembles.confusion(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [2, 0, 1]]


def test_the_most_certain_mistakes_come_first():
    table = pd.DataFrame(
        {
            "label": [0, 0, 1, 1],
            "prediction": [1, 0, 0, 0],
            "probability_0": [0.3, 0.9, 0.8, 0.6],
            "probability_1": [0.7, 0.1, 0.2, 0.4],
        }
    )
    result = ensembles.certain_mistakes(table, 2)
    assert result.index.tolist() == [2, 0]
    assert result["certainty"].tolist() == [0.8, 0.7]


def runs_and_predictions():
    """Two seeds and two folds of two rates; the first rate is better on dev; one run of seed 1 is lost."""
    rows, parts = [], []
    for run, (rate, seed, fold) in enumerate((r, s, f) for r in (0.1, 0.2) for s in (0, 1, 2) for f in (0, 1)):
        lost = (rate, seed, fold) == (0.1, 1, 0)
        dev = 0.9 if rate == 0.1 else 0.3
        names = {"run": run, "model": "dan", "optimizer": "adam", "learning_rate": rate, "seed": seed, "fold": fold}
        metrics = {"dev_accuracy": dev, "dev_loss": 1.0, "test_accuracy": 0.25 * seed + 0.5 * fold, "seconds": 2.0}
        rows.append({**names, "status": "diverged" if lost else "finished", **metrics})
        label = [0, 1] if fold == 0 else [1]
        prediction = [0, 0] if fold == 0 else [seed % 2]
        examples = {"example": range(len(label)), "label": label, "prediction": prediction}
        probabilities = {"probability_0": 0.5, "probability_1": 0.5}
        parts += [] if lost else [pd.DataFrame({"run": run, "fold": fold, **examples, **probabilities})]
    return pd.DataFrame(rows), pd.concat(parts)


def test_a_model_is_taken_at_its_best_on_dev_and_a_lost_run_counts_as_chance():
    (result,) = ensembles.systems_of_runs(*runs_and_predictions())
    assert result.name == "dan"
    assert result.configuration == "adam, learning_rate 0.1"
    assert result.correct.tolist() == [[1, 0, 0], [0.5, 0.5, 1], [1, 0, 0]]
    assert result.predictions.tolist() == [0, 0, 0]
    assert result.num_folds == 2
    assert result.accuracies.tolist() == pytest.approx([(0 + 0.5 + 0.5) / 3, (0.5 + 0.75 + 1.0) / 3])


def test_runs_that_diverged_have_their_say_in_the_choice():
    runs, predictions = runs_and_predictions()
    runs.loc[(runs["learning_rate"] == 0.1) & (runs["seed"] > 0), "status"] = "diverged"
    (result,) = ensembles.systems_of_runs(runs, predictions)
    assert result.configuration == "adam, learning_rate 0.2"  # of 0.1 one seed of three is left


def test_a_model_of_which_no_seed_finished_is_left_out():
    runs, predictions = runs_and_predictions()
    assert ensembles.systems_of_runs(runs.assign(status="diverged"), predictions) == []

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.texts import Texts
from jaxnets.evidence import comparison
from jaxnets.evidence.comparison import System


def system(correct, name="one"):
    correct = np.array(correct, bool)
    return System(name, np.atleast_2d(correct), np.zeros(correct.shape[-1], int), np.array([0.5]), 1.0, "")


@pytest.mark.parametrize(("only_mine", "only_others"), [(0, 0), (1, 0), (10, 2), (3, 9), (50, 50)])
def test_mcnemar_against_the_binomial_distribution(only_mine, only_others):
    mine = [True] * 20 + [True] * only_mine + [False] * only_others
    others = [True] * 20 + [False] * only_mine + [True] * only_others
    result = comparison.compare(system(mine), system(others))
    n = only_mine + only_others
    tail = stats.binom.cdf(min(only_mine, only_others), n, 0.5) if n else 1.0
    assert np.isclose(result.p_value, min(1.0, 2 * tail))
    assert np.isclose(result.difference, (only_mine - only_others) / (20 + n))
    assert np.isclose(comparison.compare(system(others), system(mine)).difference, -result.difference)


def test_the_interval_of_a_paired_difference_covers_it_at_its_level():
    generator, inside = np.random.default_rng(0), 0
    for _ in range(300):
        first, second = generator.random(400) < 0.8, generator.random(400) < 0.75
        result = comparison.compare(system(first), system(second))
        inside += abs(result.difference - 0.05) <= result.half_width
    assert 0.92 <= inside / 300 <= 0.98


def test_right_among_some_of_the_examples_of_two_folds():
    places = {"run": [0, 0, 0, 1, 1], "fold": [0, 0, 0, 1, 1], "example": [0, 1, 2, 0, 1]}
    predictions = pd.DataFrame({**places, "label": [0, 1, 1, 0, 1], "prediction": [0, 1, 0, 1, 1]})
    result = comparison.right_among(predictions, [np.array([True, False, True]), np.array([False, True])])
    assert result.to_dict("list") == {"run": [0, 1], "right": [0.5, 1.0], "examples": [2, 1], "largest": [0.5, 1.0]}
    assert list(comparison.right_among(pd.DataFrame(), []).columns) == list(result.columns)


def test_without_a_test_example_that_counts_there_is_no_accuracy():
    predictions = pd.DataFrame({"run": [0], "fold": [0], "example": [0], "label": [0], "prediction": [0]})
    table = comparison.right_among(predictions, [np.array([False])])
    assert table.empty
    assert len(pd.DataFrame({"run": [0]}).merge(table, on="run")) == 0  # the columns have their types all the same


def test_baselines_learn_from_train_alone_and_are_judged_on_the_chosen_test_examples():
    train = Split(Texts.of([[2, 4], [2, 4], [3, 4], [3, 4]]), np.array([0, 0, 1, 1]))
    dev = Split(Texts.of([[2], [3]]), np.array([0, 0]))
    test = Split(Texts.of([[2], [3], [3]]), np.array([0, 1, 0]))
    fold = Dataset("made", train, dev, test, ("no", "yes"), ("<pad>", "<unk>", "bad", "good", "film"))
    table = comparison.baselines_among(
        [fold, fold], {"naive_bayes": "Naive Bayes"}, [np.array([True, True, False])] * 2
    )
    assert table["system"].tolist() == ["Naive Bayes"] * 2
    assert table["fold"].tolist() == [0, 1]
    assert table["dev"].tolist() == [0.5, 0.5]
    assert table["right"].tolist() == [1.0, 1.0]
    assert table["examples"].tolist() == [2, 2]


def test_confusions():
    counts = comparison.confusion(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 0, 0]), 3)
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
    result = comparison.certain_mistakes(table, 2)
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
        parts.append(pd.DataFrame({"run": run, "fold": fold, **examples}))
    return pd.DataFrame(rows), pd.concat(parts)


def test_a_model_is_taken_at_its_best_on_dev_with_the_seeds_that_finished_in_all_folds():
    (result,) = comparison.of_runs(*runs_and_predictions())
    assert result.name == "dan"
    assert result.configuration == "adam, learning_rate 0.1"
    assert result.correct.tolist() == [[True, False, False], [True, False, False]]  # seeds 0 and 2
    assert result.predictions.tolist() == [0, 0, 0]
    assert sorted(result.accuracies) == [0.0, 0.5, 0.5, 0.75, 1.0]

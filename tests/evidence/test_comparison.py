import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxnets.evidence import comparison
from jaxnets.evidence.comparison import System


def system(correct, name="one"):
    correct = np.array(correct, bool)
    return System(name, np.atleast_2d(correct), np.zeros(correct.shape[-1], int), np.array([0.5]), 1.0, "")


@pytest.mark.parametrize(("only_mine", "only_others"), [(0, 0), (1, 0), (10, 2), (3, 9), (50, 50)])
def test_mcnemar_against_the_binomial_distribution(only_mine, only_others):
    mine = [True] * 20 + [True] * only_mine + [False] * only_others
    others = [True] * 20 + [False] * only_mine + [True] * only_others
    found = comparison.compare(system(mine), system(others))
    n = only_mine + only_others
    tail = stats.binom.cdf(min(only_mine, only_others), n, 0.5) if n else 1.0
    assert np.isclose(found.p_value, min(1.0, 2 * tail))
    assert np.isclose(found.difference, (only_mine - only_others) / (20 + n))
    assert np.isclose(comparison.compare(system(others), system(mine)).difference, -found.difference)


def test_the_interval_of_a_paired_difference_covers_it_at_its_level():
    generator, inside = np.random.default_rng(0), 0
    for _ in range(300):
        first, second = generator.random(400) < 0.8, generator.random(400) < 0.75
        found = comparison.compare(system(first), system(second))
        inside += abs(found.difference - 0.05) <= found.half_width
    assert 0.92 <= inside / 300 <= 0.98


def test_right_among_some_of_the_examples_of_two_folds():
    predictions = pd.DataFrame({
        "run": [0, 0, 0, 1, 1], "fold": [0, 0, 0, 1, 1], "example": [0, 1, 2, 0, 1],
        "label": [0, 1, 1, 0, 1], "prediction": [0, 1, 0, 1, 1],
    })  # fmt: skip
    found = comparison.right_among(predictions, [np.array([True, False, True]), np.array([False, True])])
    assert found.to_dict("list") == {"run": [0, 1], "right": [0.5, 1.0], "examples": [2, 1], "largest": [0.5, 1.0]}
    assert list(comparison.right_among(pd.DataFrame(), []).columns) == list(found.columns)


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
    found = comparison.certain_mistakes(table, 2)
    assert found.index.tolist() == [2, 0]
    assert found["certainty"].tolist() == [0.8, 0.7]


def runs_and_predictions():
    """Two seeds and two folds of two rates; the first rate is better on dev; one run of seed 1 is lost."""
    rows, parts = [], []
    for run, (rate, seed, fold) in enumerate((r, s, f) for r in (0.1, 0.2) for s in (0, 1, 2) for f in (0, 1)):
        lost = (rate, seed, fold) == (0.1, 1, 0)
        dev = 0.9 if rate == 0.1 else 0.3
        rows.append({"run": run, "model": "dan", "optimizer": "adam", "learning_rate": rate, "seed": seed, "fold": fold,
                     "status": "diverged" if lost else "finished", "dev_accuracy": dev, "dev_loss": 1.0,
                     "test_accuracy": 0.25 * seed + 0.5 * fold, "seconds": 2.0})  # fmt: skip
        label = [0, 1] if fold == 0 else [1]
        prediction = [0, 0] if fold == 0 else [seed % 2]
        parts.append(pd.DataFrame({"run": run, "fold": fold, "example": range(len(label)), "label": label,
                                   "prediction": prediction}))  # fmt: skip
    return pd.DataFrame(rows), pd.concat(parts)


def test_a_model_is_taken_at_its_best_on_dev_with_the_seeds_that_finished_in_all_folds():
    (found,) = comparison.of_runs(*runs_and_predictions())
    assert found.name == "dan"
    assert found.configuration == "adam, learning_rate 0.1"
    assert found.correct.tolist() == [[True, False, False], [True, False, False]]  # seeds 0 and 2
    assert found.predictions.tolist() == [0, 0, 0]
    assert sorted(found.accuracies) == [0.0, 0.5, 0.5, 0.75, 1.0]

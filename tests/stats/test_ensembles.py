"""Ensembles against scikit-learn, and against cases by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from jaxnets.stats import ensembles
from jaxnets.stats.ensembles import averaged, calibration_error, ensemble


def table(probabilities, labels, *, first_run=0, fold=0):
    """The predictions of runs, `probabilities[runs, examples, classes]`, as the engine writes them."""
    parts = []
    for run, of_run in enumerate(np.asarray(probabilities, np.float32), first_run):
        columns = {f"probability_{k}": of_run[:, k] for k in range(of_run.shape[1])}
        known = {"run": run, "fold": fold, "example": range(len(labels)), "label": labels}
        parts.append(pd.DataFrame(known | {"prediction": of_run.argmax(axis=1)} | columns))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def drawn():
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 200)
    logits = generator.normal(size=(5, 200, 3)) + 1.5 * np.eye(3)[labels]
    return np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True), labels


def test_scores_are_those_of_scikit_learn(drawn):
    probabilities, labels = drawn
    mean = probabilities.mean(axis=0)
    # neither the order of the rows nor a run of others matters
    rows = pd.concat([table(probabilities, labels), table(probabilities[:1] * 0 + 1 / 3, labels, first_run=5)])
    found = ensemble(rows.sample(frac=1, random_state=0), range(5))
    assert found.accuracy == pytest.approx(metrics.accuracy_score(labels, mean.argmax(axis=1)))
    assert found.loss == pytest.approx(metrics.log_loss(labels, mean), rel=1e-5)
    singles = [metrics.accuracy_score(labels, one.argmax(axis=1)) for one in probabilities]
    assert found.single_accuracy == pytest.approx(np.mean(singles))
    assert found.single_loss == pytest.approx(np.mean([metrics.log_loss(labels, one) for one in probabilities]), 1e-5)
    assert found.members == 5
    assert found.accuracy > found.single_accuracy  # independent errors cancel


def test_calibration_error_is_that_of_a_loop_over_the_bins(drawn):
    probabilities, labels = drawn
    confidences, right = probabilities[0].max(axis=1), probabilities[0].argmax(axis=1) == labels
    expected, edges = 0.0, np.linspace(0, 1, 16)
    for low, high in pairwise(edges):
        within = (confidences > low) & (confidences <= high)
        if within.any():
            expected += within.mean() * abs(right[within].mean() - confidences[within].mean())
    assert calibration_error(confidences, right) == pytest.approx(expected)
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_three_members_by_hand():
    """Two of three are wrong on the second example, but the third is sure."""
    second = [0.9, 0.45, 0.45]  # of the right class, 1
    found = ensemble(table([[[0.8, 0.2], [1 - p, p]] for p in second], np.array([0, 1])), [0, 1, 2])
    assert (found.accuracy, found.members) == (1.0, 3)
    assert found.single_accuracy == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found.disagreement == pytest.approx(2 / 6)
    assert found.loss == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert found.single_loss == pytest.approx(-np.mean([np.log(0.8) + np.log(p) for p in second]) / 2)
    assert found.calibration == pytest.approx((0.2 + 0.4) / 2)
    assert found.single_calibration == pytest.approx(np.mean([(0.2 + 0.1) / 2, (0.2 + 0.55) / 2, (0.2 + 0.55) / 2]))


def test_an_example_of_another_fold_is_another_example():
    """Fold 1 has three examples to the one of fold 0, and a member fewer."""
    first = table([[[0.9, 0.1]], [[0.7, 0.3]]], np.array([0]))
    second = table([[[0.6, 0.4]] * 3], np.array([1, 1, 0]), first_run=2, fold=1)
    both = pd.concat([second, first])
    mean = averaged(both, [0, 1, 2])
    assert mean[["fold", "example", "label", "prediction"]].to_numpy().tolist() == [
        [0, 0, 0, 0],
        [1, 0, 1, 0],
        [1, 1, 1, 0],
        [1, 2, 0, 0],
    ]
    np.testing.assert_allclose(mean["probability_1"], [0.2, 0.4, 0.4, 0.4], rtol=1e-6)
    about = {"model": "mine", "optimizer": "adam", "learning_rate": 0.1, "seed": [0, 1, 0], "fold": [0, 0, 1]}
    ends = {"dev_accuracy": 0.9, "dev_loss": 1.0, "test_accuracy": 0.5, "seconds": 1.0}
    ((system, again, _),) = ensembles.ensembles_of_runs(
        pd.DataFrame({"run": [0, 1, 2], **about, "status": "finished", **ends}), both
    )
    assert again.equals(mean)
    assert (system.name, system.num_folds, system.seconds) == ("mine × 2", 2, 3.0)
    assert (system.correct.tolist(), system.accuracies.tolist()) == ([[1, 0, 0, 1]], [1, pytest.approx(1 / 3)])
    found = ensemble(both, [0, 1, 2])
    assert found.accuracy == pytest.approx((1 + 1) / 4)
    assert found.loss == pytest.approx(-(np.log(0.8) + 2 * np.log(0.4) + np.log(0.6)) / 4)
    assert found.members == 1


def test_a_run_that_diverged_is_no_member_and_other_sets_have_classes_of_their_own():
    mine = table([[[0.9, 0.1]], [[0.7, 0.3]]], np.array([0]))
    other = table([[[0.2, 0.3, 0.5]]], np.array([2]), first_run=3)
    both = pd.concat([mine, other], ignore_index=True)
    assert ensemble(both, [0, 1, 2]) == ensemble(mine, [0, 1])
    assert ensemble(both, [3]).loss == pytest.approx(-np.log(0.5))
    for nothing in (ensemble(both, [7]), ensemble(pd.DataFrame(), [0])):
        assert nothing.members == 0
        assert np.isnan(nothing[:6]).all()


def test_a_probability_of_zero_has_a_finite_loss():
    found = ensemble(table([[[1.0, 0.0]]], np.array([1])), [0])
    assert found.loss == pytest.approx(-np.log(ensembles._SMALLEST))

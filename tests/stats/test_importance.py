import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeRegressor

from jaxnets.stats import selection

DRAWS = np.random.default_rng(0).random((128, 3))


def test_the_shares_of_a_tree_are_those_of_its_predictions_on_a_grid():
    scores = np.sin(5 * DRAWS[:, 0]) + DRAWS[:, 1] * DRAWS[:, 2]
    tree = DecisionTreeRegressor(max_leaf_nodes=12, random_state=0).fit(DRAWS, scores)
    axis = (np.arange(80) + 0.5) / 80
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    predicted = tree.predict(grid.reshape(-1, 3)).reshape(80, 80, 80)
    others = [(1, 2), (0, 2), (0, 1)]
    brute = [predicted.mean(axis=axes).var() / predicted.var() for axes in others]
    np.testing.assert_allclose(selection.effects_of_tree(tree.tree_, 3), brute, atol=0.02)


def test_the_main_effects_of_a_sum_are_the_shares_of_its_variance():
    scores = 3 * DRAWS[:, 0] + 1.5 * DRAWS[:, 1]
    shares = np.mean([selection.main_effects(DRAWS, scores, seed) for seed in range(4)], axis=0)
    np.testing.assert_allclose(shares, [0.8, 0.2, 0.0], atol=0.08)


def test_an_interaction_is_no_main_effect():
    scores = (DRAWS[:, 0] > 0.5) ^ (DRAWS[:, 1] > 0.5)
    assert selection.main_effects(DRAWS, scores).sum() < 0.25


def test_scores_that_do_not_vary_have_no_effects():
    assert selection.main_effects(DRAWS, np.full(128, 2.3)).tolist() == [0.0, 0.0, 0.0]


def test_places_are_the_same_under_any_rising_function():
    draws = pd.DataFrame({"rate": 10.0 ** DRAWS[:, 0], "other": DRAWS[:, 1]})
    np.testing.assert_allclose(selection.placed(draws, ["rate"])[:, 0], (DRAWS[:, 0].argsort().argsort() + 0.5) / 128)


def table(blocks=2, weight=3.0):
    rows = []
    for block in range(blocks):
        places = np.random.default_rng(block).random((64, 3))
        loss = np.exp(weight * places[:, 0] + places[:, 1])
        rows.append(pd.DataFrame(places, columns=["rate", "decay", "scale"]).assign(task="xor", block=block, loss=loss))
    return pd.concat(rows, ignore_index=True).assign(test_share=1 / 8)


def test_each_group_of_each_block_has_its_shares():
    shares = selection.importances(table(), ["rate", "decay", "scale"], "loss")
    assert len(shares) == 2 * selection.NUM_GROUPS * 3
    assert shares.groupby("name")["share"].mean().idxmax() == "rate"
    assert selection.importance_lead(shares, "rate")["effect"].mean() == pytest.approx(0.9 - 0.05, abs=0.25)
    assert (selection.importance_lead(shares, "scale", "max")["effect"] < -0.3).all()
    assert (selection.importance_lead(shares, "rate")["test_share"] == 1 / 8).all()


def test_with_nothing_to_compare_there_is_no_lead():
    shares = selection.importances(table(), ["rate"], "loss")
    assert selection.importance_lead(shares, "rate").empty
    assert selection.importance_lead(shares, "other").empty

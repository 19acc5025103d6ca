import numpy as np
import pandas as pd
import pytest

from jaxnets.claims import reaching
from jaxnets.comparison.table import TUNING, Comparison, Protocol, TaskFacts

RATES = [0.01, 0.1, 1.0, 10.0]


def table(*losses, lost=(0, 0, 0, 1), task="wine", seeds=2):
    rows = [
        {"task": task, "repeat": 0, "seed": seed, "learning_rate": rate, "loss": loss, "lost": bool(gone)}
        for rate, loss, gone in zip(RATES, losses, lost, strict=True)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows).assign(chance=np.log(3), test_share=1 / 8)


def test_losses_count_failures_as_guessing_and_nothing_as_more():
    runs = pd.DataFrame(
        {
            "run": range(4),
            "optimizer": "sgd",
            "learning_rate": RATES,
            "seed": 0,
            "status": ["finished", "finished", "diverged", "finished"],
            "train_loss": [0.2, 1.0, np.nan, 40.0],
            "task": "wine",
            "phase": TUNING,
        }
    )
    facts = TaskFacts("wine", "", np.nan, 0.4, 3, 100, 20, 20)
    comparison = Comparison(runs, pd.DataFrame(), pd.DataFrame(), "optimizer", (facts,), Protocol("grid", 4, 1, 0, 1))
    found = reaching.losses(comparison)
    assert found["loss"].tolist() == pytest.approx([0.2, 1.0, np.log(3), np.log(3)])
    assert found["lost"].tolist() == [False, True, True, True]  # 1.0 is over 90% of log(3)
    assert set(found["repeat"]) == {0}


CASES = [
    ((1.0, 0.1, 0.12, 1.1), ["slow", "good", "good", "lost"]),
    ((1.0, 0.1, 0.2, 1.1), ["slow", "good", "unstable", "lost"]),
    ((0.1, 0.1, 0.1, 0.1), ["good", "good", "good", "unstable"]),
    ((0.1, 0.3, 0.1, 1.1), ["good", "unstable", "good", "lost"]),
]


@pytest.mark.parametrize(("losses", "found"), CASES)
def test_zones_follow_their_rule(losses, found):
    lost = (0, 0, 0, 1) if losses[-1] > 1 else (0, 0, 0, 0)
    made = reaching.zones(table(*losses, lost=lost))
    expected = [*found[:-1], "good"] if losses[-1] == 0.1 else found
    assert made["zone"].tolist() == expected


def test_where_all_runs_are_lost_no_rate_is_slow():
    made = reaching.zones(table(1.1, 1.1, 1.1, 1.1, lost=(1, 1, 1, 1)))
    assert made["zone"].tolist() == ["lost"] * 4
    assert not reaching.complete(made).holds


def test_most_tasks_decide_and_the_others_are_named():
    whole, flat = table(1.0, 0.1, 0.2, 1.1), table(0.1, 0.1, 0.1, 0.1, lost=(0, 0, 0, 0), task="flat")
    fact = reaching.complete(reaching.zones(pd.concat([whole, flat])))
    assert not fact.holds
    assert fact.text == "on 1 of 2 tasks; not on flat"
    assert reaching.spans(reaching.zones(whole)).to_dict("records") == [
        {"task": "wine", "slow": "0.01", "good": "0.1", "unstable": "1", "lost": "10"}
    ]


def test_beside_the_best_rate_is_the_ratio_of_losses():
    made = reaching.beside_best(table(0.8, 0.1, 0.4, 1.0), [10])
    assert np.exp(made["effect"]).tolist() == pytest.approx([4.0, 4.0])
    assert not made["edge"].any()
    both = reaching.beside_best(table(0.8, 0.1, 0.4, 1.0), [10, 0.1])
    assert np.exp(both["effect"]).tolist() == pytest.approx([32**0.5] * 2)


def test_a_seed_has_no_part_in_its_own_choice():
    made = table(0.8, 0.1, 0.4, 1.0, seeds=3)
    lucky = (made["seed"] == 0) & (made["learning_rate"] == 1.0)
    made.loc[lucky, "loss"] = 0.01
    effects = reaching.beside_best(made, [10]).set_index("seed")["effect"]
    # seed 0 is measured at 0.1, which the others choose; they at 1.0, as its luck outweighs one of them
    assert np.exp(effects[0]) == pytest.approx(0.1)
    assert np.exp(effects[1]) == pytest.approx(1.0 / 0.4)


def test_a_multiple_that_was_not_tried_is_told():
    assert reaching.beside_best(table(0.8, 0.4, 0.1, 1.0), [100])["edge"].all()
    assert reaching.beside_best(table(0.1, 0.4, 0.5, 1.0), [10])["edge"].all()  # the best rate is the lowest
    assert reaching.beside_best(table(0.8, 0.4, 0.1, 1.0), [100])["effect"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "zone", [["lost"], ["lost", "lost", "lost"], ["good"], ["slow", "good"]], ids=lambda zone: "-".join(zone)
)
def test_nothing_is_known_without_three_rates_and_a_good_one(zone):
    assert reaching.complete(pd.DataFrame({"task": "wine", "zone": zone})).holds is None

import pandas as pd
import pytest

from jaxnets.claims import reaching


def runs(*solves):
    """A run of each of some seeds."""
    return pd.DataFrame({"seed": range(len(solves)), "solved": [bool(one) for one in solves]})


def test_runs_of_a_seed_make_one_share():
    table = pd.DataFrame({"seed": [3, 3, 3, 5, 5, 5], "solved": [True, False, False, True, True, True]})
    assert reaching.by_seed(table)["effect"].tolist() == pytest.approx([1 / 3, 1])


@pytest.mark.parametrize(
    ("solves", "holds"),
    [([0, 0, 1], True), ([0] * 58, None), ([0] * 59, False), ([], None)],  # 0.95 ** 59 is below 0.05
)
def test_that_none_does_is_told_of_enough_seeds_only(solves, holds):
    assert reaching.some_does(runs(*solves), rare=0.05).holds is holds


@pytest.mark.parametrize(("solves", "holds"), [([0, 0], True), ([0, 1], False), ([], None)])
def test_one_run_is_enough_against_none(solves, holds):
    fact = reaching.none_does(runs(*solves))
    assert fact.holds is holds
    assert fact.text.startswith(f"{sum(solves)} of {len(solves)} runs")


def test_widths_are_ordered_as_numbers():
    table = pd.concat([runs(0, 0).assign(units="2"), runs(1, 1).assign(units="16"), runs(0, 1).assign(units="8")])
    assert reaching.gains_by_seed(table, "units", "2")["effect"].tolist() == [1, 1]
    assert reaching.gains_by_seed(table, "units", "8")["effect"].tolist() == [1, 0]
    assert reaching.gains_by_seed(table, "units", "16").empty
    assert reaching.gains_by_seed(table, "units", "4").empty


def test_what_is_looked_at_solves_it_with_tanh_if_any_does():
    table = pd.DataFrame(
        {
            "run": [0, 1, 2, 3],
            "hidden_units": ["2", "2", "2", "0"],
            "activation": ["relu", "tanh", "tanh", "tanh"],
            "solved": [True, True, True, False],
            "train_loss": [0.1, 0.3, 0.2, 0.7],
        }
    )
    assert reaching.to_look_at(table, "2") == 2
    assert reaching.to_look_at(table[table["run"] != 2], "2") == 1
    assert reaching.to_look_at(table[table["activation"] == "relu"], "2") == 0
    assert reaching.to_look_at(table, "4") is None

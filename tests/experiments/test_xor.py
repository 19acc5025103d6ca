import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import judge
from jaxnets.data.dataset import Dataset, Split
from jaxnets.errors import UserError
from jaxnets.experiments import xor
from jaxnets.report import claims_page
from tests.experiments.planted import Planted


def conjunction():
    """The four patterns of two bits, labelled by whether both are 1: one line parts them."""
    split = Split(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 0, 0, 1], np.int32))
    return Dataset("conjunction", split, split, split, ("not both", "both"))


def runs(units, activation, shares, initializers=("he", "xavier")):
    """Two initializers' runs of each seed; a seed's share says with how many of them it solves XOR."""
    rows = [
        {"hidden_units": units, "activation": activation, "initializer": name, "seed": seed}
        | {"train_accuracy": 1.0 if place < share * len(initializers) else 0.75}
        for seed, share in enumerate(shares)
        for place, name in enumerate(initializers)
    ]
    return pd.DataFrame(rows, columns=["hidden_units", "activation", "initializer", "seed", "train_accuracy"])


def found(linear=(0,) * 9, two=(0, 1) * 40, one=(0,) * 9, eight=(1,) * 80, margin=0.0, relu=(0, 1) * 40):
    table = pd.concat(
        [
            runs("0", "tanh", linear),
            runs("1", "tanh", one),
            *(runs("2", name, two) for name in ("sigmoid", "tanh")),
            runs("2", "relu", relu),
            runs("8", "tanh", eight),
        ]
    )
    verdict = judge(xor.RULES, xor.evidence({"runs": table, "line": pd.DataFrame({"margin": [margin]})}))
    return verdict, {part.name: part.outcome for part in verdict.parts}


OUTCOMES = [
    ({}, "supported"),
    ({"linear": (0, 0, 0.5)}, "mixed"),  # a run without a hidden layer solves it
    ({"margin": 0.5}, "mixed"),  # a line parts the patterns, though no run finds it
    ({"linear": ()}, "not tested"),
    ({"two": (0,) * 80}, "mixed"),
    ({"two": (0,) * 20}, "inconclusive"),  # so few seeds may have missed it
    ({"two": ()}, "not tested"),
    ({"two": (0,) * 80, "margin": 0.5}, "contradicted"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert found(**changed)[0].outcome == outcome


SIDE = [
    ("share_tanh", {"two": (1, 1, 1, 0) * 20}, "supported"),
    ("share_tanh", {"two": (0, 0, 0, 1) * 20}, "contradicted"),
    ("share_tanh", {"two": (0, 1) * 40}, "inconclusive"),
    ("two_relu", {"relu": (0,) * 80}, "contradicted"),
    ("one_unit", {}, "supported"),
    ("one_unit", {"one": (1, 0)}, "contradicted"),
    ("wider", {}, "supported"),
    ("wider", {"eight": (0,) * 80}, "contradicted"),
]


@pytest.mark.parametrize(("part", "changed", "outcome"), SIDE)
def test_side_parts_can_come_out_either_way(part, changed, outcome):
    assert found(**changed)[1][part] == outcome


def test_runs_of_one_seed_count_once():
    _, outcomes = found(two=(1, 1, 1, 0) * 3)
    assert outcomes["share_sigmoid"] == "inconclusive"  # 24 runs, but 12 seeds


def test_a_tiny_real_run(tiny):
    values = {"num_seeds": 8, "hidden_units": [0, 2, 8], "activation": "tanh", "initializer": "xavier"}
    finding, results, text = tiny("xor", **values)
    outcomes = {part.name: part.outcome for part in finding.verdict.parts}
    assert outcomes["linear"] == outcomes["two_tanh"] == "supported"
    assert outcomes["two_sigmoid"] == outcomes["one_unit"] == "not tested"  # not among the runs
    assert "none: 1 of 3 core parts were not tested in this run" in " ".join(text.split())
    assert set(finding.pictures) == {"solved", "plane_0", "plane_2", "hidden"}
    assert len(results.runs) == 24
    again = claims_page.read(results.directory)
    assert again.as_json() == finding.as_json()
    assert "--num_seeds=8" in finding.command


def test_other_patterns_than_those_of_a_plane_are_refused(tiny):
    with pytest.raises(UserError, match=r"^dataset: "):
        tiny("xor", dataset="negation", num_steps=1, evaluate_every=1, num_seeds=1, hidden_units=0)


SMALL = {"num_seeds": 60, "hidden_units": [0, 2], "activation": ["sigmoid", "tanh"], "initializer": "xavier"}
PLANTED = [
    Planted("xor", True, "XOR, 60 seeds", SMALL, "supported"),
    Planted(
        claim="xor",
        truth=False,
        case="the patterns of AND, which one line parts",
        values={**SMALL, "dataset": "tests.experiments.test_xor:conjunction"},
        outcome="contradicted",
        part="linear",
    ),
    Planted(
        claim="xor",
        truth=False,
        case="XOR by nets that stop after one step",
        values={**SMALL, "num_steps": 1, "evaluate_every": 1, "learning_rate": 1e-6},
        outcome="contradicted",
        part="two_tanh",
    ),
]

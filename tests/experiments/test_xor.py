import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, NOT_TESTED, SUPPORTED
from jaxnets.data.dataset import Dataset, Split
from jaxnets.errors import UserError
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


def tables(linear=(0,) * 9, two=(0, 1) * 40, one=(0,) * 9, eight=(1,) * 80, margin=0.0, relu=(0, 1) * 40):
    shares = {("0", "tanh"): linear, ("1", "tanh"): one, ("2", "sigmoid"): two, ("2", "tanh"): two}
    shares |= {("2", "relu"): relu, ("8", "tanh"): eight}
    table = pd.concat([runs(units, name, of_seeds) for (units, name), of_seeds in shares.items()])
    return {"runs": table, "line": pd.DataFrame({"margin": [margin]})}


CASES = [
    (
        {},
        {
            "verdict": SUPPORTED,
            "share_sigmoid": INCONCLUSIVE,
            "share_tanh": INCONCLUSIVE,
            "share_relu": INCONCLUSIVE,
            "others": SUPPORTED,
        },
    ),
    ({"linear": (0, 0, 0.5)}, {"verdict": MIXED, "linear": CONTRADICTED}),  # a run without a hidden layer solves it
    ({"margin": 0.5}, {"verdict": MIXED}),  # a line parts the patterns, though no run finds it
    ({"linear": ()}, {"verdict": NOT_TESTED}),
    ({"two": (0,) * 80}, {"verdict": MIXED, "two_sigmoid": CONTRADICTED, "two_tanh": CONTRADICTED}),
    ({"two": (0,) * 20}, {"verdict": INCONCLUSIVE}),  # so few seeds may have missed it
    ({"two": ()}, {"verdict": NOT_TESTED}),
    ({"two": (0,) * 80, "margin": 0.5}, {"verdict": CONTRADICTED}),
    ({"two": (1, 1, 1, 0) * 20}, {"share_tanh": SUPPORTED, "share_sigmoid": SUPPORTED}),
    ({"two": (0, 0, 0, 1) * 20}, {"share_tanh": CONTRADICTED}),
    ({"two": (1, 1, 1, 0) * 3}, {"share_sigmoid": INCONCLUSIVE}),  # 24 runs, but 12 seeds: those of one seed count once
    ({"relu": (0,) * 80}, {"two_relu": CONTRADICTED}),
    ({"relu": (0, 0, 0, 1) * 20}, {"share_relu": CONTRADICTED}),
    ({"one": (1, 0)}, {"one_unit": CONTRADICTED}),
    ({"eight": (0,) * 80}, {"wider": CONTRADICTED}),
]


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

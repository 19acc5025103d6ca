from functools import cache, partial
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED, judge
from jaxnets.experiments import initialization
from jaxnets.training import initializers
from tests.experiments import planted
from tests.experiments.planted import Planted

RANKS = {("zeros", "relu"): 0, ("zeros", "tanh"): 0, ("zeros", "sigmoid"): 1, ("he", "relu"): 32, ("alike", "relu"): 1}


def tables(num_tasks=8, noise=0.02, edge="", ranks=(), largest=2.0, **accuracies):
    """Scores of a comparison in which every task is alike, ranks of hidden kernels, and largest weights."""
    rng, rows = np.random.default_rng(0), []
    for place in range(num_tasks):
        for name, accuracy in {"zeros": 0.1, "he": 0.9, "xavier": 0.9, "pytorch": 0.88, **accuracies}.items():
            known = {"task": f"task {place}", "method": f"{name} | 2", "learning_rate": 0.1, "edge": name == edge}
            for repeat in range(4):
                for number in range(2):
                    value = {"test_accuracy": accuracy + noise * rng.normal(), "repeat": repeat, "number": number}
                    rows.append(known | value | {"test_loss": (1 - accuracy) * np.exp(noise * rng.normal())})
    scores = pd.DataFrame(rows).assign(examples=200, test_share=0.0)
    tuned = scores.groupby(["task", "repeat", "method"])["test_loss"].min().rename("dev_loss").reset_index()
    followed = [
        {"initializer": start, "activation": activation, "run": 0, "step": 5, "rank": rank}
        for (start, activation), rank in {**RANKS, **dict(ranks)}.items()
    ]
    weights = [
        {"initializer": name, "seed": seed, "largest": size * np.exp(noise * rng.normal())}
        for name, size in (("xavier", largest * 1.7), ("pytorch", 1.7))
        for seed in range(4)
    ]
    own = {"ranks": pd.DataFrame(followed), "weights": pd.DataFrame(weights)}
    return {"scores": scores.assign(seed=scores["number"]), "tuned": tuned, **own}


CASES = [
    ({}, {"verdict": SUPPORTED, "others": SUPPORTED}),
    ({"ranks": {("zeros", "relu"): 1}}, {"verdict": MIXED, "dead": CONTRADICTED}),
    ({"ranks": {("zeros", "tanh"): 2}}, {"symmetric": CONTRADICTED}),
    ({"ranks": {("zeros", "sigmoid"): -1}}, {"symmetric": CONTRADICTED}),
    ({"ranks": {("alike", "relu"): 2}}, {"alike": CONTRADICTED}),
    ({"ranks": {("alike", "relu"): 0}}, {"alike": CONTRADICTED}),
    ({"he": 0.3, "zeros": 0.6}, {"zeros_fail": CONTRADICTED}),
    ({"zeros": 0.85}, {"zeros_fail": INCONCLUSIVE}),
    ({"pytorch": 0.4}, {"work": CONTRADICTED}),
    ({"pytorch": 0.74, "noise": 0.1}, {"work": INCONCLUSIVE}),
    ({"he": 0.8}, {"default": CONTRADICTED}),
    ({"he": 0.88, "noise": 0.3}, {"default": INCONCLUSIVE}),
    ({"largest": 0.5}, {"outliers": CONTRADICTED}),
    ({"edge": "zeros"}, {"zeros_fail": SUPPORTED}),  # nets that learn nothing have no best rate
    ({"edge": "he"}, {"zeros_fail": INCONCLUSIVE}),
]


def test_the_default_alone_cannot_be_compared():
    alone = tables()
    for name in ("scores", "tuned"):
        alone[name] = alone[name][alone[name]["method"] == "he | 2"]
    parts = judge(initialization.RULES, initialization.evidence(alone)).parts
    assert {part.name for part in parts if part.outcome == "not tested"} == {"zeros_fail", "work", "default"}


SMALL = {
    "dataset": "wine",
    "hidden_units": (6, 6),
    "num_steps": 12,
    "evaluate_every": 6,
    "batch_size": 16,
    "learning_rate": [0.03, 0.1, 0.3],
    "num_repeats": 2,
    "num_seeds": 1,
    "final_seeds": 2,
    "starts": 2,
}


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("initialization", **SMALL)
    assert {part.name for part in finding.verdict.parts if part.outcome == "supported"} >= {
        "dead",
        "symmetric",
        "alike",
    }
    ranks = pd.read_parquet(results.directory / "ranks.parquet").groupby(["initializer", "activation"])["rank"]
    assert ranks.max()["zeros"].to_dict() == {"relu": 0, "sigmoid": 1, "tanh": 0}
    assert ranks.min()["he", "relu"] == 6
    assert set(finding.pictures) == {"zeros_fail", "work", "default", "ranks"}


def nearly_zeros(fan_in, fan_out):
    """The variance of a little noise."""
    return 1e-4


@cache
def with_a_little_noise():
    """Ranks where what is called zeros is a little noise, and the constant start is not quite constant."""
    with mock.patch.dict(initializers.KNOWN, zeros=nearly_zeros):
        return planted.run("initialization", **SMALL, constant="tests.guests:identity_like")[0]


def nearly_the_same():
    """The starts where the others are He's, a little smaller."""
    usual = ["he", "xavier", "glorot"]
    alike = {"xavier": lambda fan_in, fan_out: 1.999 / fan_in, "glorot": lambda fan_in, fan_out: 1.998 / fan_in}
    values = {**EASY, "tasks": STEADY, "learning_rate": 0.05, "final_seeds": 4, "initializer": ["zeros", *usual]}
    with mock.patch.dict(initializers.KNOWN, alike), mock.patch.object(initialization, "USUAL", usual):
        return planted.run("initialization", **values)[0]


def far_too_large():
    """The starts where He's has a hundred times its variance."""
    with mock.patch.dict(initializers.KNOWN, he=lambda fan_in, fan_out: 200 / fan_in):
        return planted.run("initialization", **EASY)[0]


def linear(options):
    """The changes of a comparison in which no net has a hidden layer."""
    return lambda task: {
        "hidden_units": (),
        "num_steps": options["most_steps"],
        "evaluate_every": options["most_steps"],
    }


def without_hidden_layers():
    """The starts of linear nets: from zeros they learn as from any other."""
    with mock.patch.object(initialization, "short_and_deep", linear):
        return planted.run("initialization", **EASY)[0]


EASY = {
    "tasks": ["digits", "digits_noise", "deep_narrow_digits", "wine", "teacher_student", "mnist1d"],
    "layers": [1],
    "most_steps": 40,
    "learning_rate": 0.1,
    "num_repeats": 8,
    "num_seeds": 1,
    "final_seeds": 2,
    "starts": 2,
}
STEADY = ["digits", "digits_noise", "deep_narrow_digits", "spirals", "teacher_student", "mnist1d"]
FALSE = "zeros with a little noise, and a constant with some"
case = partial(Planted, "initialization")
PLANTED = [
    case(True, "nets of six neurons on wine", SMALL, "supported", "dead"),
    case(False, FALSE, {}, "contradicted", "dead", with_a_little_noise),
    case(False, FALSE, {}, "contradicted", "alike", with_a_little_noise),
    case(False, "linear nets", {}, "inconclusive", "zeros_fail", without_hidden_layers),
    case(True, "three starts that are nearly the same", {}, "supported", "default", nearly_the_same),
    case(False, "a start of He's name that is far too large", {}, "contradicted", "default", far_too_large),
]

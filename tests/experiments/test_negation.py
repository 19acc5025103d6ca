from unittest import mock

import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from jaxnets.data.dataset import Dataset, Split
from jaxnets.experiments import negation
from tests.experiments.planted import Planted, run

RNG = np.random.default_rng(0)


def silent(values):
    """An activation that lets nothing through."""
    return 0 * values


def without_not():
    """The four patterns, labelled by their good and bad words alone."""
    inputs = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]], np.float32)
    split = Split(inputs, np.array([1, 0, 1, 0], np.int32))
    return Dataset("without_not", split, split, split, ("negative", "positive"))


def scores(accuracies, task, spread):
    """Final runs of methods with these accuracies: 8 repeats of 4 seeds."""
    one = {"task": task, "edge": False, "examples": 300, "test_share": 0.0, "learning_rate": 0.1}
    rows = [
        {**one, "repeat": repeat, "seed": seed, "number": seed, "method": name, "accuracy": value}
        for repeat in range(8)
        for seed in range(4)
        for name, value in accuracies.items()
    ]
    table = pd.DataFrame(rows)
    table["accuracy"] += spread * RNG.normal(size=len(table))
    return table.assign(**{f"{on}_accuracy": table["accuracy"] for on in ("dev", "test", "negated")})


def tables(linear=0.8, deep=0.9, spread=0.01, solving=0.9, linear_solving=0, separable=False, turned=0.8, slope=0.3):
    patterns = [
        {"hidden_units": units, "train_accuracy": 1.0 if seed < round(share * 100) else 0.75, "separable": separable}
        for units, share in (("0", linear_solving), ("4", solving))
        for seed in range(100)
    ]
    of_shares = [scores({"0": linear, "32": deep}, task, spread) for task in ("10%", "20%", "30%", "40%", "50%")]
    rates = [
        {"repeat": repeat, "learning_rate": rate, "dev_accuracy": 1.0, "test_accuracy": 0.6 + slope * np.log10(rate)}
        | {"test_share": 0.0}
        for repeat in range(8)
        for rate in (0.1, 1.0, 10.0)
    ]
    rates = pd.DataFrame(rates)
    rates["test_accuracy"] += 0.001 * RNG.normal(size=len(rates))
    of_unseen = scores({"32": turned}, "unseen", spread)
    return {"patterns": pd.DataFrame(patterns), "scores": pd.concat(of_shares), "unseen": of_unseen, "rates": rates}


CASES = [
    (
        {},
        {"verdict": SUPPORTED, "repeats": 8, "others": SUPPORTED, "rates": CONTRADICTED},
    ),  # what is turned depends on the rate
    ({"linear_solving": 0.01}, {"verdict": MIXED, "linear": CONTRADICTED}),
    ({"separable": True}, {"verdict": MIXED, "linear": CONTRADICTED}),
    ({"solving": 0.5}, {"verdict": INCONCLUSIVE, "patterns": INCONCLUSIVE}),
    ({"solving": 0}, {"verdict": MIXED, "patterns": CONTRADICTED}),
    ({"deep": 0.7}, {"verdict": MIXED, "sentences": CONTRADICTED, "each_share": CONTRADICTED, "negated": CONTRADICTED}),
    ({"deep": 0.8}, {"verdict": INCONCLUSIVE, "sentences": INCONCLUSIVE}),
    ({"turned": 0.2}, {"verdict": SUPPORTED, "unseen": CONTRADICTED}),
    ({"turned": 0.5}, {"verdict": SUPPORTED, "unseen": INCONCLUSIVE}),
    ({"slope": 0.0}, {"verdict": SUPPORTED, "rates": SUPPORTED}),
]


SMALL = {"num_sentences": 1000, "shares": [0.3], "learning_rate": 0.01, "num_steps": 300, "evaluate_every": 300}
SMALL |= {"num_repeats": 8, "num_seeds": 1, "starts": 32}


def on_patterns_without_not():
    """What is found where a linear net can do it: the patterns without the effect of "not"."""
    with mock.patch.dict(negation.NETS, dataset=f"{__name__}:without_not"):
        return run("negation", **SMALL)[0]


PLANTED = [
    Planted("negation", True, "three of ten sentences are negated", SMALL, SUPPORTED),
    Planted(
        "negation",
        False,
        "the hidden layer lets nothing through",
        SMALL | {"activation": f"{__name__}:silent", "shares": [0.1]},
        CONTRADICTED,
        "sentences",
    ),
    Planted("negation", False, '"not" has no effect', {}, CONTRADICTED, "linear", on_patterns_without_not),
]


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    sizes = {"num_repeats": 2, "final_seeds": 2, "starts": 4, "num_steps": 60, "evaluate_every": 60}
    finding, results, text = tiny("negation", **SMALL | sizes | {"num_sentences": 200})
    assert finding.verdict.parts[0].outcome == SUPPORTED
    rates, words = (pd.read_parquet(results.directory / f"{name}.parquet") for name in ("rates", "words"))
    assert (rates["test_share"] == 0).all()  # generated repeats share nothing
    assert set(words["seen"]) == {"stood behind 'not' in training", "never did"}
    accuracies = finding.tables["Accuracy on sentences"].set_index("hidden units")
    assert (accuracies["share"] == "30% negated").all()
    assert accuracies["test"].between(0.4, 1).all()
    assert set(finding.pictures) == {"shares", "rates", "words"}
    assert "Figure: " in text

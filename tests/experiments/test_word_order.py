import functools
from dataclasses import replace
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from jaxnets import data
from jaxnets.analysis import words_and_windows
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, NOT_TESTED, SUPPORTED
from jaxnets.data import grammars
from jaxnets.experiments import word_order
from jaxnets.inference import predict
from tests.experiments.planted import Planted, run

RNG = np.random.default_rng(0)
SYSTEMS = ("DAN", "CNN, width 1", "CNN, width 2", "CNN, width 3")


@functools.wraps(grammars.word_order)
def turned(*args, **kwargs):
    """Pairs of sentences in which the order means the opposite as soon as nets are judged."""
    dataset = grammars.word_order(*args, **kwargs)
    return replace(dataset, test=replace(dataset.test, labels=1 - dataset.test.labels))


def any_order(num_sentences: int = 400, data_seed: int = 0):
    """Sentences whose one judgement tells all, in any order."""
    return grammars.mixed_negations(num_sentences, 0.0, data_seed)


def tables(right=0.9, narrow=0.5, shuffled=0.5, change=1e-7, given=None, spread=0.005, systems=SYSTEMS):
    """Final runs at distances 1 and 2: 8 repeats of 4 seeds; `given` is the accuracy on a given set, if any."""
    scores, orders = [], []
    for distance in (1, 2, *([word_order.GIVEN] if given else [])):
        for repeat, seed, name in ((b, s, name) for b in range(8) for s in range(4) for name in systems):
            of_bag, wide = name in systems[:2], name.startswith("CNN") and int(name[-1]) > distance
            accuracy = 0.5 if name == "DAN" else right if wide else narrow
            accuracy = given if distance == word_order.GIVEN else accuracy
            key = {"distance": distance, "method": name, "repeat": repeat, "seed": seed}
            value = accuracy + (0 if name == "DAN" else spread * RNG.normal())
            facts = {"task": "word_order", "examples": 100, "test_share": 0.0, "learning_rate": 0.1}
            facts |= {"number": seed, "edge": name == "DAN", "status": "finished", "test_accuracy": value}
            scores.append(key | facts)
            after = value if of_bag else shuffled + spread * RNG.normal()
            orders.append(key | {"right": value, "shuffled": after, "change": change if of_bag else 0.9})
    return {"scores": pd.DataFrame(scores), "orders": pd.DataFrame(orders)}


CASES = [
    ({}, {"verdict": SUPPORTED, "others": SUPPORTED, "given": NOT_TESTED}),  # there are none
    ({"change": 0.01}, {"verdict": MIXED, "average": CONTRADICTED}),
    ({"right": 0.4, "shuffled": 0.3}, {"verdict": MIXED, "windows": CONTRADICTED}),
    ({"right": 0.5, "spread": 0.001}, {"verdict": INCONCLUSIVE, "windows": INCONCLUSIVE}),
    ({"shuffled": 0.95}, {"verdict": MIXED, "shuffled": CONTRADICTED}),
    ({"shuffled": 0.9}, {"verdict": INCONCLUSIVE, "shuffled": INCONCLUSIVE}),
    ({"given": 0.8, "shuffled": 0.85}, {"verdict": MIXED, "shuffled": CONTRADICTED}),
    ({"given": 0.8, "shuffled": 0.75}, {"verdict": SUPPORTED, "shuffled": SUPPORTED, "given": INCONCLUSIVE}),
    ({"narrow": 0.6}, {"verdict": SUPPORTED, "narrow": CONTRADICTED}),
    ({"systems": SYSTEMS[1:]}, {"verdict": NOT_TESTED, "windows": NOT_TESTED}),
    ({"systems": SYSTEMS[:2]}, {"verdict": NOT_TESTED, "windows": NOT_TESTED}),
]


def test_a_run_that_was_lost_counts_as_chance():
    lost = tables()
    wide = lost["scores"]["method"] == "CNN, width 3"
    lost["scores"].loc[wide, ["status", "test_accuracy"]] = "diverged", 0.5
    lost["orders"] = lost["orders"][lost["orders"]["method"] != "CNN, width 3"]
    effects = word_order.evidence(lost)["shuffled"].groupby("effect").size()
    assert effects[0.0] == 32  # at distance 2


SMALL = {"num_sentences": 400, "distances": 1, "filter_widths": 2, "learning_rate": 0.03, "num_repeats": 4}
GIVEN = SMALL | {"num_sentences": 200, "num_steps": 100, "evaluate_every": 100}


def where_order_misleads():
    """What is found where the test sentences mean the opposite of those that nets learn from."""
    with mock.patch.dict(data.KNOWN, word_order=turned):
        return run("word_order", **SMALL)[0]


def where_a_word_is_lost():
    """What is found where shuffling loses a word, which an average must notice."""

    def losing(model, texts, generator):
        whole, short = (predict.class_probabilities(model, [row[cut:] for row in texts]) for cut in (0, 6))
        return whole, short

    with mock.patch.object(words_and_windows, "in_both_orders", losing):
        return run("word_order", **GIVEN, dataset=f"{__name__}:any_order")[0]


PLANTED = [
    Planted("word_order", True, "neighbouring words decide", SMALL, SUPPORTED),
    Planted("word_order", False, "the order misleads", {}, MIXED, finding=where_order_misleads),
    Planted("word_order", False, "the order misleads", {}, CONTRADICTED, "windows", where_order_misleads),
    Planted(
        "word_order",
        False,
        "a given set in which order does not count",
        GIVEN | {"dataset": f"{__name__}:any_order"},
        INCONCLUSIVE,
        "shuffled",
    ),
    Planted("word_order", False, "the shuffled texts lose words", {}, CONTRADICTED, "average", where_a_word_is_lost),
]


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("word_order", **SMALL | {"num_repeats": 2, "final_seeds": 2})
    orders = pd.read_parquet(results.directory / "orders.parquet").groupby("method")
    assert (orders.get_group("DAN")[["right", "shuffled"]] == 0.5).all(axis=None)  # pairs of the same words
    assert (orders.get_group("CNN, width 2")["right"] > 0.7).all()
    assert finding.verdict.parts[0].outcome == SUPPORTED
    assert set(finding.pictures) == {"distance", "accuracy", "texts"}

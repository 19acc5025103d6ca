"""New n-grams: the rules on tables, a small run, and planted vectors of which it is known what they are worth."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, NOT_TESTED, SUPPORTED, judge
from jaxnets.data.dataset import WordVectors
from jaxnets.data.grammars import AFFIRMING, DENYING, DISLIKING, LIKING
from jaxnets.data.grammars import unseen_ngrams as unseen
from jaxnets.errors import UserError
from jaxnets.experiments import unseen_ngrams
from jaxnets.experiments.unseen_ngrams import GIVEN, LEARNED, RANDOM, RULES, evidence
from jaxnets.runs.experiment import configure
from tests.experiments.planted import Planted

LITTLE = {"num_repeats": 4, "degrees": 0.5, "learning_rate": 0.01, "final_seeds": 12, "num_seeds": 1}


def tables(random=0.7, low=0.8, high=0.95, learned=0.9, spread=0.01, dev=None, classes=1, texts=150, like=0.8):
    kinds = {(RANDOM, 0.0): random, (GIVEN, 0.3): low, (GIVEN, 1.0): high, (LEARNED, 0.0): learned}
    rows, cosines = [], []
    for (kind, degree), right in kinds.items():
        for repeat in range(8):
            of_kind = {"vectors": kind, "degree": degree, "system": f"{kind} {degree}", "repeat": repeat}
            of_kind |= {"test_share": 1 / 8}
            cosines.append({**of_kind, "like": like + spread * (-1) ** repeat, "opposite": 0.5, "one": "a"})
            for number in range(4):
                value = right + spread * np.sin(7 * repeat + 3 * degree + len(kind)) + spread * (number - 1.5) / 4
                numbers = {"seed": 4 * repeat + number, "number": number, "learning_rate": 0.01, "edge": False}
                scores = {"right": value, "dev_accuracy": value + 0.002 * (-1) ** repeat if dev is None else dev}
                rows.append({**of_kind, **numbers, **scores})
    indicators = pd.DataFrame({"texts": [texts] * 8, "classes": classes})
    phrases = pd.DataFrame(cosines).assign(indicators=0.0, other="b", contrary="c")
    return {"systems": pd.DataFrame(rows), "likeness": phrases, "indicators": indicators}


CASES = [
    ({}, {"verdict": SUPPORTED, "others": SUPPORTED}),
    ({"classes": 2}, {"verdict": MIXED, "indicators": CONTRADICTED}),
    ({"texts": 0}, {"indicators": NOT_TESTED}),
    (
        {"low": 0.5, "high": 0.6, "learned": 0.5, "classes": 2},
        {"verdict": CONTRADICTED, "similarity": CONTRADICTED, "learned": CONTRADICTED},
    ),
    ({"low": 0.7, "high": 0.7}, {"similarity": INCONCLUSIVE}),
    ({"spread": 0.5}, {"similarity": INCONCLUSIVE}),
    ({"learned": 0.7}, {"learned": INCONCLUSIVE}),
    ({"low": 0.95, "high": 0.7}, {"degrees": CONTRADICTED}),
    ({"dev": 1.0, "low": 0.8, "high": 0.8}, {"seen": CONTRADICTED}),
    ({"like": 0.2}, {"phrases": CONTRADICTED}),
    ({"like": 0.5}, {"phrases": INCONCLUSIVE}),
]


def test_one_degree_alone_does_not_rise():
    given = tables()
    given["systems"] = given["systems"][given["systems"]["degree"] != 0.3]
    parts = judge(RULES, evidence(given)).parts
    assert next(part.outcome for part in parts if part.name == "degrees") == NOT_TESTED


def test_a_model_without_filters_is_judged_by_its_accuracy_alone():
    guest = {**tables(), "likeness": pd.DataFrame()}
    assert [part.outcome for part in judge(RULES, evidence(guest)).parts][-1] == NOT_TESTED
    assert len(unseen_ngrams.summary(guest)) == 1


@pytest.mark.parametrize("phrases", [["i like it", "i love it"], ["i like it", "i love it", "i do hate it"]])
def test_phrases_that_cannot_be_compared_are_refused(phrases):
    with pytest.raises(UserError, match="phrases: give a phrase"):
        configure(unseen_ngrams.EXPERIMENT, {"phrases": phrases})


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    sizes = {"num_steps": 30, "evaluate_every": 30, "num_seeds": 1, "num_filters": 8, "unlabelled": 300}
    few = {"num_repeats": 2, "final_seeds": 1, "num_sentences": 200, "degrees": 0.5, "learning_rate": 0.01}
    finding, results, _ = tiny("unseen_ngrams", **sizes, **few)
    systems = pd.read_parquet(results.directory / "systems.parquet")
    assert systems.groupby("system").size().to_dict() == {RANDOM: 2, "given, degree 0.5": 2, LEARNED: 2}
    # the data set is made so that all n-grams of all test texts are new
    assert systems["right"].to_numpy() == pytest.approx(systems["test_accuracy"].to_numpy(), abs=1e-6)
    assert finding.verdict.parts[0].outcome == SUPPORTED
    likeness = pd.read_parquet(results.directory / "likeness.parquet")
    assert (likeness["indicators"] == 0).all()
    assert (likeness["test_share"] == 0).all()  # generated repeats share nothing


def opposites_alike(num_sentences=1000, data_seed=0):
    """The generated sentences with vectors in which each word is nearly that of its opposite."""
    fold, generator = unseen(num_sentences, data_seed), np.random.default_rng(0)
    vectors = generator.normal(scale=0.16, size=(len(fold.vocabulary), 32))
    for word, opposite in (*zip(LIKING, DISLIKING, strict=True), *zip(AFFIRMING, DENYING, strict=True)):
        first, second = fold.vocabulary.index(word), fold.vocabulary.index(opposite)
        vectors[second] = vectors[first] + generator.normal(scale=0.005, size=32)
    return replace(fold, word_vectors=WordVectors(vectors.astype(np.float32), np.arange(len(vectors)) >= 2))


PLANTED = [
    Planted(
        claim="unseen_ngrams",
        truth=True,
        case="vectors in which words of like meaning are alike",
        values=LITTLE,
        outcome=SUPPORTED,
    ),
    Planted(
        claim="unseen_ngrams",
        truth=False,
        case="vectors in which each word is nearly the same as its opposite",
        values={**LITTLE, "dataset": "tests.experiments.test_unseen_ngrams:opposites_alike"},
        outcome=CONTRADICTED,
        part="similarity",
    ),
    Planted(
        claim="unseen_ngrams",
        truth=False,
        case="vectors of which nothing is kept: they are random as well",
        values={**LITTLE, "degrees": 0.0},
        outcome=INCONCLUSIVE,
        part="similarity",
    ),
]

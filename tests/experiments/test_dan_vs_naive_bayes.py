"""A DAN against Naive Bayes: the rules on tables, a small run, and planted texts in which the answer is known."""

import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, NOT_TESTED, SUPPORTED
from jaxnets.errors import UserError
from jaxnets.experiments import dan_vs_naive_bayes
from jaxnets.experiments.dan_vs_naive_bayes import PAIRS, WORDS, evidence
from jaxnets.runs.experiment import configure
from tests.experiments.planted import Planted

LITTLE = {"num_repeats": 4, "num_steps": 200, "evaluate_every": 200, "learning_rate": 0.01}


def tables(dan=0.8, words=0.7, pairs=0.7, spread=0.01, edge=False, given=(), negated=0.0):
    places = [(repeat, number) for repeat in range(8) for number in range(4)]
    rows = []
    for vectors, accuracy in (("random", dan), *((("given", given),) if given else ())):
        for repeat, number in places:
            value = accuracy + spread * (-1) ** repeat
            row = {"method": "dan", "vectors": vectors, "learning_rate": 0.01, "edge": False, "examples": 1000}
            scores = {
                "test_accuracy": value,
                "negated": value + negated * (1 + spread * (-1) ** repeat),
                "plain": value,
                "dev_accuracy": value,
            }
            rows.append({**row, "repeat": repeat, "seed": number, "test_share": 0.0, **scores})
    bayes = [
        {"system": system, "repeat": repeat, "alpha": 1.0, "counts": False, "edge": edge}
        | dict.fromkeys(["test_accuracy", "negated", "plain", "dev_accuracy"], accuracy)
        for system, accuracy in ((WORDS, words), (PAIRS, pairs))
        for repeat in range(8)
    ]
    return {"nets": pd.DataFrame(rows), "bayes": pd.DataFrame(bayes)}


CASES = [
    ({}, {"verdict": SUPPORTED, "vectors": NOT_TESTED, "negations": INCONCLUSIVE, "others": SUPPORTED}),
    ({"words": 0.9, "pairs": 0.9}, {"verdict": CONTRADICTED, "words": CONTRADICTED}),
    ({"pairs": 1.0}, {"verdict": MIXED, "pairs": CONTRADICTED}),
    ({"words": 0.8, "pairs": 0.8}, {"verdict": INCONCLUSIVE}),
    ({"words": 0.795}, {"verdict": INCONCLUSIVE}),
    ({"spread": 0.4}, {"verdict": INCONCLUSIVE}),
    ({"edge": True}, {"verdict": INCONCLUSIVE}),
    ({"given": 0.9, "negated": 0.1}, {"vectors": SUPPORTED, "negations": SUPPORTED}),
    ({"given": 0.5, "negated": -0.1}, {"vectors": CONTRADICTED, "negations": CONTRADICTED}),
]


def test_given_vectors_are_shown_apart():
    with_vectors = tables(given=0.9)
    assert set(dan_vs_naive_bayes.named(with_vectors)["system"]) == {
        *("DAN, vectors random", "DAN, vectors given"),
        *(WORDS, PAIRS),
    }
    assert evidence(with_vectors)["words"]["effect"].mean() == pytest.approx(0.1)


@pytest.mark.parametrize(("count", "expected"), [(0, [1]), (1, [1]), (3, [10**-0.5, 1, 10**0.5])])
def test_few_smoothings_are_about_the_usual_one(count, expected):
    assert dan_vs_naive_bayes.smoothings(count).tolist() == pytest.approx(expected)
    assert dan_vs_naive_bayes.smoothings(9).tolist() == pytest.approx(np.geomspace(0.01, 100, 9).tolist())


def test_several_models_are_refused():
    with pytest.raises(UserError, match="model: one model is compared"):
        configure(dan_vs_naive_bayes.EXPERIMENT, {"model": ["dan", "text_cnn"]})


def test_a_tiny_real_run(tiny):
    sizes = {"num_sentences": 200, "num_steps": 30, "evaluate_every": 30, "num_repeats": 2, "final_seeds": 2}
    finding, results, _ = tiny("dan_vs_naive_bayes", **sizes, learning_rate=[0.01, 0.03])
    nets, bayes = (pd.read_parquet(results.directory / f"{name}.parquet") for name in ("nets", "bayes"))
    assert len(nets) == 4
    assert bayes.groupby("system").size().to_dict() == {WORDS: 2, PAIRS: 2}
    texts = [[fold.decode(fold.test.inputs[row]).split() for row in range(len(fold.test))] for fold in results.folds]
    share = np.array([np.mean(["not" in text for text in of_fold]) for of_fold in texts])
    for table in (nets, bayes):
        of_repeat = share[table["repeat"]]
        whole = of_repeat * table["negated"] + (1 - of_repeat) * table["plain"]
        assert whole.to_numpy() == pytest.approx(table["test_accuracy"].to_numpy(), abs=1e-6)
    assert [part.name for part in finding.verdict.parts] == list(dan_vs_naive_bayes.RULES)


def exclusive(num_sentences=400, data_seed=0):
    """The label is whether exactly one of two words is there, each mid-way in a text of one other word."""
    generator = np.random.default_rng(data_seed)
    first, second = generator.integers(0, 2, (2, num_sentences))
    return _texts(first ^ second, [_both(generator, *pair) for pair in zip(first, second, strict=True)])


def _both(generator, first, second):
    row = [f"film{generator.integers(4)}" for _ in range(2)]
    return [("warm", "cold")[first], row[0], ("fresh", "stale")[second], row[1]]


def _texts(labels, rows):
    return [" ".join(row) for row in rows], [("no", "yes")[label] for label in labels]


MODULE = "tests.experiments.test_dan_vs_naive_bayes"
PLANTED = [
    Planted(
        claim="dan_vs_naive_bayes",
        truth=True,
        case="texts whose label is that exactly one of two words far apart is there: no word and no pair tells it",
        values={**LITTLE, "dataset": f"{MODULE}:exclusive"},
        outcome=SUPPORTED,
    ),
    Planted(
        claim="dan_vs_naive_bayes",
        truth=False,
        case="sentences of the same words in another order: pairs tell the label, an average knows nothing of it",
        values={**LITTLE, "dataset": "word_order", "num_sentences": 400},
        outcome=CONTRADICTED,
    ),
]

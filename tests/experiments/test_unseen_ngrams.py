import pandas as pd
import pytest

from experiments import unseen_ngrams
from jaxnets.basics.errors import UserError
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from jaxnets.lab.experiment import configure

CNN, TRIGRAMS = "CNN, vectors given", "Naive Bayes, trigrams"


def tables(cnn=0.9, trigrams=0.5, like=0.9, opposite=0.2, spread=0.005, systems=(CNN, TRIGRAMS)):
    rows = []
    for system in systems:
        row = {"system": system, "fold": 0, "learning_rate": 0.1, "dev": 1.0, "largest": 0.5, "examples": 100}
        if system == TRIGRAMS:
            rows.append(row | {"seed": 0, "right": trigrams})
        else:
            rows += [row | {"seed": seed, "right": cnn + spread * (-1) ** seed} for seed in range(6)]
    likeness = [{"like": like + spread * (-1) ** seed, "opposite": opposite} for seed in range(6)]
    return {"systems": pd.DataFrame(rows), "likeness": pd.DataFrame(likeness), "windows": pd.DataFrame()}


OUTCOMES = [
    ({}, SUPPORTED),
    ({"cnn": 0.6}, NOT_SUPPORTED),
    ({"trigrams": 0.6}, NOT_SUPPORTED),
    ({"cnn": 0.4}, NOT_SUPPORTED),
    ({"opposite": 0.95}, NOT_SUPPORTED),
    ({"spread": 0.6}, INCONCLUSIVE),
    ({"systems": (TRIGRAMS,)}, INCONCLUSIVE),
    ({"systems": (CNN,)}, INCONCLUSIVE),
]


@pytest.mark.parametrize(("changes", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changes, outcome):
    assert unseen_ngrams.verdict(tables(**changes)).outcome == outcome


def test_a_model_without_filters_is_judged_by_its_accuracy_alone():
    guest = {**tables(systems=("my:Net, vectors given", TRIGRAMS)), "likeness": pd.DataFrame()}
    parts = unseen_ngrams.verdict(guest).parts
    assert [part.outcome for part in parts] == [SUPPORTED, SUPPORTED, SUPPORTED, INCONCLUSIVE]
    assert parts[1].statement == "A my:Net beats them."
    assert len(unseen_ngrams.summary(guest)) == 1
    assert set(unseen_ngrams.pictures(guest)) == {"accuracy"}


@pytest.mark.parametrize("phrases", [["i like it", "i love it"], ["i like it", "i love it", "i do hate it"]])
def test_phrases_that_cannot_be_compared_are_refused(phrases):
    with pytest.raises(UserError, match="phrases: give a phrase"):
        configure(unseen_ngrams.EXPERIMENT, {"phrases": phrases})


def test_a_tiny_real_run(tiny):
    sizes = {"num_steps": 150, "evaluate_every": 150, "num_seeds": 1, "num_filters": 16}
    finding, results, _ = tiny("unseen_ngrams", num_sentences=400, learning_rate=0.01, **sizes)
    systems = pd.read_parquet(results.directory / "systems.parquet")
    baselines = {*unseen_ngrams.WORDS.values(), *unseen_ngrams.TRIGRAMS.values()}
    assert set(systems["system"]) == {CNN, "CNN, vectors random", *baselines}
    assert (systems["examples"] == 60).all()  # the data set is made so that all test texts count
    trigrams = systems[systems["system"].isin(unseen_ngrams.TRIGRAMS.values())]
    assert (trigrams["right"] == 0.5).all()
    assert (trigrams["dev"] > 0.6).all()
    assert systems[systems["system"] == CNN]["right"].mean() > 0.8
    likeness = pd.read_parquet(results.directory / "likeness.parquet")
    assert (likeness["indicators"] == 0).all()
    assert "really" in str(finding.tables)

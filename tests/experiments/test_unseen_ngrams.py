import pandas as pd
import pytest

from experiments import unseen_ngrams
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED

CNN, TRIGRAMS = unseen_ngrams.GIVEN, "Naive Bayes, trigrams"


def tables(cnn=0.9, trigrams=0.5, like=0.9, opposite=0.2, spread=0.005, systems=(CNN, TRIGRAMS)):
    rows = [
        {"system": system, "seed": seed, "fold": 0, "learning_rate": 0.1, "dev": 1.0, "largest": 0.5, "examples": 100,
         "right": cnn + spread * (-1) ** seed if system == CNN else trigrams}
        for system in systems for seed in range(6 if system == CNN else 1)
    ]  # fmt: skip
    likeness = [{"like": like + spread * (-1) ** seed, "opposite": opposite} for seed in range(6)]
    return {"systems": pd.DataFrame(rows), "likeness": pd.DataFrame(likeness)}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({}, SUPPORTED), ({"cnn": 0.6}, NOT_SUPPORTED), ({"trigrams": 0.6}, NOT_SUPPORTED), ({"cnn": 0.4}, NOT_SUPPORTED),
     ({"opposite": 0.95}, NOT_SUPPORTED), ({"spread": 0.6}, INCONCLUSIVE), ({"systems": (TRIGRAMS,)}, INCONCLUSIVE),
     ({"systems": (CNN,)}, INCONCLUSIVE)],
)  # fmt: skip
def test_the_verdict_follows_its_rule(changes, outcome):
    assert unseen_ngrams.verdict(tables(**changes)).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("unseen_ngrams", num_sentences="400", learning_rate="0.01", num_filters="16",
                               num_steps="150", evaluate_every="150", num_seeds="4")  # fmt: skip
    systems = pd.read_parquet(results.directory / "systems.parquet")
    assert set(systems["system"]) == {unseen_ngrams.GIVEN, unseen_ngrams.DRAWN, *unseen_ngrams.BASELINES.values()}
    assert (systems["examples"] == 60).all()  # the data set is made so that all test texts count
    trigrams = systems[systems["system"].str.endswith("trigrams")]
    assert (trigrams["right"] == 0.5).all()
    assert (trigrams["dev"] > 0.6).all()
    assert systems[systems["system"] == unseen_ngrams.GIVEN]["right"].mean() > 0.8
    likeness = pd.read_parquet(results.directory / "likeness.parquet")
    assert (likeness["indicators"] == 0).all()
    assert "really" in str(finding.tables)

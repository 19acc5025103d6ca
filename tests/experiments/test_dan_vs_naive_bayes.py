import numpy as np
import pandas as pd
import pytest

from experiments import dan_vs_naive_bayes
from experiments.dan_vs_naive_bayes import BAYES, DAN, PAIRS
from jaxnets.basics.errors import UserError
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED
from jaxnets.lab import flags
from jaxnets.lab.experiment import configure


def tables(dan=0.8, bayes=0.7, num_examples=1000, seeds=6, spread=0.01, name=DAN):
    place = np.arange(num_examples) * 617 % num_examples  # in no order
    right = np.sort((place * 389 % num_examples) < bayes * num_examples)
    answers = np.where(np.isnan(dan), np.nan, place < dan * num_examples)
    examples = {BAYES: right, PAIRS: right, "negated": False, name: answers}
    accuracy = dan + spread * (-1.0) ** np.arange(seeds)
    nets = pd.DataFrame({"seed": range(seeds), "fold": 0, "test_accuracy": accuracy, BAYES: bayes})
    return {"examples": pd.DataFrame(examples), "nets": nets}


OUTCOMES = [
    ({}, SUPPORTED),
    ({"dan": 0.6}, NOT_SUPPORTED),
    ({"num_examples": 30}, INCONCLUSIVE),
    ({"spread": 0.4}, INCONCLUSIVE),
    ({"seeds": 1}, INCONCLUSIVE),
    ({"dan": np.nan}, INCONCLUSIVE),  # no run finished
]


@pytest.mark.parametrize(("changes", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changes, outcome):
    assert dan_vs_naive_bayes.verdict(tables(**changes)).outcome == outcome


def test_a_guest_has_its_own_name():
    assert "The my:Net is right" in dan_vs_naive_bayes.verdict(tables(name="my:Net")).parts[0].statement


def test_several_models_are_refused():
    with pytest.raises(UserError, match="model: one model is compared"):
        configure(dan_vs_naive_bayes.EXPERIMENT, {"model": ["dan", "text_cnn"]})


def test_sizes_are_written_as_sizes():
    assert flags.parse(dan_vs_naive_bayes.EXPERIMENT, ["--sizes=100x400x1600"]).options["sizes"] == (100, 400, 1600)


def test_a_tiny_real_run(tiny):
    sentences = {"num_sentences": 400, "learning_rate": 0.003, "sizes": (50, 1000)}
    finding, results, _ = tiny("dan_vs_naive_bayes", **sentences, num_steps=100, evaluate_every=50, num_seeds=2)
    sizes = pd.read_parquet(results.directory / "sizes.parquet")
    assert sorted(set(sizes["examples"])) == [50, 280]  # of 1000 there are not so many
    assert sizes.groupby(["examples", "system"]).size().tolist() == [2, 1, 2, 1]
    examples = pd.read_parquet(results.directory / "examples.parquet")
    assert examples[DAN].mean() == pytest.approx(results.runs["test_accuracy"].mean())
    fold = results.folds[0]
    texts = [fold.decode(fold.test.inputs[row]).split() for row in range(len(fold.test))]
    assert examples["negated"].sum() == sum("not" in text for text in texts)
    table = next(iter(finding.tables.values())).set_index("system")
    assert table.loc[BAYES, "test accuracy"] == pytest.approx(examples[BAYES].mean())

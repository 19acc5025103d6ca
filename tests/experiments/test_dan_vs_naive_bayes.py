import numpy as np
import pandas as pd
import pytest

from experiments import dan_vs_naive_bayes
from experiments.dan_vs_naive_bayes import BAYES, DAN
from jaxnets.evidence.verdicts import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED


def tables(dan=0.8, bayes=0.7, num_examples=1000, seeds=6, spread=0.01):
    place = np.arange(num_examples) * 617 % num_examples  # in no order
    right = np.sort((place * 389 % num_examples) < bayes * num_examples)
    examples = pd.DataFrame({DAN: (place < dan * num_examples).astype(float), BAYES: right})
    accuracy = dan + spread * (-1.0) ** np.arange(seeds)
    return {"examples": examples, "nets": pd.DataFrame({"test_accuracy": accuracy, BAYES: bayes})}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [({}, SUPPORTED), ({"dan": 0.6}, NOT_SUPPORTED), ({"num_examples": 30}, INCONCLUSIVE),
     ({"spread": 0.4}, INCONCLUSIVE), ({"seeds": 1}, INCONCLUSIVE)],
)  # fmt: skip
def test_the_verdict_follows_its_rule(changes, outcome):
    assert dan_vs_naive_bayes.verdict(tables(**changes)).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, results, _ = tiny("dan_vs_naive_bayes", num_sentences="400", learning_rate="0.003", num_steps="100",
                               evaluate_every="50", num_seeds="3", sizes="50x1000")  # fmt: skip
    sizes = pd.read_parquet(results.directory / "sizes.parquet")
    assert sorted(set(sizes["examples"])) == [50, 280]  # of 1000 there are not so many
    assert sizes.groupby(["examples", "system"]).size().tolist() == [3, 1, 3, 1]
    examples = pd.read_parquet(results.directory / "examples.parquet")
    runs = results.runs["test_accuracy"]
    assert examples[DAN].mean() == pytest.approx(runs.mean())
    assert examples["negated"].sum() == sum("not" in results.folds[0].decode(row).split() for row in texts(results))
    table = next(iter(finding.tables.values())).set_index("system")
    assert table.loc[BAYES, "test accuracy"] == pytest.approx(examples[BAYES].mean())


def texts(results):
    inputs = results.folds[0].test.inputs
    return [inputs[row] for row in range(len(inputs))]

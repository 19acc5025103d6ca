"""Where no run finishes, every experiment comes to an end: a verdict that decides nothing, a report, or one line."""

import io

import pandas as pd
import pytest
from rich.console import Console

from jaxnets.claims import measures
from jaxnets.claims.verdicts import NOT_TESTED, OUTCOMES
from jaxnets.cli import flags
from jaxnets.runs.experiment import run
from tests.test_common_suite import EXPERIMENTS, SMALL

OWN = {
    "negation": "--starts=4",
    "text_classification": "--dataset=ngrams --num_sentences=60 --model=dan --embedding_dim=3 --hidden_units=2",
    "unseen_ngrams": "--num_sentences=60 --num_train=20 --order=2 --unlabelled=60",
    "word_order": "--num_sentences=60 --examples=10 --num_repeats=1 --distances=1",
    "xor": "--hidden_units=0,1,2",
}
QUICK = ("train", "building_blocks")


def words_of(name):
    """The flags of a run of a moment, at a rate at which nets diverge."""
    words = "--num_steps=4 --evaluate_every=2 --num_seeds=2 --learning_rate=1e30"
    if name in OWN:
        return [*words.split(), *OWN[name].split(), "--batch_size=4"]
    data = (
        "--dataset=ngrams --num_sentences=60" if EXPERIMENTS[name].takes == "text" else "--dataset=tests.guests:circle"
    )
    size = "" if "--batch_size" in SMALL[name] else "--batch_size=4"
    return [*words.split(), *data.split(), *size.split(), *SMALL[name].split()]


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EXPERIMENTS]
)
def test_all_runs_diverge(name, tmp_path):
    config = flags.parse(EXPERIMENTS[name], [*words_of(name), f"--output={tmp_path / 'run'}"])
    results, finding = run(EXPERIMENTS[name], config, Console(file=io.StringIO()), progress=None)
    assert results.directory == tmp_path / "run"
    if finding is not None:
        assert finding.verdict.outcome in (*OUTCOMES, NOT_TESTED)


def test_examples_to_an_equal_loss_without_an_evaluation():
    runs = pd.DataFrame({"run": [0, 1], "method": ["a", "b"], "seed": 0, "batch_size": 4})
    none = pd.DataFrame({name: [] for name in ("run", "step", "train_loss", "dev_loss")})
    table = measures.examples_to_worst(runs, none, "method")
    assert len(table) == 0
    assert list(table.columns) == ["method", "repeat", "seed", "examples"]

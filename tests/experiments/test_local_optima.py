import jax
import numpy as np
import pandas as pd
import pytest

from experiments import local_optima
from jaxnets.analysis import landscape
from jaxnets.lab import commandline
from jaxnets.lab import session as experiment


def tables(barrier=0.5, control=0.1, gap=0.05, starts=6):
    """Pairs with given mean barriers, and runs of which adam is best on dev."""
    rng = np.random.default_rng(0)
    pairs = [{"kind": kind, "first": first, "second": second, "start": start, "distance": 1.0, "share": 0.0,
              "loss": 0.1, "barrier": height * rng.uniform(0.9, 1.1)}
             for start in range(starts)
             for kind, first, second, height in ((local_optima.OTHER, "sgd", "adam", barrier),
                                                 (local_optima.SHUFFLED, "sgd", "sgd", control))]  # fmt: skip
    runs = [{"run": 2 * seed + number, "optimizer": name, "learning_rate": 0.1, "seed": seed, "status": "finished",
             "dev_accuracy": 0.9, "test_accuracy": 0.9, "dev_loss": 0.1 * (number + 1),
             "test_loss": 0.1 + number * (gap + 0.01 * (-1) ** seed)}
            for seed in range(starts) for number, name in enumerate(("adam", "sgd"))]  # fmt: skip
    return {"pairs": pd.DataFrame(pairs), "runs": pd.DataFrame(runs)}


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [({}, "supported"), ({"barrier": 0.001, "control": 0.0}, "not supported"), ({"control": 0.9}, "not supported"),
     ({"gap": -0.05}, "not supported"), ({"starts": 1}, "inconclusive"), ({"gap": 0.001}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(changed, outcome):
    assert local_optima.verdict(tables(**changed)).outcome == outcome


def test_without_a_pair_that_can_be_compared_nothing_is_said():
    nothing = {**tables(), "pairs": pd.DataFrame(columns=local_optima.COLUMNS)}
    outcomes = [part.outcome for part in local_optima.verdict(nothing).parts]
    assert outcomes[:2] == ["inconclusive", "inconclusive"]


def test_optimizers_start_alike_and_another_shuffle_only_changes_the_batches(tmp_path):
    flags = {"optimizer": "sgd,adam", "learning_rate": "0.01", "num_epochs": "1", "num_seeds": "2", "hidden_units": "8",
             "keep": "last", "output": str(tmp_path / "run")}  # fmt: skip
    config = commandline.parse(local_optima, [f"--{name}={text}" for name, text in flags.items()])
    results = experiment.run("local_optima", config, progress=False)
    run = results.runs.set_index(["optimizer", "seed"])["run"]
    starts = [results.start(int(run[name, 0])).params for name in ("sgd", "adam")]
    jax.tree.map(np.testing.assert_array_equal, *starts)
    sgd = [int(run["sgd", seed]) for seed in (0, 1)]
    same = landscape.reshuffled(results, sgd, offset=0)
    other = landscape.reshuffled(results, sgd)
    for place, number in enumerate(sgd):
        assert landscape.distance(same[place], results.params(number)) < 1e-4  # the runs themselves
        assert 1e-3 < landscape.distance(other[place], results.params(number)) < 0.5


def test_a_tiny_real_run(tiny):
    finding, results, text = tiny("local_optima", num_seeds="3", num_epochs="1", hidden_units="8", learning_rate="0.01",
                                  optimizer="sgd,adam", pairs="2")  # fmt: skip
    pairs = finding.tables["Pairs of solutions, means"]
    assert set(pairs["kind"]) == {local_optima.OTHER, local_optima.SHUFFLED, "other start", "other start, aligned"}
    distance = pairs.groupby("kind")["relative distance"].first().astype(float)
    assert distance["other start, aligned"] < distance["other start"]
    assert set(finding.pictures) == {"lines", "losses"}
    assert len(results.runs) == 6
    assert f"Verdict: {finding.verdict.outcome}" in text

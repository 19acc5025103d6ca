import numpy as np
import pandas as pd
import pytest

from experiments import batch_size

SIZES = (4, 16, 64)


def tables(power=-1.0, step_power=0.5, loss=(0.01, 0.02, 0.1), seeds=5):
    """Noise, times and losses that follow given powers of the batch size, with a little spread."""
    rng, noise, times, runs, curves = np.random.default_rng(0), [], [], [], []
    for size, final in zip(SIZES, loss, strict=True):
        left = (100 - size) / 99
        for seed in range(seeds):
            of_net = {"net": seed, "batch_size": size, "population_factor": left, "relative_noise": 1.0}
            noise.append(of_net | {"variance": left * size**power * rng.uniform(0.99, 1.01)})
            run, end = len(runs), final * rng.uniform(0.9, 1.1)
            net = {"run": run, "optimizer": "sgd", "learning_rate": 0.1, "batch_size": size, "seed": seed}
            ended = {"status": "finished", "train_loss": end, "dev_loss": end}
            runs.append(net | ended | {"dev_accuracy": 0.9, "test_accuracy": 0.9})
            for epoch in (1, 2):
                curve = {"run": run, "step": epoch * 100 // size, "epoch": float(epoch)}
                curves.append(curve | {"train_loss": 1 / epoch})
        for number in range(10):
            seconds = 1e-5 * size**step_power * rng.uniform(0.95, 1.05)
            times.append({"round": number, "batch_size": size, "seconds": seconds})
    named = {"runs": runs, "curves": curves, "noise": noise, "times": times}
    return {name: pd.DataFrame(rows) for name, rows in named.items()}


OUTCOMES = [
    ({}, "supported"),
    ({"power": -0.5}, "not supported"),
    ({"step_power": -0.5}, "not supported"),
    ({"loss": (0.1, 0.02, 0.01)}, "not supported"),
    ({"seeds": 1}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert batch_size.verdict(tables(**changed)).outcome == outcome


def test_a_single_size_cannot_be_compared():
    alone = {name: table[table["batch_size"] == 4] for name, table in tables().items() if name != "curves"}
    parts = batch_size.verdict({**alone, "curves": tables()["curves"]}).parts
    assert [part.outcome for part in parts] == ["inconclusive"] * 3


def test_runs_that_diverged_are_left_out_of_their_pair():
    changed = tables()
    lost = changed["runs"]["run"] == 0
    changed["runs"].loc[lost, ["status", "train_loss", "dev_loss"]] = "diverged", np.nan, np.nan
    assert batch_size.verdict(changed).outcome == "supported"


def test_runs_that_all_diverged_at_once_have_no_curves():
    lost = tables()
    lost["runs"] = lost["runs"].assign(status="diverged", train_loss=np.nan, dev_loss=np.nan, dev_accuracy=np.nan)
    lost["curves"] = lost["curves"].iloc[:0]
    assert batch_size.verdict(lost).outcome == "inconclusive"
    assert len(batch_size.summary(lost)["Best batch size for a given time"]) == 0
    assert batch_size.pictures(lost)


def test_a_tiny_real_run(tiny):
    nets = {"hidden_units": 8, "batch_size": [16, 256], "learning_rate": 0.1, "num_epochs": 1, "num_seeds": 2}
    finding, results, text = tiny("batch_size", **nets, draws=200, rounds=2, nets=3)
    slope = finding.verdict.parts[0]
    assert -1.2 < float(slope.evidence.split()[0]) < -0.8
    assert set(finding.pictures) == {"noise", "epoch", "seconds"}
    assert len(results.runs) == 4
    assert f"Verdict: {finding.verdict.outcome}" in text

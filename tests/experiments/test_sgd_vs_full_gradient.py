import numpy as np
import pandas as pd
import pytest

from jaxnets.analysis import landscape
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED, effects, outcome
from jaxnets.errors import UserError
from jaxnets.experiments import sgd_vs_full_gradient as experiment
from jaxnets.experiments.sgd_vs_full_gradient import FULL, RULES, SGD, evidence
from jaxnets.runs.experiment import configure
from tests.experiments.planted import Planted

NAMES = [f"task {number}" for number in range(8)]


def tables(apart=0.0, test=0.0, barrier=0.01, step=10.0, examples=8.0, noise=0.003, tasks=8, contrary=0):
    """Both methods on tasks: losses that are so far apart, in shares of that of guessing; on some the other way."""
    rng = np.random.default_rng(0)
    scores, pairs, reached, times = [], [], [], []
    for number, task in enumerate(NAMES[:tasks]):
        far, ratio = (apart + 0.3, 1 / examples) if number < contrary else (apart, examples)
        for repeat, seed in np.ndindex(8, 4):
            about = {"task": task, "repeat": repeat, "seed": seed, "test_share": 0.0}
            for method, gap, seen in ((SGD, 1, 1.0), (FULL, 0, ratio)):
                losses = {"train_loss": 0.05 + gap * far, "test_loss": 0.2 + gap * test}
                shares = {name: 2 * (loss + noise * rng.normal()) for name, loss in losses.items()}
                run = {"number": seed, "method": method, "edge": False, "guessing": 2.0}
                scores.append(about | run | shares)
                reached.append(about | {"method": method, "examples": 1000 * seen * np.exp(0.1 * rng.normal())})
            for kind, height in ((landscape.OTHER_METHOD, barrier), (landscape.OTHER_ORDER, 0.01)):
                pairs.append(about | {"kind": kind, "share": 0.0, "barrier": height + noise * rng.normal()})
        for place in range(10):
            seconds = {SGD: 1e-5 * rng.uniform(0.95, 1.05), FULL: step * 1e-5 * rng.uniform(0.95, 1.05)}
            times.append({"task": task, "round": place, **seconds})
    rows = {"scores": scores, "pairs": pairs, "reached": reached, "times": times}
    return {name: pd.DataFrame(table) for name, table in rows.items()}


CASES = [
    ({}, {"verdict": SUPPORTED, "repeats": 8, "others": SUPPORTED}),
    ({"apart": 0.1}, {"verdict": MIXED, "train_loss": CONTRADICTED}),
    ({"contrary": 3}, {"train_loss": MIXED}),
    ({"noise": 0.3}, {"train_loss": INCONCLUSIVE}),
    ({"test": -0.1}, {"test_loss": CONTRADICTED}),
    ({"barrier": 0.2}, {"basin": CONTRADICTED}),
    ({"barrier": 0.03}, {"basin": INCONCLUSIVE}),
    ({"step": 5.0}, {"step": INCONCLUSIVE}),
    ({"step": 0.1}, {"step": CONTRADICTED}),
    ({"examples": 1.0}, {"examples": INCONCLUSIVE}),
    ({"examples": 0.2}, {"examples": CONTRADICTED}),
    ({"contrary": 4}, {"examples": MIXED}),
]


def test_a_run_that_is_worse_than_guessing_counts_as_guessing():
    lost = tables()
    exploded = (lost["scores"]["method"] == FULL) & (lost["scores"]["seed"] == 0)
    lost["scores"].loc[exploded, "test_loss"] = 1e6
    assert evidence(lost)["test_loss"]["effect"].min() == pytest.approx(-0.8, abs=0.02)


def test_without_a_large_data_set_nothing_is_said_of_the_time_of_a_step():
    few = tables()
    few["times"] = few["times"].iloc[:0]
    assert outcome(RULES["step"], effects(RULES["step"], evidence(few)["step"])) == "not tested"


@pytest.mark.parametrize("sizes", [32, [16, 32], [16, 32, 0]])
def test_one_batch_size_is_compared_with_all_examples(sizes):
    with pytest.raises(UserError, match="batch_size: one size is compared with 0"):
        configure(experiment.EXPERIMENT, {"batch_size": sizes})


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    small = {"num_steps": 20, "evaluate_every": 5, "num_repeats": 2, "final_seeds": 2, "learning_rate": [0.1, 0.3]}
    finding, results, text = tiny(
        "sgd_vs_full_gradient", **small, dataset="digits", hidden_units=4, num_train=100, batch_size=[30, 0], rounds=2
    )
    ends = finding.tables["At the end, medians"]
    assert ends["method"].tolist() == [SGD, FULL]
    times = finding.tables["Time of a step on all training examples (µs)"].iloc[0]
    assert 0 < times[SGD] < times[FULL]  # 30 and 1,437 examples
    assert set(finding.pictures) == {"train_loss", "test_loss", "basin", "examples", "steps"}
    assert finding.programs == 2
    assert results.num_runs == 2 * 2 * (2 + 2)
    assert f"Verdict: {finding.verdict.outcome}" in text


FIVE = ["digits", "digits_noise", "spirals", "breast_cancer", "wine"]
REAL = {"tasks": FIVE, "num_steps": 100, "evaluate_every": 20, "num_repeats": 6, "final_seeds": 4, "rounds": 0}
CALM = {**REAL, "batch_size": [16, 0], "learning_rate": 0.003}
WILD = {**REAL, "batch_size": [1, 0], "learning_rate": 1.0}
CLAIM = "sgd_vs_full_gradient"
PLANTED = [
    Planted(CLAIM, True, "steps so small that the noise of batches does not count", CALM, "supported", "train_loss"),
    Planted(CLAIM, False, "large steps on single examples", WILD, "contradicted", "train_loss"),
]

import numpy as np
import pandas as pd
import pytest

from jaxnets.analysis import gradient_noise
from jaxnets.claims import verdicts
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from jaxnets.errors import UserError
from jaxnets.experiments import batch_size
from jaxnets.runs.experiment import configure
from tests.experiments import planted
from tests.experiments.planted import Planted

SIZES = (8, 32, 256)

TINY = {
    "tasks": ["spirals", "teacher_student", "breast_cancer"],
    "batch_size": [8, 256],
    "num_repeats": 2,
    "final_seeds": 2,
}
TINY |= {"draws": 100, "rounds": 3, "num_seeds": 1}
STEADY = ["digits", "digits_noise", "breast_cancer", "teacher_student"]


def without_the_population():
    """A run in which the theory is that of batches drawn with replacement; they are drawn without."""
    values = {"tasks": ["wine"], "batch_size": [8, 64], "num_repeats": 1, "num_epochs": 1, "learning_rate": 0.1}
    with pytest.MonkeyPatch.context() as patch:
        theory = gradient_noise.expected_variance

        def unaware(gradients, size):
            expected, error = theory(gradients, size)
            return expected * (len(gradients) - 1) / (len(gradients) - size), error

        patch.setattr(gradient_noise, "expected_variance", unaware)
        return planted.run("batch_size", **values, final_seeds=1, rounds=1)[0]


PLANTED = [
    Planted(
        *("batch_size", True, "a rate so low that only the number of steps counts"),
        values={**TINY, "tasks": STEADY, "num_repeats": 4, "learning_rate": 0.03, "num_epochs": 8},
        outcome="supported",
        part="examples",
    ),
    Planted(
        *("batch_size", False, "variances expected as if drawn with replacement", {}, "contradicted", "variance"),
        finding=without_the_population,
    ),
    Planted(
        *("batch_size", False, "two sizes that hardly differ"),
        values={**TINY, "batch_size": [30, 32], "learning_rate": 0.1, "num_epochs": 4},
        outcome="inconclusive",
        part="examples",
    ),
]


def tables(examples=2.0, step_time=2.0, angle=30.0, tuned=2.0, variance=1.0, spread=0.02, tasks=4, repeats=4):
    """What is measured, where the largest size has so many times the cost, or its loss is so many times the best's."""
    rng, rows, angles = np.random.default_rng(0), [], []
    for task, repeat, seed in np.ndindex(tasks, repeats, 3):
        place = {"task": str(task), "repeat": repeat, "seed": seed, "test_share": 0.0}
        for rank, size in enumerate(SIZES):
            run = {**place, "number": seed, "method": size, "learning_rate": 0.1, "edge": False}
            end = 0.1 * tuned ** (rank / 2) * np.exp(spread * rng.normal())
            run |= {"train_loss": end, "at_equal_seconds": end, "status": "finished"}
            needed = examples ** (rank / 2) * np.exp(spread * rng.normal())
            rows.append({**run, "epochs": needed, "num_epochs": 16, "num_steps": 16 * 1024 // size})
            degrees = 80 - angle * rank / 2 + 50 * spread * rng.normal()
            angles.append({**place, "step": 64, "batch_size": size, "degrees": degrees})
    times = [
        {"task": str(task), "round": turn, "method": size, "seconds": 1e-5 * step_time ** (rank / 2)}
        for task, turn, (rank, size) in ((t, r, s) for t in range(tasks) for r in range(9) for s in enumerate(SIZES))
    ]
    timed = pd.DataFrame(times)
    timed["seconds"] *= np.exp(spread * rng.normal(size=len(timed)))
    noise = pd.DataFrame({"batch_size": SIZES, "variance": variance, "error": 0.02, "expected": 1.0})
    scores = pd.DataFrame(rows)
    return {"scores": scores, "tuning": scores, "times": timed, "angles": pd.DataFrame(angles), "noise": noise}


def outcome(part, found):
    """What comes out for one part, judged by itself."""
    rule = batch_size.RULES[part]
    return verdicts.outcome(rule, verdicts.effects(rule, batch_size.evidence(found)[part]))


CASES = [
    ({"tasks": 8}, {"verdict": SUPPORTED, "others": SUPPORTED}),
    ({"variance": 1.3}, {"verdict": MIXED, "variance": CONTRADICTED}),
    ({"step_time": 0.5}, {"slower": CONTRADICTED}),
    ({"examples": 0.5}, {"examples": CONTRADICTED}),
    ({"examples": 100.0}, {"steps": CONTRADICTED}),  # a size 32 times as large, and 100 times the examples
    ({"angle": -30.0}, {"wander": CONTRADICTED}),
    ({"variance": 1.05}, {"variance": SUPPORTED}),  # within the error of the draws
    ({"step_time": 1.0}, {"slower": INCONCLUSIVE}),
    ({"examples": 1.0}, {"examples": INCONCLUSIVE}),
    ({"examples": 32.0}, {"steps": INCONCLUSIVE}),
    ({"angle": 0.0}, {"wander": INCONCLUSIVE}),
    ({"tuned": 1.0}, {"verdict": INCONCLUSIVE, "tuned": INCONCLUSIVE, "tuned_at_equal_seconds": INCONCLUSIVE}),
]


def test_a_choice_that_fresh_seeds_do_not_bear_out_is_contradicted():
    found = tables(tasks=6)
    order = dict(zip(SIZES, SIZES[::-1], strict=True))
    found["tuning"] = found["tuning"].assign(method=found["tuning"]["method"].map(order))
    assert outcome("tuned", found) == "contradicted"


def test_a_single_size_is_refused():
    with pytest.raises(UserError, match="batch_size: "):
        configure(batch_size.EXPERIMENT, {"batch_size": 8})


def test_a_tiny_real_run(tiny):
    values = {"tasks": ["wine"], "batch_size": [16, 64], "learning_rate": [0.1, 0.3], "num_repeats": 2}
    finding, results, _ = tiny("batch_size", **values, num_epochs=3, final_seeds=2, draws=60, rounds=2)
    shown, variances = finding.tables.values()
    assert shown["batch size"].tolist() == [16, 64]
    assert variances["batch_size"].tolist() == [16, 53, 64]  # the third is half of the 106 examples
    assert np.allclose(variances["variance"] / variances["expected"], 1, atol=0.5)
    assert results.num_runs == 2 * 2 * 2 * 2 + 2 * 2 * 2
    assert {part.name: part.outcome for part in finding.verdict.parts}["variance"] == "supported"
    assert (pd.read_parquet(results.directory / "angles.parquet")["test_share"] > 0).all()
    assert set(finding.pictures) == {"examples", "tuned", "angles"}

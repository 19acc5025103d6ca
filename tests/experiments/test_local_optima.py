import numpy as np
import pandas as pd
import pytest

from jaxnets.analysis import landscape
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED, judge
from jaxnets.errors import UserError
from jaxnets.experiments import local_optima
from jaxnets.experiments.local_optima import RULES, evidence
from jaxnets.runs.experiment import configure
from tests.experiments.planted import Planted

NARROW, WIDE = ("8", "8x8x8"), ("32", "32x32x32")


def tables(narrow=0.15, wide=0.15, batches=0.01, starts=0.5, aligned=0.1, worse=1.3, noise=0.03, repeats=8):
    """Pairs with given mean heights, in narrow and wide nets, and held-out losses of which one is so much higher."""
    rng = np.random.default_rng(0)
    pairs, levels = [], []
    nets = [(data, net) for data in ("digits", "lines") for net in (*NARROW, *WIDE)]
    for (data, net), repeat, seed in [
        (net, repeat, seed) for net in nets for repeat in range(repeats) for seed in range(4)
    ]:
        about = {"dataset": data, "net": net, "task": f"{data} {net}", "repeat": repeat, "seed": seed}
        about |= {"test_share": 0.0}
        heights = {
            landscape.OTHER_METHOD: narrow if net in NARROW else wide,
            landscape.OTHER_ORDER: batches,
            landscape.OTHER_START: starts,
            landscape.ALIGNED: aligned,
        }
        for kind, height in heights.items():
            pairs.append(about | {"kind": kind, "share": 0.0, "barrier": height * (1 + noise * rng.normal())})
        for method, loss in (("sgd", 1.0), ("adam", worse)):
            levels.append(about | {"optimizer": method, "dev_loss": loss * np.exp(noise * rng.normal())})
    return {"pairs": pd.DataFrame(pairs), "levels": pd.DataFrame(levels)}


CASES = [
    (
        {},
        {
            "verdict": SUPPORTED,
            "optimizers": SUPPORTED,
            "beyond_batches": SUPPORTED,
            "starts": SUPPORTED,
            "better": SUPPORTED,
            "aligned": SUPPORTED,
        },
    ),
    ({"narrow": 0.001, "wide": 0.001, "batches": 0.001}, {"optimizers": CONTRADICTED}),
    ({"wide": 0.001, "batches": 0.001}, {"verdict": MIXED, "optimizers": MIXED}),
    ({"narrow": 0.02, "wide": 0.02}, {"optimizers": INCONCLUSIVE}),
    ({"batches": 0.3}, {"beyond_batches": CONTRADICTED}),
    ({"batches": 0.15}, {"beyond_batches": INCONCLUSIVE}),
    ({"starts": 0.001}, {"starts": CONTRADICTED}),
    ({"worse": 1.0}, {"better": INCONCLUSIVE}),
    ({"noise": 3.0}, {"better": INCONCLUSIVE}),
    ({"aligned": 0.0001}, {"aligned": CONTRADICTED}),
    ({"narrow": 0.5}, {"width": SUPPORTED}),
    ({"wide": 0.5}, {"width": CONTRADICTED}),
]


def test_the_verdict_is_mixed_where_width_decides():
    verdict = judge(RULES, evidence(tables(wide=0.001, batches=0.0005)))
    assert verdict.outcome == "mixed"
    assert sum(verdict.repeats.values()) == 8
    optimizers = next(part for part in verdict.parts if part.name == "optimizers")
    contrary = {task.task for task in optimizers.tasks if task.outcome == "contradicted"}
    assert contrary == {f"{data} {net}" for data in ("digits", "lines") for net in WIDE}


def test_several_models_are_refused():
    with pytest.raises(UserError, match="model: solutions of one model"):
        configure(local_optima.EXPERIMENT, {"model": ["mlp", "tests.guests:WaveNet"]})


TINY = {"learning_rate": [0.01, 0.1], "num_steps": 40, "evaluate_every": 10, "num_seeds": 1, "num_repeats": 2}


@pytest.mark.slow
def test_a_tiny_real_run(tiny):
    finding, results, text = tiny("local_optima", **TINY, tasks=["wine"], nets=[(3,)], examples=0, final_seeds=2)
    barriers = finding.tables["Barriers, shares of the loss of guessing, means"]
    assert barriers["task"].tolist() == ["wine 3"]
    assert barriers[landscape.OTHER_START].notna().all()
    assert set(finding.pictures) == {"optimizers", "starts", "better", "lines_wine"}
    assert {part.name for part in finding.verdict.parts} == set(RULES)
    assert finding.programs == 2  # of two optimizers; another order of the batches compiles nothing
    assert results.num_runs == 2 * 2 * (2 + 2)
    assert f"Verdict: {finding.verdict.outcome}" in text


REAL = {"num_steps": 100, "evaluate_every": 20, "num_repeats": 4, "final_seeds": 4, "num_seeds": 1}
NARROW_NETS = {**REAL, "tasks": ["digits", "digits_noise"], "nets": [(5, 5, 5), (6, 6, 6), (7, 7, 7)]}
LINEAR = {
    "examples": 0,
    "nets": [()],
    "tasks": ["digits", "digits_noise", "wine", "breast_cancer", "spirals", "parity"],
}
PLANTED = [
    Planted("local_optima", True, "narrow nets of three layers", NARROW_NETS, "supported", "starts"),
    Planted(
        "local_optima",
        False,
        "nets without hidden layers",
        {**REAL, **LINEAR},
        "contradicted",
    ),
]

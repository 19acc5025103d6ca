import jax
import numpy as np
import pandas as pd
import pytest

from experiments import local_optima
from jaxnets import sweep
from jaxnets.analysis import landscape, solutions
from jaxnets.basics.errors import UserError
from jaxnets.lab.experiment import configure


def tables(barrier=0.5, control=0.1, gap=0.05, starts=6):
    """Pairs with given mean barriers, and runs of which adam is best on dev."""
    rng = np.random.default_rng(0)
    kinds = {solutions.OTHER_OPTIMIZER: barrier, solutions.OTHER_SHUFFLE: control}
    pairs = [
        {"kind": kind, "start": start, "share": 0.0, "barrier": height * rng.uniform(0.9, 1.1)}
        for start in range(starts)
        for kind, height in kinds.items()
    ]
    runs = []
    for seed in range(starts):
        for number, name in enumerate(("adam", "sgd")):
            test_loss = 0.1 + number * (gap + 0.01 * (-1) ** seed)
            run = {"run": len(runs), "optimizer": name, "learning_rate": 0.1, "seed": seed, "status": "finished"}
            losses = {"dev_loss": 0.1 * (number + 1), "test_loss": test_loss}
            runs.append(run | losses | {"dev_accuracy": 0.9, "test_accuracy": 0.9})
    return {"pairs": pd.DataFrame(pairs), "runs": pd.DataFrame(runs)}


OUTCOMES = [
    ({}, "supported"),
    ({"barrier": 0.001, "control": 0.0}, "not supported"),
    ({"control": 0.9}, "not supported"),
    ({"gap": -0.05}, "not supported"),
    ({"starts": 1}, "inconclusive"),
    ({"gap": 0.001}, "inconclusive"),
]


@pytest.mark.parametrize(("changed", "outcome"), OUTCOMES)
def test_the_verdict_follows_its_rule(changed, outcome):
    assert local_optima.verdict(tables(**changed)).outcome == outcome


def test_without_a_pair_that_can_be_compared_nothing_is_said():
    nothing = {**tables(), "pairs": solutions.pairs({}, {}, None, align=True)}
    outcomes = [part.outcome for part in local_optima.verdict(nothing).parts]
    assert outcomes[:2] == ["inconclusive", "inconclusive"]


@pytest.mark.parametrize("values", [{"hidden_units": [8, 16]}, {"activation": ["relu", "tanh"]}])
def test_several_architectures_are_refused(values):
    (name,) = values
    with pytest.raises(UserError, match=f"{name}: solutions of one architecture"):
        configure(local_optima.EXPERIMENT, values)


@pytest.mark.slow
def test_optimizers_start_alike_and_another_shuffle_only_changes_the_batches():
    nets = {"hidden_units": 8, "learning_rate": 0.01, "num_epochs": 1, "num_seeds": 2}
    results = sweep(dataset="digits", optimizer=["sgd", "adam"], keep="last", progress=False, **nets)
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
    nets = {"hidden_units": 8, "learning_rate": 0.01, "num_epochs": 1, "num_seeds": 3, "optimizer": ["sgd", "adam"]}
    finding, results, text = tiny("local_optima", **nets, pairs=2)
    pairs = finding.tables["Pairs of solutions, means"]
    kinds = [getattr(solutions, name) for name in ("OTHER_OPTIMIZER", "OTHER_SHUFFLE", "OTHER_START", "ALIGNED")]
    assert set(pairs["kind"]) == set(kinds)
    distance = pairs.groupby("kind")["relative distance"].first().astype(float)
    assert distance[solutions.ALIGNED] < distance[solutions.OTHER_START]
    assert set(finding.pictures) == {"lines", "losses"}
    assert len(results.runs) == 6
    assert f"Verdict: {finding.verdict.outcome}" in text

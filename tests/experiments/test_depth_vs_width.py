import jax
import numpy as np
import optax
import pandas as pd
import pytest

from jaxnets.analysis import parameters
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from jaxnets.errors import UserError
from jaxnets.experiments import depth_vs_width
from jaxnets.runs.experiment import configure
from tests.experiments.planted import Planted


def behind_the_first(learning_rate):
    """Adam for the hidden layers behind the first; the first and the last stay as they start."""

    def label(path, leaf):
        name = str(path[0].key)
        return "moves" if name.startswith("Linear_") and name != "Linear_0" else "stays"

    parts = {"moves": optax.adam(learning_rate), "stays": optax.set_to_zero()}
    return optax.multi_transform(parts, lambda params: jax.tree_util.tree_map_with_path(label, params))


SMALL = {"tasks": ["wine", "breast_cancer"], "num_repeats": 4, "final_seeds": 4, "learning_rate": 0.03}
GUEST = f"{__name__}:behind_the_first"
PLANTED = [
    Planted(
        "depth_vs_width",
        truth=True,
        case="an optimizer that moves only the hidden layers behind the first",
        values={**SMALL, "optimizer": GUEST},
        outcome="supported",
    ),
    Planted(
        "depth_vs_width",
        truth=False,
        case="weights start at a tenth of their size, so that signals fade with depth",
        values={**SMALL, "optimizer": "sgd", "learning_rate": 0.3, "initializer_scale": 0.1},
        outcome="contradicted",
    ),
]


def tables(ratios=(1.5,) * 6, noise=0.02, accuracy=0.03, off=0.0, edge=False, repeats=4, seeds=4):
    """Scores on tasks: on each the wider net's loss is so many times that of the deeper one."""
    rng, rows = np.random.default_rng(0), []
    for task, ratio in enumerate(ratios):
        for repeat, number in np.ndindex(repeats, seeds):
            for net, log, gain in (("deeper", 0.0, accuracy), ("wider", np.log(ratio), 0.0)):
                run = {"task": str(task), "repeat": repeat, "seed": number, "number": number, "method": net}
                facts = {"layers": 2, "hidden_units": "8", "learning_rate": 0.1, "edge": edge, "test_share": 0.0}
                scores = {
                    "test_loss": 0.2 * np.exp(log + noise * rng.normal()),
                    "test_accuracy": 0.8 + gain + noise * rng.normal(),
                }
                rows.append(run | facts | scores | {"examples": 400, "status": "finished"})
    sizes = [{"task": str(task), "layers": 2, "off": off, "extra parameters": 100} for task in range(len(ratios))]
    return {"scores": pd.DataFrame(rows), "sizes": pd.DataFrame(sizes)}


CASES = [
    ({}, {"verdict": SUPPORTED, "test_accuracy": INCONCLUSIVE, "others": SUPPORTED}),
    ({"accuracy": 0.1}, {"test_accuracy": SUPPORTED}),
    ({"ratios": (1.5,) * 5 + (1.0,)}, {"verdict": SUPPORTED}),  # often is not always
    ({"ratios": (0.7,) * 6}, {"verdict": CONTRADICTED, "test_loss": CONTRADICTED}),
    ({"ratios": (1.5, 0.7, 1.0, 1.0, 1.0, 1.0)}, {"verdict": MIXED}),
    ({"ratios": (1.0,) * 6}, {"verdict": INCONCLUSIVE}),
    ({"ratios": (1.05,) * 6}, {"verdict": INCONCLUSIVE}),  # less than of interest
    ({"noise": 2.0}, {"verdict": INCONCLUSIVE}),
    ({"edge": True}, {"verdict": INCONCLUSIVE}),
    (
        {"accuracy": -0.1, "off": 0.05},
        {"test_loss": SUPPORTED, "test_accuracy": CONTRADICTED, "same_size": CONTRADICTED},
    ),
]


def test_several_models_are_refused():
    with pytest.raises(UserError, match="one model"):
        configure(depth_vs_width.EXPERIMENT, {"model": ["mlp", "dan"]})


def test_a_tiny_real_run(tiny):
    values = {"tasks": ["wine"], "learning_rate": [0.01, 0.03], "num_repeats": 2, "final_seeds": 2}
    finding, results, _ = tiny("depth_vs_width", **values, layers=1, width=8)
    (table,) = finding.tables.values()
    assert set(table["hidden units"]) == {"8x8", "12"}
    deeper, wider = (sum(parameters.mlp(13, units, 3).values()) for units in ((8, 8), (12,)))
    assert (deeper, wider) == (211, 207)  # the next width, 13, has 224
    assert results.num_runs == 2 * 2 * 2 + 2 * 2 * 2
    assert set(finding.pictures) == {"test_loss", "test_accuracy"}
    assert finding.verdict.outcome == "inconclusive"  # one task is no "often"

from functools import partial
from unittest import mock

import jax
import numpy as np
import pandas as pd
import pytest

from jaxnets.analysis import landscape
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from jaxnets.errors import UserError
from jaxnets.experiments import computing_gradients
from jaxnets.runs.experiment import configure
from tests.experiments import planted
from tests.experiments.planted import Planted


def tables(share=0.01, power=2.0, cost=2.5, growth=0.0, repeats=8, noise=0.01, operations=2.5, small=0.0, first=1.0):
    steps, wiggle = np.logspace(-5, -1, 17), 1 + 0.01 * (-1.0) ** np.arange(17)
    rounding = 1e-11 / steps
    errors = [
        pd.DataFrame({"kind": kind, "step": steps, "error": steps**order * wiggle + small * rounding})
        for kind, order in (("central", power), ("one-sided", first))
    ]
    rng, times = np.random.default_rng(0), []
    for width in (32, 64, 128):
        for repeat in range(repeats):
            ratio = cost * (width / 32) ** (2 * growth) * np.exp(noise * rng.normal(size=9))
            net = {"width": width, "parameters": width**2, "forward": 1.0, "operations": operations, "repeat": repeat}
            times.append(pd.DataFrame(net | {"gradient": ratio, "round": range(9)}))
    nets = pd.DataFrame({"error": [1e-7, 1e-7], "share": [0.001, share]})
    errors = pd.concat(errors).assign(rounding=np.tile(rounding, 2))
    return {"nets": nets, "errors": errors, "times": pd.concat(times)}


CASES = [
    ({}, {"verdict": SUPPORTED, "repeats": 8, "others": SUPPORTED}),
    ({"share": 1.5}, {"verdict": MIXED, "exact": CONTRADICTED}),
    ({"share": np.nan}, {"verdict": INCONCLUSIVE}),
    ({"cost": 9}, {"verdict": MIXED, "cost": CONTRADICTED}),
    ({"cost": 9, "share": 1.5}, {"verdict": CONTRADICTED}),
    ({"growth": 0.4}, {"verdict": MIXED, "growth": CONTRADICTED}),  # the largest net takes 7.6 passes
    ({"cost": 4.9, "noise": 0.5}, {"verdict": INCONCLUSIVE}),
    ({"operations": 5}, {"operations": CONTRADICTED}),
    ({"operations": np.nan}, {"operations": INCONCLUSIVE}),
    ({"power": 1.0}, {"central": CONTRADICTED}),
    ({"first": 2.0}, {"one-sided": CONTRADICTED}),
    ({"small": 0.9}, {"small_steps": SUPPORTED}),
    ({"small": 3.0}, {"small_steps": CONTRADICTED}),
]


@pytest.mark.parametrize("values", [{"activation": "relu"}, {"head": "sigmoid"}, {"model": "dan"}])
def test_other_nets_are_refused(values):
    with pytest.raises(UserError, match=rf"^{next(iter(values))}: "):
        configure(computing_gradients.EXPERIMENT, values)


TINY = {"hidden_units": 4, "places": 5, "widths": [8, 32], "repetitions": 3, "num_repeats": 2}


def test_a_tiny_real_run(tiny):
    finding, _, _ = tiny("computing_gradients", **TINY)
    found = {part.name: part.outcome for part in finding.verdict.parts}
    assert [found[name] for name in ("exact", "operations", "central", "one-sided", "small_steps")] == ["supported"] * 5
    assert set(finding.pictures) == {"error", "cost"}


def with_a_wrong_slope():
    """Autodiff of a loss whose backward pass is off by a hundredth."""
    right = landscape.mean_loss

    def wrong(*arguments):
        value = right(*arguments)
        return value + 0.01 * (value - jax.lax.stop_gradient(value))

    with mock.patch.object(landscape, "mean_loss", wrong):
        return planted.run("computing_gradients", **TINY)[0]


def forward_over_all_parameters():
    """The gradient in forward mode: a pass for each parameter."""
    right = jax.value_and_grad

    def value_and_grad(loss, **options):
        if options:  # as training asks for it
            return right(loss, **options)
        return lambda *arguments: (loss(*arguments), jax.jacfwd(loss)(*arguments))

    with mock.patch.object(jax, "value_and_grad", value_and_grad):
        return planted.run("computing_gradients", **{**TINY, "widths": 8, "num_repeats": 4})[0]


planted_case = partial(Planted, claim="computing_gradients", values={}, truth=False, outcome="contradicted")
PLANTED = [
    Planted(
        "computing_gradients",
        True,
        "small nets",
        {**TINY, "widths": 16, "num_repeats": 8, "repetitions": 5},
        "supported",
    ),
    planted_case(case="a backward pass that is off by 1%", part="exact", finding=with_a_wrong_slope),
    planted_case(case="forward mode, a pass for each parameter", part="cost", finding=forward_over_all_parameters),
]

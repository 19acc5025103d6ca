from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn

from jaxnets.analysis import timing
from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, SUPPORTED
from jaxnets.models.blocks import Linear
from tests.experiments import planted
from tests.experiments.planted import Planted

LOSSES = {"sigmoid": 0.4, "centred sigmoid": 0.3, "tanh + 1": 0.3, "tanh": 0.2, "relu": 0.2}


def tables(num_tasks=8, edge=False, noise=0.02, relu_time=0.5, step=None, **losses):
    """Scores of a comparison in which every task is alike, and times in rounds."""
    rng, rows = np.random.default_rng(0), []
    for place in range(num_tasks):
        for name, loss in {**LOSSES, **losses}.items():
            for layers in (1, 4) if place == 0 else (1,):
                of_net = {
                    "task": f"task {place}",
                    "method": f"{name} | {layers}",
                    "learning_rate": 0.1,
                    "edge": edge,
                }
                value = loss * (2 if layers == 4 and "sigmoid" in name else 1)
                rows += [
                    of_net | {"repeat": repeat, "number": number, "test_loss": value * np.exp(noise * rng.normal())}
                    for repeat in range(4)
                    for number in range(2)
                ]
    scores = pd.DataFrame(rows).assign(test_accuracy=0.9, examples=200, test_share=0.0)
    scores = scores.assign(seed=scores["number"])
    wiggle = 1 + np.linspace(-0.02, 0.02, 8)
    times = pd.DataFrame({"sigmoid": wiggle, "tanh": wiggle, "relu": relu_time * wiggle[::-1]})
    return {
        "scores": scores,
        "times": times,
        "steps": times.assign(relu=wiggle[::-1] if step is None else step * wiggle),
    }


CASES = [
    ({}, {"verdict": SUPPORTED, "others": SUPPORTED}),  # (4/3 over 3/2) of the loss is left: a factor of 9/8
    ({"tanh": 0.8}, {"verdict": MIXED, "tanh": CONTRADICTED, "slope": CONTRADICTED, "interaction": CONTRADICTED}),
    ({"tanh": 0.4}, {"tanh": INCONCLUSIVE}),
    ({"relu": 0.8}, {"verdict": MIXED, "relu": CONTRADICTED}),
    ({"relu": 0.4}, {"relu": INCONCLUSIVE}),
    ({"centred sigmoid": 0.8, "tanh": 0.8}, {"centring": CONTRADICTED}),
    ({"centred sigmoid": 0.4, "tanh": 0.3}, {"centring": INCONCLUSIVE}),
    ({"relu_time": 2.0}, {"verdict": MIXED, "fast": CONTRADICTED}),
    ({"relu_time": 1.0}, {"verdict": INCONCLUSIVE, "fast": INCONCLUSIVE}),
    ({"step": 1.0}, {"step": INCONCLUSIVE}),
    (
        {"sigmoid": 0.4, "centred sigmoid": 0.4, "tanh + 1": 0.2, "tanh": 0.2},
        {"tanh": SUPPORTED, "centring": INCONCLUSIVE, "slope": SUPPORTED},
    ),
    ({"edge": True}, {"tanh": INCONCLUSIVE, "deeper": INCONCLUSIVE}),
    ({"num_tasks": 1}, {"verdict": INCONCLUSIVE}),  # one task is not most tasks
]


SMALL = {"num_repeats": 2, "final_seeds": 2, "num_seeds": 1, "repetitions": 4, "size": 1024}


def test_a_tiny_real_run(tiny):
    nets = {"hidden_units": 8, "num_steps": 20, "learning_rate": [0.1, 0.3, 1.0], "batch_size": 32}
    finding, results, _ = tiny("activations", **nets, **SMALL)
    scores = pd.read_parquet(results.directory / "scores.parquet")
    assert set(scores["method"]) == {f"{name} | 1" for name in LOSSES}
    assert len(scores) == 5 * 2 * 2
    assert set(finding.pictures) == {"tanh", "relu", "centring", "slope", "times"}


class OnlyCentred(nn.Module):
    """Nets of tanh, of which those that are not centred give nothing of their inputs."""

    num_outputs: int
    hidden_units: tuple = (8,)
    gain: float = 1.0
    centre: float = 0.0

    def alive(self):
        return 2 * self.centre

    @nn.compact
    def __call__(self, inputs, *, train=False):
        hidden = inputs
        for width in self.hidden_units:
            hidden = self.alive() * jnp.tanh(Linear(width)(hidden))
        return Linear(self.num_outputs, name="output")(hidden)


class NeverCentred(OnlyCentred):
    """Nets of tanh, of which those that are centred give nothing of their inputs."""

    def alive(self):
        return 1 - 2 * self.centre


def slow(x):
    """A ramp that takes its time."""
    return jnp.maximum(x, 0) + 1e-9 * jnp.sin(jnp.exp(jnp.sin(jax.nn.sigmoid(jnp.tanh(x)))))


def with_a_slow_ramp():
    """The times where the function that stands for ReLU is a slow one."""
    with mock.patch.object(timing, "FUNCTIONS", {**timing.FUNCTIONS, "relu": slow}):
        return planted.run("activations", **FAST)[0]


EASY = {
    "tasks": ["digits", "digits_noise", "wine", "breast_cancer", "teacher_student", "deep_narrow_digits"],
    "layers": [1],
    "most_steps": 40,
    "learning_rate": 0.3,
    "num_repeats": 8,
    "final_seeds": 1,
    "repetitions": 4,
    "size": 1024,
}
FAST = {
    "model": "mlp",
    "hidden_units": 4,
    "num_steps": 2,
    "learning_rate": 0.1,
    "num_repeats": 2,
    "final_seeds": 1,
    "repetitions": 30,
}
PLANTED = [
    Planted(
        "activations",
        True,
        "only centred nets learn",
        {**EASY, "model": f"{__name__}:OnlyCentred"},
        "supported",
        "centring",
    ),
    Planted(
        "activations",
        False,
        "only nets that are not centred learn",
        {**EASY, "model": f"{__name__}:NeverCentred"},
        "contradicted",
        "tanh",
    ),
    Planted("activations", True, "the functions as they are", FAST, "supported", "fast"),
    Planted("activations", False, "a slow ramp in ReLU's place", {}, "contradicted", "fast", with_a_slow_ramp),
]

"""Sigmoid, tanh and ReLU on tasks and by depth; what centring and slope have to do with it, and what each costs."""

import numpy as np
import pandas as pd

from jaxnets.analysis import timing
from jaxnets.claims import effects, measures
from jaxnets.claims.verdicts import EMPIRICAL, Rule
from jaxnets.config.values import log_range
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, of_depths, short_and_deep
from jaxnets.stats import estimates

CLAIM = "Tanh and ReLU are better than sigmoid: tanh because it is centred, and ReLU is fast."

CORNERS = {(1, 0): "sigmoid", (1, 0.5): "centred sigmoid", (2, 0): "tanh + 1", (2, 0.5): "tanh"}
"""The names of `scaled_sigmoid` by gain and centre: slope 1/4 or 1 at zero, centred or not."""
CENTRING = {"sigmoid": 0.5, "tanh + 1": 0.5, "centred sigmoid": -0.5, "tanh": -0.5}
SLOPE = {"sigmoid": 0.5, "centred sigmoid": 0.5, "tanh + 1": -0.5, "tanh": -0.5}
BOTH = {"sigmoid": -1, "centred sigmoid": 1, "tanh + 1": 1, "tanh": -1}

LOSS = {"kind": EMPIRICAL, "bound": float(np.log(1.1)), "unit": "log×"}
ON_TASKS = {
    **LOSS,
    "over": "most",
    "reason": "Other splits and seeds move a test loss by as much.",
    "power": "A factor of 1.4 on a task of middling spread is found in four of five repetitions.",
}
RULES = {
    "tanh": Rule(statement="A net of sigmoids ends at a higher test loss than one of tanh (ratio).", **ON_TASKS),
    "relu": Rule(statement="A net of sigmoids ends at a higher test loss than one of ReLUs (ratio).", **ON_TASKS),
    "centring": Rule(
        statement="At equal slope a function that is not centred ends at a higher test loss than one that is: the "
        "mean over both slopes.",
        **ON_TASKS,
    ),
    "fast": Rule(
        statement="Forward and backward, ReLU takes less time than the faster of tanh and sigmoid.",
        kind=EMPIRICAL,
        bound=float(np.log(1.25)),
        unit="log×",
        reason="Another compiler moves the time of one function by as much.",
        power="60 rounds find a factor of 1.5, on a machine that has other work to do.",
    ),
    "slope": Rule(
        statement="At equal centring a slope of 1/4 ends at a higher test loss than one of 1: the mean over both.",
        core=False,
        **ON_TASKS,
    ),
    "interaction": Rule(
        statement="Centring lowers the loss by a larger factor at slope 1 than at slope 1/4.",
        core=False,
        **{**ON_TASKS, "over": "mean"},
    ),
    "deeper": Rule(
        statement="On digits tanh is further ahead of the sigmoid in the deepest net than in that of one layer.",
        core=False,
        reason=ON_TASKS["reason"],
        power="A factor of 1.8 is found in four of five repetitions.",
        **LOSS,
    ),
    "step": Rule(
        statement="A whole step of training takes the same time with ReLU as with tanh.",
        kind=EMPIRICAL,
        core=False,
        test="within",
        bound=float(np.log(1.1)),
        unit="log×",
        reason="A tenth of the time of a step changes no plan.",
        power="Steps that take equally long are found to in four of five repetitions on an idle machine.",
    ),
}


def measure(results):
    """The functions tuned alike on each task; the time of each with its derivative, and of a step with each."""
    values = results.config.values()
    family = {name: values[name] for name in ("model", "activation", "gain", "centre") if name in values}
    comparison = results.comparison(
        lambda runs: measures.with_layers(_names(runs), runs["hidden_units"]),
        score="dev_loss",
        changes=short_and_deep(results.options),
        **family,
    ).comparison
    rounds, size = results.options["repetitions"], results.options["size"]
    return {
        "scores": effects.scores(comparison),
        "times": timing.in_turns(timing.activation_calls(size), rounds, inner=5),
        "steps": timing.in_turns(timing.step_calls(width=64, examples=64), rounds, inner=5),
    }


def _names(runs):
    """The function of each run: a corner of the square, or the activation of a plain MLP by its own name."""
    own = runs.reindex(columns=["gain", "centre", "activation"])
    names = [CORNERS.get(corner) for corner in zip(own["gain"], own["centre"], strict=True)]
    plain = [str(activation).rpartition(":")[2] for activation in own["activation"]]
    return pd.Series(names, runs.index, dtype=object).fillna(pd.Series(plain, runs.index))


def evidence(tables):
    """Logarithms of ratios of test losses, by repeat and seed; of times, by round."""
    scored = measures.by_depth(tables["scores"])
    on_tasks = scored[scored["flattest"]]
    weights = {"tanh": {"sigmoid": 1, "tanh": -1}, "relu": {"sigmoid": 1, "relu": -1}}
    weights |= {"centring": CENTRING, "slope": SLOPE, "interaction": BOTH}
    found = {name: effects.contrast(on_tasks, "test_loss", of_rule, log=True) for name, of_rule in weights.items()}
    times, steps = np.log(tables["times"]), np.log(tables["steps"])
    rounds = {"fast": times[["tanh", "sigmoid"]].min(axis=1) - times["relu"], "step": steps["tanh"] - steps["relu"]}
    found |= {name: pd.DataFrame({"round": of.index, "effect": of}) for name, of in rounds.items()}
    ends = measures.deepest_against_flattest(tables["scores"], weights["tanh"])
    return found | {"deeper": effects.contrast(tables["scores"], "test_loss", ends, log=True)}


def summary(tables):
    """Losses and accuracies at the best learning rate, and times."""
    columns = {"times": "function alone, with its derivative", "steps": "whole step"}
    times = pd.DataFrame({title: tables[name].median() * 1e6 for name, title in columns.items()})
    return {
        "On each task, each function at its best learning rate": measures.means_by_depth(tables["scores"]),
        "Time (µs, median)": times.rename_axis("function").reset_index(),
    }


def pictures(tables):
    """Loss by depth, and times."""
    scored = measures.by_depth(tables["scores"])
    deep = scored[scored["layers"].groupby(tables["scores"]["task"]).transform("nunique") > 1]
    return ({"depth": _depth_picture(deep)} if len(deep) else {}) | {"times": _times_picture(tables["times"])}


def _depth_picture(scored):
    labels = {"xlabel": "hidden layers", "ylabel": "test loss", "yscale": "log", "legend": "function"}
    means = scored.groupby(["method", "layers", "repeat"], sort=False)["test_loss"].mean().reset_index()
    figure = figures.lines(means, "layers", "test_loss", "method", **labels)
    return Picture(figure, "Test loss by depth, each at its best learning rate. Bands: 95% intervals over repeats.")


def _times_picture(times):
    means = {name: estimates.mean(seconds * 1e6, estimates.POSITIVE) for name, seconds in times.items()}
    figure = figures.dots(means, xlabel="time with derivative (µs)")
    return Picture(figure, "Time of each function alone, both ways. Bars: 95% intervals over rounds.")


EXPERIMENT = Claim(
    name="activations",
    about=CLAIM,
    lecture="Tanh and ReLU are often preferred to the sigmoid: tanh since its output is centred on zero, ReLU since it "
    "is very fast.",
    measured="Test loss on eight tasks of the sigmoid, tanh, ReLU and the two functions between the first two, one "
    "centred and one steep; each tries the same learning rates in each repeat, the dev loss chooses, and fresh seeds "
    "measure. The time of each function with its derivative, in paired rounds.",
    rules=RULES,
    takes="features",
    needs=("hidden_units",),
    defaults={
        "model": ["jaxnets.models.mlp:SigmoidMLP", "mlp"],
        "activation": "relu",
        "gain": [1.0, 2.0],
        "centre": [0.0, 0.5],
        "initializer": "xavier",
        "optimizer": "sgd",
        "learning_rate": log_range(1e-2, 30, 8),
        "num_repeats": 8,
    },
    quick={"tasks": ["digits", "wine", "spirals", "teacher_student"], "layers": [1, 4], "num_repeats": 4},
    options=(
        *of_depths(1, 2, 4, final_seeds=4),
        Option("repetitions", 60, "Rounds of timing.", least=1),
        Option("size", 2**18, "Numbers that a function is timed on.", least=1, most=2**26),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "tanh": "ratio of test losses",
        "relu": "ratio of test losses",
        "centring": "ratio of test losses",
        "slope": "ratio of test losses",
    },
    pictures=pictures,
)

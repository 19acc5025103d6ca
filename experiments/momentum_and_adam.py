"""Momentum and Adam against SGD: loss and steps at an equal tuning budget on tasks, and paths over landscapes."""

import numpy as np
import pandas as pd

from jaxnets.analysis import landscape
from jaxnets.claims import effects, reaching
from jaxnets.claims.verdicts import CONSTRUCTED, EMPIRICAL, Fact, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.plugins import OPTIMIZER
from jaxnets.report import figures
from jaxnets.report.figures import COLOURS, Picture
from jaxnets.runs.experiment import Claim, Option, of_suite
from jaxnets.stats import estimates, selection

CLAIM = "Momentum and adaptive learning rates improve on SGD."

BRIGHT = [COLOURS[number] for number in (1, 5, 3, 2)]  # seen on any height of a landscape

ON_TASKS = {
    "kind": EMPIRICAL,
    "over": "most",
    "bound": float(np.log(1.1)),
    "unit": "log×",
    "reason": "Other seeds of the tuning move a loss by as much.",
    "power": "On a task of middling spread a factor of 2.4 in loss, 1.4 in steps, shows in four of five repetitions.",
}
WIDTH = {
    **ON_TASKS,
    "core": False,
    "bound": 0.25,
    "unit": "decades",
    "reason": "It is less than the step of the rates that are tried.",
    "power": "Half a decade on a task of middling spread is found in four of five repetitions.",
}
RULES = {
    "momentum_loss": Rule(statement="SGD ends at a higher training loss than momentum (ratio).", **ON_TASKS),
    "momentum_steps": Rule(statement="SGD takes more steps than momentum to the loss at which it ends.", **ON_TASKS),
    "adam_loss": Rule(statement="SGD ends at a higher training loss than Adam (ratio).", **ON_TASKS),
    "adam_steps": Rule(statement="SGD takes more steps than Adam to the loss at which it ends.", **ON_TASKS),
    "momentum_width": Rule(statement="More learning rates are good for momentum than for SGD.", **WIDTH),
    "adam_width": Rule(statement="More learning rates are good for Adam than for SGD.", **WIDTH),
    "landscapes": Rule(
        statement="On landscapes momentum and Adam get to the low ground at more learning rates than SGD.",
        kind=CONSTRUCTED,
        core=False,
        test="exact",
    ),
}


def measure(results):
    """The optimizers tuned alike on each task; and their paths over the landscapes, each at its fastest rate."""
    comparison = results.comparison(method, score="train_loss").comparison
    rates = np.geomspace(1e-3, 10, results.options["rates"])
    optimizers = {OPTIMIZER.find(value).name.rpartition(":")[2]: value for value in choices(results.config.optimizer)}
    return {
        "scores": effects.steps_to(comparison, effects.scores(comparison), "sgd"),
        "losses": reaching.losses(comparison),
        "paths": landscape.best_paths({"sgd": "sgd", **optimizers}, rates, results.options["steps"]),
        "heights": pd.concat([landscape.heights(name) for name in landscape.LANDSCAPES]),
    }


def method(runs):
    """The optimizer of each run; momentum of 0 is SGD, so that both are one program."""
    names = runs["optimizer"].astype(str).str.rpartition(":")[2]
    return names.mask((names == "momentum") & (runs["momentum"] == 0), "sgd") if "momentum" in runs else names


def evidence(tables):
    """Ratios of the losses at the end, and of the steps to that of SGD, by seed; widths by repeat; counts of rates."""
    widths = selection.widths(tables["losses"], "method")
    found = {
        f"{name}_{what}": effects.contrast(tables["scores"], column, {"sgd": 1, name: -1}, log=True)
        for name in ("momentum", "adam")
        for what, column in (("loss", "train_loss"), ("steps", "steps"))
    }
    found |= {f"{name}_width": effects.contrast(widths, "width", {name: 1, "sgd": -1}) for name in ("momentum", "adam")}
    counts = arriving(tables)
    others = [name for name in counts if name != "sgd"]
    more = int((counts[others].gt(counts["sgd"], axis=0)).sum().sum())
    text = f"in {more} of {counts[others].size} cases"
    return found | {"landscapes": Fact(more * 2 > counts[others].size if others else None, text)}


def arriving(tables):
    """How many rates arrive at the low ground, landscape by optimizer."""
    return tables["paths"].groupby(["landscape", "optimizer"], sort=False)["arriving"].first().unstack(sort=False)


def summary(tables):
    """Losses, steps and accuracies on each task, and what arrives on the landscapes."""
    names = {"train_loss": "training loss", "steps": "steps to SGD's end"}
    keys = ["task", "method"]
    groups = tables["scores"].groupby(keys, sort=False)
    widths = selection.widths(tables["losses"], "method").groupby(keys, sort=False)["width"].mean()
    means = groups[list(names)].mean().join(groups["learning_rate"].median().rename("learning rate (median)"))
    first = tables["paths"].groupby(["landscape", "optimizer"], sort=False)["arrival"].first().unstack(sort=False)
    shown = means.join(widths.rename("good rates (decades)")).rename(columns=names).reset_index()
    return {
        "On each task, each optimizer at its best learning rate": shown.rename(columns={"method": "optimizer"}),
        "Learning rates that arrive at the low ground": arriving(tables).reset_index(),
        "Steps to it, at the fastest of them": first.map(_count).reset_index(),
    }


def _count(steps):
    return f"{steps:.0f}" if np.isfinite(steps) else "never"


def pictures(tables):
    """Loss over the learning rate, and the landscapes with the paths."""
    drawn = {"rates": _rates_picture(tables["losses"])}
    for name, heights in tables["heights"].groupby("landscape", sort=False):
        walked = tables["paths"][tables["paths"]["landscape"] == name]
        drawn[name.replace(" ", "_")] = _landscape_picture(name, heights, walked)
    return drawn


def _rates_picture(losses):
    """The mean over tasks of the training loss over that of guessing."""
    parts = losses.assign(part=losses["loss"] / losses["chance"])
    means = parts.groupby(["task", "method", "learning_rate"], sort=False)["part"].mean().reset_index()
    labels = {"xscale": "log", "xlabel": "learning rate", "ylabel": "training loss / that of guessing"}
    look = {"legend": "optimizer", "kind": estimates.POSITIVE}
    figure = figures.lines(means, "learning_rate", "part", "method", **look, **labels)
    return Picture(figure, "Training loss over the learning rate: 1 is guessing. Bands: 95% intervals over tasks.")


def _landscape_picture(name, heights, walked):
    named = walked["optimizer"] + ": " + walked["arrival"].map(_count)
    ways = figures.path(walked.assign(named=named), "x", "y", "named", BRIGHT, "steps")
    figure = figures.plane(heights, "height", *ways, title=name, label="height", levels=20)
    caption = f"The {name}: each optimizer from the same start, at the rate with which it gets to the low ground in"
    return Picture(figure, f"{caption} the fewest steps.")


EXPERIMENT = Claim(
    name="momentum_and_adam",
    about=CLAIM,
    lecture="Momentum and adaptive learning rates help gradient descent past local minima and over surfaces that are "
    "not convex.",
    measured="Training loss after as many steps, and the steps to the loss at which SGD ends, on eight tasks; every "
    "optimizer tries the same learning rates in each repeat, the training loss chooses, and fresh seeds measure. "
    "Beside it, the decades of rates that lose at most a tenth of the gain over guessing.",
    rules=RULES,
    takes="features",
    defaults={
        "optimizer": ["momentum", "adam"],
        "momentum": [0.0, 0.9],
        "learning_rate": log_range(1e-3, 10, 11),
        "num_repeats": 8,
    },
    quick={"tasks": ["digits", "wine", "spirals", "teacher_student"], "num_repeats": 4},
    options=(
        *of_suite(
            *("digits", "digits_noise", "deep_narrow_digits", "breast_cancer"),
            *("wine", "spirals", "parity", "teacher_student"),
            final_seeds=4,
        ),
        Option("rates", 40, "Learning rates that are tried on each landscape.", least=1),
        Option("steps", 400, "Steps on each landscape.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "momentum_loss": "SGD over the other",
        "adam_loss": "SGD over the other",
        "adam_width": "decades more than SGD",
    },
    pictures=pictures,
)

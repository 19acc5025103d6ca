"""Momentum and Adam against SGD: loss and steps at an equal tuning budget on tasks, and paths over landscapes."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import paths
from jaxnets.config.values import log_range
from jaxnets.evidence import effects
from jaxnets.evidence.judging import Fact
from jaxnets.evidence.rules import CONSTRUCTED, EMPIRICAL, Rule
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option, of_suite
from jaxnets.report import charts
from jaxnets.report.figures import COLOURS, MARKERS, Picture

CLAIM = "Momentum and adaptive learning rates improve on SGD."

BRIGHT = [COLOURS[number] for number in (1, 5, 3, 2)]  # seen on any height of a landscape

ON_TASKS = {
    "kind": EMPIRICAL,
    "over": "most",
    "bound": float(np.log(1.1)),
    "unit": "log×",
    "reason": "Other seeds of the tuning move a loss by as much.",
    "power": "A factor of 1.4 on a task of middling spread is found in four of five repetitions.",
}
RULES = {
    "momentum_loss": Rule(statement="SGD ends at a higher training loss than momentum (ratio).", **ON_TASKS),
    "momentum_steps": Rule(statement="SGD takes more steps than momentum to the loss at which it ends.", **ON_TASKS),
    "adam_loss": Rule(statement="SGD ends at a higher training loss than Adam (ratio).", **ON_TASKS),
    "adam_steps": Rule(statement="SGD takes more steps than Adam to the loss at which it ends.", **ON_TASKS),
    "landscapes": Rule(
        statement="On landscapes momentum and Adam get to the low ground at more learning rates than SGD.",
        kind=CONSTRUCTED,
        core=False,
        test="exact",
    ),
}


def measure(results):
    """The optimizers tuned alike on each task; and their paths over the landscapes, each at its fastest rate."""
    study = results.study("optimizer", score="train_loss").study
    scored = effects.scores(study)
    rates = np.geomspace(1e-3, 10, results.options["rates"])
    return {
        "scores": effects.steps_to(study, scored, "sgd"),
        "trials": study.runs,
        "paths": paths.best_paths(study.contestants, rates, results.options["steps"]),
        "heights": pd.concat([paths.heights(name) for name in paths.LANDSCAPES]),
    }


def evidence(tables):
    """Ratios of the losses at the end, and of the steps to that of SGD, by seed; on landscapes, counts of rates."""
    found = {
        f"{name}_{what}": effects.contrast(tables["scores"], column, {"sgd": 1, name: -1}, log=True)
        for name in ("momentum", "adam")
        for what, column in (("loss", "train_loss"), ("steps", "steps"))
    }
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
    names = {"train_loss": "training loss", "steps": "steps to SGD's end", "test_accuracy": "test accuracy"}
    rates = tables["scores"].groupby(["task", "contestant"], sort=False)["learning_rate"].median()
    means = tables["scores"].groupby(["task", "contestant"], sort=False)[list(names)].mean()
    first = tables["paths"].groupby(["landscape", "optimizer"], sort=False)["arrival"].first().unstack(sort=False)
    shown = means.join(rates.rename("learning rate (median)")).rename(columns=names).reset_index()
    return {
        "On each task, each optimizer at its best learning rate": shown.rename(columns={"contestant": "optimizer"}),
        "Learning rates that arrive at the low ground": arriving(tables).reset_index(),
        "Steps to it, at the fastest of them": first.map(_count).reset_index(),
    }


def _count(steps):
    return f"{steps:.0f}" if np.isfinite(steps) else "never"


def pictures(tables):
    """Effects on each task, loss over the learning rate, and the landscapes with the paths."""
    found = evidence(tables)
    drawn = {name: _effect_picture(found[name], name) for name in ("momentum_loss", "adam_loss")}
    for name, heights in tables["heights"].groupby("landscape", sort=False):
        walked = tables["paths"][tables["paths"]["landscape"] == name]
        drawn[name.replace(" ", "_")] = _landscape_picture(name, heights, walked)
    return drawn


def _effect_picture(table, name):
    figure = charts.on_tasks(table, RULES[name], xlabel="training loss of SGD over the other's")
    return Picture(figure, f"{RULES[name].statement} By task, over blocks. Bars: 95% intervals.")


def _landscape_picture(name, heights, walked):
    figure, axes = charts.plane(heights, "height", title=name, label="height", levels=20)
    limits = axes.get_xlim(), axes.get_ylim()
    for number, (optimizer, path) in enumerate(walked.groupby("optimizer", sort=False)):
        look = {"color": BRIGHT[number % len(BRIGHT)], "marker": MARKERS[number % len(MARKERS)], "ms": 3, "lw": 1.4}
        axes.plot(path["x"], path["y"], color="white", lw=3, alpha=0.7)
        axes.plot(path["x"], path["y"], label=f"{optimizer}: {_count(path['arrival'].iloc[0])}", **look)
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.legend(title="steps", loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
    caption = f"The {name}: each optimizer from the same start, at the rate with which it gets to the low ground in"
    return Picture(figure, f"{caption} the fewest steps.")


EXPERIMENT = Claim(
    name="momentum_and_adam",
    about=CLAIM,
    lecture="Momentum and adaptive learning rates help gradient descent past local minima and over surfaces that are "
    "not convex.",
    measured="Training loss after as many steps, and the steps to the loss at which SGD ends, on eight tasks; every "
    "optimizer tries the same learning rates in each block, the training loss chooses, and fresh seeds measure.",
    rules=RULES,
    trains=False,
    takes="features",
    defaults={
        "optimizer": ["sgd", "momentum", "adam"],
        "learning_rate": log_range(3e-4, 3, 9),
        "num_blocks": 8,
    },
    quick={"tasks": ["digits", "wine", "spirals", "teacher_student"], "num_blocks": 3},
    options=(
        *of_suite(
            *("digits", "digits_noise", "deep_narrow_digits", "wine"),
            *("mnist1d", "spirals", "parity", "teacher_student"),
            confirm_seeds=4,
        ),
        Option("rates", 40, "Learning rates that are tried on each landscape.", least=1),
        Option("steps", 400, "Steps on each landscape.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

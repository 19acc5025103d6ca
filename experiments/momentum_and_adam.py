"""Momentum and Adam against SGD: nets at an equal tuning budget, and paths over three small landscapes."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import paths
from jaxnets.config.values import log_range
from jaxnets.evidence import choosing, comparing, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import COLOURS, MARKERS, Picture

CLAIM = "Momentum and adaptive learning rates improve on SGD."

BRIGHT = [COLOURS[number] for number in (1, 5, 3, 2)]  # seen on any height of a landscape


def measure(results):
    """The paths of the optimizers over the landscapes, each at the rate with which it arrives first."""
    names = list(dict.fromkeys(["sgd", *results.runs["optimizer"]]))
    rates = np.geomspace(1e-3, 10, results.options["rates"])
    walked = paths.best_paths(names, rates, results.options["steps"])
    return {"paths": walked, "heights": pd.concat([paths.heights(name) for name in paths.LANDSCAPES])}


def confirmed(tables):
    """The runs of each optimizer at its best rate by dev loss, on fresh seeds; those that diverged count."""
    return choosing.with_failures(choosing.confirmed(tables["runs"], ["optimizer"], score="dev_loss"))


def arrivals(tables):
    """Steps to the low ground, landscape by optimizer; infinite for never."""
    return tables["paths"].groupby(["landscape", "optimizer"], sort=False)["arrival"].first().unstack(sort=False)


def summary(tables):
    """Nets at their best rates, and steps on the landscapes."""
    names = {
        "learning_rate": "learning rate",
        "train_loss": "training loss",
        "test_loss": "test loss",
        "test_accuracy": "test accuracy",
    }
    how = {"learning_rate": "first", "train_loss": "mean", "test_loss": "mean", "test_accuracy": "mean"}
    nets = confirmed(tables).groupby("optimizer", sort=False).agg(how)
    return {
        "Nets, each optimizer at its best learning rate": nets.reset_index().rename(columns=names),
        "Steps to the low ground": arrivals(tables).map(_count).reset_index(),
    }


def _count(steps):
    return f"{steps:.0f}" if np.isfinite(steps) else "never"


def verdict(tables):
    """By the test loss on fresh seeds, at rates chosen by dev loss from as many; and by steps on the landscapes.

    On the landscapes an optimizer improves on SGD if it arrives sooner on at least two of three.
    """
    runs, steps, parts = confirmed(tables), arrivals(tables), []
    losses = choosing.paired(runs, "optimizer", "test_loss")
    for name in sorted(set(runs["optimizer"]) - {"sgd"}):
        gain, sooner = comparing.gain(losses, name, "sgd"), int((steps[name] < steps["sgd"]).sum())
        on_most, count = sooner * 3 >= len(steps) * 2, f"on {sooner} of {len(steps)}"
        parts += [
            verdicts.less_than(f"With {name} nets end at a lower test loss than with sgd.", gain, 0, unit="nats"),
            verdicts.exact(f"On the landscapes {name} arrives sooner.", on_most, count, "it does on two of three"),
        ]
    return verdicts.verdict(*parts or [verdicts.exact("Something beats sgd.", None, "nothing was compared", "it does")])


def pictures(tables):
    """Loss over the learning rate, and the three landscapes with the paths."""
    drawn = {"rates": _rates_picture(tables["runs"])}
    for name, heights in tables["heights"].groupby("landscape", sort=False):
        walked = tables["paths"][tables["paths"]["landscape"] == name]
        drawn[name] = _landscape_picture(name, heights, walked)
    return drawn


def _rates_picture(runs):
    labels = {"xlabel": "learning rate", "ylabel": "test loss (nats)"}
    figure, _ = charts.lines(runs, "learning_rate", "test_loss", "optimizer", xscale="log", yscale="log", **labels)
    caption = "Test loss over the learning rate, after as many steps. Bands: 95% intervals over seeds."
    return Picture(figure, caption)


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
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": (64, 64, 64),
        "optimizer": ["sgd", "momentum", "adam"],
        "learning_rate": log_range(3e-4, 1, 8),
        "num_epochs": 5,
        "num_seeds": 24,
    },
    options=(
        Option("rates", 40, "Learning rates that are tried on each landscape.", least=1),
        Option("steps", 400, "Steps on each landscape.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

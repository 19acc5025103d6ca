"""Momentum and Adam against SGD: nets at an equal tuning budget, and paths over three small landscapes."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "Momentum and adaptive learning rates improve on SGD."

DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64x64x64",
    "optimizer": "sgd,momentum,adam",
    "learning_rate": "log:3e-4:1:8",
    "num_epochs": "5",
    "num_seeds": "24",
}

FLAGS = {
    "rates": ("40", "Learning rates that are tried on each landscape."),
    "steps": ("400", "Steps on each landscape."),
}


def measure(results):
    """The paths of the optimizers over the landscapes, each at the rate with which it arrives first."""
    from jaxnets.analysis import paths

    names = list(dict.fromkeys(["sgd", *results.runs["optimizer"]]))
    rates = np.geomspace(1e-3, 10, results.config.option("rates", "int"))
    walked = paths.best_paths(names, rates, results.config.option("steps", "int"))
    return {"paths": walked, "heights": pd.concat([paths.heights(name) for name in paths.LANDSCAPES])}


def confirmed(tables):
    """The runs of each optimizer at its best rate by dev loss, on fresh seeds."""
    from jaxnets.evidence import statistics

    return statistics.confirmed(tables["runs"], ["optimizer"], score="dev_loss")


def arrivals(tables):
    """Steps to the low ground, landscape by optimizer; infinite for never."""
    return tables["paths"].groupby(["landscape", "optimizer"], sort=False)["arrival"].first().unstack(sort=False)


def summary(tables):
    """Nets at their best rates, and steps on the landscapes."""
    groups = confirmed(tables).groupby("optimizer", sort=False)
    table = groups.agg(rate=("learning_rate", "first"), train=("train_loss", "mean"), loss=("test_loss", "mean"),
                       accuracy=("test_accuracy", "mean"))  # fmt: skip
    names = {"rate": "learning rate", "train": "training loss", "loss": "test loss", "accuracy": "test accuracy"}
    steps = arrivals(tables).map(lambda steps: f"{steps:.0f}" if np.isfinite(steps) else "never").reset_index()
    return {"Nets, each optimizer at its best learning rate": table.reset_index().rename(columns=names),
            "Steps to the low ground": steps}  # fmt: skip


def verdict(tables):
    """By the test loss on fresh seeds, at rates chosen by dev loss from as many; and by steps on the landscapes.

    On the landscapes an optimizer improves on SGD if it arrives sooner on at least two of three.
    """
    from jaxnets.evidence import statistics, verdicts

    losses = confirmed(tables).pivot(index="seed", columns="optimizer", values="test_loss")
    steps, parts = arrivals(tables), []
    for name in (name for name in losses if name != "sgd"):
        gain = statistics.mean((losses[name] - losses["sgd"]).dropna()) if "sgd" in losses else statistics.UNKNOWN
        sooner = int((steps[name] < steps["sgd"]).sum())
        parts += [
            verdicts.less_than(f"With {name} nets end at a lower test loss than with sgd.", gain, 0, unit="nats"),
            verdicts.exact(f"On the landscapes {name} arrives sooner.", sooner * 3 >= len(steps) * 2,
                           f"on {sooner} of {len(steps)}", "it does on two of three"),
        ]  # fmt: skip
    return verdicts.verdict(*parts or [verdicts.exact("Something beats sgd.", None, "nothing was compared", "it does")])


def pictures(tables):
    """Loss over the learning rate, and the three landscapes with the paths."""
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, MARKERS, Picture

    figure, _ = charts.lines(tables["runs"], "learning_rate", "test_loss", "optimizer", xscale="log", yscale="log",
                             xlabel="learning rate", ylabel="test loss (nats)")  # fmt: skip
    drawn = {
        "rates": Picture(
            figure, "Test loss over the learning rate, after as many steps. Bands: 95% intervals over seeds."
        )
    }
    bright = (*COLOURS[1:2], COLOURS[5], COLOURS[3], *COLOURS[2:3])
    for name, heights in tables["heights"].groupby("landscape", sort=False):
        figure, axes = charts.plane(heights, "height", title=name, label="height", levels=20)
        limits = axes.get_xlim(), axes.get_ylim()
        walked = tables["paths"][tables["paths"]["landscape"] == name]
        for number, (optimizer, path) in enumerate(walked.groupby("optimizer", sort=False)):
            told = (
                f"{optimizer}: {path['arrival'].iloc[0]:.0f}"
                if np.isfinite(path["arrival"].iloc[0])
                else f"{optimizer}: never"
            )
            axes.plot(path["x"], path["y"], color="white", lw=3, alpha=0.7)
            axes.plot(
                path["x"], path["y"], color=bright[number % 4], marker=MARKERS[number % 7], ms=3, lw=1.4, label=told
            )
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.legend(title="steps", loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
        drawn[name] = Picture(figure, f"The {name}: each optimizer from the same start, at the rate with which it "
                                      "gets to the low ground in the fewest steps.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

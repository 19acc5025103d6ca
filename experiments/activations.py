"""Sigmoid, tanh and ReLU by depth, each at its own best learning rate; why they differ, and what they cost."""

import sys

import jax
import pandas as pd

from jaxnets.analysis import signals, timing
from jaxnets.config.values import show
from jaxnets.evidence import choosing, comparing, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.plugins import ACTIVATION
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "Tanh and ReLU are better than sigmoid: tanh because it is centred, and ReLU is fast."

CENTRED = ACTIVATION.find(signals.centred_sigmoid).name


def measure(results):
    """Gradients by layer at the start of the deepest net, and the time of each non-linearity with its derivative."""
    depths = {show(run["hidden_units"]): len(run["hidden_units"]) for run in results.table}
    deepest = results.runs[results.runs["hidden_units"] == max(depths, key=depths.get)]
    firsts = deepest.drop_duplicates(["activation", "seed"])[["run", "activation", "seed"]].to_numpy()
    layers = [signals.at_start(results, run).assign(kind=_short(kind), seed=seed) for run, kind, seed in firsts]
    x = jax.random.normal(jax.random.key(0), (results.options["size"],))
    names = results.runs["activation"].unique()
    functions = {_short(name): timing.with_derivative(ACTIVATION.find(name).value, x) for name in names}
    return {
        "signals": pd.concat(layers),
        "times": timing.in_turns(functions, results.options["repetitions"], inner=5),
        "chance": pd.DataFrame({"accuracy": [1 / results.folds[0].num_classes]}),
        "depths": pd.DataFrame(depths.items(), columns=["hidden_units", "depth"]),
    }


def _short(activation):
    return "centred sigmoid" if activation == CENTRED else activation


def best(tables):
    """The runs of each non-linearity and depth at the learning rate that is best on dev; diverged ones are guessing."""
    runs = choosing.at_best(tables["runs"], ["hidden_units", "activation"])
    accuracy = choosing.counted(runs, "test_accuracy", tables["chance"]["accuracy"].iloc[0])
    depth = runs["hidden_units"].map(tables["depths"].set_index("hidden_units")["depth"])
    return runs.assign(test_accuracy=accuracy, kind=runs["activation"].map(_short), depth=depth)


def summary(tables):
    """Accuracy at the best learning rate, and time."""
    groups = best(tables).groupby(["kind", "depth"], sort=False)
    rates = groups["learning_rate"].first().unstack()
    accuracy = groups["test_accuracy"].mean().unstack().sort_index(axis=1)
    cells = accuracy.map("{:.1%}".format) + " at " + rates.map("{:g}".format)
    times = (tables["times"].median() * 1e6).rename("µs, with derivative").rename_axis("non-linearity").reset_index()
    return {"Test accuracy by hidden layers, at the best learning rate": cells.reset_index(), "Time": times}


def verdict(tables):
    """Differences of test accuracy, mean over depths, paired by seed; and times, paired by round.

    If centring is what makes tanh better, a sigmoid less one half, which differs in nothing else, must get over half of
    the way from sigmoid to tanh.
    """
    runs = best(tables)
    accuracy = choosing.paired(runs, "kind", "test_accuracy", tables["chance"]["accuracy"].iloc[0])
    if {"sigmoid", "tanh"} <= set(accuracy):
        accuracy["middle"] = (accuracy["sigmoid"] + accuracy["tanh"]) / 2
    tanh, relu, centred = (comparing.gain(accuracy, kind, "sigmoid") for kind in ("tanh", "relu", "centred sigmoid"))
    beyond = comparing.gain(accuracy, "centred sigmoid", "middle")
    cost = comparing.paired_ratio(tables["times"], "relu", "tanh")
    reason = "it gets over half of the way from sigmoid to tanh (what it is above the middle)."
    return verdicts.verdict(
        verdicts.more_than("Tanh beats sigmoid.", tanh, unit="%"),
        verdicts.more_than("ReLU beats sigmoid.", relu, unit="%"),
        verdicts.more_than("Centring helps: the sigmoid less one half beats the sigmoid.", centred, unit="%"),
        verdicts.more_than(f"Centring is the reason: {reason}", beyond, unit="%"),
        verdicts.less_than("ReLU takes less time than tanh.", cost, 1, unit="×"),
    )


def pictures(tables):
    """Accuracy by depth, gradients by layer of an MLP, and times."""
    gradients = {"gradients": _gradients_picture(tables["signals"])} if len(tables["signals"]) else {}
    return {"accuracy": _accuracy_picture(best(tables)), **gradients, "times": _times_picture(tables["times"])}


def _accuracy_picture(runs):
    labels = {"xlabel": "hidden layers", "ylabel": "test accuracy", "legend": "non-linearity"}
    figure, _ = charts.lines(runs, "depth", "test_accuracy", "kind", percent=True, **labels)
    return Picture(figure, "Test accuracy by depth, each at its best learning rate. Bands: 95% intervals over seeds.")


def _gradients_picture(layers):
    labels = {"xlabel": "hidden layer", "ylabel": "gradient of the weights (RMS)", "legend": "non-linearity"}
    figure, _ = charts.lines(layers, "layer", "gradient", "kind", yscale="log", **labels)
    caption = "Size of the gradient at each layer of the deepest net before the first step: with the sigmoid it fades"
    return Picture(figure, f"{caption} on its way back. Bands: 95% intervals over seeds.")


def _times_picture(times):
    estimates = {name: intervals.mean(seconds * 1e6) for name, seconds in times.items()}
    figure, axes = charts.dots(estimates, xlabel="time with derivative (µs)")
    axes.set_xlim(left=0)
    return Picture(figure, "Time of each non-linearity alone, both ways. Bars: 95% intervals over rounds.")


EXPERIMENT = Claim(
    name="activations",
    about=CLAIM,
    takes="features",
    needs=("hidden_units", "activation"),
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": [64, (64,) * 3, (64,) * 6],
        "activation": ["sigmoid", "tanh", "relu", CENTRED],
        "initializer": "xavier",
        "optimizer": "sgd",
        "learning_rate": [0.03, 0.1, 0.3, 1, 3, 10],
        "num_epochs": 8,
        "num_seeds": 8,
    },
    options=(
        Option("repetitions", 60, "Rounds of timing.", least=1),
        Option("size", 2**18, "Numbers that a non-linearity is timed on.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

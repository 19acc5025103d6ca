"""Stochastic against full-gradient descent: where they end, and what it takes to get there."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "SGD reaches almost the same place as the full gradient, with each step far cheaper."

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64",
    "optimizer": "sgd",
    "learning_rate": "0.1,0.3,1,3",
    "batch_size": "32,0",
    "num_epochs": "25",
    "num_seeds": "8",
}

FLAGS = {"full_steps": ("1500", "Steps of full-gradient descent; SGD takes the passes of --num_epochs."),
         "rounds": ("20", "Rounds of timing.")}  # fmt: skip
SWEEP = False


def measure(results):
    """Runs and curves of both, and the seconds of a step of each."""
    from jaxnets.analysis import gradient_noise

    sizes = [int(size) for size in results.config.batch_size.split(",")]
    whole = len(results.folds[0].train)
    steps = results.config.option("full_steps", "int")
    sgd = results.train(batch_size=str(max(1, min(size or whole for size in sizes))))
    full = results.train(batch_size="0", num_steps=str(steps), evaluate_every=str(max(1, steps // 60)))
    runs, curves = [], []
    for method, trained in (("SGD", sgd), ("full gradient", full)):
        runs.append(trained.runs.assign(method=method))
        told = trained.runs[["run", "seed", "learning_rate"]].assign(method=method, whole=whole)
        curves.append(trained.curves.merge(told, on="run"))
    timed = {"SGD": (sgd, 0), "full gradient": (full, 0)}
    times = gradient_noise.step_seconds(timed, results.config.option("rounds", "int"))
    return {"both": pd.concat(runs, ignore_index=True), "paths": pd.concat(curves, ignore_index=True),
            "times": times}  # fmt: skip


def best(tables):
    """The runs and the curves of each method at the learning rate that is best on dev."""
    runs, paths = [], []
    for method, group in tables["both"].groupby("method", sort=False):
        dev = group.assign(dev=group["dev_accuracy"].fillna(0), loss=group["dev_loss"].fillna(np.inf))
        rate = (
            dev.groupby("learning_rate")[["dev", "loss"]]
            .mean()
            .sort_values(["dev", "loss"], ascending=[False, True])
            .index[0]
        )
        runs.append(group[group["learning_rate"] == rate])
        of_method = tables["paths"][(tables["paths"]["method"] == method) & (tables["paths"]["learning_rate"] == rate)]
        seconds = of_method["step"] * tables["times"][method].median()
        paths.append(of_method.assign(examples=of_method["epoch"] * of_method["whole"], seconds=seconds))
    return pd.concat(runs), pd.concat(paths)


def to_loss(paths):
    """Steps, examples and seconds of each run until its training loss is that with which the worst run ends.

    A lower target would leave out the runs that do not reach it, and so flatter the method that they belong to.
    """
    last = paths[paths["step"] == paths.groupby("method")["step"].transform("max")]
    target = last["train_loss"].max()
    reached = paths[paths["train_loss"] <= target].groupby(["method", "seed"])
    return target, reached[["step", "examples", "seconds"]].min().reset_index()


def summary(tables):
    """Where both end, and what they take to the same loss."""
    from jaxnets.evidence import statistics, verdicts

    runs, paths = best(tables)
    target, reached = to_loss(paths)
    ends = runs.groupby("method", sort=False)
    columns = {"learning rate": ("learning_rate", "first"), "steps": ("num_steps", "first"),
               "train loss": ("train_loss", "mean"),
               "test loss": ("test_loss", "mean"), "test accuracy": ("test_accuracy", "mean")}  # fmt: skip
    table = ends.agg(**columns).join((tables["times"].median() * 1e6).rename("µs per step")).reset_index()
    means = reached.groupby("method", sort=False)[["step", "examples", "seconds"]].mean().reset_index()
    pairs = {name: runs.pivot(index="seed", columns="method", values=name).dropna()
             for name in ("train_loss", "test_loss")}  # fmt: skip
    apart = pd.DataFrame([
        {"loss": name.replace("_", " "), "SGD - full gradient (nats)":
         verdicts.told(statistics.paired_difference(of["SGD"], of["full gradient"]))} for name, of in pairs.items()
    ])  # fmt: skip
    return {
        "At the end": table,
        "Distance of the final losses, paired by seed": apart,
        f"To a training loss of {target:.3g}": means,
    }


def verdict(tables):
    """Almost the same place: test accuracy within a point; far cheaper: a step costs less than a fifth.

    And what makes SGD worth it: fewer examples to the same training loss. Each at its best rate, by dev.
    """
    from jaxnets.evidence import statistics, verdicts

    runs, paths = best(tables)
    accuracy = runs.pivot(index="seed", columns="method", values="test_accuracy").dropna()
    examples = to_loss(paths)[1].pivot(index="seed", columns="method", values="examples").dropna()
    times = tables["times"]
    fewer = statistics.UNKNOWN
    if examples.shape[1] == 2:
        fewer = statistics.ratio(examples["SGD"], examples["full gradient"], paired=True)
    return verdicts.verdict(
        verdicts.between("SGD ends within a point of the full gradient's test accuracy.",
                         statistics.mean(accuracy["SGD"] - accuracy["full gradient"]), -0.01, 0.01, unit="%"),
        verdicts.less_than("A step of SGD costs less than a fifth.",
                           statistics.ratio(times["SGD"], times["full gradient"], paired=True), 0.2, unit="×"),
        verdicts.less_than("SGD sees fewer examples on its way to the same training loss.", fewer, 1, unit="×"),
    )  # fmt: skip


def pictures(tables):
    """Training loss over steps, examples and seconds."""
    from jaxnets.evidence import statistics
    from jaxnets.report.figures import Picture, line_with_band, panel, styled

    _, paths = best(tables)
    drawn = {}
    for column, name in (("step", "steps"), ("examples", "examples seen"), ("seconds", "time of the steps (s)")):
        figure, axes = panel(xlabel=name, ylabel="training loss (nats)", xscale="log", yscale="log")
        for (method, group), colour, _ in styled(paths, "method"):
            points = group.groupby("step").agg(x=(column, "first"), loss=("train_loss", list))
            means, widths = np.array([statistics.mean_interval(values) for values in points["loss"]]).T
            line_with_band(axes, points["x"], means, widths, method, colour, "")
            axes.lines[-1].set_linestyle("-" if method == "SGD" else "--")
        axes.legend()
        caption = (
            f"Training loss over {name}, each method at its best learning rate; one step of the full gradient sees all "
            "examples. Bands: 95% intervals over seeds."
        )
        drawn[column] = Picture(figure, caption)
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

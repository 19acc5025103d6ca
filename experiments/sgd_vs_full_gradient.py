"""Stochastic against full-gradient descent: where they end, and what it takes to get there."""

import sys

import pandas as pd

from jaxnets.analysis import gradient_noise
from jaxnets.engine.runs import runs as runs_of
from jaxnets.evidence import choosing, comparing, tuning, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "SGD reaches almost the same place as the full gradient, with each step far cheaper."

SGD, FULL = "SGD", "full gradient"
COSTS = ["step", "examples", "seconds"]


def measure(results):
    """Runs and curves of both methods, and the seconds of a step of each."""
    whole, steps = len(results.folds[0].train), results.options["full_steps"]
    size = min(run["batch_size"] or whole for run in runs_of(results.config))
    methods = {
        SGD: results.train(batch_size=size),
        FULL: results.train(batch_size=0, num_steps=steps, evaluate_every=max(1, steps // 60)),
    }
    both, paths = [], []
    for method, trained in methods.items():
        both.append(trained.runs.assign(method=method))
        columns = ["run", *choosing.repetitions(trained.runs), "learning_rate"]
        paths.append(trained.curves.merge(trained.runs[columns].assign(method=method, whole=whole), on="run"))
    first_runs = {method: (trained, 0) for method, trained in methods.items()}
    times = gradient_noise.step_seconds(first_runs, results.options["rounds"])
    return {"both": pd.concat(both, ignore_index=True), "paths": pd.concat(paths, ignore_index=True), "times": times}


def best(tables):
    """The runs and the curves of each method at its configuration that is best on dev."""
    of_method = tables["both"].groupby("method", sort=False)
    runs = choosing.with_failures(pd.concat([choosing.at_best(of_one, ["method"]) for _, of_one in of_method]))
    paths = tables["paths"].merge(runs[["method", "run"]], on=["method", "run"])
    seconds = paths["step"] * paths["method"].map(tables["times"].median()).astype(float)
    return runs, paths.assign(examples=paths["epoch"] * paths["whole"], seconds=seconds)


def summary(tables):
    """Where both end, and what they take to the same loss."""
    runs, paths = best(tables)
    target, reached = tuning.to_worst_loss(paths, "method", COSTS)
    columns = {
        "learning rate": ("learning_rate", "first"),
        "steps": ("num_steps", "first"),
        "train loss": ("train_loss", "mean"),
        "test loss": ("test_loss", "mean"),
        "test accuracy": ("test_accuracy", "mean"),
    }
    ends = runs.groupby("method", sort=False).agg(**columns)
    seconds = (tables["times"].median() * 1e6).rename("µs per step")
    distances = [
        comparing.gain(choosing.paired(runs, "method", loss), SGD, FULL) for loss in ("train_loss", "test_loss")
    ]
    apart = {"loss": ["train loss", "test loss"], "SGD - full gradient (nats)": map(verdicts.described, distances)}
    means = reached.groupby("method", sort=False)[COSTS].mean()
    return {
        "At the end": ends.join(seconds).reset_index(),
        "Distance of the final losses, paired by seed": pd.DataFrame(apart),
        f"To a training loss of {target:.3g}": means.reset_index(),
    }


def verdict(tables):
    """Almost the same place: test accuracy within a point; far cheaper: a step costs less than a fifth.

    And what makes SGD worth it: fewer examples to the same training loss. Each at its best rate, by dev.
    """
    runs, paths = best(tables)
    _, reached = tuning.to_worst_loss(paths, "method", COSTS)
    times, unit = tables["times"], choosing.unit(reached)
    examples = reached.pivot_table(index=unit, columns="method", values="examples")
    accuracy = comparing.gain(choosing.paired(runs, "method", "test_accuracy"), SGD, FULL)
    cost, fewer = comparing.paired_ratio(times, SGD, FULL), comparing.paired_ratio(examples, SGD, FULL)
    same_place = "SGD ends within a point of the full gradient's test accuracy."
    return verdicts.verdict(
        verdicts.between(same_place, accuracy, -0.01, 0.01, unit="%"),
        verdicts.less_than("A step of SGD costs less than a fifth.", cost, 0.2, unit="×"),
        verdicts.less_than("SGD sees fewer examples on its way to the same training loss.", fewer, 1, unit="×"),
    )


def pictures(tables):
    """Training loss over steps, examples and seconds."""
    _, paths = best(tables)
    names = {"step": "steps", "examples": "examples seen", "seconds": "time of the steps (s)"}
    return {column: _loss_picture(paths, column, name) for column, name in names.items()}


def _loss_picture(paths, column, name):
    look = {"markers": False, "xscale": "log", "yscale": "log"}
    labels = {"xlabel": name, "ylabel": "training loss (nats)"}
    figure, _ = charts.lines(paths, column, "train_loss", "method", **look, **labels)
    caption = (
        f"Training loss over {name}, each method at its best learning rate; one step of the full gradient sees all"
    )
    return Picture(figure, f"{caption} examples. Bands: 95% intervals over seeds.")


EXPERIMENT = Claim(
    name="sgd_vs_full_gradient",
    about=CLAIM,
    takes="features",
    trains=False,
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": 64,
        "optimizer": "sgd",
        "learning_rate": [0.1, 0.3, 1.0, 3.0],
        "batch_size": 32,
        "num_epochs": 25,
        "num_seeds": 8,
    },
    options=(
        Option("full_steps", 1500, "Steps of full-gradient descent; SGD takes the passes of --num_epochs.", least=1),
        Option("rounds", 20, "Rounds of timing.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

"""Deeper nets against wider ones, at equal numbers of parameters, each at its own best learning rate."""

import sys

import pandas as pd

from jaxnets.analysis import parameters
from jaxnets.basics.errors import UserError
from jaxnets.config.values import choices, show
from jaxnets.engine.runs import runs
from jaxnets.evidence import choosing, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "Deeper helps more than wider."


def check(config):
    """Refuses several models: each has widths of its own for a budget."""
    if len(choices(config.model)) > 1:
        raise UserError("model: this experiment compares nets of one model; give one.")


def measure(results):
    """All runs, with the depth, the budget and the number of parameters of each."""
    fold, first = results.folds[0], runs(results.config)[0]

    def count(depth, width):
        return parameters.learned({**first, "hidden_units": (width,) * depth}, fold)

    shapes = {}
    for budget in results.options["budgets"]:
        for depth in results.options["depths"]:
            width = parameters.equal_width(lambda width, depth=depth: count(depth, width), budget)
            shape = {"depth": depth, "budget": budget, "width": width, "parameters": count(depth, width)}
            shapes[(width,) * depth] = shape
    trained = results.train(hidden_units=list(shapes))
    table = pd.DataFrame([{"hidden_units": show(units), **shape} for units, shape in shapes.items()])
    return {"nets": trained.runs.merge(table, on="hidden_units")}


def confirmed(tables):
    """The runs of each net at its best learning rate by dev, on fresh seeds; those that diverged count."""
    return choosing.with_failures(choosing.confirmed(tables["nets"], ["budget", "depth"]))


def dev_scores(tables):
    """The accuracy on dev of each net at the rate chosen, on the seeds that chose it; on all if there is one alone."""
    fresh, keys = confirmed(tables), ["budget", "depth", "learning_rate"]
    nets = choosing.with_failures(tables["nets"])
    others = nets[~nets["seed"].isin(fresh["seed"])]
    tuning = others.merge(fresh[keys].drop_duplicates(), on=keys) if len(others) else fresh
    return tuning.groupby(["budget", "depth"])["dev_accuracy"].mean().dropna()


def summary(tables):
    """Each net at its best learning rate, on seeds that had no part in its choice."""
    columns = {
        "width": ("width", "first"),
        "parameters": ("parameters", "first"),
        "learning rate": ("learning_rate", "first"),
        "test accuracy": ("test_accuracy", "mean"),
        "test loss": ("test_loss", "mean"),
    }
    table = confirmed(tables).groupby(["budget", "depth"]).agg(**columns).reset_index()
    return {"Nets of equal numbers of parameters": table.rename(columns={"depth": "hidden layers"})}


def verdict(tables):
    """By test accuracy on fresh seeds. Depth: the deeper net that was best on dev before, less one hidden layer.

    Width: one hidden layer with the most parameters, less one with the fewest. Deeper must help, and more than wider.
    """
    nets, scores = confirmed(tables), dev_scores(tables)
    accuracy = choosing.paired(nets, ["budget", "depth"], "test_accuracy")
    gains = pd.DataFrame(index=accuracy.index)
    for budget, deeper in scores[scores.index.get_level_values("depth") > 1].groupby("budget"):
        if {(budget, 1), deeper.idxmax()} <= set(accuracy):
            gains[budget] = accuracy[deeper.idxmax()] - accuracy[budget, 1]
    flat = [budget for budget, depth in accuracy if depth == 1]
    more = intervals.UNKNOWN
    if len(gains.columns) and len(flat) > 1:
        more = choosing.over_units(gains.iloc[:, 0] - (accuracy[max(flat), 1] - accuracy[min(flat), 1]))
    largest = (nets["parameters"] / nets["budget"] - 1).abs().max()
    as_many = True if largest < 0.02 else None
    off = f"they differ from the budget by {largest:.1%} at most"
    return verdicts.verdict(
        verdicts.exact("The nets compared have as many parameters.", as_many, off, "they are within 2%"),
        verdicts.more_than("Deeper nets beat one hidden layer.", choosing.over_units(gains.mean(axis=1)), unit="%"),
        verdicts.more_than("Going deeper gains more than going wider.", more, unit="%"),
    )


def pictures(tables):
    """Accuracy and loss over depth, by budget."""
    nets = confirmed(tables)
    accuracy = _depth_picture(nets, "test_accuracy", "test accuracy", percent=True)
    return {"test_accuracy": accuracy, "test_loss": _depth_picture(nets, "test_loss", "test loss (nats)")}


def _depth_picture(nets, column, name, percent=False):
    labels = {"xlabel": "hidden layers", "ylabel": name, "legend": "parameters"}
    figure, _ = charts.lines(nets, "depth", column, "budget", percent=percent, **labels)
    caption = f"{name.capitalize()} over depth at equal numbers of parameters, each at its best learning rate,"
    return Picture(figure, f"{caption} on fresh seeds. Bands: 95% intervals.")


EXPERIMENT = Claim(
    name="depth_vs_width",
    about=CLAIM,
    trains=False,
    needs=("hidden_units",),
    check=check,
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "num_train": 300,
        "optimizer": "momentum",
        "learning_rate": [0.003, 0.01, 0.03, 0.1, 0.3],
        "batch_size": 32,
        "num_epochs": 30,
        "num_seeds": 20,
    },
    options=(
        Option("budgets", [4000, 16000], "Numbers of parameters, each met within 2% at every depth.", least=1),
        Option("depths", [1, 2, 3, 5], "Numbers of hidden layers.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

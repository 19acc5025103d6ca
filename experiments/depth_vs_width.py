"""Deeper nets against wider ones, at equal numbers of parameters, each at its own best learning rate."""

import sys

import pandas as pd

from jaxnets.lab import commandline

CLAIM = "Deeper helps more than wider."

SWEEP = False
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "num_train": "300",
    "optimizer": "momentum",
    "learning_rate": "0.003,0.01,0.03,0.1,0.3",
    "batch_size": "32",
    "num_epochs": "30",
    "num_seeds": "20",
}

FLAGS = {
    "budgets": ("4000x16000", "Numbers of parameters, each met within 2% at every depth."),
    "depths": ("1x2x3x5", "Numbers of hidden layers."),
}


def measure(results):
    """All runs, with the depth, the budget and the number of parameters of each."""
    from jaxnets.analysis import parameters

    fold, config = results.folds[0], results.config
    num_inputs = _num_inputs(fold, config)
    shapes = {}
    for budget in config.option("budgets", "sizes"):
        for depth in config.option("depths", "sizes"):
            width = parameters.equal_width(num_inputs, depth, fold.num_classes, budget)
            count = sum(parameters.mlp(num_inputs, [width] * depth, fold.num_classes).values())
            shapes["x".join([str(width)] * depth)] = {
                "depth": depth,
                "budget": budget,
                "width": width,
                "parameters": count,
            }
    trained = results.train(hidden_units=",".join(shapes))
    told = pd.DataFrame([{"hidden_units": units, **shape} for units, shape in shapes.items()])
    return {"nets": trained.runs.merge(told, on="hidden_units")}


def _num_inputs(fold, config):
    """The numbers that enter the hidden layers: of a text, those of a word vector."""
    if not fold.is_text:
        return fold.train.inputs.shape[1]
    if fold.word_vectors is not None:
        return fold.word_vectors.dim
    from jaxnets.models import DAN

    return int(config.arguments.get("embedding_dim", DAN.embedding_dim))


def confirmed(tables):
    """The runs of each net at its best learning rate by dev, on fresh seeds."""
    from jaxnets.evidence import statistics

    return statistics.confirmed(tables["nets"], ["budget", "depth"])


def _tuning(runs, fresh):
    """The runs that chose the rates, at the rates chosen; the fresh ones if there are no others."""
    others = runs[~runs["seed"].isin(fresh["seed"])]
    keys = ["budget", "depth", "learning_rate"]
    return others.merge(fresh[keys].drop_duplicates(), on=keys) if len(others) else fresh


def summary(tables):
    """Each net at its best learning rate, on seeds that had no part in its choice."""
    table = confirmed(tables).groupby(["budget", "depth"]).agg(
        width=("width", "first"), parameters=("parameters", "first"), rate=("learning_rate", "first"),
        accuracy=("test_accuracy", "mean"), loss=("test_loss", "mean"))  # fmt: skip
    names = {"rate": "learning rate", "accuracy": "test accuracy", "loss": "test loss", "depth": "hidden layers"}
    return {"Nets of equal numbers of parameters": table.reset_index().rename(columns=names)}


def verdict(tables):
    """By test accuracy on fresh seeds. Depth: the deeper net that was best on dev before, less one hidden layer.

    Width: one hidden layer with the most parameters, less one with the fewest. Deeper must help, and more than wider.
    """
    from jaxnets.evidence import statistics, verdicts

    nets = confirmed(tables)
    repetitions = [name for name in ("seed", "fold") if name in nets]
    accuracy = nets.pivot_table(index=repetitions, columns=["budget", "depth"], values="test_accuracy")
    scores = _tuning(tables["nets"], nets).groupby(["budget", "depth"])["dev_accuracy"].mean()
    gains = []
    for budget in sorted(nets["budget"].unique()):
        deeper = scores.loc[[key for key in scores.index if key[0] == budget and key[1] > 1]]
        if len(deeper) and (budget, 1) in accuracy and deeper.idxmax() in accuracy:
            gains.append(accuracy[deeper.idxmax()] - accuracy[budget, 1])
    budgets = [budget for budget, depth in accuracy.columns if depth == 1]
    deeper = statistics.mean(pd.concat(gains, axis=1).mean(axis=1)) if gains else statistics.UNKNOWN
    more = statistics.UNKNOWN
    if gains and len(budgets) > 1:
        more = statistics.mean(gains[0] - (accuracy[max(budgets), 1] - accuracy[min(budgets), 1]))
    largest = (nets["parameters"] / nets["budget"] - 1).abs().max()
    return verdicts.verdict(
        verdicts.exact("The nets compared have as many parameters.", True if largest < 0.02 else None,
                       f"they differ from the budget by {largest:.1%} at most", "they are within 2%"),
        verdicts.more_than("Deeper nets beat one hidden layer.", deeper, unit="%"),
        verdicts.more_than("Going deeper gains more than going wider.", more, unit="%"),
    )  # fmt: skip


def pictures(tables):
    """Accuracy and loss over depth, by budget."""
    from jaxnets.report import charts
    from jaxnets.report.figures import Picture

    drawn = {}
    for column, name, percent in (("test_accuracy", "test accuracy", True), ("test_loss", "test loss (nats)", False)):
        figure, _ = charts.lines(confirmed(tables), "depth", column, "budget", percent=percent, xlabel="hidden layers",
                                 ylabel=name, legend="parameters")  # fmt: skip
        drawn[column] = Picture(figure, f"{name.capitalize()} over depth at equal numbers of parameters, each at its "
                                        "best learning rate, on fresh seeds. Bands: 95% intervals.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

"""Compares optimizers, each at the learning rate that is best for it on the dev examples."""

import sys

from jaxnets.lab import commandline

CLAIM = "Compares optimizers, each at its best learning rate."

DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "optimizer": "sgd,momentum,adam",
    "learning_rate": "log:1e-4:1:9",
    "num_seeds": "8",
    "num_epochs": "30",
}


def report(results, console):
    """A table, optimizer by row, and two figures: accuracy over learning rate, and learning curves."""
    from jaxnets.evidence import statistics
    from jaxnets.report import figures, tables

    best = statistics.best_configurations(results.runs)
    console.print(tables.best_table(best))
    directory = results.directory / "figures"
    paths = [
        *figures.save(figures.accuracy_over_learning_rate(results.runs), directory, "accuracy_over_learning_rate"),
        *figures.save(figures.learning_curves(results.curves, best), directory, "learning_curves"),
    ]
    for path in paths:
        console.print(f"Figure: {path}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

"""Compares optimizers, each at the learning rate that is best for it on the dev examples."""

import sys

from jaxnets.config.values import log_range
from jaxnets.evidence import statistics
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Job
from jaxnets.report import figures, tables

CLAIM = "Compares optimizers, each at its best learning rate."


def report(results, console):
    """A table, optimizer by row, and two figures: accuracy over learning rate, and learning curves."""
    best = statistics.best_configurations(results.runs)
    console.print(tables.best_table(best))
    directory = results.directory / "figures"
    paths = [
        *figures.save(figures.accuracy_over_learning_rate(results.runs), directory, "accuracy_over_learning_rate"),
        *figures.save(figures.learning_curves(results.curves, best), directory, "learning_curves"),
    ]
    for path in paths:
        console.print(f"Figure: {path}", soft_wrap=True)


EXPERIMENT = Job(
    name="compare_optimizers",
    about=CLAIM,
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "optimizer": ["sgd", "momentum", "adam"],
        "learning_rate": log_range(1e-4, 1, 9),
        "num_seeds": 8,
        "num_epochs": 30,
    },
    report=report,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

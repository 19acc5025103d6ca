"""Trains one configuration, and shows what became of each of its seeds."""

import sys

from jaxnets.lab import commandline

CLAIM = "Trains one configuration and shows its losses and accuracies."

DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "optimizer": "adam",
    "learning_rate": "0.001",
    "num_epochs": "30",
    "keep": "best",
}

COLUMNS = ("train_loss", "train_accuracy", "dev_loss", "dev_accuracy", "test_loss", "test_accuracy")


def report(results, console):
    """A table, run by row, and the learning curves."""
    from jaxnets.evidence import statistics
    from jaxnets.report import figures, tables

    varying = [*statistics.varying(results.runs), "seed"]
    rows = [
        [*(str(run[name]) for name in varying), run["status"], *(f"{run[name]:.4f}" for name in COLUMNS)]
        for _, run in results.runs.iterrows()
    ]
    header = [*varying, "status", *(name.replace("_", "\n") for name in COLUMNS)]
    tables.print_table(console, "Runs, after the last step", header, rows)
    best = statistics.best_configurations(results.runs)
    directory = results.directory / "figures"
    for path in figures.save(figures.learning_curves(results.curves, best), directory, "learning_curves"):
        console.print(f"Figure: {path}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

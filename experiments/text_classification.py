"""Compares nets on texts, each at the configuration that is best on dev, with classical baselines."""

import sys

from jaxnets.lab import commandline

CLAIM = "Compares DAN, text CNN and classical baselines on texts."

DEFAULTS = {
    "dataset": "ngrams",
    "model": "dan,text_cnn",
    "optimizer": "adam",
    "learning_rate": "0.0005",
    "vector_range": "0.05",
    "word_dropout_rate": "0.3",
    "dropout_rate": "0.5",
    "batch_size": "50",
    "num_epochs": "8",
    "num_seeds": "5",
    "select": "best",
    "predictions": "true",
    "keep": "best",
}


def report(results, console):
    """A table of systems; the confusions and the most certain mistakes of the best net."""
    import pandas as pd

    from jaxnets.evidence import baselines, comparison
    from jaxnets.report import figures, text_tables

    predictions = pd.read_parquet(results.directory / "predictions.parquet")
    fits = baselines.fit(results.folds) if results.config.number("baselines") else []
    classical = comparison.of_baselines(fits, results.folds)
    nets = comparison.of_runs(results.runs, predictions)
    if not nets:
        console.print("No net finished.")
        return
    console.print(text_tables.systems_table(nets, classical, len(results.folds)))
    best = max(nets, key=lambda system: system.accuracies.mean())
    text_tables.print_details(console, best, results, predictions)
    labels = comparison.all_labels(results.folds)
    confusion = comparison.confusion(labels, best.predictions, results.folds[0].num_classes)
    figure = figures.confusion(confusion, results.folds[0].class_names, best.name)
    for path in figures.save(figure, results.directory / "figures", "confusion"):
        console.print(f"Figure: {path}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

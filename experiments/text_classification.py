"""Compares nets on texts, each at the configuration that is best on dev, with classical baselines."""

import sys

from jaxnets.evidence import baselines, comparison, statistics
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Job
from jaxnets.report import figures, text_tables

CLAIM = "Compares DAN, text CNN and classical baselines on texts."


def report(results, console):
    """A table of systems; the confusions and the most certain mistakes of the best net."""
    folds, predictions = results.folds, results.predictions
    nets = comparison.of_runs(results.runs, predictions)
    if not nets:
        console.print("No net finished.")
        return
    fits = baselines.fit(folds) if results.config.baselines else []
    console.print(text_tables.systems_table(nets, comparison.of_baselines(fits, folds), len(folds)))
    best = max(nets, key=lambda system: system.accuracies.mean())
    counts = comparison.confusion(comparison.all_labels(folds), best.predictions, folds[0].num_classes)
    console.print(text_tables.confusion_table(best, counts, folds[0].class_names))
    runs = statistics.finished(results.runs)
    of_best = predictions[predictions["run"].isin(runs[runs["model"] == best.name]["run"])]
    console.print(text_tables.mistakes_table(best, of_best, folds))
    figure = figures.confusion(counts, folds[0].class_names, best.name)
    for path in figures.save(figure, results.directory / "figures", "confusion"):
        console.print(f"Figure: {path}", soft_wrap=True)


EXPERIMENT = Job(
    name="text_classification",
    about=CLAIM,
    takes="text",
    defaults={
        "dataset": "ngrams",
        "model": ["dan", "text_cnn"],
        "optimizer": "adam",
        "learning_rate": 0.0005,
        "vector_range": 0.05,
        "word_dropout_rate": 0.3,
        "dropout_rate": 0.5,
        "batch_size": 50,
        "num_epochs": 8,
        "num_seeds": 5,
        "select": "best",
        "predictions": True,
        "keep": "best",
    },
    report=report,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

"""Compares nets on texts, tuned alike, alone and as ensembles, with classical baselines."""

from dataclasses import replace

from jaxnets.config.values import linear_range, log_range
from jaxnets.report import figures, tables
from jaxnets.runs.experiment import FINAL_SEEDS, LEVEL, MARGIN, OVER_EXAMPLES, MethodComparison
from jaxnets.stats import baselines, ensembles

CLAIM = "Compares DAN, text CNN and classical baselines on texts: tuned alike, single nets and ensembles."


def report(results, comparison, console):
    """Single nets and ensembles beside the baselines; what the ensemble of the net that dev prefers takes for what."""
    runs, predictions, folds = first_repeat(results, console)
    shown = runs, predictions, results.test_share
    nets, together = ensembles.systems_of_runs(*shown), ensembles.ensembles_of_runs(*shown)
    if not nets:
        console.print("No net finished.")
        return
    fits = baselines.fit(folds) if results.config.baselines else []
    systems, level = [*nets, *(one.system for one in together)], results.config.options["level"]
    console.print(tables.systems(systems, ensembles.systems_of_baselines(fits, folds), len(folds), level))
    best = max(together, key=lambda one: one.dev_accuracy)
    counts = ensembles.confusion(ensembles.all_labels(folds), best.system.predictions, folds[0].num_classes)
    names = folds[0].class_names
    for table in tables.confusion(best.system.name, counts, names, console.width):
        console.print(table)
    for sentence in tables.balance(ensembles.all_labels(folds), names, best.system.predictions):
        console.print(sentence)
    for name in dict.fromkeys(one.system for one in fits if not one.converged):
        console.print(f"{name} did not converge: scikit-learn stopped it after its largest number of iterations.")
    if (mistakes := tables.mistakes(best.system.name, best.mean, folds)).rows:
        console.print(mistakes)
    figure = figures.confusion(counts, names, best.system.name)
    for path in figures.save(figure, results.directory / "figures", "confusion", results.config.figures.split(",")):
        console.print(f"Figure: {path}", soft_wrap=True)


def first_repeat(results, console):
    """The runs, predictions and data sets: of the first repeat, if there are several."""
    if "repeat" not in results.runs:
        return results.runs, results.predictions, results.folds
    console.print("The tables below are of the first repeat.")
    runs = results.runs[results.runs["repeat"] == 0].drop(columns="repeat")
    return runs, results.predictions[results.predictions["run"].isin(runs["run"])], results.folds[:1]


EXPERIMENT = MethodComparison(
    name="text_classification",
    about=CLAIM,
    by="model",
    takes="text",
    defaults={
        "dataset": "ngrams",
        "model": ["dan", "text_cnn"],
        "optimizer": "adam",
        "learning_rate": 0.0003,
        "embedding_dim": 300,
        "vector_range": 0.1,
        "hidden_units": (300,),
        "filter_widths": (1, 2, 3),
        "num_filters": 100,
        "word_dropout_rate": 0.3,
        "dropout_rate": 0.6,
        "batch_size": 50,
        "num_epochs": 8,
        "num_seeds": 5,
        "search": "random",
        "predictions": True,
        "baselines": True,
        "keep": "seeds",
    },
    drawn={
        "learning_rate": log_range(2e-4, 6e-4),
        "vector_range": log_range(0.06, 0.14),
        "word_dropout_rate": linear_range(0.1, 0.5),
        "dropout_rate": linear_range(0.4, 0.75),
        "num_seeds": 3,
        "num_trials": 8,
    },
    options=[replace(FINAL_SEEDS, default=12), MARGIN, LEVEL, OVER_EXAMPLES],
    report=report,
)

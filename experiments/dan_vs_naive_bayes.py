"""A Deep Averaging Network against Naive Bayes on words: on the same splits, and by size of the training set."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "A Deep Averaging Network outperforms Naive Bayes on sentiment."

TAKES = "texts"
DEFAULTS = {
    "dataset": "ngrams",
    "num_sentences": "8000",
    "model": "dan",
    "embedding_dim": "50",
    "vector_range": "0.05",
    "hidden_units": "50",
    "dropout_rate": "0.2",
    "optimizer": "adam",
    "learning_rate": "0.0003,0.001,0.003",
    "batch_size": "50",
    "num_steps": "1400",
    "evaluate_every": "140",
    "num_seeds": "10",
    "select": "best",
    "predictions": "true",
}

FLAGS = {
    "sizes": ("60x250x1000", "Numbers of training examples to learn from, beside all of them."),
    "negations": ("not,n't,no,never,nor,without", "Words that negate: test texts with one are counted apart."),
}

DAN, BAYES, PAIRS = "DAN", "Naive Bayes", "Naive Bayes, pairs"


def measure(results):
    """Which test examples each system has right, the accuracy of each run, and both by size of the training set."""
    from jaxnets.analysis import words
    from jaxnets.evidence import baselines, comparison, statistics

    folds, negations = results.folds, results.config.option("negations", "text").split(",")
    nets = comparison.of_runs(results.runs, results.predictions)
    bayes, pairs = comparison.of_baselines(baselines.fit(folds, ["naive_bayes", "naive_bayes_pairs"]), folds)
    negated = np.concatenate([words.holding(fold.test.inputs, fold.vocabulary, negations) for fold in folds])
    examples = pd.DataFrame({BAYES: bayes.correct[0], PAIRS: pairs.correct[0], "negated": negated})
    examples = examples.assign(**{DAN: nets[0].correct.mean(axis=0) if nets else np.nan})
    best = statistics.best_configurations(results.runs, ["model"]).iloc[0]
    full = results.runs[results.runs["run"].isin(best["members"])]
    sizes = [_at_size(full, folds)]
    for size in results.config.option("sizes", "sizes"):
        if size < len(folds[0].train):
            smaller = results.train(learning_rate=str(best["learning_rate"]), num_train=str(size), predictions="false")
            sizes.append(_at_size(smaller.runs, smaller.folds))
    by_seed = full.assign(fold=full.get("fold", 0))
    by_seed[BAYES] = bayes.accuracies[by_seed["fold"].astype(int)]
    return {"examples": examples, "sizes": pd.concat(sizes, ignore_index=True),
            "nets": by_seed[["seed", "fold", "learning_rate", "test_accuracy", BAYES]]}  # fmt: skip


def _at_size(runs, folds):
    """The test accuracy of each run, and of Naive Bayes on the same training examples alone."""
    from jaxnets.evidence import baselines, comparison

    fits = baselines.fit(folds, ["naive_bayes"], learn_dev=False)
    (bayes,) = comparison.of_baselines(fits, folds)
    nets = pd.DataFrame({"system": DAN, "accuracy": runs["test_accuracy"]})
    both = pd.concat([nets, pd.DataFrame({"system": BAYES, "accuracy": bayes.accuracies})])
    return both.assign(examples=len(folds[0].train))


def summary(tables):
    """Accuracy on all test examples, on those with a negation and on the others; and by size."""
    examples, rows = tables["examples"], []
    for system in (DAN, BAYES, PAIRS):
        right = examples[system]
        by_kind = {"with a negation": examples["negated"], "without": ~examples["negated"]}
        shares = {kind: right[chosen].mean() for kind, chosen in by_kind.items()}
        rows.append({"system": system, "test accuracy": right.mean(), **shares})
    sizes = tables["sizes"].groupby(["examples", "system"])["accuracy"].mean().unstack()
    sizes = sizes.reset_index().rename(columns={"examples": "training examples"})
    rate = tables["nets"]["learning_rate"].iloc[0]
    return {f"Test accuracy; the DAN at learning rate {rate:g}, the best on dev": pd.DataFrame(rows),
            "Test accuracy by size of the training set, Naive Bayes without dev": sizes}  # fmt: skip


def verdict(tables):
    """By paired differences over the test examples, and over seeds and folds; Naive Bayes learns from dev as well."""
    from jaxnets.evidence import statistics, verdicts

    examples, nets = tables["examples"].dropna(subset=[DAN]), tables["nets"].dropna(subset=["test_accuracy"])
    over_examples = statistics.paired_difference(examples[DAN].astype(float), examples[BAYES].astype(float))
    over_runs = statistics.paired_difference(nets["test_accuracy"], nets[BAYES])
    return verdicts.verdict(
        verdicts.more_than("The DAN is right on more examples, with other test sets too.", over_examples, unit="%"),
        verdicts.more_than("So it is with other seeds and folds.", over_runs, unit="%"),
    )


def pictures(tables):
    """Learning curves, and the accuracy with and without negations."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import Picture

    figure, _ = charts.lines(tables["sizes"], "examples", "accuracy", "system", xscale="log", percent=True,
                             xlabel="training examples", ylabel="test accuracy")  # fmt: skip
    examples = tables["examples"]
    kinds = {"with a negation": examples["negated"], "without": ~examples["negated"]}
    shares = {system: {kind: statistics.mean(examples[system][rows]) for kind, rows in kinds.items()}
              for system in (DAN, BAYES, PAIRS)}  # fmt: skip
    dots, _ = charts.series_of_dots(shares, percent=True, xlabel="test accuracy")
    return {
        "sizes": Picture(figure, "Test accuracy over the size of the training set. Bands: 95% intervals over seeds and "
                                 "folds."),
        "negations": Picture(dots, "Test accuracy with and without a negation. Bars: 95% intervals over texts."),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

"""A Deep Averaging Network against Naive Bayes on words: on the same splits, and by size of the training set."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import words
from jaxnets.basics.errors import UserError
from jaxnets.config.values import choices
from jaxnets.evidence import baselines, choosing, comparing, comparison, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "A Deep Averaging Network outperforms Naive Bayes on sentiment."

DAN, BAYES, PAIRS = "DAN", "Naive Bayes", "Naive Bayes, pairs"
NEGATIONS = ["not", "n't", "no", "never", "nor", "without"]


def check(config):
    """Refuses several models: one is compared with Naive Bayes."""
    if len(choices(config.model)) > 1:
        raise UserError("model: one model is compared with Naive Bayes; give one.")


def measure(results):
    """Which test examples each system has right, the accuracy of each run, and both by size of the training set."""
    folds, chance = results.folds, 1 / results.folds[0].num_classes
    full = choosing.with_failures(choosing.at_best(results.runs, ["model"]), chance)
    name = full["model"].replace("dan", DAN).iloc[0]
    nets = comparison.of_runs(results.runs, results.predictions)
    bayes, pairs = comparison.of_baselines(baselines.fit(folds, ["naive_bayes", "naive_bayes_pairs"]), folds)
    negations = results.options["negations"]
    negated = np.concatenate([words.holding(fold.test.inputs, fold.vocabulary, negations) for fold in folds])
    examples = pd.DataFrame({BAYES: bayes.correct[0], PAIRS: pairs.correct[0], "negated": negated})
    sizes = [_at_size(name, full, folds)]
    values = results.values(full["run"].iloc[0], *choosing.varying(results.runs))
    for size in (size for size in results.options["sizes"] if full["batch_size"].iloc[0] <= size < len(folds[0].train)):
        smaller = results.train(**values, num_train=size, predictions=False)
        sizes.append(_at_size(name, choosing.with_failures(smaller.runs, chance), smaller.folds))
    by_seed = full.assign(fold=full.get("fold", 0))
    by_seed[BAYES] = bayes.accuracies[by_seed["fold"].astype(int)]
    examples[name] = nets[0].correct.mean(axis=0) if nets else np.nan
    columns = ["seed", "fold", "learning_rate", "test_accuracy", BAYES]
    return {"examples": examples, "sizes": pd.concat(sizes, ignore_index=True), "nets": by_seed[columns]}


def _at_size(name, runs, folds):
    """The test accuracy of each seed or fold, and of Naive Bayes on the same training examples alone."""
    (bayes,) = comparison.of_baselines(baselines.fit(folds, ["naive_bayes"], learn_dev=False), folds)
    nets = pd.DataFrame({"system": name, "accuracy": runs.groupby(choosing.unit(runs))["test_accuracy"].mean()})
    both = pd.concat([nets, pd.DataFrame({"system": BAYES, "accuracy": bayes.accuracies})])
    return both.assign(examples=len(folds[0].train))


def systems(tables):
    """The net and the baselines by name, the net first."""
    (net,) = set(tables["examples"]) - {BAYES, PAIRS, "negated"}
    return net, BAYES, PAIRS


def summary(tables):
    """Accuracy on all test examples, on those with a negation and on the others; and by size."""
    examples, names = tables["examples"], systems(tables)
    rows = {
        "system": names,
        "test accuracy": [examples[name].mean() for name in names],
        "with a negation": [examples[name][examples["negated"]].mean() for name in names],
        "without": [examples[name][~examples["negated"]].mean() for name in names],
    }
    sizes = tables["sizes"].groupby(["examples", "system"])["accuracy"].mean().unstack()
    sizes = sizes.reset_index().rename(columns={"examples": "training examples"})
    rate = tables["nets"]["learning_rate"].iloc[0]
    return {
        f"Test accuracy; the {names[0]} at learning rate {rate:g}, the best on dev": pd.DataFrame(rows),
        "Test accuracy by size of the training set, Naive Bayes without dev": sizes,
    }


def verdict(tables):
    """By paired differences over the test examples, and over folds or seeds; Naive Bayes learns from dev as well."""
    net, *_ = systems(tables)
    over_examples = comparing.gain(tables["examples"].astype(float), net, BAYES)
    nets = tables["nets"].groupby(choosing.unit(tables["nets"]))[["test_accuracy", BAYES]].mean()
    over_runs = comparing.gain(nets, "test_accuracy", BAYES)
    more_examples = f"The {net} is right on more examples, with other test sets too."
    return verdicts.verdict(
        verdicts.more_than(more_examples, over_examples, unit="%"),
        verdicts.more_than("So it is with other seeds and folds.", over_runs, unit="%"),
    )


def pictures(tables):
    """Learning curves, and the accuracy with and without negations."""
    labels = {"xlabel": "training examples", "ylabel": "test accuracy", "xscale": "log"}
    sizes, _ = charts.lines(tables["sizes"], "examples", "accuracy", "system", percent=True, **labels)
    kinds = np.where(tables["examples"]["negated"], "with a negation", "without")
    answers = tables["examples"].assign(kind=kinds).melt("kind", systems(tables), "system", "right")
    negations, _ = charts.series_of_means(answers, "system", "kind", "right", percent=True, xlabel="test accuracy")
    over_size = "Test accuracy over the size of the training set. Bands: 95% intervals over seeds, or folds."
    by_kind = "Test accuracy with and without a negation. Bars: 95% intervals over texts."
    return {"sizes": Picture(sizes, over_size), "negations": Picture(negations, by_kind)}


EXPERIMENT = Claim(
    name="dan_vs_naive_bayes",
    about=CLAIM,
    takes="text",
    check=check,
    defaults={
        "dataset": "ngrams",
        "num_sentences": 8000,
        "model": "dan",
        "embedding_dim": 50,
        "vector_range": 0.05,
        "hidden_units": 50,
        "dropout_rate": 0.2,
        "optimizer": "adam",
        "learning_rate": [0.0003, 0.001, 0.003],
        "batch_size": 50,
        "num_steps": 1400,
        "evaluate_every": 140,
        "num_seeds": 10,
        "select": "best",
        "predictions": True,
    },
    options=(
        Option("sizes", (60, 250, 1000), "Training examples beside all of them; none below the batch size."),
        Option("negations", NEGATIONS, "Words that negate: test texts with one are counted apart."),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

"""N-grams that training never saw: a CNN over word vectors against indicators of trigrams."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "A CNN over word vectors understands n-grams that it never saw; n-gram indicators do not."

TAKES = "texts"
DEFAULTS = {
    "dataset": "unseen_ngrams",
    "word_vectors": "made",
    "model": "text_cnn",
    "filter_widths": "3",
    "num_filters": "64",
    "optimizer": "adam",
    "learning_rate": "0.0003,0.001,0.003,0.01",
    "batch_size": "50",
    "num_steps": "600",
    "evaluate_every": "600",
    "num_seeds": "12",
    "predictions": "true",
}

FLAGS = {
    "phrases": (
        "i really like spinach/i really love spinach/i really hate spinach",
        "A phrase, one of like and one of opposite meaning, of as many words.",
    ),
    "order": ("3", "Words of an n-gram: texts are judged all of whose n-grams are new."),
}

BASELINES = {
    "naive_bayes": "Naive Bayes, words", "logistic_regression": "logistic regression, words",
    "naive_bayes_trigrams": "Naive Bayes, trigrams", "logistic_regression_trigrams": "logistic regression, trigrams",
}  # fmt: skip
GIVEN, DRAWN = "CNN, vectors given", "CNN, vectors random"


def measure(results):
    """Accuracies on test texts of new n-grams alone; how like phrases are; what windows filters answer to."""
    from jaxnets.analysis import words

    order, folds = results.config.option("order", "int"), results.folds
    new = [words.all_unseen([f.train.inputs, f.dev.inputs], f.test.inputs, order, len(f.vocabulary)) for f in folds]
    given = folds[0].word_vectors
    nets = [_nets(results, new, GIVEN if given else DRAWN)]
    if given:
        nets.append(_nets(results.train(word_vectors="", embedding_dim=str(given.dim)), new, DRAWN))
    systems = pd.concat([*nets, _classical(folds, new)], ignore_index=True)
    return {"systems": systems, **_looked_into(results, nets[0], new[0])}


def _nets(trained, new, name):
    """Of each net, at the best rate by dev loss and on fresh seeds: its accuracy on dev, and on the new n-grams."""
    from jaxnets.evidence import comparison, statistics

    runs = statistics.confirmed(trained.runs, ["model"], score="dev_loss")
    runs = runs.merge(comparison.right_among(trained.predictions, new), on="run").assign(system=name)
    runs["fold"] = runs.get("fold", 0)
    return runs.rename(columns={"dev_accuracy": "dev"})[["system", "seed", "fold", "learning_rate", "dev", *NEW]]


NEW = ["right", "largest", "examples"]


def _classical(folds, new):
    """The same of the baselines, which learn from train alone as well."""
    from jaxnets.evidence import baselines, comparison

    tables = []
    for name, told in BASELINES.items():
        dev = baselines.fit([replace(fold, test=fold.dev) for fold in folds], [name], learn_dev=False)
        test = baselines.fit(folds, [name], learn_dev=False)
        predictions = [pd.DataFrame({"run": fit.fold, "fold": fit.fold, "example": np.arange(len(fit.predictions)),
                                     "label": folds[fit.fold].test.labels, "prediction": fit.predictions})
                       for fit in test]  # fmt: skip
        found = comparison.right_among(pd.concat(predictions), new).rename(columns={"run": "fold"})
        found["dev"] = [(fit.predictions == fold.dev.labels).mean() for fit, fold in zip(dev, folds, strict=True)]
        tables.append(found.assign(system=told, seed=0))
    return pd.concat(tables)


def _looked_into(results, runs, new):
    """How like each other the phrases are to the chosen nets, and the windows that filters of the first answer to."""
    from jaxnets.analysis import windows

    rate, seeds = runs["learning_rate"].iloc[0], ",".join(str(seed) for seed in sorted(runs["seed"].unique()))
    trained = results.train(learning_rate=str(rate), seed=seeds, keep="last")
    finished = trained.runs[trained.runs["status"] == "finished"]["run"]
    one, like, opposite = results.config.option("phrases", "text").split("/")
    likeness = pd.DataFrame({
        "like": [windows.similarity(trained.saved(run), one, like) for run in finished],
        "opposite": [windows.similarity(trained.saved(run), one, opposite) for run in finished],
    }).assign(one=one, other=like, contrary=opposite)  # fmt: skip
    model, test = trained.saved(finished.iloc[0]), results.folds[0].test.inputs
    widths = model.arguments["filter_widths"]
    texts = [test[row] for row in np.flatnonzero(new)[:500]]
    return {"likeness": likeness.assign(indicators=windows.indicator_similarity(one, like, widths)),
            "windows": windows.strongest(model, texts, widths[-1], num_filters=4, count=3)}  # fmt: skip


def summary(tables):
    """Accuracies, likeness, and what filters look for."""
    groups = tables["systems"].groupby("system", sort=False)
    table = groups[["dev", "right", "largest", "examples"]].mean().reset_index()
    names = {"right": "new n-grams", "largest": "their larger class", "examples": "texts"}
    likeness = tables["likeness"]
    one, other, contrary = likeness.iloc[0][["one", "other", "contrary"]]
    rows = pd.DataFrame({
        "phrase": [other, contrary], "to the filters": [likeness["like"].mean(), likeness["opposite"].mean()],
        "to indicators of n-grams": likeness["indicators"].iloc[0],
    })  # fmt: skip
    seen = tables["windows"].groupby(["filter", "class"], sort=False)["window"].agg("; ".join).reset_index()
    return {"Accuracy on dev, and on test texts all of whose n-grams are new": table.rename(columns=names),
            f"Likeness to '{one}': mean cosine of the windows": rows,
            "Windows of these texts to which filters answer": seen.rename(columns={"window": "windows"})}  # fmt: skip


def verdict(tables):
    """By test texts none of whose n-grams stands in train or dev; by the nets with vectors given, if there are."""
    from jaxnets.evidence import statistics, verdicts

    systems, likeness = tables["systems"], tables["likeness"]
    nets = systems[systems["system"].str.startswith("CNN")]
    nets = nets[nets["system"] == nets["system"].iloc[0]] if len(nets) else nets
    trigrams = systems[systems["system"].str.endswith("trigrams")]
    above, before = nets["right"] - nets["largest"], nets["dev"] - nets["largest"]
    kept = statistics.mean(above / before) if len(nets) else statistics.UNKNOWN
    gain = statistics.mean(nets["right"] - trigrams["right"].max()) if len(nets) else statistics.UNKNOWN
    closer = statistics.mean(likeness["like"] - likeness["opposite"]) if len(likeness) else statistics.UNKNOWN
    none_better = None if trigrams.empty else bool((trigrams["right"] <= trigrams["largest"]).all())
    return verdicts.verdict(
        verdicts.exact("Indicators of trigrams do no better there than to name the larger class.", none_better,
                       f"right on {trigrams['right'].max():.1%}, its share {trigrams['largest'].max():.1%}",
                       "none of them does"),
        verdicts.more_than("A CNN beats them.", gain, 0, unit="%"),
        verdicts.more_than("It keeps over half of what it has above the larger class on dev.", kept, 0.5, unit="%"),
        verdicts.more_than("To its filters a phrase is more like one of like meaning than like one of opposite meaning "
                           "(to indicators it is like neither).", closer, 0),
    )  # fmt: skip


def pictures(tables):
    """Accuracy of each system, and the likeness of the phrases."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import Picture

    systems, likeness = tables["systems"], tables["likeness"]
    shares = {name: statistics.mean(rows["right"]) for name, rows in systems.groupby("system", sort=False)}
    figure, _ = charts.dots(shares, percent=True, zero=float(systems["largest"].mean()),
                            xlabel="right, of test texts of new n-grams")  # fmt: skip
    drawn = {"accuracy": Picture(figure, "Accuracy on test texts all of whose n-grams are new; dotted, their larger "
                                         "class. Bars: 95% intervals over seeds.")}  # fmt: skip
    if len(likeness):
        one, other, contrary = likeness.iloc[0][["one", "other", "contrary"]]
        columns = {other: "like", contrary: "opposite", "indicators of n-grams": "indicators"}
        cosines = {name: statistics.mean(likeness[column]) for name, column in columns.items()}
        figure, _ = charts.dots(cosines, xlabel="mean cosine of the windows")
        drawn["likeness"] = Picture(figure, f"How like '{one}' other phrases are to the filters of a CNN, and to "
                                            "indicators of n-grams. Bars: 95% intervals over seeds.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

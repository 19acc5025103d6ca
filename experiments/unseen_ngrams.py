"""N-grams that training never saw: a CNN over word vectors against indicators of trigrams."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import windows, words
from jaxnets.basics.errors import UserError
from jaxnets.evidence import choosing, comparing, comparison, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts, text_tables
from jaxnets.report.figures import Picture

CLAIM = "A CNN over word vectors understands n-grams that it never saw; n-gram indicators do not."

WORDS = {"naive_bayes": "Naive Bayes, words", "logistic_regression": "logistic regression, words"}
TRIGRAMS = {f"{name}_trigrams": system.replace("words", "trigrams") for name, system in WORDS.items()}
COLUMNS = ["system", "seed", "fold", "learning_rate", "dev", "right", "largest", "examples"]
PHRASES = ["i really like spinach", "i really love spinach", "i really hate spinach"]


def check(config):
    """Refuses phrases that cannot be compared window by window."""
    lengths = [len(phrase.split()) for phrase in config.options["phrases"]]
    if len(lengths) != 3 or len(set(lengths)) > 1:
        raise UserError("phrases: give a phrase, one like it and one opposed to it, all with the same number of words.")


def measure(results):
    """Accuracies on test texts of new n-grams alone; how like phrases are; what windows filters answer to."""
    order, folds, given = results.options["order"], results.folds, results.folds[0].word_vectors
    new = [words.all_unseen([f.train.inputs, f.dev.inputs], f.test.inputs, order, len(f.vocabulary)) for f in folds]
    nets = [_nets(results, new, "given" if given else "random")]
    nets += [_nets(results.train(word_vectors="", embedding_dim=given.dim), new, "random")] if given else []
    classical = comparison.baselines_among(folds, WORDS | TRIGRAMS, new).assign(seed=0)
    systems = pd.concat([*nets, classical], ignore_index=True)[COLUMNS]
    nothing = {"likeness": pd.DataFrame(), "windows": pd.DataFrame()}
    return {"systems": systems, **(_looked_into(results, nets[0], new[0]) if len(nets[0]) else nothing)}


def _nets(trained, new, vectors):
    """Of each net, at the best rate by dev loss and on fresh seeds: its accuracy on dev, and on the new n-grams.

    A run that did not finish has the accuracy of the larger class there; if none did, there is nothing to compare.
    """
    right = comparison.right_among(trained.predictions, new)
    runs = choosing.confirmed(trained.runs, ["model"], score="dev_loss").merge(right, on="run", how="left")
    if runs["right"].isna().all():
        return pd.DataFrame(columns=COLUMNS)
    runs = choosing.with_failures(runs[runs["right"].notna() | (runs["status"] != choosing.FINISHED)])
    runs = runs.fillna(dict.fromkeys(["right", "largest"], right["largest"].max()))
    system = runs["model"].replace("text_cnn", "CNN") + f", vectors {vectors}"
    return runs.rename(columns={"dev_accuracy": "dev"}).assign(system=system, fold=runs.get("fold", 0))


def _looked_into(results, runs, new):
    """How like each other the phrases are to the chosen nets, and the windows that filters of the first answer to."""
    values = results.values(runs["run"].iloc[0], "model", *choosing.varying(results.runs))
    trained = results.train(**values, seed=sorted(runs["seed"].unique()), keep="last")
    models = [trained.model(run) for run in choosing.finished(trained.runs)["run"]]
    texts = results.folds[0].test.inputs.take(np.flatnonzero(new)[:500])
    strongest = windows.strongest(models[0], texts, num_filters=4, count=3)
    return {"likeness": windows.likeness(models, *results.options["phrases"]), "windows": strongest}


def summary(tables):
    """Accuracies, likeness, and what filters look for."""
    names = {"right": "new n-grams", "largest": "their larger class", "examples": "texts"}
    accuracy = tables["systems"].groupby("system", sort=False)[["dev", *names]].mean().reset_index()
    summaries = {"Accuracy on dev, and on test texts all of whose n-grams are new": accuracy.rename(columns=names)}
    if len(likeness := tables["likeness"]):
        title = f"Likeness to '{likeness['one'].iloc[0]}': mean cosine of the windows"
        summaries[title] = text_tables.likeness(likeness)
        summaries["Windows of these texts to which filters answer"] = text_tables.strongest(tables["windows"])
    return summaries


def verdict(tables):
    """By test texts none of whose n-grams stands in train or dev; by the nets with vectors given, if there are."""
    systems, nearer = tables["systems"], comparing.gain(tables["likeness"], "like", "opposite")
    nets = systems[~systems["system"].isin([*WORDS.values(), *TRIGRAMS.values()])]
    name = nets["system"].iloc[0] if len(nets) else "CNN"
    nets, trigrams = nets[nets["system"] == name], systems[systems["system"].isin(TRIGRAMS.values())]
    best, larger = trigrams["right"].max(), trigrams["largest"].max()
    texts = int(nets["examples"].max()) if len(nets) else None
    by_unit = nets.assign(best=best).groupby(choosing.unit(nets))[["right", "best", "largest", "dev"]].mean()
    gain = comparing.gain(by_unit, "right", "best", examples=texts)
    above = (by_unit["right"] - by_unit["largest"]) / (by_unit["dev"] - by_unit["largest"])
    kept = choosing.over_units(above, texts, least=-1.0)
    none_better = None if trigrams.empty else bool((trigrams["right"] <= trigrams["largest"]).all())
    no_better = "Indicators of trigrams do no better there than to name the larger class."
    closer = "To its filters a phrase is more like one of like meaning than like one of opposite meaning"
    return verdicts.verdict(
        verdicts.exact(no_better, none_better, f"right on {best:.1%}, its share {larger:.1%}", "none of them does"),
        verdicts.more_than(f"A {name.split(',')[0]} beats them.", gain, 0, unit="%"),
        verdicts.more_than("It keeps over half of what it has above the larger class on dev.", kept, 0.5, unit="%"),
        verdicts.more_than(f"{closer} (to indicators it is like neither).", nearer),
    )


def pictures(tables):
    """Accuracy of each system, and the likeness of the phrases."""
    systems = tables["systems"]
    look = {"percent": True, "zero": systems["largest"].mean(), "xlabel": "right, of test texts of new n-grams"}
    figure, _ = charts.means(systems, "system", "right", **look)
    caption = "Accuracy on test texts all of whose n-grams are new; dotted, their larger class. Bars: 95% intervals"
    drawn = {"accuracy": Picture(figure, f"{caption} over seeds.")}
    if len(likeness := tables["likeness"]):
        one, other, contrary = likeness.iloc[0][["one", "other", "contrary"]]
        columns = {other: "like", contrary: "opposite", "indicators of n-grams": "indicators"}
        cosines = {name: intervals.mean(likeness[column]) for name, column in columns.items()}
        figure, _ = charts.dots(cosines, xlabel="mean cosine of the windows")
        caption = f"How like '{one}' other phrases are to the filters of a CNN, and to indicators of n-grams. Bars: 95%"
        drawn["likeness"] = Picture(figure, f"{caption} intervals over seeds.")
    return drawn


EXPERIMENT = Claim(
    name="unseen_ngrams",
    about=CLAIM,
    takes="text",
    needs=("embedding_dim",),
    check=check,
    defaults={
        "dataset": "unseen_ngrams",
        "word_vectors": "made",
        "model": "text_cnn",
        "filter_widths": 3,
        "num_filters": 64,
        "learning_rate": [0.0003, 0.001, 0.003, 0.01],
        "batch_size": 50,
        "num_steps": 600,
        "evaluate_every": 600,
        "num_seeds": 12,
        "predictions": True,
    },
    options=(
        Option("phrases", PHRASES, "A phrase, one like it and one opposed to it, all with the same number of words."),
        Option("order", 3, "Words of an n-gram: texts are judged all of whose n-grams are new.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

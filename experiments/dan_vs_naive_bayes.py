"""A Deep Averaging Network against Naive Bayes, on words and on pairs of words, both tuned with one budget."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jaxnets.analysis import words_and_windows
from jaxnets.claims import effects
from jaxnets.claims.verdicts import CONSTRUCTED, Fact, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import FINAL_SEEDS, Claim, Option
from jaxnets.stats import baselines

CLAIM = "A Deep Averaging Network outperforms Naive Bayes on sentiment."

WORDS, PAIRS = "Naive Bayes, words", "Naive Bayes, words and pairs"
ORDERS = {WORDS: (1,), PAIRS: (1, 2)}
NEGATIONS = ["not", "n't", "no", "never", "nor", "without"]
PARTS = {"test_accuracy": "test accuracy", "negated": "with a negation", "plain": "without"}

POINT = {
    "kind": CONSTRUCTED,
    "bound": 0.01,
    "unit": "%",
    "reason": "Systems for sentences are told apart by points of accuracy.",
    "power": "Five points are found in four of five repetitions.",
}
RULES = {
    "words": Rule(statement="A DAN is right on more test texts than Naive Bayes on words.", **POINT),
    "pairs": Rule(statement="A DAN is right on more test texts than Naive Bayes on words and pairs.", **POINT),
    "vectors": Rule(
        statement="So it is against words and pairs if it has word vectors from other texts, which are more data.",
        core=False,
        **POINT,
    ),
    "negations": Rule(
        statement="Its gain on Naive Bayes on words is larger on texts that hold a negation.", core=False, **POINT
    ),
}


def check(config):
    """Refuses several models: one is compared with Naive Bayes."""
    if len(choices(config.model)) > 1:
        raise UserError("model: one model is compared with Naive Bayes; give one.")


def measure(results):
    """The net and Naive Bayes tuned by as many settings in each repeat; on all test texts, and by negation."""
    given, chosen = results.folds[0].word_vectors, _by_negation(results)
    length = {"embedding_dim": given.dim} if given else {}
    plain = {"word_vectors": "", **length} if given else {}
    studied = results.comparison("model", predictions=True, **plain)
    nets = [effects.scored_among(studied.comparison, chosen).assign(vectors="random")]
    if given:
        more = results.comparison("model", predictions=True, **length).comparison
        nets.append(effects.scored_among(more, chosen).assign(vectors="given"))
    (trained,) = studied.reporting.values()
    alphas = smoothings(studied.comparison.protocol.num_trials // 2)
    bayes = [_of_bayes(system, trained.folds, alphas, chosen) for system in ORDERS]
    return {"nets": pd.concat(nets, ignore_index=True), "bayes": pd.concat(bayes, ignore_index=True)}


def smoothings(count):
    """So many, one at least, half a decade apart about 1, which is the usual one."""
    places = np.arange(max(count, 1))
    return 10 ** ((places - places.mean()) / 2)


def _by_negation(results):
    """Which test texts of each repeat hold a negation, and which do not."""
    negations = results.options["negations"]
    held = [words_and_windows.holding(fold.test.inputs, fold.vocabulary, negations) for fold in results.folds]
    return {"negated": held, "plain": [~mask for mask in held]}


def _of_bayes(system, folds, alphas, chosen):
    """A row for each repeat: the setting that is best on dev, and its accuracies on all and on some of the texts."""
    rows = []
    for tuned in baselines.tuned_naive_bayes(folds, ORDERS[system], alphas):
        right = pd.Series(tuned.predictions == folds[tuned.fold].test.labels)
        among = {name: right[masks[tuned.fold]].mean() for name, masks in chosen.items()}
        setting = {"alpha": tuned.alpha, "counts": tuned.counts, "edge": tuned.edge, "dev_accuracy": tuned.dev_accuracy}
        rows.append({"system": system, "repeat": tuned.fold, **setting, "test_accuracy": right.mean(), **among})
    return pd.DataFrame(rows)


def gains(tables, system, column="test_accuracy", vectors="random"):
    """What the nets with some vectors gain on a kind of Naive Bayes, by repeat and seed."""
    nets, bayes = tables["nets"], tables["bayes"]
    return effects.over_baseline(nets[nets["vectors"] == vectors], bayes[bayes["system"] == system], column)


def evidence(tables):
    """Differences of accuracies on the same test texts; of negations the difference of two such differences."""
    negated, plain = (gains(tables, WORDS, column) for column in ("negated", "plain"))
    more = negated.assign(effect=negated["effect"] - plain["effect"]).dropna(subset="effect")
    given = gains(tables, PAIRS, vectors="given")
    return {
        "words": gains(tables, WORDS),
        "pairs": gains(tables, PAIRS),
        "vectors": given if len(given) else Fact(None, "no word vectors were given"),
        "negations": more.drop(columns="examples"),
    }


def named(tables):
    """The nets and the baselines in one table, with the column `system`."""
    nets = tables["nets"]
    names = nets["method"].replace("dan", "DAN")
    several = nets["vectors"].nunique() > 1
    return pd.concat([nets.assign(system=names + (", vectors " + nets["vectors"] if several else "")), tables["bayes"]])


def summary(tables):
    """Accuracies of each system, and the settings that were chosen."""
    systems = named(tables)
    shown = systems.groupby("system", sort=False)[["dev_accuracy", *PARTS]].mean().reset_index()
    chosen = {"system": "first", "learning_rate": "median", "alpha": "median", "counts": "mean", "edge": "mean"}
    settings = systems.groupby("system", sort=False, as_index=False).agg(chosen).astype({"counts": float})
    names = {"learning_rate": "learning rate (median)", "alpha": "smoothing (median)"}
    shares = {"counts": "repeats that take counts", "edge": "on an edge of what is tried"}
    return {
        "Accuracy, means over repeats": shown.rename(columns={"dev_accuracy": "dev accuracy", **PARTS}),
        "The settings that are best on dev": settings.rename(columns=names | shares),
    }


def pictures(tables):
    """Gains on both kinds of Naive Bayes, and the accuracies with and without a negation."""
    found = pd.concat([gains(tables, system).assign(task=f"against {system}") for system in ORDERS])
    compared = figures.on_tasks(found, RULES["words"], xlabel="points of test accuracy")
    by_kind = named(tables).melt(["system", "repeat"], ["negated", "plain"], "texts", "right").dropna(subset="right")
    means = by_kind.replace(PARTS).groupby(["system", "texts", "repeat"], sort=False)["right"].mean().reset_index()
    negations = figures.dots_of_means(means, "system", "texts", "right", percent=True, xlabel="test accuracy")
    caption = "What the DAN gains on Naive Bayes, over repeats. Dashed: the smallest difference of interest. Bars: 95%"
    return {
        "gains": Picture(compared, f"{caption} intervals."),
        "negations": Picture(negations, "Test accuracy on texts with and without a negation. Bars: 95% intervals."),
    }


EXPERIMENT = Claim(
    name="dan_vs_naive_bayes",
    about=CLAIM,
    lecture="A DAN outperforms methods like Naive Bayes on sentiment.",
    measured="Test accuracy of a DAN and of Naive Bayes on words, and on words and pairs. In each repeat they learn "
    "from train alone and try as many settings: learning rates and word dropout, or smoothings of counts and "
    "indicators.",
    rules=RULES,
    check=check,
    takes="text",
    defaults={
        "dataset": "ngrams",
        "num_sentences": 2000,
        "model": "dan",
        "embedding_dim": 50,
        "vector_range": 0.05,
        "hidden_units": 50,
        "word_dropout_rate": [0.0, 0.3],
        "optimizer": "adam",
        "learning_rate": log_range(1e-4, 1, 9),
        "batch_size": 50,
        "num_steps": 400,
        "evaluate_every": 400,
        "num_repeats": 8,
    },
    quick={"num_sentences": 1000, "num_steps": 200, "evaluate_every": 200, "num_repeats": 4},
    text={"num_train": 5000},
    of_text=("words", "pairs", "vectors", "negations"),
    options=(
        replace(FINAL_SEEDS, default=4),
        Option("negations", NEGATIONS, "Words that negate: test texts with one are counted apart."),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

"""N-grams that training never saw: a CNN over vectors in which like words are alike, against random vectors."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jaxnets.analysis import words_and_windows
from jaxnets.claims import effects
from jaxnets.claims.verdicts import CONSTRUCTED, IDENTITY, Fact, Rule
from jaxnets.config.values import log_range
from jaxnets.data import learned_vectors
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import FINAL_SEEDS, Claim, Option
from jaxnets.stats import baselines

CLAIM = "A CNN over word vectors understands n-grams that it never saw; n-gram indicators do not."
NAME = "unseen_ngrams"
RANDOM, GIVEN, LEARNED = "random", "given", "learned from text"
PHRASES = ["i really like spinach", "i really love spinach", "i really hate spinach"]

GAP = {
    "kind": CONSTRUCTED,
    "bound": 0.1,
    "unit": "%",
    "reason": "Another draw of random vectors closes or opens as much.",
    "power": "A third of the gap is found in four of five repetitions.",
}
SIDE = {"kind": CONSTRUCTED, "core": False, "bound": 0.05, "reason": "It is a twentieth of all there can be."}
SIDE["power"] = "A loss of none, and a cosine of 0.3, are found in four of five repetitions."
RULES = {
    "indicators": Rule(statement="Indicators of new n-grams are all zero.", kind=IDENTITY, test="exact"),
    "similarity": Rule(
        statement="Vectors in which like words are alike close a share of the gap from random vectors to no errors, on "
        "average over degrees of likeness.",
        **GAP,
    ),
    "learned": Rule(statement="So do vectors learned from texts without labels, by which words keep company.", **GAP),
    "degrees": Rule(statement="The highest degree of likeness closes more of it than the lowest.", core=False, **GAP),
    "seen": Rule(
        statement="Over them a net is as right on new n-grams as on texts drawn like those it learned from (dev).",
        test="within",
        unit="%",
        **SIDE,
    ),
    "phrases": Rule(statement="To filters a phrase is more like one of like meaning than like one opposed.", **SIDE),
}


def check(config):
    """Refuses phrases that cannot be compared window by window."""
    lengths = [len(phrase.split()) for phrase in config.options["phrases"]]
    if len(lengths) != 3 or len(set(lengths)) > 1:
        raise UserError("phrases: give a phrase, one like it and one opposed to it, all with the same number of words.")


def fits(config, folds):
    """Refuses n-grams that are longer than all texts to learn from."""
    order, longest = config.options["order"], min(int(fold.train.inputs.lengths.max()) for fold in folds)
    if order > longest:
        raise UserError(f"order: {order} words are more than the longest training text has, {longest}.")


def measure(results):
    """The CNN tuned alike over each kind of vectors, on test texts of new n-grams; and what its filters answer to."""
    order, folds, share = results.options["order"], results.folds, results.test_share
    unseen = words_and_windows.all_unseen
    new = [unseen([one.train.inputs, one.dev.inputs], one.test.inputs, order, len(one.vocabulary)) for one in folds]
    bayes = baselines.tuned_naive_bayes(folds, [order], [1.0])
    classes = [len(np.unique(one.predictions[among])) for one, among in zip(bayes, new, strict=True)]
    systems, likeness = [], []
    for (kind, degree), values in of_kinds(results).items():
        studied = results.comparison("model", predictions=True, keep="last", **values)
        (trained,) = studied.reporting.values()
        of_kind = {"vectors": kind, "degree": degree, "system": f"{kind}, degree {degree:g}" if degree else kind}
        of_kind |= {"test_share": share}  # a loader does not tell it
        systems.append(effects.scored_among(studied.comparison, {"right": new}).assign(**of_kind))
        likeness.append(words_and_windows.likeness(trained, results.options["phrases"]).assign(**of_kind))
    return {
        "systems": pd.concat(systems, ignore_index=True),
        "likeness": pd.concat(likeness, ignore_index=True),
        "indicators": pd.DataFrame({"texts": [among.sum() for among in new], "classes": classes}),
    }


def of_kinds(results):
    """By kind and degree of vectors what is changed for them: the vectors themselves, or where random ones start."""
    folds, options, seed = results.folds, results.options, results.config.first_seed
    own, vocabulary, generated = folds[0].word_vectors, folds[0].vocabulary, results.config.dataset == NAME
    dim = own.dim if own else options["dim"]
    texts = learned_vectors.company(vocabulary, options["unlabelled"], seed) if generated else folds[0].train.inputs
    learned = learned_vectors.learned(texts, len(vocabulary), dim, seed=seed)
    given = own or learned
    by_degree = learned_vectors.by_degree(folds, given, options["degrees"], seed)
    random = {"embedding_dim": dim, "vector_range": given.deviation * 3**0.5}  # as large as the given ones
    return {
        (RANDOM, 0): {"dataset": learned_vectors.loader(folds, None), **random},
        **{(GIVEN, degree): {"dataset": data} for degree, data in by_degree.items()},
        (LEARNED, 0): {"dataset": learned_vectors.loader(folds, learned)},
    }


def closed(tables, *kinds):
    """The share of the gap that some kinds of vectors close, by repeat, seed and system."""
    kind, systems = tables["systems"]["vectors"], tables["systems"]
    found = effects.gap_closed(systems[kind.isin(kinds)], systems[kind == RANDOM], "right")
    return found.dropna(subset="effect")


def evidence(tables):
    """Indicators by counting; shares of the gap and differences of accuracies in each repeat; phrases by cosines."""
    indicators, systems, likeness = tables["indicators"], tables["systems"], tables["likeness"]
    apart = likeness[likeness["vectors"] != RANDOM] if len(likeness) else likeness
    there, given = indicators[indicators["texts"] > 0], systems[systems["vectors"] == GIVEN]
    text = f"in each repeat Naive Bayes on them names one class for all; {there['texts'].sum():,} texts"
    return {
        "indicators": Fact(bool((there["classes"] == 1).all()) if len(there) else None, text),
        "similarity": closed(tables, GIVEN),
        "learned": closed(tables, LEARNED),
        "degrees": effects.rise(closed(tables, GIVEN), "degree"),
        "seen": given.assign(effect=given["right"] - given["dev_accuracy"]).dropna(subset="effect"),
        "phrases": apart.assign(effect=apart["like"] - apart["opposite"]) if len(apart) else apart,
    }


def summary(tables):
    """Accuracies by vectors, and how like each other the phrases are."""
    columns = {"learning_rate": "learning rate (median)", "dev_accuracy": "dev", "right": "right on new n-grams"}
    how = {"learning_rate": "median", "dev_accuracy": "mean", "right": "mean"}
    shown = tables["systems"].groupby("system", sort=False, as_index=False).agg(how).rename(columns=columns)
    summaries = {"Accuracy on dev, and on test texts of new n-grams": shown.rename(columns={"system": "vectors"})}
    for kind, own in tables["likeness"].groupby("vectors", sort=False) if len(tables["likeness"]) else ():
        first, cosines = own.iloc[0], own[["like", "opposite"]].mean().tolist()
        columns = {"phrase": first[["other", "contrary"]].tolist(), "to the filters": cosines}
        columns |= {"to indicators of n-grams": first["indicators"]}
        summaries[f"Similarity to '{first['one']}', vectors {kind}"] = pd.DataFrame(columns)
    return summaries


def pictures(tables):
    """The share of the gap that each kind of vectors closes."""
    found = closed(tables, GIVEN, LEARNED).drop(columns="task").rename(columns={"system": "task"})
    gaps = figures.on_tasks(found, RULES["similarity"], xlabel="share of the gap closed")
    caption = "The share of the errors over random vectors that other vectors spare, on n-grams never seen. Dashed: the"
    return {"gaps": Picture(gaps, f"{caption} smallest share of interest. Bars: 95% intervals over repeats.")}


EXPERIMENT = Claim(
    name="unseen_ngrams",
    about=CLAIM,
    lecture="Word vectors let a CNN process n-grams that it never saw; indicators of n-grams cannot.",
    measured="Test accuracy of a trained CNN on texts none of whose n-grams occurred in training, over random vectors "
    "and over vectors in which like words are alike, by degree of likeness, all tuned alike in each repeat.",
    rules=RULES,
    check=check,
    takes="text",
    needs=("embedding_dim", "vector_range"),
    defaults={
        "dataset": NAME,
        "num_sentences": 1000,
        "word_vectors": "made",
        "model": "text_cnn",
        "filter_widths": 3,
        "num_filters": 32,
        "optimizer": "adam",
        "learning_rate": log_range(3e-4, 1, 8),
        "num_train": 100,
        "batch_size": 25,
        "num_steps": 200,
        "evaluate_every": 200,
        "num_seeds": 2,
        "num_repeats": 8,
    },
    quick={"degrees": [0.3, 1.0], "num_repeats": 4},
    text={
        "word_vectors": "",
        "degrees": [0.5, 1.0],
        "num_train": 2000,
        "batch_size": 50,
        "num_seeds": 1,
        "final_seeds": 4,
    },
    of_text=("similarity", "learned", "degrees", "seen", "phrases"),
    options=(
        replace(FINAL_SEEDS, default=24),
        Option("degrees", [0.1, 0.3, 0.6, 1.0], "Shares of the given vectors' variance that are kept.", least=0),
        Option("unlabelled", 2000, "Generated sentences without labels from which vectors are learned.", least=50),
        Option("dim", 32, "Numbers of a vector that is learned, where none are given.", least=1),
        Option("phrases", PHRASES, "A phrase, one like it and one opposed to it, all with the same number of words."),
        Option("order", 3, "Words of an n-gram: texts are judged all of whose n-grams are new.", least=1),
    ),
    fits=fits,
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

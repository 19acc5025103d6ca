"""Negation: of four patterns of words, and in sentences of which a share are turned around by "not"."""

from dataclasses import replace

import pandas as pd

from jaxnets.analysis import linear, words_and_windows
from jaxnets.claims import effects, measures
from jaxnets.claims.verdicts import CONSTRUCTED, Fact, Rule
from jaxnets.comparison.table import TUNING
from jaxnets.config.values import choices, log_range
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import FINAL_SEEDS, Claim, Option
from jaxnets.stats import estimates

CLAIM = "A multilayer perceptron models negation; a linear classifier cannot."

BUDGET = {"optimizer": "adam", "batch_size": 50, "num_steps": 400, "evaluate_every": 400}
DANS = {"model": "dan", "hidden_units": [0, 32], "embedding_dim": 16, "vector_range": 0.1, **BUDGET}
NETS = {"dataset": "negation", "model": "mlp", "activation": "tanh", "head": "sigmoid", "learning_rate": 0.03}
STEPS = {"batch_size": 0, "num_train": 0, "num_steps": 1000, "evaluate_every": 1000, "num_repeats": 1}
NONE = (0, (), (0,))  # no hidden layer
UNSEEN = {"dataset": "unseen_negations", "num_train": 0}
LINEAR, JUDGED = "0", "4"  # hidden units: none, and one for each pattern
FITS = 0.9  # the accuracy on dev from which on a rate is one that trains

POINTS = {
    "kind": CONSTRUCTED,
    "bound": 0.02,
    "unit": "%",
    "reason": "Where one word in twenty is negated, adding up words loses no more.",
    "power": "Three points are found in four of five repetitions, where a repeat's gain moves by one.",
}
SIDE = {
    "kind": CONSTRUCTED,
    "core": False,
    "bound": 0.05,
    "unit": "%",
    "reason": "It is a twentieth of the sentences.",
    "power": "Ten points are found in four of five repetitions.",
}
EXACT = {"kind": CONSTRUCTED, "test": "exact"}
RULES = {
    "linear": Rule(statement="Without a hidden layer no net gets the four patterns right, and none can.", **EXACT),
    "patterns": Rule(
        statement="With a hidden layer of four units a net gets all four right from most starts.",
        kind=CONSTRUCTED,
        bound=0.5,
        against=0.05,
        unit="%",
        reason="What a net models it finds without luck.",
        power="Of 256 starts, a share of 59% is found in four of five repetitions.",
    ),
    "sentences": Rule(statement="A hidden layer makes a DAN right on more held-out sentences, on average.", **POINTS),
    "each_share": Rule(statement="It does so at each share of negation.", **{**POINTS, "core": False, "over": "most"}),
    "negated": Rule(statement="It does so on the held-out sentences that hold a negation.", **SIDE),
    "unseen": Rule(statement='A DAN turns most judgements that never stood behind "not" (over chance).', **SIDE),
    "rates": Rule(
        statement="How many of them depends little on the learning rate, where it fits dev (for a factor of ten).",
        **{**SIDE, "test": "within", "bound": 0.1, "reason": "It is a fifth of the way from chance to all."},
    ),
}


def measure(results):
    """Nets on the four patterns; DANs with and without a hidden layer by share of negation; a DAN on unseen ones."""
    patterns = results.train(**NETS, **STEPS, hidden_units=[(), (2,), (4,)], num_seeds=results.options["starts"])
    split = patterns.folds[0].train
    runs = patterns.runs.assign(separable=linear.separable(split.inputs, split.labels))
    generated = results.config.dataset == "mixed_negations"
    scores = [of_share(results, share) for share in (results.options["shares"] if generated else [None])]
    return {"patterns": runs, "scores": pd.concat(scores, ignore_index=True), **on_unseen(results)}


def of_share(results, share):
    """The final runs with and without a hidden layer, with their accuracy on sentences that hold a negation."""
    given = {} if share is None else {"negated_share": share}
    studied = results.comparison("hidden_units", predictions=True, **given)
    (trained,) = studied.reporting.values()
    negations = results.options["negations"]
    held = [words_and_windows.holding(fold.test.inputs, fold.vocabulary, negations) for fold in trained.folds]
    scored = effects.scored_among(studied.comparison, {"negated_accuracy": held})
    return scored if share is None else scored.assign(task=f"{share:.0%} negated")


def on_unseen(results):
    """A DAN with a hidden layer on judgements that never stood behind "not": at each rate, and at the best by dev."""
    hidden = [one for one in choices(results.config.values()["hidden_units"]) if one not in NONE][-1]
    studied = results.comparison("hidden_units", **UNSEEN, hidden_units=[hidden], keep="last")
    said = words_and_windows.judgements(*studied.reporting.values(), "the movie is {}", "the movie is not {}")
    (facts,), rates = studied.comparison.tasks, studied.comparison.phase(TUNING)
    rates = rates.assign(repeat=rates.get("repeat", 0), test_share=facts.test_share)
    return {"unseen": effects.scores(studied.comparison), "rates": rates, "words": said}


def with_both(config):
    """Refuses what lacks one side of the comparison."""
    if len({one in NONE for one in choices(config.values()["hidden_units"])}) < 2:
        raise UserError("hidden_units: nets with and without a hidden layer are compared; give 0 and another.")


def evidence(tables):
    """Patterns by counting and by share of starts; sentences by differences of accuracies, in each repeat."""
    nets, scores, unseen, rates = (tables[name] for name in ("patterns", "scores", "unseen", "rates"))
    solved = nets["train_accuracy"] == 1
    linear, judged = (solved[nets["hidden_units"] == units] for units in (LINEAR, JUDGED))
    can = "one" if nets["separable"].any() else "none"
    told = f"{linear.sum()} of {len(linear):,} nets do; a linear program finds {can} that can"
    deep = next((name for name in scores["method"].unique() if name != LINEAR), None)
    gain, negated = (effects.contrast(scores, f"{on}_accuracy", {deep: 1, LINEAR: -1}) for on in ("test", "negated"))
    turned = effects.contrast(unseen, "test_accuracy", {unseen["method"].iloc[0]: 1})
    return {
        "linear": Fact(can == "none" and not linear.any() if len(linear) else None, told),
        "patterns": estimates.share(int(judged.sum()), len(judged)),
        # the shares are fixed, so that only repeats are drawn
        "sentences": gain.drop(columns="task", errors="ignore"),
        "each_share": gain,
        "negated": negated.drop(columns="task", errors="ignore"),
        "unseen": turned.assign(effect=turned["effect"] - 0.5),
        "rates": measures.slopes(rates[rates["dev_accuracy"] >= FITS], "learning_rate", "test_accuracy"),
    }


def summary(tables):
    """Solved shares on the patterns, accuracies by share of negation, and what a DAN turns at each rate."""
    nets = tables["patterns"].assign(solved=tables["patterns"]["train_accuracy"] == 1)
    solved = nets.groupby("hidden_units", sort=False)["solved"].mean().map("{:.1%}".format).reset_index()
    how = {"learning_rate": "median", "dev_accuracy": "mean", "test_accuracy": "mean", "negated_accuracy": "mean"}
    accuracies = tables["scores"].groupby(["task", "method"], sort=False).agg(how).reset_index()
    names = ["share", "hidden units", "learning rate (median)", "dev", "test", "test, with a negation"]
    rates = tables["rates"].groupby("learning_rate")[["dev_accuracy", "test_accuracy"]].mean().reset_index()
    return {
        "Nets that get all four patterns right": solved.rename(columns={"hidden_units": "hidden units"}),
        "Accuracy on sentences": accuracies.set_axis(names, axis=1),
        "A DAN on new negations": rates.set_axis(["learning rate", "dev", "turned around"], axis=1),
    }


def pictures(tables):
    """Gains by share of negation, what is turned at each rate, and single judgements plain and negated."""
    gains, seen, new = evidence(tables)["each_share"], "seen (dev)", "never seen (test)"
    shares = figures.on_tasks(gains, RULES["each_share"], xlabel="test accuracy with a hidden layer less without")
    both = tables["rates"].rename(columns={"dev_accuracy": seen, "test_accuracy": new})
    both = both.melt("learning_rate", [seen, new], "negations", "right")
    look = {"xscale": "log", "percent": True, "domain": (-0.03, 1.03)}
    rates = figures.lines(both, "learning_rate", "right", "negations", **look)
    labels = {"xlabel": "log-odds of 'positive', plain", "ylabel": "log-odds, behind 'not'"}
    said = figures.against(tables["words"], "plain", "negated", "seen", slope=-1, **labels)
    caption = "A sentence with each good and bad word, and with 'not' before it; dotted: it turns the word around."
    return {
        "shares": Picture(shares, "What a hidden layer gains, by the share negated. Bars: 95% intervals."),
        "rates": Picture(rates, "A DAN on negated judgements, by learning rate. Bands: 95% intervals."),
        "words": Picture(said, caption),
    }


EXPERIMENT = Claim(
    name="negation",
    about=CLAIM,
    lecture='A multilayer perceptron can model negation: the meaning of a word turns around behind "not".',
    measured="Nets on the patterns good, bad, not good and not bad; and test accuracy of a DAN with and without a "
    "hidden layer, on sentences of which 5% to 50% are negated, both tuned alike in each repeat.",
    rules=RULES,
    takes="text",
    needs=("hidden_units",),
    check=with_both,
    defaults={
        "dataset": "mixed_negations",
        "num_sentences": 2000,
        **DANS,
        "learning_rate": log_range(1e-3, 1, 7),
        "num_seeds": 2,
        "num_repeats": 8,
    },
    quick={"shares": [0.1, 0.3, 0.5], "num_repeats": 4, "starts": 64},
    text={"num_train": 5000},
    of_text=("sentences", "each_share", "negated"),
    options=(
        replace(FINAL_SEEDS, default=4),
        Option("shares", [0.05, 0.1, 0.2, 0.35, 0.5], "Shares of the sentences that are negated.", least=0),
        Option("starts", 256, "Seeds of the nets on the four patterns.", least=1),
        Option("negations", ["not", "n't", "no", "never"], "Words that negate: sentences with one are looked at."),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

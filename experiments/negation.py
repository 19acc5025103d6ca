"""Negation: of four patterns of words, and in sentences with judgements that never stood with "not" in training."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import sentences, words
from jaxnets.evidence import choosing, comparing, comparison, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "A multilayer perceptron models negation; a linear classifier cannot."

NETS = {"dataset": "negation", "model": "mlp", "activation": "tanh", "head": "sigmoid", "learning_rate": 0.03}
STEPS = {"batch_size": 0, "num_train": 0, "num_steps": 1000, "evaluate_every": 1000, "seed": None, "predictions": False}


def measure(results):
    """Nets on the four patterns, each run's share of the negated test sentences, and a DAN's view of single words."""
    units, seeds, negations = (results.options[n] for n in ("pattern_units", "pattern_seeds", "negations"))
    patterns = results.train(**NETS, **STEPS, hidden_units=units, num_seeds=seeds).runs
    chosen = [words.holding(fold.test.inputs, fold.vocabulary, negations) for fold in results.folds]
    tables = {"patterns": patterns, "negated": comparison.right_among(results.predictions, chosen)}
    return tables | {"words": _words(results, judged({"runs": results.runs, **tables}))}


def _words(results, runs):
    """What the best DAN with a hidden layer says of each judgement, plain and negated: log-odds of the last class."""
    deep = choosing.finished(runs[runs["system"].str.startswith("DAN")]).sort_values("dev_loss", kind="stable")
    if deep.empty:
        return pd.DataFrame()
    values = results.values(deep["run"].iloc[0], "model", *choosing.varying(results.runs), "seed")
    model = results.train(**values, keep="last", predictions=False).model(0)
    plain, negated = results.options["plain"], results.options["negated"]
    return sentences.judgements(model, results.folds[0].train.inputs, plain, negated)


def judged(tables):
    """The runs of each system at its best rate by dev loss, on fresh seeds: their shares of the negated sentences.

    Runs that did not finish have the share of the larger class, if it is known, or none of them right.
    """
    runs = tables["runs"]
    layers = runs["hidden_units"].astype(str) if "hidden_units" in runs else pd.Series("", runs.index)
    dan = pd.Series(np.where(layers == "0", "linear", "DAN " + layers), runs.index)
    system = dan.where(runs["model"] == "dan", runs["model"].replace("text_cnn", "text CNN"))
    runs = choosing.confirmed(runs.assign(system=system), ["system"], score="dev_loss")
    runs = runs.merge(tables["negated"], on="run", how="left", suffixes=("", "_of_predictions"))
    runs = runs[runs["right"].notna() | (runs["status"] != choosing.FINISHED)]
    return runs.assign(right=runs["right"].fillna(runs["largest"].max()).fillna(0.0))


def solved(tables):
    """The nets on the four patterns, with whether each gets all of them right."""
    return tables["patterns"].assign(solved=tables["patterns"]["train_accuracy"] == 1)


def summary(tables):
    """Solved shares on the patterns, and accuracies on the sentences."""
    shares = solved(tables).groupby("hidden_units", sort=False)["solved"].mean().map("{:.1%}".format).reset_index()
    how = {"learning_rate": "first", "train_accuracy": "mean", "dev_accuracy": "mean", "right": "mean"}
    table = judged(tables).groupby("system", sort=False).agg(how).reset_index()
    return {
        "Nets that get all four patterns right": shares.rename(columns={"hidden_units": "hidden units"}),
        "Accuracy on sentences": table.set_axis(["system", "learning rate", "train", "dev", "test, negated"], axis=1),
    }


def verdict(tables):
    """Patterns by counting; sentences by the accuracy on those of test that hold a negation."""
    nets, runs = solved(tables), judged(tables)
    linear, hidden = nets[nets["hidden_units"] == "0"], nets[nets["hidden_units"] != "0"]
    best, share = comparing.largest_share(hidden, "hidden_units", "solved", "no")
    none_solves = None if linear.empty else not linear["solved"].any()
    counted = f"{linear['solved'].sum()} of {len(linear):,} nets do"
    pairs = runs.pivot_table(index=choosing.unit(runs), columns="system", values="right")
    deep = next((name for name in pairs if name.startswith("DAN")), None)
    sentences = int(runs["examples"].max()) if runs["examples"].notna().any() else None
    gain = comparing.gain(pairs, deep, "linear", examples=sentences).clipped(-1, 1)
    right = choosing.over_units(pairs[deep].dropna(), examples=sentences).clipped(0, 1) if deep else intervals.UNKNOWN
    chance = float(runs["largest"].mean()) if len(runs) else 0.5
    linear_fails = "Without a hidden layer no net gets the four patterns right."
    return verdicts.verdict(
        verdicts.exact(linear_fails, none_solves, counted, "none does"),
        verdicts.more_than(f"With {best} hidden units most nets do.", share, 0.5, unit="%"),
        verdicts.more_than("On test sentences with a negation a DAN beats the linear net.", gain, 0, unit="%"),
        verdicts.more_than("It gets more of them right than the larger class has.", right, chance, unit="%"),
    )


def pictures(tables):
    """Solved shares, accuracies on negated sentences, and single judgements plain and negated."""
    look = {"xlabel": "hidden units", "ylabel": "nets that solve it", "ylim": (-0.03, 1.03), "percent": True}
    figure, _ = charts.lines(solved(tables), "hidden_units", "solved", estimate=charts.of_shares, **look)
    caption = "Share of nets that tell good, bad, not good and not bad apart. Band: 95% intervals."
    drawn, runs = {"patterns": Picture(figure, caption)}, judged(tables)
    if len(runs):
        labels = {"xlabel": "right, of negated test sentences", "xlim": (-0.03, 1.03)}
        figure, _ = charts.means(runs, "system", "right", bounds=(0, 1), percent=True, **labels)
        drawn["sentences"] = Picture(figure, "Each system at its best rate by dev loss. Bars: 95% intervals.")
    if len(tables["words"]):
        labels = {"xlabel": "log-odds of 'positive', plain", "ylabel": "log-odds, behind 'not'"}
        figure, _ = charts.against(tables["words"], "plain", "negated", "seen", slope=-1, **labels)
        caption = "What a DAN says of a sentence with each good and bad word, and with 'not' before it. On the dotted"
        drawn["words"] = Picture(figure, f"{caption} line 'not' turns the word around.")
    return drawn


EXPERIMENT = Claim(
    name="negation",
    about=CLAIM,
    takes="text",
    defaults={
        "dataset": "unseen_negations",
        "model": ["dan", "text_cnn"],
        "hidden_units": [0, 32],
        "filter_widths": 2,
        "num_filters": 32,
        "embedding_dim": 32,
        "vector_range": 0.05,
        "optimizer": "adam",
        "learning_rate": [0.001, 0.003, 0.01, 0.03],
        "batch_size": 50,
        "num_steps": 800,
        "evaluate_every": 800,
        "num_seeds": 16,
        "predictions": True,
    },
    options=(
        Option("pattern_units", [(), (1,), (2,), (4,), (8,)], "Hidden units of the nets on the four patterns."),
        Option("pattern_seeds", 256, "Seeds of the nets on the four patterns.", least=1),
        Option("negations", ["not", "n't", "no", "never"], "Words that negate: test sentences with one are judged."),
        Option("plain", "the movie is {}", "A sentence, with {} for a judgement that is put into it."),
        Option("negated", "the movie is not {}", "Its negation."),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

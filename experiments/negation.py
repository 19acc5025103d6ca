"""Negation: of four patterns of words, and in sentences with judgements that never stood with "not" in training."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "A multilayer perceptron models negation; a linear classifier cannot."

TAKES = "texts"
DEFAULTS = {
    "dataset": "unseen_negations",
    "model": "dan,text_cnn",
    "hidden_units": "0,32",
    "filter_widths": "2",
    "num_filters": "32",
    "embedding_dim": "32",
    "vector_range": "0.05",
    "optimizer": "adam",
    "learning_rate": "0.001,0.003,0.01,0.03",
    "batch_size": "50",
    "num_steps": "800",
    "evaluate_every": "800",
    "num_seeds": "16",
    "predictions": "true",
}

FLAGS = {
    "pattern_units": ("0,1,2,4,8", "Hidden units of the nets on the four patterns."),
    "pattern_seeds": ("256", "Seeds of the nets on the four patterns."),
    "negations": ("not,n't,no,never", "Words that negate: the test sentences that have one are judged."),
    "frames": ("the movie is {}/the movie is not {}", "A sentence and its negation, into which judgements are put."),
}

PATTERNS = {
    "dataset": "negation", "model": "mlp", "activation": "tanh", "head": "sigmoid",
    "learning_rate": "0.03", "batch_size": "0", "num_steps": "1000", "evaluate_every": "1000", "predictions": "false",
}  # fmt: skip


def measure(results):
    """Nets on the four patterns, each run's share of the negated test sentences, and a DAN's view of single words."""
    from jaxnets.analysis import words
    from jaxnets.evidence import comparison

    negations = results.config.option("negations", "text").split(",")
    chosen = [words.holding(fold.test.inputs, fold.vocabulary, negations) for fold in results.folds]
    units, seeds = (results.config.option(f"pattern_{name}", "text") for name in ("units", "seeds"))
    patterns = results.train(**PATTERNS, hidden_units=units, num_seeds=seeds)
    negated = comparison.right_among(results.predictions, chosen)
    return {"patterns": patterns.runs, "negated": negated, "words": _words(results)}


def _words(results):
    """What the best DAN with a hidden layer says of each judgement, plain and negated: log-odds of the last class."""
    from jaxnets.analysis import words
    from jaxnets.data.sentences import BAD, GOOD
    from jaxnets.trained import explain

    runs = confirmed({"runs": results.runs})
    runs = runs[runs["system"].str.startswith("DAN")]
    if runs.empty:
        return pd.DataFrame()
    best = runs.loc[runs["dev_loss"].idxmin()]
    flags = {name: str(best[name]) for name in ("hidden_units", "learning_rate", "seed")}
    model = results.train(model="dan", **flags, keep="last", predictions="false").saved(0)
    known = [word for word in (*GOOD, *BAD) if word in model.vocabulary]
    rows = {"word": known, "kind": ["good" if word in GOOD else "bad" for word in known]}
    for name, frame in zip(("plain", "negated"), results.config.option("frames", "text").split("/"), strict=True):
        asked = [explain.encode(model, frame.format(word)) for word in known]
        rows[name] = explain.log_odds(model, asked)
    negation = model.vocabulary.index("not")
    behind = words.behind(results.folds[0].train.inputs, negation)
    seen = [model.vocabulary.index(word) in behind for word in known]
    return pd.DataFrame({**rows, "seen": np.where(seen, "stood behind 'not' in training", "never did")})


def confirmed(tables):
    """The runs of each system at its best rate by dev loss, on fresh seeds."""
    from jaxnets.evidence import statistics

    runs = tables["runs"]
    layers = runs["hidden_units"].astype(str) if "hidden_units" in runs else pd.Series("", runs.index)
    dan = np.where(layers == "0", "linear", "DAN " + layers)
    system = pd.Series(np.where(runs["model"] == "dan", dan, "text CNN"), runs.index)
    return statistics.confirmed(runs.assign(system=system), ["system"], score="dev_loss")


def judged(tables):
    """The confirmed runs with their share of the negated test sentences."""
    return confirmed(tables).merge(tables["negated"], on="run", suffixes=("", "_of_predictions"))


def summary(tables):
    """Solved shares on the patterns, and accuracies on the sentences."""
    patterns = tables["patterns"].assign(solved=tables["patterns"]["train_accuracy"] == 1)
    solved = patterns.groupby("hidden_units", sort=False)["solved"].mean().map("{:.1%}".format).reset_index()
    runs = judged(tables).groupby("system", sort=False)
    table = runs.agg(rate=("learning_rate", "first"), train=("train_accuracy", "mean"), dev=("dev_accuracy", "mean"),
                     negated=("right", "mean")).reset_index()  # fmt: skip
    names = {"rate": "learning rate", "negated": "test, negated"}
    return {"Nets that get all four patterns right": solved.rename(columns={"hidden_units": "hidden units"}),
            "Accuracy on sentences": table.rename(columns=names)}  # fmt: skip


def verdict(tables):
    """Patterns by counting; sentences by the accuracy on those of test that hold a negation."""
    from jaxnets.evidence import statistics, verdicts

    patterns = tables["patterns"].assign(solved=tables["patterns"]["train_accuracy"] == 1)
    linear, hidden = patterns[patterns["hidden_units"] == "0"], patterns[patterns["hidden_units"] != "0"]
    shares = hidden.groupby("hidden_units", sort=False)["solved"].agg(["sum", "count"])
    best = (shares["sum"] / shares["count"]).idxmax() if len(shares) else "no"
    solved = statistics.share(*map(int, shares.loc[best])) if len(shares) else statistics.UNKNOWN
    counted = f"{linear['solved'].sum()} of {len(linear):,} nets do"
    on_words = verdicts.exact("Without a hidden layer no net gets the four patterns right.",
                              None if linear.empty else not linear["solved"].any(), counted, "none does")  # fmt: skip
    runs = judged(tables)
    repetitions = [name for name in ("seed", "fold") if name in runs]
    pairs = runs.pivot_table(index=repetitions, columns="system", values="right")
    deep = [name for name in pairs if name.startswith("DAN")]
    gain, right = statistics.UNKNOWN, statistics.UNKNOWN
    if deep:
        right = statistics.mean(pairs[deep[0]].dropna()).clipped(0, 1)
        if "linear" in pairs:
            gain = statistics.mean((pairs[deep[0]] - pairs["linear"]).dropna()).clipped(-1, 1)
    chance = float(runs["largest"].mean()) if len(runs) else 0.5
    return verdicts.verdict(
        on_words,
        verdicts.more_than(f"With {best} hidden units most nets do.", solved, 0.5, unit="%"),
        verdicts.more_than("On test sentences with a negation a DAN beats the linear net.", gain, 0, unit="%"),
        verdicts.more_than("It gets more of them right than the larger class has.", right, chance, unit="%"),
    )


def pictures(tables):
    """Solved shares, accuracies on negated sentences, and single judgements plain and negated."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, INK, Picture, panel

    patterns = tables["patterns"].assign(solved=tables["patterns"]["train_accuracy"] == 1)
    figure, _ = charts.lines(patterns, "hidden_units", "solved", estimate=charts.of_shares, percent=True,
                             xlabel="hidden units", ylabel="nets that solve it", ylim=(-0.03, 1.03))  # fmt: skip
    drawn = {"patterns": Picture(figure, "Share of nets that tell good, bad, not good and not bad apart. Band: 95% "
                                         "intervals.")}  # fmt: skip
    groups = judged(tables).groupby("system", sort=False)["right"]
    shares = {name: statistics.mean(rights).clipped(0, 1) for name, rights in groups}
    if shares:
        figure, _ = charts.dots(shares, percent=True, xlabel="right, of negated test sentences", xlim=(-0.03, 1.03))
        drawn["sentences"] = Picture(figure, "Each system at its best rate by dev loss. Bars: 95% intervals.")
    if len(table := tables["words"]):
        figure, axes = panel(xlabel="log-odds of 'positive', plain", ylabel="log-odds, behind 'not'")
        for number, (seen, group) in enumerate(table.groupby("seen", sort=False)):
            look = {"ms": 7, "alpha": 0.7, "color": COLOURS[number], "label": seen}
            axes.plot(group["plain"], group["negated"], "os"[number], **look)
        axes.axline((0, 0), slope=-1, color=INK, lw=1, ls=":")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18))
        drawn["words"] = Picture(figure, "What a DAN says of a sentence with each good and bad word, and with 'not' "
                                         "before it. On the dotted line 'not' turns the word around.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

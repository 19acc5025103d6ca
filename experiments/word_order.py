"""Word order: sentences with the same words in another order, for averages and for windows."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "A CNN combines the words of a window; an average cannot."

TAKES = "texts"
DEFAULTS = {
    "dataset": "word_order",
    "model": "dan,text_cnn",
    "hidden_units": "32",
    "filter_widths": "1,2,2x3",
    "num_filters": "32",
    "embedding_dim": "32",
    "vector_range": "0.05",
    "optimizer": "adam",
    "learning_rate": "0.001,0.003,0.01",
    "batch_size": "50",
    "num_steps": "600",
    "evaluate_every": "600",
    "num_seeds": "8",
}

FLAGS = {
    "examples": ("1000", "Test texts that are asked about in both orders, the first ones."),
}

DAN = "DAN"


def measure(results):
    """What each system, at its best rate and on fresh seeds, says of the test texts and of their words shuffled."""
    seeds = sorted(results.runs["seed"].unique())
    fresh = ",".join(map(str, seeds[len(seeds) // 2 :]))
    orders, texts = [], []
    for _, best in chosen(results.runs).iterrows():
        names = [name for name in ("model", "filter_widths", "learning_rate") if not pd.isna(best.get(name))]
        trained = results.train(**{name: str(best[name]) for name in names}, seed=fresh, keep="last")
        found, of_texts = _orders(trained, results.config)
        orders.append(found.assign(system=name_of(best)))
        texts.append(of_texts.assign(system=name_of(best)))
    return {"orders": pd.concat(orders, ignore_index=True), "texts": pd.concat(texts, ignore_index=True)}


def chosen(runs):
    """The configuration of each system that is best on dev in the first half of the seeds."""
    from jaxnets.evidence import statistics

    names = [name for name in ("model", "filter_widths") if name in runs]
    seeds = sorted(runs["seed"].unique())
    tuning = runs[runs["seed"].isin(seeds[: len(seeds) // 2] or seeds)]
    return statistics.best_configurations(tuning, names)


def name_of(row):
    """A system by name."""
    return DAN if row["model"] == "dan" else f"CNN, width {str(row['filter_widths']).replace('x', '+')}"


def _orders(trained, config):
    """Of each run its accuracy on the test texts and with their words shuffled; and what the first says of each."""
    from jaxnets.trained import explain

    generator, rows, texts = np.random.default_rng(0), [], pd.DataFrame()
    for _, run in trained.runs[trained.runs["status"] == "finished"].iterrows():
        model, test = trained.saved(run["run"]), trained.dataset(run["run"]).test
        asked = [test.inputs[row] for row in range(min(len(test), config.option("examples", "int")))]
        shuffled, labels = [generator.permutation(row) for row in asked], test.labels[: len(asked)]
        plain, other = explain.class_probabilities(model, asked), explain.class_probabilities(model, shuffled)
        rows.append({"seed": run["seed"], "fold": run.get("fold", 0), "right": (plain.argmax(1) == labels).mean(),
                     "shuffled": (other.argmax(1) == labels).mean(), "change": np.abs(plain - other).max(),
                     "ceiling": _ceiling(asked, labels)})  # fmt: skip
        if texts.empty:
            both = {"plain": asked, "shuffled": shuffled}
            texts = pd.DataFrame({name: explain.log_odds(model, of) for name, of in both.items()})
    return pd.DataFrame(rows), texts


def _ceiling(texts, labels):
    """The accuracy that one who sees only which words a text has cannot pass on these texts."""
    bags = pd.Series([np.sort(row).tobytes() for row in texts])
    return pd.Series(labels).groupby(bags).agg(lambda of: of.value_counts().max()).sum() / len(texts)


def summary(tables):
    """Accuracy of each system in the right order and with the words shuffled."""
    orders = tables["orders"].groupby("system", sort=False)
    table = orders.agg(right=("right", "mean"), shuffled=("shuffled", "mean"), change=("change", "max"))
    names = {"right": "test accuracy", "shuffled": "words shuffled", "change": "largest change of a probability"}
    return {"Systems, each at its best learning rate": table.reset_index().rename(columns=names)}


def verdict(tables):
    """By fresh seeds; the CNN is the one with the widest windows."""
    from jaxnets.evidence import statistics, verdicts

    orders = tables["orders"]
    pairs = orders.pivot_table(index=["seed", "fold"], columns="system", values=["right", "shuffled"], sort=False)
    systems = list(orders["system"].unique())
    averages = orders[orders["system"].isin([DAN, "CNN, width 1"])]
    windows = [name for name in systems if name not in (DAN, "CNN, width 1")]
    gain = loss = statistics.UNKNOWN
    if windows:
        loss = statistics.mean((pairs["right"] - pairs["shuffled"])[windows[-1]].dropna())
        if DAN in systems:
            gain = statistics.mean((pairs["right"][windows[-1]] - pairs["right"][DAN]).dropna())
    change = averages["change"].max()
    parts = [
        verdicts.exact("An average, and windows of one word, say the same in any order.",
                       None if averages.empty else bool(change < 1e-4),
                       f"largest change of a probability: {change:.1g}", "it is below 0.0001"),
        verdicts.more_than("A CNN with wider windows beats the average.", gain, 0, unit="%"),
        verdicts.more_than("It loses accuracy when the words are shuffled.", loss, 0, unit="%"),
    ]  # fmt: skip
    ceiling = float(averages["ceiling"].max())
    if ceiling < 0.75:  # the texts are pairs of the same words
        dan = statistics.mean(averages["right"])
        parts.append(verdicts.between("On texts with the same words it is at chance.", dan, ceiling - 0.01,
                                      ceiling + 0.01, unit="%"))  # fmt: skip
    return verdicts.verdict(*parts)


def pictures(tables):
    """Accuracy in the right order and shuffled; and what is said of each text in both orders."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, INK, Picture, panel

    orders = tables["orders"]
    estimates = {
        system: {"in their order": statistics.mean(rows["right"]), "shuffled": statistics.mean(rows["shuffled"])}
        for system, rows in orders.groupby("system", sort=False)
    }
    figure, _ = charts.series_of_dots(estimates, percent=True, xlabel="test accuracy")
    drawn = {"accuracy": Picture(figure, "Test accuracy with the words in their order, and shuffled. Bars: 95% "
                                         "intervals over seeds.")}  # fmt: skip
    shown, systems = tables["texts"].groupby("system", sort=False), list(orders["system"].unique())
    figure, axes = panel(xlabel="log-odds of the last class", ylabel="the same, words shuffled")
    for number, system in enumerate(dict.fromkeys((systems[-1], systems[0]))):
        texts = shown.get_group(system).head(300)
        axes.plot(texts["plain"], texts["shuffled"], "os"[number], ms=5, alpha=0.6, color=COLOURS[number], label=system)
    axes.axline((0, 0), slope=1, color=INK, lw=1, ls=":")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.18), ncols=2)
    drawn["texts"] = Picture(figure, "What one net of each kind says of test texts in their order, and with their "
                                     "words shuffled. On the dotted line the order makes no difference.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

"""Word order: sentences with the same words in another order, for averages and for windows."""

import sys

import pandas as pd

from jaxnets.analysis import sentences
from jaxnets.evidence import choosing, comparing, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "A CNN combines the words of a window; an average cannot."

DAN, CNN = "DAN", "CNN, width "
BAGS = [DAN, f"{CNN}1"]
COLUMNS = ["system", "seed", "fold", "right", "shuffled", "change", "ceiling", "examples"]


def measure(results):
    """What each system, at its best rate and on fresh seeds, says of the test texts and of their words shuffled."""
    seeds, orders, texts = sorted(results.runs["seed"].unique()), [], []
    for _, best in chosen(results.runs).iterrows():
        values = results.values(best["members"][0], "model", *choosing.varying(results.runs))
        trained = results.train(**values, seed=seeds[len(seeds) // 2 :], keep="last")
        if len(runs := choosing.finished(trained.runs)):
            of_runs, of_texts = sentences.orders(trained, runs, results.options["examples"])
            orders.append(pd.concat([of_runs, _lost(trained.runs)]).assign(system=name_of(best)))
            texts.append(of_texts.assign(system=name_of(best)))
    if not orders:
        return {"orders": pd.DataFrame(columns=COLUMNS), "texts": pd.DataFrame()}
    return {"orders": pd.concat(orders, ignore_index=True), "texts": pd.concat(texts, ignore_index=True)}


def _lost(runs):
    """Runs that did not finish are right on no text, in any order."""
    lost = runs[runs["status"] != choosing.FINISHED]
    return pd.DataFrame({"seed": lost["seed"], "fold": lost.get("fold", 0), "right": 0.0, "shuffled": 0.0})


def chosen(runs):
    """The configuration of each system that is best on dev in the first half of the seeds."""
    names = [name for name in ("model", "filter_widths") if name in runs]
    seeds = sorted(runs["seed"].unique())
    tuning = runs[runs["seed"].isin(seeds[: len(seeds) // 2] or seeds)]
    return choosing.best_configurations(tuning, names)


def name_of(row):
    """A system by name."""
    windows = CNN + str(row.get("filter_widths")).replace("x", "+")
    return {"dan": DAN, "text_cnn": windows}.get(row["model"], row["model"])


def summary(tables):
    """Accuracy of each system in the right order and with the words shuffled."""
    how = {"right": "mean", "shuffled": "mean", "change": "max"}
    names = {"right": "test accuracy", "shuffled": "words shuffled", "change": "largest change of a probability"}
    table = tables["orders"].groupby("system", sort=False).agg(how).reset_index()
    return {"Systems, each at its best learning rate": table.rename(columns=names)}


def verdict(tables):
    """By fresh seeds; the CNN is the one with the widest windows."""
    orders = tables["orders"]
    unit = choosing.unit(orders)
    right = orders.pivot_table(index=unit, columns="system", values="right", sort=False)
    bags = orders[orders["system"].isin(BAGS)]
    widest = next((name for name in reversed(list(right)) if name.startswith(CNN) and name not in BAGS), None)
    windows = orders[orders["system"] == widest].groupby(unit)[["right", "shuffled"]].mean()
    texts = int(orders["examples"].max()) if len(orders) else None
    gain = comparing.gain(right, widest, DAN, examples=texts)
    loss = comparing.gain(windows, "right", "shuffled", examples=texts)
    change, ceiling = float(bags["change"].max()), float(bags["ceiling"].max())
    same = None if bags.empty else bool(change < 1e-4)
    evidence = f"largest change of a probability: {change:.1g}"
    no_order = "An average, and windows of one word, say the same in any order."
    parts = [
        verdicts.exact(no_order, same, evidence, "it is below 0.0001"),
        verdicts.more_than("A CNN with wider windows beats the average.", gain, 0, unit="%"),
        verdicts.more_than("It loses accuracy when the words are shuffled.", loss, 0, unit="%"),
    ]
    if ceiling < 0.75:  # the texts are pairs of the same words, and no seed can change what a bag makes of them
        off = float((bags["right"] - ceiling).abs()[bags["change"].notna()].max())
        at_chance = "On texts with the same words the average is at chance."
        parts.append(verdicts.exact(at_chance, off <= 0.01, f"it is {off:.1%} off at most", "it is within a point"))
    return verdicts.verdict(*parts)


def pictures(tables):
    """Accuracy in the right order and shuffled; and what is said of each text in both orders."""
    return {} if tables["orders"].empty else {"accuracy": _accuracy_picture(tables), "texts": _texts_picture(tables)}


def _accuracy_picture(tables):
    orders = tables["orders"].rename(columns={"right": "in their order"})
    accuracies = orders.melt("system", ["in their order", "shuffled"], "order", "right")
    figure, _ = charts.series_of_means(accuracies, "system", "order", "right", percent=True, xlabel="test accuracy")
    caption = "Test accuracy with the words in their order, and shuffled. Bars: 95% intervals over seeds."
    return Picture(figure, caption)


def _texts_picture(tables):
    systems = tables["texts"]["system"].unique()[[0, -1]]
    texts = tables["texts"].groupby("system", sort=False).head(300)
    labels = {"xlabel": "log-odds of the last class", "ylabel": "the same, words shuffled"}
    figure, _ = charts.against(texts[texts["system"].isin(systems)], "plain", "shuffled", "system", **labels)
    caption = "What one net of each kind says of test texts in their order, and with their words shuffled. On the"
    return Picture(figure, f"{caption} dotted line the order makes no difference.")


EXPERIMENT = Claim(
    name="word_order",
    about=CLAIM,
    takes="text",
    defaults={
        "dataset": "word_order",
        "model": ["dan", "text_cnn"],
        "hidden_units": 32,
        "filter_widths": [1, 2, (2, 3)],
        "num_filters": 32,
        "embedding_dim": 32,
        "vector_range": 0.05,
        "optimizer": "adam",
        "learning_rate": [0.001, 0.003, 0.01],
        "batch_size": 50,
        "num_steps": 600,
        "evaluate_every": 600,
        "num_seeds": 8,
    },
    options=(Option("examples", 1000, "Test texts that are asked about in both orders, the first ones.", least=1),),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

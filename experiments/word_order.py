"""Word order: sentences with the same words in another order, for averages and for windows, by width and distance."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jaxnets.analysis import words_and_windows
from jaxnets.claims import effects
from jaxnets.claims.measures import BAGS, CNN, DAN, covering, systems, telling
from jaxnets.claims.verdicts import CONSTRUCTED, EMPIRICAL, IDENTITY, Fact, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import FINAL_SEEDS, Claim, Option
from jaxnets.stats.selection import FINISHED

CLAIM = "A CNN combines the words of a window; an average cannot."

SAME = 1e-4  # probabilities closer than this are the same but for rounding
GIVEN = 0  # in the place of a distance: texts that were not made for it
SIZES = {"num_sentences": 800, "num_steps": 200, "evaluate_every": 200, "learning_rate": log_range(3e-3, 0.3, 5)}
NETS = {"model": ["dan", "text_cnn"], "hidden_units": 16, "num_filters": 16, "embedding_dim": 16, "vector_range": 0.1}

POINT = {
    "kind": CONSTRUCTED,
    "bound": 0.01,
    "unit": "%",
    "reason": "Systems for sentences are told apart by points of accuracy.",
    "power": "Two points are found in four of five repetitions, where a repeat's accuracy moves by one.",
}
EXACT = {"kind": IDENTITY, "test": "exact"}
RULES = {
    "average": Rule(statement="An average, and windows of one word, say the same in any order.", **EXACT),
    "windows": Rule(
        statement="A CNN whose windows cover the deciding words is right on more sentences than the average.", **POINT
    ),
    "shuffled": Rule(statement="Shuffled words cost a CNN more accuracy than the average.", **POINT),
    "narrow": Rule(
        statement="Windows that do not reach from one deciding word to the other are no better than the average.",
        kind=CONSTRUCTED,
        core=False,
        test="within",
        bound=0.05,
        unit="%",
        reason="It is a tenth of what order is worth in these sentences.",
        power=POINT["power"],
    ),
    "given": Rule(
        statement="On texts that were not made for it, a CNN is right on more than the average.",
        **{**POINT, "kind": EMPIRICAL, "core": False},
    ),
}


def measure(results):
    """Systems tuned and confirmed at each distance, and asked about test texts in both orders; so on a given set."""
    given = results.config.dataset != "word_order"
    made = {"dataset": "word_order", "num_train": 0, **SIZES} if given else {}
    comparisons = {
        one: results.comparison(systems, keep="last", distance=one, **made) for one in results.options["distances"]
    }
    if given:
        widths = choices(results.config.values().get("filter_widths", []))
        widest = {"filter_widths": max(widths, key=np.max)} if widths else {}
        comparisons[GIVEN] = results.comparison(systems, keep="last", **widest)
    asked = [of_comparison(results, studied, distance) for distance, studied in comparisons.items()]
    return {name: pd.concat([tables[name] for tables in asked], ignore_index=True) for name in asked[0]}


def of_comparison(results, studied, distance):
    """The scores of a comparison, and what the bags and the CNN that covers the distance say in both orders."""
    scored, (trained,) = effects.scores(studied.comparison).assign(distance=distance), studied.reporting.values()
    runs = trained.runs[trained.runs["method"].isin(telling(scored["method"].unique(), distance))]
    orders, texts = words_and_windows.orders(trained, runs, results.options["examples"], results.config.first_seed)
    tables = {"scores": scored, "orders": orders, "texts": texts}
    return {name: table.assign(distance=distance) for name, table in tables.items()}


def ahead(scored, name=None, column="test_accuracy"):
    """Effects of a system, by default the CNN that covers the distance, against the DAN."""
    name = name or covering(scored["method"].unique(), scored["distance"].iloc[0])
    # the DAN's best rate may be at an edge: where order decides, none is better than another
    edged = scored.assign(edge=scored["edge"] & (scored["method"] != DAN))
    return effects.contrast(edged, column, {name: 1, DAN: -1})


def evidence(tables):
    """What windows gain on the average at each distance, and what order is worth to them: on a given set, if any."""
    orders = tables["orders"].assign(order_accuracy=tables["orders"]["right"] - tables["orders"]["shuffled"])
    change = orders[orders["method"].isin(BAGS)]["change"].max()
    keys = ["distance", "method", "repeat", "seed"]
    scores = tables["scores"].merge(orders[[*keys, "order_accuracy"]], on=keys, how="left")
    # what did not finish is at chance, in any order
    scores["order_accuracy"] = scores["order_accuracy"].mask(scores["status"] != FINISHED, 0.0)
    by_distance = dict(iter(scores.groupby("distance", sort=False)))
    made = {distance: scored for distance, scored in by_distance.items() if distance != GIVEN}
    asked = {GIVEN: by_distance[GIVEN]} if GIVEN in by_distance else made
    narrow = [ahead(scored, f"{CNN}{distance}").drop(columns="edge") for distance, scored in made.items()]
    same = None if pd.isna(change) else bool(change < SAME)
    return {
        "average": Fact(same, f"largest change of a probability: {change:.1g}"),
        "windows": pd.concat(map(ahead, made.values())),
        "shuffled": pd.concat([ahead(scored, column="order_accuracy") for scored in asked.values()]),
        "narrow": pd.concat(narrow),
        "given": ahead(by_distance[GIVEN]) if GIVEN in by_distance else Fact(None, "no such texts were given"),
    }


def summary(tables):
    """Accuracy by window and distance, and with the words shuffled."""
    scores, orders = (tables[one].assign(distance=tables[one]["distance"].map(shown)) for one in ("scores", "orders"))
    names = {"method": "system", "right": "test accuracy", "shuffled": "words shuffled", "change": "largest change"}
    how = {"right": "mean", "shuffled": "mean", "change": "max"}
    accuracies = scores.pivot_table(index="method", columns="distance", values="test_accuracy", sort=False)
    both = orders.groupby(["distance", "method"], sort=False).agg(how).reset_index()
    return {
        "Test accuracy by distance of the deciding words": accuracies.reset_index().rename(columns=names),
        "The words in their order and shuffled, and the largest change of a probability": both.rename(columns=names),
    }


def shown(distance):
    """A distance in words."""
    return "the given set" if distance == GIVEN else f"{distance} apart"


def pictures(tables):
    """Accuracy over the distance, accuracy in both orders, and what is said of each text in both orders."""
    scores, (orders, texts) = tables["scores"], (of_last(tables[name]) for name in ("orders", "texts"))
    made = scores[scores["distance"] != GIVEN].groupby(["method", "distance", "repeat"], sort=False)
    means, look = made["test_accuracy"].mean().reset_index(), {"percent": True, "legend": "system"}
    distance = figures.lines(means, "distance", "test_accuracy", "method", **look)
    drawn = {"distance": Picture(distance, "Test accuracy by distance of the deciding words. Bands: 95% intervals.")}
    if orders.empty:
        return drawn
    both = orders.rename(columns={"right": "in order"}).melt("method", ["in order", "shuffled"], "order", "right")
    accuracy = figures.dots_of_means(both, "method", "order", "right", percent=True, xlabel="test accuracy")
    labels = {"xlabel": "log-odds of the last class", "ylabel": "the same, words shuffled"}
    said = figures.against(texts.groupby("method", sort=False).head(300), "plain", "shuffled", "method", **labels)
    caption = "What one net of each kind says of test texts in their order and shuffled; dotted: order is no matter."
    drawn["accuracy"] = Picture(accuracy, "Test accuracy in order and with words shuffled. Bars: 95% intervals.")
    return {**drawn, "texts": Picture(said, caption)}


def of_last(table):
    """The rows of the last distance, or of the given set."""
    return table[table["distance"] == table["distance"].iloc[-1]] if len(table) else table


EXPERIMENT = Claim(
    name="word_order",
    about=CLAIM,
    lecture="A CNN looks at windows of neighbouring words and so combines them; pooling of single words cannot.",
    measured="Test accuracy of CNNs by window width and of a DAN, on pairs of sentences of the same words whose "
    "deciding words stand one to three words apart, and on their words shuffled; all tuned alike in each repeat.",
    rules=RULES,
    takes="text",
    defaults={
        "dataset": "word_order",
        **SIZES,
        **NETS,
        "filter_widths": [1, 2, 3, 4],
        "optimizer": "adam",
        "batch_size": 50,
        "num_repeats": 8,
    },
    quick={"distances": [1, 2], "filter_widths": [1, 2, 3], "num_repeats": 4},
    text={
        "distances": [1, 2],
        "filter_widths": [1, 2, 3],
        "learning_rate": log_range(1e-3, 0.1, 5),
        "num_train": 5000,
        "num_steps": 300,
        "evaluate_every": 300,
        "final_seeds": 2,
    },
    of_text=("shuffled",),
    options=(
        replace(FINAL_SEEDS, default=4),
        Option("distances", [1, 2, 3], "Distances between the deciding words of the sentences.", least=1),
        Option("examples", 1000, "Test texts that are asked about in both orders, the first ones.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

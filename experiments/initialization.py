"""How nets start: all zeros or all alike, and the usual ways of drawing, on tasks and by depth."""

import numpy as np
import pandas as pd

from jaxnets.analysis import parameters
from jaxnets.claims import effects, measures
from jaxnets.claims.verdicts import CONSTRUCTED, EMPIRICAL, IDENTITY, Fact, Rule
from jaxnets.config.values import log_range
from jaxnets.plugins import INITIALIZER
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, of_depths, short_and_deep

CLAIM = (
    "All zeros fails by symmetry; He, Xavier and PyTorch's default work, and the choice is usually not worth tuning."
)

USUAL = ["he", "xavier", "pytorch"]
DEFAULT = "he"

EXACT = {"kind": IDENTITY, "test": "exact"}
ON_TASKS = {"kind": EMPIRICAL, "over": "most"}
RULES = {
    "dead": Rule(statement="From zeros the hidden weights of a ReLU net never move.", **EXACT),
    "symmetric": Rule(
        statement="From zeros the hidden units of a layer of tanh or sigmoid stay alike: no rank exceeds 1.", **EXACT
    ),
    "alike": Rule(
        statement="From a constant other than zero ReLU units learn and stay alike: each rank stays 1.", **EXACT
    ),
    "zeros_fail": Rule(
        statement="A net from zeros stays over ten points of test accuracy below one from He's start.",
        **ON_TASKS,
        bound=0.1,
        unit="%",
        reason="Nobody would call a net failed that loses less than ten points.",
        power="14 points are found on a task of middling spread in four of five repetitions.",
    ),
    "work": Rule(
        statement="In test accuracy the worst of He, Xavier and PyTorch's start gets over 80% of the way from zeros to "
        "the best.",
        **ON_TASKS,
        bound=0.8,
        against=0.8,
        unit="%",
        reason="What works gets most of the way that the best one gets.",
        power="A share of 85% is found on a task of middling spread in four of five repetitions.",
    ),
    "default": Rule(
        statement="He's start ends at less than 1.2 times the test loss of the better of the other two, by dev.",
        test="below",
        **ON_TASKS,
        bound=float(np.log(1.2)),
        unit="log×",
        reason="A learning rate one step of the grid beside the best costs as much, and that is tuned first.",
        power="Starts that are equal are found to be so on about half of the tasks: this part is weak.",
    ),
    "outliers": Rule(
        statement="At equal variance the largest weight of a normal start is above that of a uniform one (ratio).",
        kind=CONSTRUCTED,
        core=False,
        bound=float(np.log(1.5)),
        unit="log×",
        reason="Less is within what other seeds give.",
        power="A factor of 1.6 is found in four of five repetitions.",
    ),
}


def check(config):
    """Refuses a constant that is no initializer."""
    INITIALIZER.find(config.options["constant"])


def measure(results):
    """The starts tuned alike on each task; ranks while nets train; the largest weights before the first step."""
    comparison = results.comparison(
        lambda runs: measures.with_layers(runs["initializer"], runs["hidden_units"]),
        score="dev_loss",
        changes=short_and_deep(results.options),
    ).comparison
    return {
        "scores": effects.scores(comparison),
        "tuned": measures.tuned_losses(comparison),
        "ranks": pd.concat(map(parameters.ranks, _followed(results)), ignore_index=True),
        "weights": parameters.largest_weights(_drawn(results)),
    }


def _followed(results):
    """Nets that are kept while they train: from zeros and from He's start, and from a constant."""
    rest = {"learning_rate": 0.1, "num_seeds": 1, "keep": "all"}
    yield results.train(initializer=["zeros", DEFAULT], activation=["relu", "tanh", "sigmoid"], **rest)
    yield results.train(initializer=results.options["constant"], activation="relu", **rest)


def _drawn(results):
    """Nets from the usual starts, as good as untrained."""
    seeds = results.options["starts"]
    return results.train(initializer=USUAL, hidden_units=(64, 64), num_steps=1, num_repeats=1, num_seeds=seeds)


def evidence(tables):
    """Ranks that were counted; differences and ratios of scores by repeat and seed; ratios before the first step."""
    scored = measures.by_depth(tables["scores"])
    on_tasks = scored[scored["flattest"]]
    return {
        **_facts(tables["ranks"]),
        "zeros_fail": effects.contrast(_any_rate(on_tasks), "test_accuracy", {DEFAULT: 1, "zeros": -1}),
        "work": measures.share_of_the_way(scored, "test_accuracy", USUAL, "zeros"),
        "default": measures.against_chosen(on_tasks, measures.by_depth(tables["tuned"]), DEFAULT, USUAL),
        "outliers": measures.log_ratio(tables["weights"], "largest", "xavier", "pytorch"),
    }


def _any_rate(scored):
    """Nets from zeros that learn nothing have no best learning rate, which could lie on the edge of those tried."""
    return scored.assign(edge=scored["edge"] & (scored["method"] != "zeros"))


def _facts(ranks):
    """What the ranks say of starts from zeros and from a constant."""
    zeros = ranks[ranks["initializer"] == "zeros"]
    cases = {
        "dead": (zeros[zeros["activation"] == "relu"], 0, 0),
        "symmetric": (zeros[zeros["activation"] != "relu"], 0, 1),
        "alike": (ranks[~ranks["initializer"].isin(["zeros", DEFAULT])], 1, 1),
    }
    return {
        name: Fact(bool(own["rank"].between(least, most).all()) if len(own) else None, _counted(own["rank"]))
        for name, (own, least, most) in cases.items()
    }


def _counted(ranks):
    return f"ranks from {ranks.min()} to {ranks.max()}, at {len(ranks)} places of training" if len(ranks) else "none"


def summary(tables):
    """Losses and accuracies at the best learning rate; ranks; the largest weights."""
    ranks = tables["ranks"].groupby(["initializer", "activation"], sort=False)["rank"]
    largest = tables["weights"].groupby("initializer", sort=False)["largest"].mean().rename("largest, over their RMS")
    return {
        "On each task, each start at its best learning rate": measures.means_by_depth(tables["scores"]),
        "Largest rank of a hidden layer": ranks.agg(first="first", last="last", most="max").reset_index(),
        "Weights of a hidden layer": largest.reset_index(),
    }


def pictures(tables):
    """Ranks over the steps."""
    return {"ranks": _ranks_picture(tables["ranks"])}


def _ranks_picture(ranks):
    ranks = ranks.assign(start=ranks["initializer"] + ", " + ranks["activation"])
    figure = figures.lines(ranks, "step", "rank", "start", markers=False, ylabel="largest rank of a layer")
    return Picture(figure, "Largest rank of a hidden layer's weights while one net from each start trains.")


EXPERIMENT = Claim(
    name="initialization",
    about=CLAIM,
    lecture="All zeros fails, since all units stay alike; He, Xavier and PyTorch's uniform start work, a uniform one "
    "keeps free of outliers, and the choice is usually not worth tuning.",
    measured="Test accuracy and loss of each start on eight tasks, on digits by depth; each tries the same learning "
    "rates in each repeat, the dev loss chooses, and fresh seeds measure. Ranks of hidden weights while nets train "
    "from zeros and from a constant.",
    rules=RULES,
    takes="features",
    needs=("hidden_units", "activation"),
    check=check,
    defaults={
        "hidden_units": (32, 32),
        "activation": "relu",
        "initializer": ["zeros", *USUAL],
        "optimizer": "momentum",
        "learning_rate": log_range(3e-3, 1, 6),
        "batch_size": 64,
        "num_steps": 60,
        "evaluate_every": 20,
        "num_seeds": 2,
        "num_repeats": 8,
    },
    quick={"tasks": ["digits", "wine", "spirals", "teacher_student"], "layers": [1, 4], "num_repeats": 4},
    options=(
        *of_depths(1, 2, 4, final_seeds=6),
        Option("constant", "jaxnets.analysis.parameters:constant", "Initializer that makes all units alike."),
        Option("starts", 8, "Seeds of the nets whose largest weights are compared.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={"zeros_fail": "accuracy above that from zeros", "work": "share of the way", "default": "ratio of losses"},
    pictures=pictures,
)

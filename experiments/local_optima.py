"""Where optimizers and starts end: barriers between their solutions by width and depth, and which are better."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jaxnets.analysis import landscape
from jaxnets.analysis.landscape import ALIGNED, OTHER_METHOD, OTHER_ORDER, OTHER_START
from jaxnets.claims import effects, measures
from jaxnets.claims.verdicts import EMPIRICAL, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, of_suite

CLAIM = "Optimizers and starts end in different local optima, some of them better."

BARRIER = {
    "kind": EMPIRICAL,
    "over": "most",
    "bound": 0.02,
    "unit": "%",
    "reason": "Shares of the loss of guessing, log(classes), mean the same on each task, and count as 1 from there on; "
    "below 2% Frankle et al. (2020) take a rise for noise.",
    "power": "A height of 5%, 3 points beyond the bound, is found on a net of middling spread in four of five "
    "repetitions.",
}
PRESENT = {**BARRIER, "against": 0.02}  # a barrier that is no higher than noise contradicts
RULES = {
    "optimizers": Rule(statement="From one start, a barrier lies between the ends of different optimizers.", **PRESENT),
    "beyond_batches": Rule(
        statement="It is higher than that between ends of one optimizer with its batches in another order.", **BARRIER
    ),
    "starts": Rule(statement="A barrier lies between the ends of an optimizer from different starts.", **PRESENT),
    "better": Rule(
        statement="Of two optimizers at equal training loss, one has a higher loss on held-out examples (ratio).",
        kind=EMPIRICAL,
        over="some",
        bound=float(np.log(1.1)),
        unit="log×",
        reason="Another split moves a loss by as much.",
        power="A factor of 1.25 on a net of middling spread is found in four of five repetitions.",
    ),
    "aligned": Rule(statement="It stays when hidden units are put in the best order.", core=False, **PRESENT),
    "width": Rule(statement="Barriers of optimizers are higher in narrow nets than in wide.", core=False, **BARRIER),
}
KEYS = ["repeat", "seed"]
START = [*KEYS, "test_share"]
KINDS = [OTHER_METHOD, OTHER_ORDER, OTHER_START, ALIGNED]
BUDGET = ("batch_size", "num_steps", "evaluate_every")


def check(config):
    """Refuses several models: their ends are no points of one surface."""
    if len(choices(config.model)) > 1 or len(choices(config.head)) > 1:
        raise UserError("model: solutions of one model and head are compared, over sizes; give one of each.")


def measure(results):
    """The lines between the ends of each net, and the held-out losses at equal training loss."""
    same = {name: results.config.values()[name] for name in BUDGET}
    same |= {"hidden_units": results.options["nets"], "num_train": results.options["examples"]}
    named = {"score": "train_loss", "changes": lambda task: same if task else {}}
    studied = results.comparison(lambda runs: runs["optimizer"] + " " + _nets(runs), keep="last", **named)
    pairs, levels = [], []
    for facts in studied.comparison.tasks:
        trained = studied.reporting[facts.name]
        runs = trained.runs.assign(net=_nets(trained.runs), repeat=trained.runs.get("repeat", 0))
        about = {"dataset": facts.name, "test_share": facts.test_share}
        pairs.append(landscape.pairs(replace(trained, runs=runs), "optimizer", "net").assign(**about))
        curves = trained.curves.merge(runs[["run", "net", *KEYS, "optimizer"]], on="run")
        levels.append(measures.at_equal_loss(curves, "optimizer", ["net", *KEYS]).assign(**about))
    return {"pairs": _joined(pairs), "levels": _joined(levels), "scores": effects.scores(studied.comparison)}


def _nets(runs):
    """The sizes of each run's net; a model without hidden units has one."""
    return runs["hidden_units"].astype(str) if "hidden_units" in runs else pd.Series("", runs.index)


def _joined(tables):
    """The tables of all data sets; a data set with a net is a task."""
    table = pd.concat(tables, ignore_index=True)
    return table.assign(task=table["dataset"] + " " + table["net"])


def _heights(tables):
    return measures.barrier_heights(tables["pairs"], ["dataset", "net", "task", *START], KINDS)


def evidence(tables):
    """Barriers, and their differences, for each start; factors between held-out losses at equal training loss."""
    high = _heights(tables)
    none = pd.DataFrame({name: [] for name in ("task", *START, "effect")})
    better = [
        measures.gaps(own, "optimizer").assign(task=task, test_share=own["test_share"].iloc[0])
        for task, own in tables["levels"].groupby("task", sort=False)
    ]
    return {
        "optimizers": _effects(high, high[OTHER_METHOD]),
        "beyond_batches": _effects(high, high[OTHER_METHOD] - high[OTHER_ORDER]),
        "starts": _effects(high, high[OTHER_START]),
        "better": pd.concat(better, ignore_index=True) if better else none,
        "aligned": _effects(high, high[ALIGNED]),
        "width": measures.barriers_by_width(high, OTHER_METHOD, START),
    }


def _effects(table, effect):
    return table[["task", *START]].assign(effect=effect).dropna(subset="effect")


def summary(tables):
    """Barriers by net and kind of pair, and where each optimizer ends."""
    high = _heights(tables).groupby("task", sort=False)[KINDS].mean()
    ends = tables["scores"].groupby(["task", "method"], sort=False)
    losses = (
        ends[["learning_rate", "train_loss", "test_loss"]].median().rename(columns=lambda name: name.replace("_", " "))
    )
    equal = tables["levels"].groupby(["task", "optimizer"], sort=False)[["train_loss", "dev_loss"]].median()
    return {
        "Barriers, shares of the loss of guessing, means": high.reset_index(),
        "Where each optimizer ends, medians": losses.reset_index().rename(columns={"method": "optimizer and net"}),
        "Loss on held-out (dev) examples at equal training loss, medians": equal.reset_index(),
    }


def pictures(tables):
    """The loss along the lines between the ends."""
    return {
        f"lines_{name}": _lines_picture(name, lines) for name, lines in tables["pairs"].groupby("dataset", sort=False)
    }


def _lines_picture(name, lines):
    across = lines[lines["kind"] == OTHER_METHOD]
    labels = {"xlabel": "way from one end to the other", "ylabel": "training loss (nats)", "title": name}
    figure = figures.lines(across, "share", "loss", "net", markers=False, yscale="log", **labels)
    caption = "Training loss on the straight line between the ends of two optimizers from one start, by hidden units."
    return Picture(figure, f"{caption} Bands: 95% intervals over pairs.")


EXPERIMENT = Claim(
    name="local_optima",
    about=CLAIM,
    lecture="The surface is not convex, so the choice of method matters: methods end in different optima, some of them "
    "much better, and where training starts decides what is learned.",
    measured="Barriers on the straight lines between the ends of SGD and Adam, and of different starts, in narrow and "
    "wide, shallow and deep nets. The losses on held-out examples where both have the same training loss.",
    rules=RULES,
    takes="features",
    check=check,
    defaults={
        "optimizer": ["sgd", "adam"],
        "learning_rate": log_range(3e-3, 3, 7),
        "batch_size": 64,
        "num_steps": 300,
        "evaluate_every": 15,
        "num_seeds": 2,
        "num_repeats": 8,
    },
    quick={"tasks": ["digits"], "nets": [(8,), (8, 8, 8), (32, 32, 32)], "num_repeats": 4},
    options=(
        *of_suite("digits", "mnist1d", final_seeds=6),
        Option("examples", 1200, "Training examples on tasks of the suite; 0 is all.", least=0),
        Option("nets", [(8,), (32,), (8, 8, 8), (32, 32, 32)], "Hidden units of the nets on tasks of the suite."),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "optimizers": "barrier, share of the loss of guessing",
        "starts": "barrier, share of the loss of guessing",
        "better": "held-out loss of the worse over that of the better",
    },
    pictures=pictures,
)

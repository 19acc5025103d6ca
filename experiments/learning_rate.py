"""What the learning rate does on tasks, beside other hyperparameters, and where theory puts the edge of stability."""

from dataclasses import replace

import numpy as np
import pandas as pd

from jaxnets.analysis import hessian
from jaxnets.claims import reaching
from jaxnets.claims.verdicts import EMPIRICAL, Rule
from jaxnets.config.values import linear_range, log_range
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import TASKS, Claim, Option
from jaxnets.stats import estimates, selection

CLAIM = "The learning rate matters a lot: too high diverges, too low is slow."

RATIOS = np.geomspace(0.5, 4, 31)
STEP = float(np.sqrt(10))
RANGES = {
    "learning_rate": log_range(1e-3, 1),
    "momentum": linear_range(0, 0.99),
    "schedule_rate": log_range(1e-3, 1),
    "weight_decay": log_range(1e-6, 1e-2),
    "initializer_scale": log_range(1 / 3, 3),
}

ON = ("digits", "digits_noise", "deep_narrow_digits", "breast_cancer", "wine", "spirals", "parity", "teacher_student")
FAR = {
    "kind": EMPIRICAL,
    "over": "most",
    "bound": float(np.log(1.5)),
    "unit": "log×",
    "reason": "A loss half as large again is seen on any curve.",
    "power": "On a task of middling spread a factor of 2.4 (1.8 for 1.1) is found in four of five repetitions.",
}
IMPORTANCE = {
    **FAR,
    "bound": 0.1,
    "unit": "%",
    "reason": "Another forest moves a share by half as much. Each range is as wide as its usual practice: rates from "
    "0.001 to 1, momentum from 0 to 0.99, an exponential decay to between 1 and 1/1000, weight decay from 1e-6 to "
    "1e-2, and initial weights from a third of He's to three times them.",
    "power": "A difference of 22 points on a task of middling spread is found in four of five repetitions.",
}
RULES = {
    "zones": Rule(
        statement="On most tasks there are slow rates below the good ones, and rates above at which runs are lost.",
        kind=EMPIRICAL,
        test="exact",
    ),
    "too_high": Rule(statement="Ten times the best rate ends at a higher training loss (ratio).", **FAR),
    "too_low": Rule(statement="A tenth of the best rate ends at a higher training loss (ratio).", **FAR),
    "a_lot": Rule(
        statement="A rate that is off by a factor of three ends at a higher training loss (ratio; mean of both ways).",
        **{**FAR, "bound": float(np.log(1.1)), "reason": "Other seeds of the tuning move a loss by as much."},
    ),
    "importance": Rule(
        statement="The learning rate explains more of the loss's variance than others do on average.", **IMPORTANCE
    ),
    "most_important": Rule(statement="It explains more than any other does.", core=False, **IMPORTANCE),
    "edge": Rule(
        statement="Full-gradient descent lowers the loss at every step up to a rate of about 2/λ.",
        kind=EMPIRICAL,
        core=False,
        test="within",
        bound=float(np.log(2)),
        unit="log×",
        reason="The sharpness λ changes by as much in the course of a training.",
        power="Eight nets find any edge within a factor of 1.5.",
    ),
}


def measure(results):
    """Losses over a grid of rates and over random draws of several hyperparameters, on each task; edges of nets."""
    ranges = {name: span for name, span in RANGES.items() if name in results.config.values()}
    search = {**ranges, "search": "random", "num_seeds": 1, "num_trials": results.options["draws"]}
    by = {"by": "optimizer", "score": "train_loss", "changes": _seldom}
    grid = reaching.losses(results.comparison(**by).comparison)
    drawn = reaching.losses(results.comparison(**by, **search).comparison)
    plain = {"optimizer": "sgd", "schedule": "constant", "weight_decay": None, "learning_rate": 0.1, "num_repeats": 1}
    smooth = {"activation": "tanh"} if "activation" in results.config.arguments else {}
    nets = results.train(**plain, **smooth, num_epochs=5, num_seeds=results.options["probes"], keep="last")
    return {
        "grid": grid,
        "shares": selection.importances(drawn, list(ranges), "loss"),
        "stability": hessian.stability_of_runs(nets, RATIOS, num_steps=40),
    }


def _seldom(task):
    return {} if task is None else {"evaluate_every": -(-task.values["num_steps"] // 3)}


def evidence(tables):
    """Zones of each task; ratios of losses beside the best rate; shares of variance; edges in units of 2/λ."""
    edges = hessian.edges(tables["stability"])
    return {
        "zones": reaching.complete(reaching.zones(tables["grid"])),
        "too_high": reaching.beside_best(tables["grid"], [10]),
        "too_low": reaching.beside_best(tables["grid"], [0.1]),
        "a_lot": reaching.beside_best(tables["grid"], [STEP, 1 / STEP]),
        "importance": selection.importance_lead(tables["shares"], "learning_rate"),
        "most_important": selection.importance_lead(tables["shares"], "learning_rate", "max"),
        "edge": pd.DataFrame({"seed": edges.index, "effect": np.log(edges)}),
    }


def summary(tables):
    """Where the zones of each task begin and end, the shares of variance, and the sharpness of the nets."""
    shares = tables["shares"].pivot_table(index="task", columns="name", values="share", sort=False)
    sharpness = tables["stability"].groupby("net")["sharpness"].first()
    nets = {"sharpness λ": sharpness, "2/λ": 2 / sharpness, "edge / (2/λ)": hessian.edges(tables["stability"])}
    return {
        "Zones of the learning rate": reaching.spans(reaching.zones(tables["grid"])),
        "Share of the variance of the training loss": shares.rename_axis(columns=None).reset_index(),
        "Edge of stability": pd.DataFrame(nets).reset_index(),
    }


def pictures(tables):
    """Loss over the rate on each task, and the share of stable descents over 2/λ."""
    return {"loss": _loss_picture(tables["grid"]), "edge": _edge_picture(tables["stability"])}


def _loss_picture(grid):
    labels = {"xscale": "log", "xlabel": "learning rate", "ylabel": "training loss / that of guessing"}
    parts = grid.assign(part=grid["loss"] / grid["chance"])
    means = parts.groupby(["task", "repeat", "learning_rate"], sort=False)["part"].mean().reset_index()
    figure = figures.lines(means, "learning_rate", "part", "task", kind=estimates.POSITIVE, **labels)
    return Picture(figure, "Training loss over the learning rate: 1 is guessing. Bands: 95% intervals over repeats.")


def _edge_picture(table):
    labels = {"xlabel": "learning rate / (2/λ)", "ylabel": "nets whose loss always falls", "percent": True}
    figure = figures.lines(table, "ratio", "stable", estimate=figures.of_shares, **labels)
    figure += figures.rule(x=1)
    caption = "Full-gradient descent from trained nets: share of nets whose loss falls at every step;"
    return Picture(figure, f"{caption} theory puts the edge at 1 (dotted). Band: 95% interval.")


EXPERIMENT = Claim(
    name="learning_rate",
    about=CLAIM,
    lecture="The learning rate matters a lot: one that is too high diverges, one that is too low is slow.",
    measured="Training loss after as many steps on eight tasks, over a grid of rates and over random draws of five "
    "hyperparameters, each from a range that was fixed before. Each seed is measured at the rate that the others of "
    "its repeat choose; runs that fail count as guessing.",
    rules=RULES,
    takes="features",
    defaults={
        "optimizer": "momentum",
        "momentum": 0.0,
        "schedule": "exponential",
        "schedule_rate": 1.0,
        "weight_decay": 0.0,
        "learning_rate": log_range(1e-3, 100, 11),
        "hidden_units": 32,
        "num_seeds": 4,
        "num_repeats": 8,
    },
    quick={"tasks": ["digits", "wine", "spirals", "teacher_student"], "num_repeats": 4, "probes": 4},
    options=(
        replace(TASKS, default=list(ON)),
        Option("draws", 64, "Random draws of several hyperparameters, in each repeat.", least=16),
        Option("probes", 8, "Nets whose sharpness is measured.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "too_high": "ratio of losses",
        "too_low": "ratio of losses",
        "a_lot": "ratio of losses",
        "importance": "share more",
    },
    pictures=pictures,
)

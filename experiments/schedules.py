"""Schedules of the learning rate against constant ones: as many draws for both, on tasks; and warm-up."""

import numpy as np
import pandas as pd

from jaxnets.claims import effects
from jaxnets.claims.verdicts import EMPIRICAL, Rule
from jaxnets.config.values import linear_range, log_range
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, of_suite
from jaxnets.stats import estimates
from jaxnets.training.schedules import FORMS

CLAIM = "Learning-rate schedules can improve training."

SCHEDULE = {"constant": 1, "schedule": -1}
WARM_UP = {"cold": 1, "warm-up": -1}

ON_TASKS = {
    "kind": EMPIRICAL,
    "bound": float(np.log(1.1)),
    "unit": "log×",
    "reason": "Other draws of the tuning move a loss by as much.",
    "power": "A factor of 2.2 on a task of middling spread is found in four of five repetitions.",
}
RULES = {
    "some": Rule(
        statement="With a constant rate training ends at a higher training loss than with a schedule (ratio).",
        over="some",
        **ON_TASKS,
    ),
    "most": Rule(statement="That is so on most tasks.", over="most", core=False, **ON_TASKS),
    "test_loss": Rule(
        statement="With a constant rate the test loss is higher than with a schedule (ratio).",
        over="most",
        core=False,
        **ON_TASKS,
    ),
    "warm_up": Rule(
        statement="At a constant rate training ends at a higher training loss without a warm-up than with one (ratio).",
        over="most",
        core=False,
        **ON_TASKS,
    ),
}


def measure(results):
    """The best of as many draws of a constant rate and of a schedule, on each task; and with or without a warm-up."""
    comparison = results.comparison(method, score="train_loss", changes=_seldom).comparison
    values = {"decays": 0.0} if "decays" in results.config.arguments else {"schedule": "constant"}
    few = {"num_trials": max(1, results.config.num_trials // 3), "num_seeds": 1}
    warm = results.comparison(
        _start, score="train_loss", changes=lambda task: _warm(results, task), **values, **few
    ).comparison
    return {
        "scores": effects.scores(comparison, ["decay_form", "decay_end"]),
        "starts": effects.scores(warm),
        "trials": comparison.runs.assign(repeat=comparison.runs.get("repeat", 0)),
    }


def method(runs):
    """What each run is: of a constant rate, or of a schedule."""
    decays = runs["decays"].fillna(1) if "decays" in runs else 1
    return (runs["schedule"].eq("constant") | (decays == 0)).map({True: "constant", False: "schedule"})


def _start(runs):
    return (runs["warmup_steps"] > 0).map({True: "warm-up", False: "cold"})


def _seldom(task):
    return {} if task is None else {"evaluate_every": -(-task.values["num_steps"] // 3)}


def _warm(results, task):
    """No warm-up, or one over a share of a task's steps."""
    steps = (results.config.num_steps or 100) if task is None else task.values["num_steps"]
    return {"warmup_steps": [0.0, results.options["warm_up"] * steps], **_seldom(task)}


def evidence(tables):
    """Ratios of losses, by seed."""
    losses = effects.contrast(tables["scores"], "train_loss", SCHEDULE, log=True)
    return {
        "some": losses,
        "most": losses,
        "test_loss": effects.contrast(tables["scores"], "test_loss", SCHEDULE, log=True),
        "warm_up": effects.contrast(tables["starts"], "train_loss", WARM_UP, log=True),
    }


def summary(tables):
    """Losses of the best draws on each task, and how often each form was chosen."""
    names = {"train_loss": "training loss", "test_loss": "test loss", "test_accuracy": "test accuracy"}
    groups = pd.concat([tables["scores"], tables["starts"]]).groupby(["task", "method"], sort=False)
    shown = groups[list(names)].mean().join(groups["learning_rate"].median().rename("learning rate (median)"))
    found = {"On each task, the best of as many draws": shown.rename(columns=names).reset_index()}
    if "decay_form" not in tables["scores"]:
        return found
    chosen = tables["scores"][tables["scores"]["method"] == "schedule"].drop_duplicates(["task", "repeat"])
    forms = chosen["decay_form"].astype(int).clip(0, len(FORMS) - 1).map(dict(enumerate(FORMS)))
    counts = chosen.assign(form=forms).groupby("form", sort=False)
    table = counts.agg(times=("form", "size"), end=("decay_end", "median")).reset_index()
    return found | {"Forms that were chosen": table.rename(columns={"times": "times chosen", "end": "end (median)"})}


def pictures(tables):
    """The loss over the learning rate of the draws."""
    return {"draws": _draws_picture(tables["trials"])}


def _draws_picture(trials):
    """Of each task and method, the mean over repeats of the lowest loss within each third of a decade."""
    tried = trials[(trials["phase"] == "tuning") & trials["method"].isin(list(SCHEDULE))]
    places = tried.assign(rate=10 ** ((np.log10(tried["learning_rate"]) * 3).round() / 3))
    least = places.groupby(["task", "repeat", "method", "rate"])["train_loss"].min().reset_index()
    parts = least.assign(part=least["train_loss"] / least.groupby("task")["train_loss"].transform("min"))
    logs = parts.assign(part=np.log10(parts["part"])).groupby(["task", "method", "rate"])["part"].mean()
    labels = {"xscale": "log", "xlabel": "learning rate", "ylabel": "training loss / lowest (powers of ten)"}
    figure = figures.lines(logs.reset_index(), "rate", "part", "method", kind=estimates.POSITIVE, **labels)
    caption = "Training loss of the best draws at each learning rate, over the lowest of the task."
    return Picture(figure, f"{caption} Bands: 95% intervals over tasks.")


EXPERIMENT = Claim(
    name="schedules",
    about=CLAIM,
    lecture="Schedules of the learning rate can improve the optimization.",
    measured="Training loss after as many steps on eight tasks: the best of as many random draws of a constant rate as "
    "of a rate with a schedule's form and end; training loss chooses, and fresh seeds measure. Beside it a constant "
    "rate with and without a warm-up.",
    rules=RULES,
    defaults={
        "optimizer": "sgd",
        "schedule": "jaxnets.training.schedules:decay",
        "decays": [0.0, 1.0],
        "decay_form": linear_range(0, len(FORMS)),
        "decay_end": log_range(1e-3, 1),
        "learning_rate": log_range(0.03, 10),
        "search": "random",
        "num_trials": 24,
        "num_seeds": 2,
        "num_repeats": 8,
    },
    quick={"tasks": ["digits", "wine", "spirals", "teacher_student"], "num_repeats": 4},
    options=(
        *of_suite(
            *("digits", "digits_noise", "deep_narrow_digits", "breast_cancer"),
            *("wine", "spirals", "parity", "teacher_student"),
            final_seeds=4,
        ),
        Option("warm_up", 0.1, "Share of a task's steps over which the warm-up goes.", least=0),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "some": "loss without over loss with",
        "test_loss": "loss without over loss with",
        "warm_up": "loss without over loss with",
    },
    pictures=pictures,
)

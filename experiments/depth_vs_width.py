"""Deeper nets against wider ones: the same extra parameters, spent on layers or on one layer's width, on tasks."""

import numpy as np
import pandas as pd

from jaxnets.analysis import parameters
from jaxnets.claims import effects
from jaxnets.claims.verdicts import EMPIRICAL, IDENTITY, Fact, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.runs.experiment import Claim, Option, of_suite
from jaxnets.runs.protocol import of_task

CLAIM = "Deeper often helps more than wider."

SAME_SIZE = 0.02  # the largest difference of extra parameters, as a share of them

RULES = {
    "test_loss": Rule(
        statement="With the same extra parameters a wider net ends at a higher test loss than a deeper one (ratio).",
        kind=EMPIRICAL,
        over="often",
        bound=float(np.log(1.1)),
        unit="log×",
        reason="Other seeds of the tuning move a loss by as much.",
        power="A factor of 1.6 on a task of middling spread is found in four of five repetitions.",
    ),
    "test_accuracy": Rule(
        statement="With the same extra parameters a deeper net ends at a higher test accuracy than a wider one.",
        kind=EMPIRICAL,
        core=False,
        over="often",
        bound=0.01,
        unit="%",
        reason="A point is two or three images of a test set of digits, which other seeds get wrong.",
        power="A difference of 4 points on a task of middling spread is found in four of five repetitions.",
    ),
    "same_size": Rule(
        statement="Both nets have the same extra parameters, within 2%.", kind=IDENTITY, core=False, test="exact"
    ),
}


def check(config):
    """Refuses several models: each has widths of its own for as many parameters."""
    if len(choices(config.model)) > 1:
        raise UserError("model: this experiment compares nets of one model; give one.")


def measure(results):
    """Both shapes tuned alike on each task, for each number of layers that is added; and their sizes."""
    found = [of_budget(results, layers) for layers in results.options["layers"]]
    return {name: pd.concat([tables[name] for tables in found], ignore_index=True) for name in ("scores", "sizes")}


def of_budget(results, layers):
    """The scores where so many layers are added, or one is widened by as much; and the sizes on each task."""
    width = results.options["width"]
    studied = results.comparison(
        shape, score="dev_loss", changes=lambda task: grown(results.config, task, width, layers)
    )
    sizes = []
    for task, trained in studied.reporting.items():
        pair = parameters.deeper_or_wider(trained.table[0], trained.folds[0], width, layers)
        sizes.append({"task": task, "layers": layers, "off": pair.off, "extra parameters": pair.extra})
    scores = effects.scores(studied.comparison, ["hidden_units"]).assign(layers=layers)
    return {"scores": scores, "sizes": pd.DataFrame(sizes)}


def shape(table):
    """Which of the two nets a run is: of several hidden layers, or of one."""
    return table["hidden_units"].astype(str).str.contains("x").map({True: "deeper", False: "wider"})


def grown(config, task, width, layers):
    """The two shapes on a task, or on the configuration's own data; and no evaluation before the end."""
    of_one = (of_task(config, task) if task else config).changed(num_repeats=1, hidden_units=width)
    pair = parameters.deeper_or_wider(runs(of_one)[0], load_folds(of_one)[0], width, layers)
    ends = {"evaluate_every": task.values["num_steps"]} if task else {}
    return {"hidden_units": [pair.deeper, pair.wider], **ends}


def evidence(tables):
    """Ratios of test losses and differences of accuracies, by seed; and how far the sizes are apart."""
    off = float(tables["sizes"]["off"].max())
    return {
        "test_loss": contrasts(tables, "test_loss", {"wider": 1, "deeper": -1}, log=True),
        "test_accuracy": contrasts(tables, "test_accuracy", {"deeper": 1, "wider": -1}, log=False),
        "same_size": Fact(None if np.isnan(off) else off <= SAME_SIZE, f"they differ by {off:.1%} at most"),
    }


def contrasts(tables, column, weights, *, log):
    """The effects for each number of layers that is added, one below the other."""
    by_layers = tables["scores"].groupby("layers", sort=False)
    found = [effects.contrast(own, column, weights, log=log).assign(layers=layers) for layers, own in by_layers]
    return pd.concat(found, ignore_index=True)


def summary(tables):
    """Losses and accuracies of both shapes on each task."""
    keys = ["task", "layers", "method"]
    columns = {
        "hidden units": ("hidden_units", "first"),
        "learning rate (median)": ("learning_rate", "median"),
        "test loss": ("test_loss", "mean"),
        "test accuracy": ("test_accuracy", "mean"),
    }
    table = tables["scores"].groupby(keys, sort=False).agg(**columns).reset_index()
    table = table.merge(tables["sizes"].drop(columns="off"), on=["task", "layers"])
    return {
        "On each task, each net at its best learning rate": table.rename(
            columns={"method": "net", "layers": "layers added"}
        )
    }


EXPERIMENT = Claim(
    name="depth_vs_width",
    about=CLAIM,
    lecture="In practice a deeper net often helps more than a wider one.",
    measured="A net of one hidden layer gets more layers of the same width, or a wider layer with as many parameters "
    "more. On each task and in each repeat both try the same learning rates, dev loss chooses, and the test loss of "
    "fresh seeds measures.",
    rules=RULES,
    takes="features",
    needs=("hidden_units",),
    check=check,
    defaults={"optimizer": "adam", "learning_rate": log_range(1e-3, 10**-0.5, 6), "num_repeats": 8},
    quick={"tasks": ["spirals", "parity", "wine", "digits"], "num_repeats": 4},
    options=(
        *of_suite(
            *("digits", "digits_noise", "breast_cancer", "wine"),
            *("mnist1d", "spirals", "parity", "teacher_student"),
            final_seeds=5,
        ),
        Option("layers", [2], "Numbers of hidden layers that are added to a net with one.", least=1, most=100),
        Option("width", 32, "Hidden units of that net's layer, and of each layer that is added.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "test_loss": "test loss of the wider net over that of the deeper",
        "test_accuracy": "test accuracy of the deeper net less that of the wider",
    },
)

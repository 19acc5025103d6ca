"""The size of a batch: the noise of its gradient, the time of its step, and what it takes to a loss, on tasks."""

import numpy as np
import pandas as pd

from jaxnets.analysis import gradient_noise, timing
from jaxnets.claims import effects, reaching
from jaxnets.claims.verdicts import EMPIRICAL, IDENTITY, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, of_suite
from jaxnets.stats import estimates

CLAIM = "A larger batch gives a more accurate gradient and a slower step; a smaller one is faster, but wanders."

TASKS = ("digits", "digits_noise", "breast_cancer", "spirals", "parity", "teacher_student")
ERRORS = 5  # standard errors that a mean over draws may be off, in the worst of a dozen cases
NETS = 3  # on which variances are compared

BY_TUNING = {
    "kind": EMPIRICAL,
    "over": "most",
    "bound": float(np.log(1.1)),
    "unit": "log×",
    "reason": "Other seeds of the tuning move a loss by as much.",
    "power": "A factor of 1.6 on a task of middling spread is found in four of five repetitions.",
}
BY_COST = {
    "kind": EMPIRICAL,
    "over": "mean",
    "bound": float(np.log(1.25)),
    "unit": "log×",
    "reason": "A smaller factor is lost in the noise of a shared machine, and not worth another size.",
    "power": "A factor of 1.8 on a task of middling spread is found in four of five repetitions.",
}
RULES = {
    "variance": Rule(statement="A gradient's variance falls as 1/B · (N-B)/(N-1).", kind=IDENTITY, test="exact"),
    "slower": Rule(statement="A step of the largest batch takes longer than one of the smallest (ratio).", **BY_COST),
    "examples": Rule(
        statement="The largest batch takes more examples than the smallest to the same training loss (ratio).",
        **BY_COST,
    ),
    "steps": Rule(
        statement="The smallest batch takes more steps than the largest to the same training loss (ratio).", **BY_COST
    ),
    "wander": Rule(
        statement="A step of the smallest batch is further off the full gradient than one of the largest (angle).",
        kind=EMPIRICAL,
        over="mean",
        bound=10.0,
        unit="degrees",
        reason="At 10° a step still goes 98% of its length down the full gradient.",
        power="A difference of 15 degrees is found in four of five repetitions.",
    ),
    "tuned": Rule(
        statement="The size that is best in tuning ends at a lower training loss than the worst (ratio).", **BY_TUNING
    ),
    "tuned_at_equal_seconds": Rule(
        statement="The same at equal seconds, at the rates that are best at equal examples.", core=False, **BY_TUNING
    ),
}


def check(config):
    """Refuses a single size: there is nothing to compare."""
    if len(choices(config.batch_size)) < 2:
        raise UserError("batch_size: this experiment compares sizes; give two or more.")


def measure(results):
    """The sizes tuned alike on each task; the noise at the nets that report; and the seconds of a step."""
    sizes, draws, seed = results.config.batch_size, results.options["draws"], results.config.first_seed
    own = {"batch_size": sizes, "num_epochs": results.config.num_epochs, "num_steps": None, "evaluate_every": 0}
    studied = results.comparison("batch_size", score="train_loss", keep="all", changes=lambda task: own if task else {})
    comparison, reporting, sizes = studied.comparison, studied.reporting, sorted(studied.comparison.methods)
    first, middle = next(iter(reporting.values())), sizes[len(sizes) // 2]
    times = of_tasks(reporting, lambda trained: timing.size_seconds(trained, results.options["rounds"]))
    scores = effects.scores(comparison, ["num_steps", "num_epochs"])
    tables = {"scores": reaching.epochs_to_shared(comparison, scores), "tuning": reaching.tuned(comparison, scores)}
    for name, runs in tables.items():
        tables[name] = runs.assign(at_equal_seconds=reaching.at_equal_seconds(comparison, runs, times))
    return {
        **tables,
        "times": times,
        "angles": of_tasks(reporting, lambda trained: gradient_noise.angles(trained, middle, sizes, draws // 20, seed)),
        "noise": gradient_noise.at_ends(first, NETS, [*sizes, len(first.folds[0].train) // 2], draws, seed),
    }


def of_tasks(reporting, asked):
    """A table asked of each task's runs, with the columns `task` and `test_share`."""
    tables = [asked(trained).assign(task=task, test_share=trained.test_share) for task, trained in reporting.items()]
    return pd.concat(tables, ignore_index=True)


def evidence(tables):
    """Logarithms of ratios of the largest and the smallest size, and angles, by repeat and seed; noise as a fact."""
    scores, tuning = tables["scores"], tables["tuning"]
    scores = scores.assign(steps=scores["epochs"] * scores["num_steps"] / scores["num_epochs"])
    small, large = scores["method"].min(), scores["method"].max()
    more, fewer = {large: 1, small: -1}, {small: 1, large: -1}
    keys = [*effects.KEYS, "test_share"]
    angles = tables["angles"].pivot_table(index=keys, columns="batch_size", values="degrees")
    angles = angles.reindex(columns=[small, large])  # none where all runs diverged
    seconds = np.log(tables["times"].pivot(index=["task", "round"], columns="method", values="seconds"))
    return {
        "variance": effects.as_expected(tables["noise"], ERRORS),
        "slower": (seconds[large] - seconds[small]).rename("effect").reset_index(),
        "examples": effects.contrast(scores, "epochs", more, log=True),
        "steps": effects.contrast(scores, "steps", fewer, log=True),
        "wander": (angles[small] - angles[large]).rename("effect").reset_index(),
        "tuned": reaching.best_against_worst(tuning, scores, "train_loss"),
        "tuned_at_equal_seconds": reaching.best_against_worst(tuning, scores, "at_equal_seconds"),
    }


def summary(tables):
    """Costs and losses by size, on each task."""
    keys = ["task", "method"]
    columns = {
        "learning rate (median)": ("learning_rate", "median"),
        "training loss": ("train_loss", "mean"),
        "at equal seconds": ("at_equal_seconds", "mean"),
        "passes to the shared loss": ("epochs", "mean"),
    }
    table = tables["scores"].groupby(keys, sort=False).agg(**columns)
    table["µs per step"] = tables["times"].groupby(keys)["seconds"].median() * 1e6
    angles = tables["angles"].rename(columns={"batch_size": "method"})
    table["angle (degrees)"] = angles.groupby(keys)["degrees"].mean()
    named = table.rename_axis(["task", "batch size"]).reset_index()
    variance = tables["noise"].groupby("batch_size")[["variance", "expected"]].mean().reset_index()
    return {"On each task, each size at its best learning rate": named, "Variance of the gradient": variance}


def pictures(tables):
    """The angle to the full gradient over the batch size."""
    axes = {"xlabel": "batch size", "ylabel": "angle to the full gradient (degrees)", "xscale": "log"}
    figure = figures.lines(tables["angles"], "batch_size", "degrees", "task", kind=estimates.POSITIVE, **axes)
    caption = "Angle between a batch's gradient and the full one, at nets early and late in training."
    return {"angles": Picture(figure, f"{caption} Bands: 95% intervals over nets.")}


EXPERIMENT = Claim(
    name="batch_size",
    about=CLAIM,
    lecture="A larger batch gives a more accurate gradient but a slower step; a smaller one is faster, but may wander "
    "in suboptimal directions. The size is a hyperparameter to tune.",
    measured="Each size tries the same learning rates for SGD on each task in each repeat, for as many examples; the "
    "training loss chooses, and fresh seeds measure losses, costs to a loss, and angles to the full gradient.",
    rules=RULES,
    takes="features",
    check=check,
    defaults={
        "optimizer": "sgd",
        "learning_rate": log_range(10**-1.5, 10, 6),
        "batch_size": [8, 32, 256],
        "num_epochs": 10,
        "num_seeds": 2,
        "num_repeats": 8,
    },
    quick={"tasks": ["breast_cancer", "spirals", "parity"], "batch_size": [8, 256], "num_repeats": 4},
    options=(
        *of_suite(*TASKS, final_seeds=4),
        Option("draws", 400, "Batches whose gradient is compared with the full one.", least=20),
        Option("rounds", 20, "Rounds of timing.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        "examples": "examples to a loss: the largest batch's over the smallest's",
        "tuned": "training loss of the worst size over that of the best",
    },
    pictures=pictures,
)

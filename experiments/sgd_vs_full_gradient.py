"""Stochastic against full-gradient descent: where they end, and what it takes to get there."""

import numpy as np
import pandas as pd

from jaxnets.analysis import landscape, timing
from jaxnets.analysis.landscape import OTHER_METHOD, OTHER_ORDER
from jaxnets.claims import effects, measures
from jaxnets.claims.verdicts import EMPIRICAL, Rule
from jaxnets.config.values import choices, log_range
from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, of_suite

CLAIM = "Given enough steps SGD reaches almost the same place as the full gradient, and each step is much faster."

SGD, FULL = "SGD", "full gradient"
KEYS = ["task", "repeat", "seed", "test_share"]
BUDGET = ("batch_size", "num_steps", "evaluate_every")
FEWER = {"num_train": 400}  # so that steps of the full gradient can be many
ON_TASK = dict.fromkeys(("digits", "spirals", "teacher_student"), FEWER)
ON_TASK |= {"digits_noise": {**FEWER, "hidden_units": (32,)}}  # the net of digits, and so its programs
MANY = 40  # batches in a training set whose steps are timed

SAME = {
    "kind": EMPIRICAL,
    "over": "most",
    "bound": 0.02,
    "unit": "%",
    "reason": "Shares of the loss of guessing, log(classes), mean the same on each task, and count as 1 from there on; "
    "below 2% Frankle et al. (2020) take a difference for noise.",
    "power": "A spread of up to 1% between repeats lets equal ends be seen in four of five repetitions.",
}
MORE = {"kind": EMPIRICAL, "bound": float(np.log(2)), "unit": "log×", "reason": "A finer grid of rates could halve it."}
RULES = {
    "train_loss": Rule(statement="SGD and the full gradient end at the same training loss.", test="within", **SAME),
    "test_loss": Rule(statement="They end at the same test loss.", test="within", **SAME),
    "basin": Rule(statement="Their ends have a barrier like that of SGD with other batches.", test="below", **SAME),
    "step": Rule(
        statement="On training sets of forty batches or more a step of the full gradient takes longer (ratio).",
        **{**MORE, "bound": float(np.log(5)), "reason": "Much faster: more than other code would make of it."},
        power="A factor of 6.5 is told from the bound in four of five repetitions.",
    ),
    "examples": Rule(
        statement="The full gradient sees more examples than SGD on the way to the loss that both reach (ratio).",
        **MORE,
        over="mean",
        power="A factor of 4 is found in four of five repetitions.",
    ),
}


def check(config):
    """Refuses batch sizes that are not two, one of them the whole training set."""
    if len(choices(config.batch_size)) != 2 or 0 not in choices(config.batch_size):
        raise UserError("batch_size: one size is compared with 0, all examples; give both.")


def measure(results):
    """The runs of both, the barriers between their ends, the examples to equal losses, and the seconds of a step."""
    budget = {name: results.config.values()[name] for name in BUDGET}
    changes = {"changes": lambda task: {**budget, **ON_TASK.get(task.name, {})} if task else {}}
    studied = results.comparison(_method, score="train_loss", keep="last", **changes)
    scored, parts = effects.scores(studied.comparison), {"pairs": [], "reached": [], "times": []}
    for facts in studied.comparison.tasks:
        trained, about = studied.reporting[facts.name], {"task": facts.name, "test_share": facts.test_share}
        parts["pairs"].append(landscape.pairs(trained, "method", starts=False).assign(**about))
        parts["reached"].append(measures.examples_to_worst(trained.runs, trained.curves, "method").assign(**about))
        parts["times"].append(_times(trained, results.options["rounds"]).assign(**about))
    guessing = scored["task"].map({facts.name: np.log(facts.num_classes) for facts in studied.comparison.tasks})
    paths = studied.comparison.curves.merge(scored[["run", "task", "method"]], on="run")
    tables = {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}
    return {**tables, "scores": scored.assign(guessing=guessing), "paths": paths}


def _method(runs):
    """Which of both each run is: the full gradient has the larger batch."""
    return (runs["batch_size"] == runs["batch_size"].max()).map({True: FULL, False: SGD})


def _times(trained, rounds):
    """Seconds of a step on all training examples in each round, of both; none where there are few batches of them."""
    whole, first = timing.on_all_examples(trained), trained.runs.drop_duplicates("method").set_index("method")
    if not rounds or len(whole.folds[0].train) < MANY * first["batch_size"].min():
        return pd.DataFrame({"round": [], SGD: [], FULL: []})
    runs = {name: (whole, int(run)) for name, run in first["run"].items()}
    return timing.step_seconds(runs, rounds).rename_axis("round").reset_index()


def evidence(tables):
    """Differences of losses and of barriers, in shares of the loss of guessing, and ratios of what both take."""
    scored = tables["scores"]
    times = tables["times"]
    ratio = np.log(times[FULL] / times[SGD])  # each round is the mean over data sets
    shares = {name: (scored[name] / scored["guessing"]).clip(upper=1.0) for name in ("train_loss", "test_loss")}
    return {
        **{name: effects.contrast(scored.assign(**shares), name, {SGD: 1, FULL: -1}) for name in shares},
        "basin": _barriers(tables),
        "step": ratio.groupby(times["round"]).mean().rename("effect").reset_index(),
        "examples": _examples(tables),
    }


def _barriers(tables):
    """For each start the barrier to the other method's end, to that of SGD with other batches, and the difference."""
    high = measures.barrier_heights(tables["pairs"], KEYS, [OTHER_METHOD, OTHER_ORDER])
    return high.assign(effect=high[OTHER_METHOD] - high[OTHER_ORDER]).dropna(subset="effect")


def _examples(tables):
    """For each start the logarithm of how many times the examples of SGD the full gradient sees to an equal loss."""
    wide = tables["reached"].pivot_table(index=KEYS, columns="method", values="examples", sort=False)
    wide = np.log(wide.reindex(columns=[SGD, FULL]))
    return (wide[FULL] - wide[SGD]).rename("effect").dropna().reset_index()


def summary(tables):
    """Where both end, how high the barriers are, and what both take."""
    scored = tables["scores"]
    columns = ["learning_rate", "train_loss", "test_loss", "test_accuracy"]
    ends = scored.groupby(["task", "method"], sort=False)[columns].median().reset_index()
    high = _barriers(tables).groupby("task", sort=False)[[OTHER_METHOD, OTHER_ORDER]].mean()
    times = tables["times"].groupby("task", sort=False)[[SGD, FULL]].median() * 1e6
    examples = np.exp(_examples(tables).groupby("task", sort=False)["effect"].mean()).rename("full gradient over SGD")
    shown = {
        "At the end, medians": ends.rename(columns=lambda name: name.replace("_", " ")),
        "Barriers, shares of the loss of guessing, means": high.reset_index(),
        "Examples to an equal loss": examples.reset_index(),
        "Time of a step on all training examples (µs)": times.reset_index(),
    }
    return {title: table for title, table in shown.items() if len(table)}


def pictures(tables):
    """The training loss over steps on the first task."""
    return {"steps": _steps(tables["paths"])} if len(tables["paths"]) else {}


def _steps(paths):
    task = paths["task"].iloc[0]
    look = {"markers": False, "yscale": "log", "title": task, "xlabel": "steps", "ylabel": "training loss (nats)"}
    figure = figures.lines(paths[paths["task"] == task], "step", "train_loss", "method", **look)
    return Picture(figure, f"{task}: training loss over steps, each at its best rate. Bands: 95% intervals over runs.")


EXPERIMENT = Claim(
    name="sgd_vs_full_gradient",
    about=CLAIM,
    lecture="Given enough time, gradient descent on random examples ends at almost the same place as on all of them, "
    "and each of its steps is much faster.",
    measured="Losses at the end and the barrier between the ends after as many steps from one start, each at its best "
    "of the same learning rates; the examples to the loss that both reach, and the time of a step, on six tasks.",
    rules=RULES,
    takes="features",
    check=check,
    defaults={
        "optimizer": "sgd",
        "learning_rate": log_range(1e-2, 10, 7),
        "batch_size": [32, 0],
        "num_steps": 700,
        "evaluate_every": 25,
        "num_repeats": 8,
    },
    quick={"tasks": ["digits", "digits_noise"], "num_repeats": 4, "rounds": 10},
    options=(
        *of_suite(*ON_TASK, "wine", "breast_cancer", final_seeds=4),
        Option("rounds", 20, "Rounds of timing; 0 leaves it out.", least=0),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    effects={
        **dict.fromkeys(("train_loss", "test_loss", "basin"), "difference, share of the loss of guessing"),
        "examples": "examples, full gradient over SGD",
    },
    pictures=pictures,
)

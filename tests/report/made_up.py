"""Findings that are made up: of several kinds, over tasks and repeats, without bounds, and with hostile names."""

import math

import numpy as np
import pandas as pd

from jaxnets.claims.verdicts import CONSTRUCTED, EMPIRICAL, IDENTITY, Estimate, Fact, Rule, judge
from jaxnets.report import figures
from jaxnets.report.claims_page import Finding, Section

HOSTILE = "<img src=x onerror=alert(1)> & |"
WHY = {"reason": "Less is noise.", "power": "A factor of 1.4 is found in four of five repetitions."}
OVER_TASKS = {"kind": EMPIRICAL, "bound": math.log(1.1), "unit": "log×", **WHY}
TASKS = ("digits", "wine", "spirals", "parity", "mnist1d", "teacher_student")


def effects(by_task, repeats=8, spread=0.1):
    """A table of effects: for each task a mean, with four seeds in each repeat."""
    generator = np.random.default_rng(0)
    rows = [(task, repeat, seed) for task in by_task for repeat in range(repeats) for seed in range(4)]
    table = pd.DataFrame(rows, columns=["task", "repeat", "seed"]).assign(test_share=1 / 8)
    return table.assign(effect=table["task"].map(by_task) + generator.normal(0, spread, len(table)))


def identity():
    rules = {"sum": Rule(statement="Parameters are the sum over the repeats.", kind=IDENTITY, test="exact")}
    return rules, {"sum": Fact(True, "27 of 27 repeats agree")}


def often():
    rules = {
        "loss": Rule(statement="SGD ends at a higher loss.", over="most", **OVER_TASKS),
        "steps": Rule(statement="SGD takes more steps.", over="most", **OVER_TASKS),
        "picture": Rule(statement="Rates that arrive are more.", kind=CONSTRUCTED, core=False, test="exact"),
        "width": Rule(statement="Good rates span more.", over="mean", core=False, **OVER_TASKS),
    }
    ahead = effects(dict.fromkeys(TASKS, 0.5))
    return rules, {
        "loss": ahead,
        "steps": ahead,
        "picture": Fact(None, "2 of 6", undecided=True),
        "width": effects({"wine": 0.0}),
    }


def mixed():
    rules = {"deep": Rule(statement=f"Deep is ahead {HOSTILE}.", over="mean", **OVER_TASKS)}
    return rules, {"deep": effects({TASKS[0]: 0.6, HOSTILE: -0.6, TASKS[2]: 0.0})}


def against():
    within = Rule(statement="Ends differ by less.", kind=EMPIRICAL, test="within", bound=0.02, unit="nats", **WHY)
    below = Rule(statement="Errors are small.", kind=EMPIRICAL, test="below", bound=0.01, unit="%", core=False, **WHY)
    return {"same": within, "small": below}, {"same": Estimate(0.5, 0.4, 0.6), "small": Estimate(0.001, 0.0, 0.002)}


def unknown():
    rule = Rule(statement="Order counts.", kind=CONSTRUCTED, bound=0.05, unit="%", **WHY)
    return {"order": rule}, {"order": Estimate(math.nan, math.nan, math.nan, "one value")}


MADE_UP = {"sums": identity, "optimizers": often, "depths": mixed, "ends": against, "order": unknown}


def finding(name, made=None, text=HOSTILE):
    """A finding by its name in `MADE_UP`."""
    rules, found = (made or MADE_UP[name])()
    table = pd.DataFrame({"net": ["mlp", text], "share": [0.51234, math.nan]})
    return Finding(
        name=name,
        claim=f"The claim on {name}: {text}.",
        lecture="It is said so.",
        measured="The loss at the end.",
        rules="0123456789ab",
        verdict=judge(rules, found),
        setting=f"digits (1,257 examples to train on) {text}. 2,304 runs.",
        command=f"python run.py {name} --num_repeats=3",
        programs=4,
        seconds=1.5,
        tables={f"Shares {text}": table},
        pictures={"one": f"A line {text}."},
    )


def section(name, directory, real=None, **changes):
    """A section whose figure is on the disk."""
    if not (directory / "figures" / "one.svg").exists():
        draw(directory)
    made = finding(name, **changes)
    return Section(name, made.claim, made.rules, made, directory, real=real)


def draw(directory):
    figure = figures.lines(pd.DataFrame({"x": [0, 1], "y": [1.0, 2.0]}), "x", "y", title="Title")
    figures.save(figure, directory / "figures", "one", ["svg"])


def sections(directory):
    """All of `MADE_UP`, one with a real text; and a claim that was not run."""
    every = [section(name, directory) for name in MADE_UP]
    every[-1] = section("order", directory, real=section("order", directory, made=often))
    return [*every, Section("lost", "A lost claim.", "ba9876543210", None, directory, f"No file {HOSTILE}.")]

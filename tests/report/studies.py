"""A comparison that never was: runs, curves and an answer as `python run.py compare_optimizers` has them."""

import itertools

import numpy as np
import pandas as pd

from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import CONFIRMATION, TUNING, Protocol, Study, TaskFacts

NUM_STEPS, EVERY, CHANCE = 690, 23, 0.1
ENVIRONMENT = {
    "time": "2026-11-24T12:28:07+00:00",
    "python": "3.11.7",
    "devices": ["cpu:0 cpu", "cpu:1 cpu"],
    "versions": {"jaxnets": "0.4.0", "jax": "0.10.2"},
    "git_commit": "7f59cdc",
}
NAMES = ("sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad", "lion")


def make(
    contestants=("sgd", "momentum", "adam"), *, search="grid", trials=9, seeds=8, confirm=16, tasks=1, blocks=1, salt=0
):
    """A study and its answer; the first contestant's largest rates diverge."""
    generator = np.random.default_rng(salt)
    facts = tuple(_facts(number) for number in range(tasks))
    rows, curves = [], []
    for task, name, block in itertools.product(facts, contestants, range(blocks)):
        settings = _settings(generator, search, trials)
        chosen = min(settings, key=lambda setting: abs(np.log10(setting["learning_rate"]) + 1.5))
        phases = [(TUNING, settings, seeds, 0), (CONFIRMATION, [chosen], confirm, 1000)]
        for phase, of_phase, count, first in phases:
            for setting, seed in itertools.product(of_phase, range(first, first + count)):
                row = {name_: setting[name_] for name_ in ("learning_rate", "weight_decay")}
                row |= {"optimizer": name, "seed": seed, "block": block}
                rows.append(_run(generator, len(rows), row, task.name, phase, contestants.index(name)))
                curves.append(_curve(generator, rows[-1]))
    runs = pd.DataFrame(rows).astype({"diverged_step": "Int64", "judged_step": "Int64", "best_step": "Int64"})
    if blocks == 1:
        runs = runs.drop(columns="block")
    spaces = {"learning_rate": "0.0001 to 1 in its logarithm", "weight_decay": "1e-06 to 0.01 in its logarithm"}
    protocol = Protocol(search, trials, seeds, confirm, blocks, spaces, len(rows) * NUM_STEPS, 3 * NUM_STEPS)
    study = Study(runs, pd.concat(curves, ignore_index=True), pd.DataFrame(), "optimizer", facts, protocol)
    return study, _answer(study, generator)


def _facts(number):
    name = "digits" if number == 0 else f"task_{number}"
    return TaskFacts(name, "Images of handwritten digits.", 0.95, CHANCE, 10, 1437, 180, 180)


def _settings(generator, search, trials):
    rates = np.logspace(-4, 0, trials) if search == "grid" else 10 ** generator.uniform(-4, 0, trials)
    decays = [1e-4] * trials if search == "grid" else 10 ** generator.uniform(-6, -2, trials)
    return [{"learning_rate": rate, "weight_decay": decay} for rate, decay in zip(rates, decays, strict=True)]


def _run(generator, number, row, task, phase, place):
    far = np.log10(row["learning_rate"]) + 1.5 + 0.2 * place
    accuracy = np.clip(0.97 - 0.005 * place - 0.07 * far**2 + generator.normal(0, 0.006), CHANCE, 1)
    lost = row["learning_rate"] > 0.5 and place == 0
    values = {
        "dev_loss": -np.log(accuracy),
        "dev_accuracy": np.round(accuracy * 180) / 180,
        "test_loss": 1.1 * -np.log(accuracy),
        "test_accuracy": np.round(np.clip(accuracy - 0.01, 0, 1) * 180) / 180,
        "train_loss": 0.7 * -np.log(accuracy),
        "train_accuracy": min(accuracy + 0.02, 1),
        "best_dev_accuracy": np.round(accuracy * 180) / 180,
    }
    return (
        {"run": number, "model": "mlp"}
        | {name: row[name] for name in ("optimizer", "learning_rate", "weight_decay")}
        | {"batch_size": 64, "num_steps": NUM_STEPS, "seed": row["seed"], "block": row["block"]}
        | {"status": "diverged" if lost else "finished", "diverged_step": 120 if lost else None}
        | {"judged_step": None if lost else NUM_STEPS}
        | {name: np.nan if lost else value for name, value in values.items()}
        | {"best_step": None if lost else NUM_STEPS, "seconds": 0.02 + 0.01 * place, "task": task, "phase": phase}
    )


def _curve(generator, run):
    last = 115 if run["status"] == "diverged" else NUM_STEPS
    steps = np.arange(EVERY, last + 1, EVERY)
    end = 0.4 if np.isnan(run["dev_accuracy"]) else run["dev_accuracy"]
    accuracy = np.clip(end - (end - CHANCE) * np.exp(-steps / 100) + generator.normal(0, 0.01, len(steps)), 0, 1)
    table = {
        "run": run["run"],
        "step": steps,
        "epoch": steps / EVERY,
        "train_loss": -np.log(accuracy.clip(0.02, 0.999)),
    }
    return pd.DataFrame(
        table | {"train_accuracy": accuracy, "dev_loss": -np.log(accuracy.clip(0.02, 0.999)), "dev_accuracy": accuracy}
    )


def _answer(study, generator):
    names, tasks = study.contestants, [task.name for task in study.tasks]
    several = len(tasks) * study.protocol.num_blocks > 1
    middle = pd.DataFrame({"contestant": names, "rank": np.linspace(1.4, len(names) - 0.3, len(names))})
    return Answer(
        sentences=(f"{names[0]} is ahead of {names[-1]} by 1.0 points (95% interval 0.4 to 1.6).", "The others tie."),
        cautions=("The intervals hold for this split of the data alone.",),
        contestants=pd.DataFrame([_standing(study, task, name) for task in tasks for name in names]),
        pairs=pd.DataFrame([_pair(study, *one, n) for n, one in enumerate(_pairs(tasks, names))]),
        sensitivity=_sensitivity(study),
        tuning=pd.DataFrame(
            [
                _tuned(task, name, budget, names.index(name))
                for task in tasks
                for name in names
                for budget in (1, 2, 4, 9)
            ]
        ),
        profiles=pd.DataFrame([_share(name, t, names.index(name)) for name in names for t in np.linspace(0, 1.05, 22)]),
        ranks=middle if several else middle.iloc[:0],
        critical_difference=1.3 if several else np.nan,
        groups=(tuple(names[:2]), tuple(names[1:])) if several else (),
    )


def _pairs(tasks, names):
    return [(task, *pair) for task in tasks for pair in itertools.combinations(names, 2)]


def _standing(study, task, name):
    runs = study.runs
    own = runs[(runs["task"] == task) & (runs["optimizer"] == name)]
    confirming, tuning = own[own["phase"] == CONFIRMATION], own[own["phase"] == TUNING]
    accuracy, equal = confirming["test_accuracy"].mean(), name == study.contestants[-1]
    low, high = (np.nan, np.nan) if equal else (accuracy - 0.004, accuracy + 0.004)
    row = {"task": task, "contestant": name, "setting": f"learning_rate {confirming['learning_rate'].iloc[0]:.3g}"}
    row |= {"num_blocks": study.protocol.num_blocks, "num_runs": len(confirming), "diverged_share": 0.0}
    for kind in ("accuracy", "median", "iqm"):
        row |= {
            kind: accuracy,
            f"{kind}_low": low,
            f"{kind}_high": high,
            f"{kind}_note": f"all {len(confirming)} equal",
        }
    row |= {"loss": 0.12, "loss_low": 0.1, "loss_high": 0.15, "loss_note": "", "width_decades": 1.3, "edge": equal}
    row |= {"tuning_runs": len(tuning), "tuning_diverged_share": float((tuning["status"] == "diverged").mean())}
    row |= {"target": 0.95, "reached_share": 1.0, "steps_to_target": np.inf if equal else 161.0}
    row |= {"examples_to_target": np.inf if equal else 161.0 * 64, "seconds_to_target": np.inf if equal else 0.01}
    row |= {"single_accuracy": accuracy, "single_loss": 0.12, "single_calibration": 0.02}
    return row | {
        "ensemble_accuracy": accuracy + 0.006,
        "ensemble_loss": 0.09,
        "ensemble_calibration": 0.01,
        "members": 16,
    }


def _pair(study, task, first, second, number):
    outcome = ("first", "tie", "open", "second")[number % 4]
    row = {"task": task, "first": first, "second": second, "difference": 0.008, "low": 0.003, "high": 0.013}
    row |= {"level": 0.99, "bound_low": 0.004, "bound_high": 0.012, "bound_level": 0.975}
    row |= {
        "of_seeds": 0.4,
        "of_choice": 0.6,
        "of_examples": np.nan,
        "improvement": 0.8,
        "improvement_low": 0.7,
        "improvement_high": 0.88,
    }
    row |= {"outcome": outcome, "unit": "block" if study.protocol.num_blocks > 1 else "seed", "note": ""}
    row |= {"improvement_note": "", "values": ()}
    if outcome == "open":
        row |= {"low": np.nan, "high": np.nan, "note": "all 8 equal"}
    return row


def _sensitivity(study):
    tuning = study.phase(TUNING)
    scores = tuning.assign(score=tuning["dev_accuracy"].fillna(CHANCE), lost=tuning["status"] == "diverged")
    groups = scores.groupby(["task", "optimizer", "learning_rate"], sort=False)
    table = groups.agg(
        accuracy=("score", "mean"), diverged_share=("lost", "mean"), num_runs=("run", "size")
    ).reset_index()
    alone = table["num_runs"] == 1
    bounds = {"low": (table["accuracy"] - 0.005).mask(alone), "high": (table["accuracy"] + 0.005).mask(alone)}
    return table.rename(columns={"optimizer": "contestant"}).assign(**bounds)


def _tuned(task, name, budget, place):
    accuracy = 0.97 - 0.005 * place - (0.4 + 0.05 * place) / budget
    return {
        "task": task,
        "contestant": name,
        "budget": budget,
        "accuracy": accuracy,
        "low": accuracy - 0.05,
        "high": accuracy + 0.01,
    }


def _share(name, threshold, place):
    share = float(np.clip(1.3 - 0.05 * place - threshold**8, 0, 1))
    return {
        "contestant": name,
        "threshold": threshold,
        "share": share,
        "low": max(share - 0.1, 0),
        "high": min(share + 0.1, 1),
    }


def gallery(study, answer):
    """The figures of a study."""
    from jaxnets.report.comparison_page import Gallery

    return Gallery(study, answer)

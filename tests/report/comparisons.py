"""A comparison that never was: runs and curves as `python run.py compare_optimizers` has them, and its answer."""

import functools
import itertools

import numpy as np
import pandas as pd

from jaxnets.comparison.answer import answer
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol, TaskFacts
from jaxnets.report import comparison_page

NUM_STEPS, EVERY, CHANCE = 690, 23, 0.1
ENVIRONMENT = {"time": "2026-11-24", "devices": ["cpu:0", "cpu:1"], "versions": {"jaxnets": "0.4.0", "jax": "0.10.2"}}


def page(found, said, command="", environment=ENVIRONMENT):
    """The page of a comparison, as text."""
    shown = comparison_page.charts(found, said)
    return comparison_page.html(found, said, shown, comparison_page.data_sets(found, shown), command, environment)


def on_paper(found, said):
    """The figures of a comparison for papers, by name."""
    shown = comparison_page.charts(found, said)
    return comparison_page.on_paper(found, shown, comparison_page.data_sets(found, shown))


@functools.cache
def make(methods=("sgd", "momentum", "adam"), **about):
    """A comparison and its answer."""
    found = comparison(methods, **about)
    return found, answer(found)


def comparison(methods, *, search="grid", trials=9, seeds=8, confirm=16, tasks=1, repeats=1):
    """The first method's largest rates diverge; the runs of the last one are equal."""
    generator = np.random.default_rng(0)
    names = ["digits", *(f"task_{number}" for number in range(1, tasks))]
    facts = [TaskFacts(name, "Images of handwritten digits.", 0.95, CHANCE, 10, 1437, 180, 180) for name in names]
    rows, curves = [], []
    for task, name, repeat in itertools.product(names, methods, range(repeats)):
        settings = _settings(generator, search, trials)
        chosen = min(settings, key=lambda setting: abs(np.log10(setting["learning_rate"]) + 1.5))
        phases = [(TUNING, settings, range(seeds)), (FINAL, [chosen], range(1000, 1000 + confirm))]
        for phase, of_phase, numbers in phases:
            for setting, seed in itertools.product(of_phase, numbers):
                about = {"optimizer": name, **setting, "batch_size": 64, "num_steps": NUM_STEPS, "seed": seed}
                about |= {"repeat": repeat} if repeats > 1 else {}
                equal = name == methods[-1] and phase == FINAL
                ends = _ends(generator, setting["learning_rate"], methods.index(name), equal)
                rows.append({"run": len(rows), "model": "mlp", **about, **ends, "task": task, "phase": phase})
                curves.append(_curve(generator, rows[-1]))
    runs = pd.DataFrame(rows).astype({"diverged_step": "Int64"})
    spaces = {"learning_rate": "0.0001 to 1 in its logarithm", "weight_decay": "1e-06 to 0.01 in its logarithm"}
    protocol = Protocol(search, trials, seeds, confirm, repeats, spaces, len(rows) * NUM_STEPS, 3 * NUM_STEPS)
    return Comparison(runs, pd.concat(curves, ignore_index=True), pd.DataFrame(), "optimizer", tuple(facts), protocol)


def _settings(generator, search, trials):
    rates = np.logspace(-4, 0, trials) if search == "grid" else 10 ** generator.uniform(-4, 0, trials)
    decays = [1e-4] * trials if search == "grid" else 10 ** generator.uniform(-6, -2, trials)
    return [{"learning_rate": rate, "weight_decay": decay} for rate, decay in zip(rates, decays, strict=True)]


def _ends(generator, rate, place, equal):
    far = np.log10(rate) + 1.5 + 0.2 * place
    accuracy = np.clip(0.97 - 0.005 * place - 0.07 * far**2 + generator.normal(0, 0 if equal else 0.006), CHANCE, 1)
    lost = rate > 0.5 and place == 0
    values = {"dev_accuracy": accuracy, "test_accuracy": np.clip(accuracy - 0.01, 0, 1)}
    values = {name: np.round(value * 180) / 180 for name, value in values.items()}
    values |= {"dev_loss": -np.log(accuracy), "test_loss": -1.1 * np.log(accuracy), "train_loss": -np.log(accuracy)}
    status = {"status": "diverged" if lost else "finished", "diverged_step": 120 if lost else None}
    return status | ({**values} if not lost else dict.fromkeys(values, np.nan)) | {"seconds": 0.02 + 0.01 * place}


def _curve(generator, run):
    steps = np.arange(EVERY, (115 if run["status"] == "diverged" else NUM_STEPS) + 1, EVERY)
    end = 0.4 if np.isnan(run["dev_accuracy"]) else run["dev_accuracy"]
    accuracy = np.clip(end - (end - CHANCE) * np.exp(-steps / 100) + generator.normal(0, 0.01, len(steps)), 0, 1)
    loss = -np.log(accuracy.clip(0.02, 0.999))
    return pd.DataFrame(
        {"run": run["run"], "step": steps, "train_loss": loss, "dev_loss": loss, "dev_accuracy": accuracy}
    )

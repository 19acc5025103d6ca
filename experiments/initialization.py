"""How nets start: all zeros, and the usual ways of drawing, each at its own best learning rate."""

import sys

import pandas as pd

from jaxnets.analysis import signals
from jaxnets.evidence import choosing, comparing, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.models.layers import is_mlp
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = (
    "All zeros fails by symmetry; He, Xavier and PyTorch's default work, and the choice is usually not worth tuning."
)

USUAL = ["he", "xavier", "pytorch"]


def measure(results):
    """Ranks of the hidden weights while they train, and the signals of deep MLPs before the first step."""
    best = choosing.at_best(results.runs, ["initializer"])
    drawn = best[best["initializer"] != "zeros"]
    rate = float((drawn if len(drawn) else best)["learning_rate"].median())
    seed = int(results.runs["seed"].min())
    followed = results.train(initializer=["zeros", "he"], learning_rate=rate, seed=seed, keep="all")
    ranks = [
        {"initializer": initializer, "step": step, "rank": signals.largest_rank(followed.params(run, step))}
        for run, initializer in followed.runs.set_index("run")["initializer"].items()
        for step in (0, *followed.steps(run))
    ]
    deep = any(is_mlp(followed.params(run, step=0)) for run in followed.runs["run"])
    return {"ranks": pd.DataFrame(ranks), "signals": _signals(results) if deep else pd.DataFrame()}


def _signals(results):
    """Activations and gradients by layer, a deep MLP from each start and seed."""
    units = (64,) * results.options["layers"]
    deep = results.train(hidden_units=units, num_steps=1, learning_rate=0.001, num_seeds=4)
    starts = deep.runs[["run", "initializer", "seed"]].to_numpy()
    return pd.concat(
        signals.at_start(deep, run).assign(initializer=initializer, seed=seed) for run, initializer, seed in starts
    )


def summary(tables):
    """Accuracy at the best learning rate, and over all of them; ranks at the start, at the end and at most."""
    runs = choosing.with_failures(tables["runs"])
    best = choosing.at_best(runs, ["initializer"]).groupby("initializer", sort=False)
    everywhere = runs.groupby(["initializer", "learning_rate"])["test_accuracy"].mean().unstack()
    columns = {
        "best learning rate": best["learning_rate"].first(),
        "test accuracy": best["test_accuracy"].mean(),
        "mean over all rates": everywhere.mean(axis=1),
    }
    table = pd.DataFrame(columns).reindex(list(best.groups)).rename_axis("initializer").reset_index()
    ranks = tables["ranks"].groupby("initializer", sort=False)["rank"].agg(first="first", last="last", most="max")
    return {"Initializers": table, "Largest rank of a hidden layer": ranks.reset_index()}


def verdict(tables):
    """Failing is to stay 20 points below He; not worth tuning is less than a point between the best and the worst.

    Best and worst of the usual three are told apart by dev and compared on test, paired by seed.
    """
    runs = choosing.at_best(tables["runs"], ["initializer"])
    test, dev = (choosing.paired(runs, "initializer", f"{split}_accuracy") for split in ("test", "dev"))
    ranked = list(dev.reindex(columns=USUAL).mean().dropna().sort_values().index)
    worst = ranked[0] if ranked else None
    best = ranked[-1] if len(ranked) > 1 else None
    ranks = tables["ranks"][tables["ranks"]["initializer"] == "zeros"]["rank"]
    of_one = None if ranks.empty else bool((ranks <= 1).all())
    no_rank = "From zeros no hidden layer's weights ever get a rank above 1."
    works = "He, Xavier and PyTorch's default work: the worst is 20 points above zeros."
    alike = "Which of the three is taken matters less than a point at the best learning rate."
    fails, above = comparing.gain(test, "he", "zeros"), comparing.gain(test, worst, "zeros")
    return verdicts.verdict(
        verdicts.more_than("All zeros fails: it stays 20 points below He.", fails, 0.2, unit="%"),
        verdicts.exact(no_rank, of_one, f"largest rank {ranks.max()}", "none does"),
        verdicts.more_than(works, above, 0.2, unit="%"),
        verdicts.between(alike, comparing.gain(test, best, worst), -0.01, 0.01, unit="%"),
    )


def pictures(tables):
    """Accuracy over the learning rate, ranks over the steps, and signals by layer."""
    drawn = {"accuracy": _accuracy_picture(tables["runs"]), "ranks": _ranks_picture(tables["ranks"])}
    if len(tables["signals"]):
        layers = tables["signals"][tables["signals"]["initializer"] != "zeros"]
        drawn["activations"] = _signals_picture(layers, "activation", "activations")
        drawn["gradients"] = _signals_picture(layers, "gradient", "gradients")
    return drawn


def _accuracy_picture(runs):
    labels = {"xscale": "log", "xlabel": "learning rate", "ylabel": "test accuracy"}
    figure, _ = charts.lines(runs, "learning_rate", "test_accuracy", "initializer", percent=True, **labels)
    return Picture(figure, "Test accuracy over the learning rate. Bands: 95% intervals over seeds.")


def _ranks_picture(ranks):
    figure, _ = charts.lines(ranks, "step", "rank", "initializer", markers=False, ylabel="largest rank of a layer")
    return Picture(figure, "Largest rank of a hidden layer's weights while one net from each start trains.")


def _signals_picture(layers, column, name):
    labels = {"yscale": "log", "xlabel": "hidden layer", "ylabel": f"{name} (RMS)"}
    figure, _ = charts.lines(layers, "layer", column, "initializer", **labels)
    caption = f"Size of the {name} at each layer of a deep net before it trains."
    return Picture(figure, f"{caption} Bands: 95% intervals over seeds.")


EXPERIMENT = Claim(
    name="initialization",
    about=CLAIM,
    takes="features",
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": (64, 64, 64),
        "activation": "relu",
        "initializer": ["zeros", "he", "xavier", "pytorch", "glorot"],
        "optimizer": "momentum",
        "learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1],
        "num_epochs": 15,
        "num_seeds": 16,
    },
    options=(Option("layers", 10, "Hidden layers of the nets whose signals are shown.", least=1),),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

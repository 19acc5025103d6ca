"""What the learning rate does over six powers of ten, and where theory puts the edge of stability."""

import sys

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxnets.analysis import hessian, landscape
from jaxnets.config.values import log_range
from jaxnets.evidence import choosing, intervals, tuning, verdicts
from jaxnets.evidence.zones import ZONES, zones
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import COLOURS, INK, Picture

CLAIM = "The learning rate matters most: too high diverges, too low is slow."

RATIOS = np.geomspace(0.25, 8, 21)


def measure(results):
    """For some nets, the rates, in units of 2/λ, at which full-gradient descent lowers the loss at every step."""
    smooth = {"activation": "tanh"} if "activation" in results.table[0] else {}
    nets = {"initializer": "he", "learning_rate": 0.1, "num_epochs": 5, "num_seeds": results.options["probes"]}
    trained = results.train(**nets, **smooth, keep="last")
    loss, rows = landscape.training_loss(trained, 0), []
    for run in map(int, trained.runs["run"]):
        params = jax.tree.map(jnp.asarray, trained.params(run))
        stability = hessian.stability(loss, params, jax.random.key(run), RATIOS, results.options["descent"])
        rows.append(stability.assign(net=run)[["net", *stability]])
    return {"edges": pd.concat(rows)}


def edges(tables):
    """Of each net the largest rate, in units of 2/λ, up to which descent lowered the loss at every step."""
    return tables["edges"].sort_values("ratio").groupby("net")[["ratio", "stable"]].apply(hessian.edge)


def summary(tables):
    """The zones, and the edge of stability."""
    columns = {"from": ("learning_rate", "min"), "to": ("learning_rate", "max")}
    groups = zones(tables["runs"]).groupby("zone", sort=False)
    table = groups.agg(**columns, **{"mean test accuracy": ("accuracy", "mean")}).reset_index()
    sharpness = tables["edges"].groupby("net")["sharpness"].first()
    means = {"sharpness λ": sharpness, "2/λ": 2 / sharpness, "largest stable rate / (2/λ)": edges(tables)}
    edge = pd.DataFrame({name: [values.mean()] for name, values in means.items()})
    return {"Zones of the learning rate": table, "Edge of stability": edge}


def spread(runs):
    """By how much test accuracy varies more between learning rates than between initializers at the best rate."""
    if runs["dev_accuracy"].isna().all():
        return intervals.UNKNOWN
    runs = choosing.with_failures(runs, chance=runs["test_accuracy"].min())
    best = runs.groupby("learning_rate")["dev_accuracy"].mean().idxmax()
    by_start = tuning.spread(runs[runs["learning_rate"] == best], "initializer").fillna(0)
    return intervals.mean((tuning.spread(runs, "learning_rate") - by_start).dropna())


def verdict(tables):
    """The zones must be there; the rate must matter more than the initializer; the edge must be 0.5 to 2 of 2/λ.

    It matters more if the standard deviation of test accuracy between learning rates exceeds that between initializers
    at the best rate, by seed. Gradient descent on a quadratic is stable below 2/λ; on a net λ changes, so the
    edge is looked for from a trained net, as the rate up to which the loss falls at every step.
    """
    present = list(zones(tables["runs"])["zone"])
    there, listed = "there is such a zone", ", ".join(zone for zone in ZONES if zone in present)
    high = "Too high diverges: beyond the good rates runs are lost."
    low = "Too low is slow: rates below the good ones are over 2 points worse on dev."
    matters, edge = "It matters more than the initializer (spread of test accuracy).", intervals.mean(edges(tables))
    return verdicts.verdict(
        verdicts.exact(high, "diverged" in present, f"zones found: {listed}", there),
        verdicts.exact(low, "slow" in present, f"{present.count('slow')} rates are slow", there),
        verdicts.more_than(matters, spread(tables["runs"]), 0.05, unit="%"),
        verdicts.between("Full-gradient descent is stable up to about 2/λ.", edge, 0.5, 2, unit="×"),
    )


def pictures(tables):
    """Accuracy and loss over the learning rate with the zones, and the share of stable descents over 2/λ."""
    accuracy = _rates_picture(tables["runs"], "test_accuracy", "test accuracy", percent=True)
    loss = _rates_picture(tables["runs"], "train_loss", "training loss (nats)", yscale="log")
    return {"test_accuracy": accuracy, "train_loss": loss, "edge": _edge_picture(tables["edges"])}


def _rates_picture(runs, column, name, **look):
    labels = {"xscale": "log", "xlabel": "learning rate", "ylabel": name, "markers": False}
    figure, axes = charts.lines(runs, "learning_rate", column, "initializer", **labels, **look)
    for number, (zone, rates) in enumerate(zones(runs).groupby("zone", sort=False)["learning_rate"]):
        charts.zone(axes, rates.min() / 1.3, rates.max() * 1.3, zone, COLOURS[3 + number % 4])
    caption = f"{name.capitalize()} after the last step; the zones follow a rule."
    return Picture(figure, f"{caption} Bands: 95% intervals over seeds; runs that diverged have no value.")


def _edge_picture(table):
    labels = {"xscale": "log", "xlabel": "learning rate / (2/λ)", "ylabel": "nets whose loss always falls"}
    figure, axes = charts.lines(table, "ratio", "stable", estimate=charts.of_shares, percent=True, **labels)
    axes.axvline(1, color=INK, ls=":", lw=1)
    axes.set_xticks([0.25, 0.5, 1, 2, 4, 8], ["0.25", "0.5", "1", "2", "4", "8"])
    axes.minorticks_off()
    caption = "Full-gradient descent from trained nets: share of nets whose loss falls at every step;"
    return Picture(figure, f"{caption} theory puts the edge at 1 (dotted). Band: 95% interval.")


EXPERIMENT = Claim(
    name="learning_rate",
    about=CLAIM,
    takes="features",
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": 32,
        "activation": "relu",
        "initializer": ["he", "xavier", "pytorch"],
        "optimizer": "sgd",
        "learning_rate": log_range(1e-5, 10, 25),
        "batch_size": 64,
        "num_epochs": 10,
        "num_seeds": 8,
    },
    options=(
        Option("probes", 12, "Nets whose sharpness is measured.", least=1),
        Option("descent", 40, "Steps of full-gradient descent.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

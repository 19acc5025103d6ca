"""Linear layers one after another are one linear map; with a non-linearity between them they are not."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import linear
from jaxnets.evidence import choosing, comparing, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim
from jaxnets.report import charts
from jaxnets.report.figures import COLOURS, INK, MARKERS, Picture, panel

CLAIM = "Without non-linearities, stacked layers are one linear map."


def measure(results):
    """Of each net at its best rate, how far its logits are from those of its layers multiplied out, and from linear.

    Nets that diverged have no logits, and count in the accuracies.
    """
    best = choosing.best_configurations(results.runs, ["hidden_units", "activation"])
    runs = choosing.with_failures(results.runs).set_index("run")
    kept = ["hidden_units", "activation", *choosing.repetitions(runs), "test_accuracy"]
    nets, logits = [], []
    for run in (run for members in best["members"] for run in members):
        net = {name: runs[name][run] for name in kept}
        if runs["status"][run] != choosing.FINISHED:
            nets.append(net)
            continue
        inputs = results.dataset(run).test.inputs
        outputs, collapsed = results.logits(run, inputs), linear.collapsed(results.params(run), inputs)
        error = float(np.abs(outputs - collapsed).max() / np.abs(outputs).max())
        nets.append(net | {"error": error, "unexplained": linear.unexplained(inputs, outputs)})
        if net["seed"] == runs["seed"].min() and net["hidden_units"] != "0" and not np.isnan(error):
            points = pd.DataFrame({"net": outputs[:60].ravel(), "collapsed": collapsed[:60].ravel()})
            logits.append(points.assign(hidden_units=net["hidden_units"], activation=net["activation"]))
    table = pd.DataFrame(nets, columns=[*kept, "error", "unexplained"])
    return {"nets": table, "logits": pd.concat(logits) if logits else pd.DataFrame()}


def summary(tables):
    """Mean accuracy, error of the multiplied-out map, and what no linear map explains, by architecture."""
    nets = tables["nets"].groupby(["activation", "hidden_units"], sort=False)
    table = nets.agg(accuracy=("test_accuracy", "mean"), error=("error", "max"), left=("unexplained", "mean"))
    names = {"accuracy": "test accuracy", "error": "largest relative error", "left": "variance no linear map explains"}
    return {"Nets, each at its best learning rate": table.reset_index().rename(columns=names)}


def kinds(nets):
    """The nets with their `kind`: linear classifiers are flat, linear nets stacked, ReLU nets bent."""
    flat, linear_net, bent = nets["hidden_units"] == "0", nets["activation"] == "identity", nets["activation"] == "relu"
    conditions = [flat & linear_net, ~flat & linear_net, ~flat & bent]
    return nets.assign(kind=np.select(conditions, ["flat", "stacked", "bent"], "other"))


def verdict(tables):
    """Logits must agree to 1e-5 of their largest; "the same accuracy" is within 1.5 points of the linear classifier.

    ReLU nets must be no linear map: the best one must leave over 5% of their logits' variance, and do worse on test.
    """
    nets = kinds(tables["nets"])
    unit = choosing.unit(nets)
    accuracy = nets.pivot_table(index=unit, columns="kind", values="test_accuracy")
    errors = nets[nets["kind"] == "stacked"]["error"].dropna()
    equal = None if errors.empty else bool((errors < 1e-5).all())
    largest = f"largest relative error of a logit: {errors.max():.1e}"
    left = nets[nets["kind"] == "bent"].dropna(subset="unexplained").groupby(unit)["unexplained"].mean()
    stacked, bent = (comparing.gain(accuracy, kind, "flat") for kind in ("stacked", "bent"))
    as_accurate = "Linear nets are as accurate as the linear classifier."
    no_map = "ReLU nets are no linear map: the best one leaves variance of their logits unexplained."
    return verdicts.verdict(
        verdicts.exact("Linear nets equal their layers multiplied out.", equal, largest, "it is below 1e-5"),
        verdicts.between(as_accurate, stacked, -0.015, 0.015, unit="%"),
        verdicts.more_than(no_map, choosing.over_units(left), 0.05, unit="%"),
        verdicts.more_than("ReLU nets are more accurate than the linear classifier.", bent, 0, unit="%"),
    )


def pictures(tables):
    """The logits of nets against those of their layers multiplied out, and accuracies."""
    drawn = {}
    if len(tables["logits"]):
        for number, (activation, points) in enumerate(tables["logits"].groupby("activation", sort=False)):
            drawn[f"logits_{activation}"] = _logits_picture(activation, points, number)
    if len(tables["nets"]):
        drawn["accuracy"] = _accuracy_picture(tables["nets"])
    return drawn


def _logits_picture(activation, points, number):
    labels = {"xlabel": "logit of the layers multiplied out", "ylabel": "logit of the net"}
    figure, axes = panel(f"activation: {activation}", **labels)
    for place, (units, some) in enumerate(points.groupby("hidden_units", sort=False)):
        look = {"ms": 3, "alpha": 0.5, "color": COLOURS[(number + place * 2) % len(COLOURS)]}
        marker = MARKERS[place % len(MARKERS)]
        axes.plot(some["collapsed"], some["net"], marker, label=f"hidden units {units}", **look)
    axes.axline((0, 0), slope=1, color=INK, lw=1, ls=":")
    axes.legend(loc="upper left")
    caption = f"Logits of 60 test examples with {activation}: on the dotted line, the net is the product of its layers."
    return Picture(figure, caption)


def _accuracy_picture(nets):
    groups = nets.groupby(["activation", "hidden_units"], sort=False)["test_accuracy"]
    estimates = {f"{activation} {units}": intervals.mean(values) for (activation, units), values in groups}
    figure, _ = charts.dots(estimates, percent=True, xlabel="test accuracy")
    return Picture(figure, "Test accuracy of each net at its best learning rate. Bars: 95% intervals.")


EXPERIMENT = Claim(
    name="linear_collapse",
    about=CLAIM,
    takes="features",
    needs=("hidden_units", "activation"),
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": [0, 64, (64, 64, 64)],
        "activation": ["identity", "relu"],
        "optimizer": "momentum",
        "learning_rate": [0.003, 0.01, 0.03, 0.1],
        "num_epochs": 20,
        "num_seeds": 8,
        "keep": "last",
    },
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

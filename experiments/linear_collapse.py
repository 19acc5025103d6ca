"""Linear layers one after another are one linear map; with a non-linearity between them they are not."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "Without non-linearities, stacked layers are one linear map."

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "0,64,64x64x64",
    "activation": "identity,relu",
    "optimizer": "momentum",
    "learning_rate": "0.003,0.01,0.03,0.1",
    "num_epochs": "20",
    "num_seeds": "8",
    "keep": "last",
}


def measure(results):
    """Of each net at its best rate, how far its logits are from those of its layers multiplied out, and from linear."""
    from jaxnets.analysis import linear
    from jaxnets.evidence import statistics

    best = statistics.best_configurations(results.runs, ["hidden_units", "activation"])
    rows, logits = [], []
    for run in (run for members in best["members"] for run in members):
        row = results.runs.set_index("run").loc[run]
        if row["status"] != "finished":
            continue
        inputs = results.dataset(run).test.inputs
        kernel, bias = linear.multiplied_out(linear.layers(results.params(run)))
        outputs, collapsed = results.logits(run, inputs), inputs @ kernel + bias
        error = float(np.abs(outputs - collapsed).max() / np.abs(outputs).max())
        told = {name: row[name] for name in ("hidden_units", "activation", "seed", "test_accuracy")}
        rows.append(told | {"error": error, "unexplained": linear.unexplained(inputs, outputs)})
        if row["seed"] == results.runs["seed"].min() and row["hidden_units"] != "0":
            points = pd.DataFrame({"net": outputs[:60].ravel(), "collapsed": collapsed[:60].ravel()})
            logits.append(points.assign(hidden_units=row["hidden_units"], activation=row["activation"]))
    columns = ["hidden_units", "activation", "seed", "test_accuracy", "error", "unexplained"]
    return {"nets": pd.DataFrame(rows, columns=columns), "logits": pd.concat(logits) if logits else pd.DataFrame()}


def summary(tables):
    """Mean accuracy, error of the multiplied-out map, and what no linear map explains, by architecture."""
    nets = tables["nets"].groupby(["activation", "hidden_units"], sort=False)
    table = nets.agg(accuracy=("test_accuracy", "mean"), error=("error", "max"), left=("unexplained", "mean"))
    names = {"accuracy": "test accuracy", "error": "largest relative error", "left": "variance no linear map explains"}
    return {"Nets, each at its best learning rate": table.reset_index().rename(columns=names)}


def verdict(tables):
    """Logits must agree to 1e-5 of their largest; "the same accuracy" is within 1.5 points of the linear classifier.

    ReLU nets must be no linear map: the best one must leave over 5% of their logits' variance, and do worse on test.
    """
    from jaxnets.evidence import statistics, verdicts

    nets = tables["nets"]
    accuracy = nets.pivot(index="seed", columns=["activation", "hidden_units"], values="test_accuracy")
    flat = accuracy.get(("identity", "0"))
    deep = [name for name in accuracy if name[1] != "0"]
    stacked, bent = ([name for name in deep if name[0] == kind] for kind in ("identity", "relu"))
    collapsed = nets[(nets["activation"] == "identity") & (nets["hidden_units"] != "0")]["error"]
    curved = nets[(nets["activation"] == "relu") & (nets["hidden_units"] != "0")]["unexplained"]

    def against_flat(names):
        if flat is None or not names:
            return statistics.UNKNOWN
        gains = accuracy[names].mean(axis=1) - flat
        return statistics.mean(gains.dropna())

    return verdicts.verdict(
        verdicts.exact("Linear nets equal their layers multiplied out.",
                       None if collapsed.empty else bool((collapsed < 1e-5).all()),
                       f"largest relative error of a logit: {collapsed.max():.1e}", "it is below 1e-5"),
        verdicts.between("Linear nets are as accurate as the linear classifier.", against_flat(stacked), -0.015, 0.015,
                         unit="%"),
        verdicts.more_than("ReLU nets are no linear map: the best one leaves variance of their logits unexplained.",
                           statistics.mean(curved) if len(curved) else statistics.UNKNOWN, 0.05, unit="%"),
        verdicts.more_than("ReLU nets are more accurate than the linear classifier.", against_flat(bent), 0, unit="%"),
    )  # fmt: skip


def pictures(tables):
    """The logits of nets against those of their layers multiplied out, and accuracies."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, INK, MARKERS, Picture, panel

    drawn = {}
    for number, (activation, points) in enumerate(tables["logits"].groupby("activation", sort=False)):
        figure, axes = panel(f"activation: {activation}", xlabel="logit of the layers multiplied out",
                             ylabel="logit of the net")  # fmt: skip
        for place, (units, some) in enumerate(points.groupby("hidden_units", sort=False)):
            axes.plot(some["collapsed"], some["net"], MARKERS[place], ms=3, alpha=0.5, label=f"hidden units {units}",
                      color=COLOURS[number + place * 2])  # fmt: skip
        axes.axline((0, 0), slope=1, color=INK, lw=1, ls=":")
        axes.legend(loc="upper left")
        drawn[f"logits_{activation}"] = Picture(figure, f"Logits of 60 test examples with {activation}: on the dotted "
                                                        "line, the net is the product of its layers.")  # fmt: skip
    groups = tables["nets"].groupby(["activation", "hidden_units"], sort=False)["test_accuracy"]
    estimates = {f"{activation} {units}": statistics.mean(values) for (activation, units), values in groups}
    figure, _ = charts.dots(estimates, percent=True, xlabel="test accuracy")
    drawn["accuracy"] = Picture(figure, "Test accuracy of each net at its best learning rate. Bars: 95% intervals.")
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

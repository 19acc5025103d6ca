"""What the learning rate does over six powers of ten, and where theory puts the edge of stability."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "The learning rate matters most: too high diverges, too low is slow."

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "32",
    "activation": "relu",
    "initializer": "he,xavier,pytorch",
    "optimizer": "sgd",
    "learning_rate": "log:1e-5:10:25",
    "batch_size": "64",
    "num_epochs": "10",
    "num_seeds": "8",
}

FLAGS = {"probes": ("12", "Nets whose sharpness is measured."), "descent": ("40", "Steps of full-gradient descent.")}
RATIOS = np.geomspace(0.25, 8, 21)
ZONES = ("slow", "good", "unstable", "diverged")


def measure(results):
    """For some nets, the rates, in units of 2/λ, at which full-gradient descent lowers the loss at every step."""
    import jax
    import jax.numpy as jnp
    import optax

    from jaxnets.analysis import hessian

    probes = results.config.options["probes"]
    trained = results.train(learning_rate="0.1", num_seeds=probes, num_epochs="5", keep="last",
                            initializer="he", activation="tanh")  # fmt: skip
    inputs, labels = jnp.asarray(results.folds[0].train.inputs), jnp.asarray(results.folds[0].train.labels)

    def loss(params):
        logits = trained.model(0).apply({"params": params}, inputs)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    rows, steps = [], results.config.option("descent", "int")
    for run in map(int, trained.runs["run"]):
        params = jax.tree.map(jnp.asarray, trained.params(run))
        sharpness = hessian.largest_eigenvalue(loss, params, jax.random.key(run))
        stable = hessian.descends(loss, params, jnp.asarray(RATIOS * 2 / sharpness), steps)
        rows.append(pd.DataFrame({"net": run, "sharpness": sharpness, "ratio": RATIOS, "stable": stable}))
    return {"edges": pd.concat(rows)}


def zones(runs):
    """The zone of each learning rate.

    *diverged*: over half of the runs left the finite numbers or end with 90% of the lowest rate's loss or more; *good*:
    the mean accuracy on dev is within 2 points of the best; *slow*: below the good ones; *unstable*: above them.
    """
    lowest = runs[runs["learning_rate"] == runs["learning_rate"].min()]["train_loss"].mean()
    runs = runs.assign(lost=(runs["status"] == "diverged") | (runs["train_loss"] > 0.9 * lowest))
    columns = {"dev": ("dev_accuracy", "mean"), "accuracy": ("test_accuracy", "mean"), "lost": ("lost", "mean")}
    table = runs.groupby("learning_rate").agg(**columns)
    good = (table["dev"] >= table["dev"].max() - 0.02) & (table["lost"] <= 0.5)
    first, last = table.index[good].min(), table.index[good].max()
    conditions = [table.index < first, (table.index > last) & (table["lost"] > 0.5), table.index > last]
    table["zone"] = np.select(conditions, ["slow", "diverged", "unstable"], "good")
    return table.reset_index()


def edges(tables):
    """Of each net the largest rate, in units of 2/λ, up to which descent lowered the loss at every step."""

    def edge(net):
        unstable = net[~net["stable"]]["ratio"]
        return net[net["ratio"] < unstable.min()]["ratio"].max() if len(unstable) else net["ratio"].max()

    return tables["edges"].sort_values("ratio").groupby("net")[["ratio", "stable"]].apply(edge)


def summary(tables):
    """The zones, and the edge of stability."""
    table = zones(tables["runs"]).groupby("zone", sort=False).agg(
        lowest=("learning_rate", "min"), highest=("learning_rate", "max"), accuracy=("accuracy", "mean"))  # fmt: skip
    sharpness = tables["edges"].groupby("net")["sharpness"].first()
    edge = pd.DataFrame({"sharpness λ": [sharpness.mean()], "2/λ": [(2 / sharpness).mean()],
                         "largest stable rate / (2/λ)": [edges(tables).mean()]})  # fmt: skip
    names = {"lowest": "from", "highest": "to", "accuracy": "mean test accuracy"}
    return {"Zones of the learning rate": table.reset_index().rename(columns=names), "Edge of stability": edge}


def verdict(tables):
    """The zones must be there; the rate must matter more than the initializer; the edge must be 0.5 to 2 of 2/λ.

    It matters more if the standard deviation of test accuracy between learning rates exceeds that between initializers
    at the best rate, by seed. Gradient descent on a quadratic is stable below 2/λ; on a net λ changes, so the
    edge is looked for from a trained net, as the rate up to which the loss falls at every step.
    """
    from jaxnets.evidence import statistics, verdicts

    runs, found = tables["runs"], set(zones(tables["runs"])["zone"])
    filled = runs.assign(test_accuracy=runs["test_accuracy"].fillna(runs["test_accuracy"].min()))
    best = filled.groupby("learning_rate")["dev_accuracy"].mean().idxmax()
    by_rate = filled.groupby(["seed", "learning_rate"])["test_accuracy"].mean().unstack().std(axis=1)
    drawn = filled[filled["learning_rate"] == best].groupby(["seed", "initializer"])["test_accuracy"].mean().unstack()
    more = statistics.mean((by_rate - drawn.std(axis=1).fillna(0)).dropna())
    table = zones(runs)
    slow = table[table["zone"] == "slow"]
    return verdicts.verdict(
        verdicts.exact("Too high diverges: beyond the good rates runs are lost.", "diverged" in found,
                       f"zones found: {', '.join(zone for zone in ZONES if zone in found)}", "there is such a zone"),
        verdicts.exact("Too low is slow: rates below the good ones are over 2 points worse on dev.", "slow" in found,
                       f"{len(slow)} rates are slow", "there is such a zone"),
        verdicts.more_than("It matters more than the initializer (spread of test accuracy).", more, 0.05, unit="%"),
        verdicts.between("Full-gradient descent is stable up to about 2/λ.", statistics.mean(edges(tables)), 0.5, 2,
                         unit="×"),
    )  # fmt: skip


def pictures(tables):
    """Accuracy and loss over the learning rate with the zones, and the share of stable descents over 2/λ."""
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, INK, Picture

    runs, table = tables["runs"], zones(tables["runs"])
    drawn = {}
    for column, name, percent in (
        ("test_accuracy", "test accuracy", True),
        ("train_loss", "training loss (nats)", False),
    ):
        scale = {} if percent else {"yscale": "log"}
        figure, axes = charts.lines(runs, "learning_rate", column, "initializer", xscale="log", percent=percent,
                                    ylabel=name, xlabel="learning rate", markers=False, **scale)  # fmt: skip
        for number, (zone, rates) in enumerate(table.groupby("zone", sort=False)["learning_rate"]):
            axes.axvspan(rates.min() / 1.3, rates.max() * 1.3, color=COLOURS[3 + number % 4], alpha=0.12, lw=0)
            axes.text(np.sqrt(rates.min() * rates.max()), 1.01, zone, transform=axes.get_xaxis_transform(), ha="center",
                      fontsize=8)  # fmt: skip
        axes.set_title("")
        drawn[column] = Picture(figure, f"{name.capitalize()} after the last step; the zones follow a rule. Bands: "
                                        "95% intervals over seeds; runs that diverged have no value.")  # fmt: skip
    figure, axes = charts.lines(tables["edges"], "ratio", "stable", estimate=charts.of_shares, percent=True,
                                xscale="log", xlabel="learning rate / (2/λ)",
                                ylabel="nets whose loss always falls")  # fmt: skip
    axes.axvline(1, color=INK, ls=":", lw=1)
    axes.set_xticks([0.25, 0.5, 1, 2, 4, 8], ["0.25", "0.5", "1", "2", "4", "8"], minor=False)
    axes.minorticks_off()
    drawn["edge"] = Picture(figure, "Full-gradient descent from trained nets: share of nets whose loss falls at every "
                                    "step; theory puts the edge at 1 (dotted). Band: 95% interval.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

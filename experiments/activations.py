"""Sigmoid, tanh and ReLU by depth, each at its own best learning rate; why they differ, and what they cost."""

import sys

import pandas as pd

from jaxnets.lab import commandline

CLAIM = "Tanh and ReLU are better than sigmoid: tanh because it is centred, and ReLU is fast."

CENTRED = "jaxnets.analysis.signals:centred_sigmoid"

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64,64x64x64,64x64x64x64x64x64",
    "activation": f"sigmoid,tanh,relu,{CENTRED}",
    "initializer": "xavier",
    "optimizer": "sgd",
    "learning_rate": "0.03,0.1,0.3,1,3,10",
    "num_epochs": "8",
    "num_seeds": "8",
}

FLAGS = {"repetitions": ("60", "Rounds of timing."), "size": ("262144", "Numbers that a non-linearity is timed on.")}


def measure(results):
    """Gradients by layer at the start of the deepest net, and the time of each non-linearity with its derivative."""
    import jax
    import jax.numpy as jnp

    from jaxnets.analysis import signals
    from jaxnets.analysis.timing import in_turns
    from jaxnets.models.blocks import nonlinearity

    deepest = max(results.runs["hidden_units"], key=lambda units: units.count("x"))
    data, tables = results.folds[0].train, []
    inputs, labels = jnp.asarray(data.inputs[:256]), jnp.asarray(data.labels[:256])
    firsts = results.runs[results.runs["hidden_units"] == deepest].groupby(["activation", "seed"], sort=False).first()
    for (activation, seed), row in firsts.iterrows():
        table = signals.scales(results.params(int(row["run"]), step=0), inputs, labels, activation)
        tables.append(table.assign(kind=_short(activation), seed=seed))
    x = jax.random.normal(jax.random.key(0), (results.config.option("size", "int"),))

    def timed(name):
        return jax.jit(lambda x: jax.vjp(nonlinearity(name), x)[1](x)), x

    functions = {}
    for name in dict.fromkeys(results.runs["activation"]):
        function, argument = timed(name)
        functions[_short(name)] = lambda f=function, x=argument: f(x)
    return {"signals": pd.concat(tables), "times": in_turns(functions, results.config.option("repetitions", "int"), 5),
            "chance": pd.DataFrame({"accuracy": [1 / results.folds[0].num_classes]})}  # fmt: skip


def _short(activation):
    return "centred sigmoid" if activation == CENTRED else activation


def best(tables):
    """The runs of each non-linearity and depth at the learning rate that is best on dev."""
    from jaxnets.evidence import statistics

    runs = tables["runs"]
    chosen = statistics.best_configurations(runs, ["hidden_units", "activation"])
    members = runs[runs["run"].isin([run for members in chosen["members"] for run in members])]
    # a run that diverged knows nothing
    members = members.assign(test_accuracy=members["test_accuracy"].fillna(tables["chance"]["accuracy"].iloc[0]))
    return members.assign(kind=members["activation"].map(_short), depth=members["hidden_units"].str.count("x") + 1)


def summary(tables):
    """Accuracy at the best learning rate, and time."""
    table = best(tables)
    rates = table.groupby(["kind", "depth"], sort=False)["learning_rate"].first().unstack()
    accuracy = (
        table.groupby(["kind", "depth"], sort=False)["test_accuracy"]
        .mean()
        .unstack()
        .sort_index(axis=1)
        .map("{:.1%}".format)
    )
    shown = accuracy + " at " + rates.map("{:g}".format)
    times = (tables["times"].median() * 1e6).rename("µs, with derivative").rename_axis("non-linearity").reset_index()
    return {"Test accuracy by hidden layers, at the best learning rate": shown.reset_index(), "Time": times}


def verdict(tables):
    """Differences of test accuracy, mean over depths, paired by seed; and times, paired by round.

    If centring is what makes tanh better, a sigmoid less one half, which differs in nothing else, must get over half of
    the way from sigmoid to tanh.
    """
    from jaxnets.evidence import statistics, verdicts

    accuracy = best(tables).pivot_table(index="seed", columns="kind", values="test_accuracy")

    if {"sigmoid", "tanh"} <= set(accuracy):
        accuracy["middle"] = (accuracy["sigmoid"] + accuracy["tanh"]) / 2

    def gain(better, worse):
        if not {better, worse} <= set(accuracy):
            return statistics.UNKNOWN
        return statistics.paired_difference(accuracy[better], accuracy[worse])

    times = tables["times"]
    cost = statistics.UNKNOWN
    if {"relu", "tanh"} <= set(times):
        cost = statistics.ratio(times["relu"], times["tanh"], paired=True)
    return verdicts.verdict(
        verdicts.more_than("Tanh beats sigmoid.", gain("tanh", "sigmoid"), unit="%"),
        verdicts.more_than("ReLU beats sigmoid.", gain("relu", "sigmoid"), unit="%"),
        verdicts.more_than("Centring helps: the sigmoid less one half beats the sigmoid.",
                           gain("centred sigmoid", "sigmoid"), unit="%"),
        verdicts.more_than("Centring is the reason: it gets over half of the way from sigmoid to tanh (what it is "
                           "above the middle).", gain("centred sigmoid", "middle"), unit="%"),
        verdicts.less_than("ReLU takes less time than tanh.", cost, 1, unit="×"),
    )  # fmt: skip


def pictures(tables):
    """Accuracy by depth, gradients by layer, and times."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import Picture

    figure, _ = charts.lines(best(tables), "depth", "test_accuracy", "kind", percent=True, xlabel="hidden layers",
                             ylabel="test accuracy", legend="non-linearity")  # fmt: skip
    signals, _ = charts.lines(tables["signals"], "layer", "gradient", "kind", yscale="log", xlabel="hidden layer",
                              ylabel="gradient of the weights (RMS)", legend="non-linearity")  # fmt: skip
    times = {name: statistics.mean(values * 1e6) for name, values in tables["times"].items()}
    cost, axes = charts.dots(times, xlabel="time with derivative (µs)")
    axes.set_xlim(left=0)
    return {
        "accuracy": Picture(figure, "Test accuracy by depth, each at its best learning rate. Bands: 95% intervals over "
                                    "seeds."),
        "gradients": Picture(signals, "Size of the gradient at each layer of the deepest net before the first step: "
                                      "with the sigmoid it fades on its way back. Bands: 95% intervals over seeds."),
        "times": Picture(cost, "Time of each non-linearity alone, both ways. Bars: 95% intervals over rounds."),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

"""What the size of a batch does to the gradient's noise, the time of a step, and what is learned in a given time."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "A larger batch gives a more accurate gradient and a slower step; a smaller one is faster and noisier."

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "128",
    "optimizer": "sgd",
    "learning_rate": "0.01,0.03,0.1,0.3,1,3",
    "batch_size": "4,16,64,256",
    "num_epochs": "10",
    "num_seeds": "8",
}

FLAGS = {
    "draws": ("400", "Batches whose gradient is compared with the full one."),
    "rounds": ("20", "Rounds of timing."),
    "nets": ("6", "Nets on which gradients are compared."),
}


def measure(results):
    """The variance of the gradient by batch size, and the seconds of a step."""
    from jaxnets.analysis import gradient_noise

    sizes = sorted(int(size) for size in results.runs["batch_size"].unique())
    trained = results.train(batch_size=str(sizes[-1]), learning_rate="0.1", num_epochs="1", keep="last",
                            num_seeds=results.config.options["nets"])  # fmt: skip
    draws, rows = results.config.option("draws", "int"), []
    for run in map(int, trained.runs["run"]):
        for size in sizes:
            noise = gradient_noise.measure(
                trained.model(run), trained.params(run), results.folds[0].train, size, draws, run
            )
            rows.append({"net": run, "batch_size": size, **noise})
    firsts = results.runs.drop_duplicates("batch_size").set_index("batch_size")["run"]
    timed = {str(size): (results, int(firsts[size])) for size in sizes}
    times = gradient_noise.step_seconds(timed, results.config.option("rounds", "int"))
    return {"noise": pd.DataFrame(rows), "times": times}


def best(tables):
    """The learning curves of each batch size at the rate that is best on dev, over examples and over seconds."""
    from jaxnets.evidence import statistics

    runs = tables["runs"]
    chosen = statistics.best_configurations(runs, ["batch_size"])
    members = runs[runs["run"].isin([run for members in chosen["members"] for run in members])]
    # the curves' training loss lags: it is the mean since the evaluation before
    told = members.assign(final_loss=members["train_loss"])[
        ["run", "batch_size", "seed", "learning_rate", "final_loss"]
    ]
    curves = tables["curves"].merge(told, on="run")
    return curves.assign(seconds=curves["step"] * curves["batch_size"].map(step_times(tables)))


def step_times(tables):
    """The median seconds of a step by batch size."""
    times = tables["times"].median()
    return times.set_axis(times.index.astype(int))


def to_loss(curves):
    """Passes over the data until the training loss, mean over seeds, is what the largest batch ends with."""
    means = curves.groupby(["batch_size", "epoch"])["train_loss"].mean()
    target = means[curves["batch_size"].max()].iloc[-1]
    reached = means[means <= target].reset_index().groupby("batch_size")["epoch"].min()
    return target, reached


def summary(tables):
    """Noise, time and loss by batch size."""
    curves = best(tables)
    ends = curves.drop_duplicates("run").groupby("batch_size")
    target, reached = to_loss(curves)
    times = step_times(tables)
    table = pd.DataFrame({
        "noise / full gradient": tables["noise"].groupby("batch_size")["relative_noise"].mean(),
        "µs per step": times * 1e6,
        "µs per example": times * 1e6 / times.index,
        "learning rate": ends["learning_rate"].first(),
        "final training loss": ends["final_loss"].mean(),
        f"passes to a loss of {target:.3f}": reached,
    })  # fmt: skip
    return {"Batch sizes, each at its best learning rate": table.rename_axis("batch size").reset_index(),
            "Best batch size for a given time": fastest(curves)}  # fmt: skip


def fastest(curves):
    """The batch size with the lowest training loss at the end of some times."""
    means = curves.groupby(["batch_size", "seconds"])["train_loss"].mean().reset_index()
    ends = means.groupby("batch_size")["seconds"].agg(["min", "max"])
    rows = []
    for seconds in np.geomspace(ends["min"].min(), ends["max"].max(), 6):
        until = means[means["seconds"] <= seconds * 1.001]
        best = until.loc[until["train_loss"].idxmin()]
        rows.append(
            {"time (s)": seconds, "best batch size": int(best["batch_size"]), "training loss": best["train_loss"]}
        )
    return pd.DataFrame(rows)


def verdict(tables):
    """Noise: power -1 of the size (within 0.1), with the factor for drawing without replacement taken out; by net.

    Steps: the largest batch's takes longer than the smallest's, by round. Faster: after the same number of examples the
    smallest batch has a lower training loss than the largest, each at its best rate, by seed.
    """
    from jaxnets.evidence import statistics, verdicts

    noise, times, curves = tables["noise"], tables["times"], best(tables)
    small, large = curves["batch_size"].min(), curves["batch_size"].max()
    losses = curves.drop_duplicates("run").pivot(index="seed", columns="batch_size", values="final_loss")
    slower, gain = statistics.UNKNOWN, statistics.UNKNOWN
    if small < large:
        slower = statistics.ratio(times[str(large)], times[str(small)], paired=True)
        both = losses[[small, large]].dropna()
        gain = statistics.ratio(both[small], both[large], paired=True)
    return verdicts.verdict(
        verdicts.between("The variance of the gradient falls with the size to the power -1.",
                         statistics.mean(slopes(noise)), -1.1, -0.9),
        verdicts.more_than(f"A step of {large} examples takes longer than one of {small}.", slower, 1, unit="×"),
        verdicts.less_than(f"After as many examples, batches of {small} have a lower loss than those of {large}.",
                           gain, 1, unit="×"),
    )  # fmt: skip


def slopes(noise):
    """For each net the slope of the logarithm of the variance over that of the size; a batch of all has no noise."""
    from jaxnets.evidence import statistics

    noise = noise[(noise["population_factor"] > 0) & (noise["variance"] > 0)]
    variances = noise.assign(x=np.log(noise["batch_size"]), y=np.log(noise["variance"] / noise["population_factor"]))
    several = [net for _, net in variances.groupby("net") if net["x"].nunique() > 1]
    return [statistics.slope(net["x"], net["y"]).value for net in several]


def pictures(tables):
    """Noise over the size, and loss over examples and over seconds."""
    from jaxnets.evidence import statistics
    from jaxnets.report import charts
    from jaxnets.report.figures import INK, Picture, line_with_band, panel, styled

    noise, axes = charts.lines(tables["noise"], "batch_size", "relative_noise", xscale="log", yscale="log",
                               xlabel="batch size", ylabel="noise / full gradient (norms)")  # fmt: skip
    sizes = np.array(sorted(tables["noise"]["batch_size"].unique()))
    first = tables["noise"][tables["noise"]["batch_size"] == sizes[0]]["relative_noise"].mean()
    axes.plot(sizes, first * (sizes[0] / sizes) ** 0.5, color=INK, ls=":", label="1/√size")
    axes.legend()
    drawn = {"noise": Picture(noise, "Norm of what a batch's gradient is off, relative to the full gradient. Band: 95% "
                                     "interval over nets. Large batches are drawn without replacement, "
                                     "which puts them below the line.")}  # fmt: skip
    curves = best(tables)
    for column, name in (("epoch", "passes over the data"), ("seconds", "time of the steps (s)")):
        figure, axes = panel(xlabel=name, ylabel="training loss (nats)", yscale="log", xscale="log")
        for (size, group), colour, marker in styled(curves, "batch_size"):
            points = group.groupby("epoch").agg(x=(column, "first"), loss=("train_loss", list))
            means, widths = np.array([statistics.mean_interval(values) for values in points["loss"]]).T
            line_with_band(axes, points["x"], means, widths, f"{size}", colour, marker)
        axes.legend(title="batch size")
        drawn[column] = Picture(figure, f"Training loss over {name}, each batch size at its best learning rate. Bands: "
                                        "95% intervals over seeds.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

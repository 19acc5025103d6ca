"""What the size of a batch does to the gradient's noise, the time of a step, and what is learned in a given time."""

import sys

import numpy as np
import pandas as pd

from jaxnets.analysis import gradient_noise
from jaxnets.evidence import choosing, comparing, intervals, tuning, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.report import charts
from jaxnets.report.figures import INK, Picture

CLAIM = "A larger batch gives a more accurate gradient and a slower step; a smaller one is faster and noisier."


def measure(results):
    """The variance of the gradient by batch size, and the seconds of a step."""
    firsts = results.runs.drop_duplicates("batch_size").set_index("batch_size")["run"].sort_index()
    nets = {"batch_size": int(firsts.index[-1]), "num_seeds": results.options["nets"]}
    trained = results.train(**nets, learning_rate=0.1, num_epochs=1, keep="last")
    noise = gradient_noise.by_size(trained, list(firsts.index), results.options["draws"])
    runs = {size: (results, run) for size, run in firsts.items()}
    rounds = gradient_noise.step_seconds(runs, results.options["rounds"]).rename_axis("round").reset_index()
    return {"noise": noise, "times": rounds.melt("round", var_name="batch_size", value_name="seconds")}


def best(tables):
    """The runs of each batch size at the rate that is best on dev, and their curves over passes and over seconds."""
    runs = choosing.with_failures(choosing.at_best(tables["runs"], ["batch_size"]))
    curves = tables["curves"].merge(runs[["run", "batch_size", *choosing.repetitions(runs)]], on="run")
    return runs, curves.assign(seconds=curves["step"] * curves["batch_size"].map(step_times(tables)))


def step_times(tables):
    """The median seconds of a step by batch size."""
    return tables["times"].groupby("batch_size")["seconds"].median()


def to_loss(curves):
    """Passes over the data until the training loss, mean over seeds, is what the largest batch ends with."""
    means = curves.groupby(["batch_size", "epoch"])["train_loss"].mean()
    target = means[curves["batch_size"].max()].iloc[-1] if len(means) else np.nan
    return target, means[means <= target].reset_index().groupby("batch_size")["epoch"].min()


def summary(tables):
    """Noise, time and loss by batch size."""
    runs, curves = best(tables)
    sizes, times, (target, reached) = runs.groupby("batch_size"), step_times(tables), to_loss(curves)
    columns = {
        "noise / full gradient": tables["noise"].groupby("batch_size")["relative_noise"].mean(),
        "µs per step": times * 1e6,
        "µs per example": times * 1e6 / times.index,
        "learning rate": sizes["learning_rate"].first(),
        "final training loss": sizes["train_loss"].mean(),
        f"passes to a loss of {target:.3f}": reached,
    }
    table = pd.DataFrame(columns).rename_axis("batch size").reset_index()
    fastest = tuning.best_within(curves, "batch_size", "seconds", 6)
    fastest.columns = ["time (s)", "best batch size", "training loss"]
    return {"Batch sizes, each at its best learning rate": table, "Best batch size for a given time": fastest}


def verdict(tables):
    """Noise: power -1 of the size (within 0.1), with the factor for drawing without replacement taken out; by net.

    Steps: the largest batch's takes longer than the smallest's, by round. Faster: after the same number of examples the
    smallest batch has a lower training loss than the largest, each at its best rate, by seed.
    """
    runs, _ = best(tables)
    small, large = runs["batch_size"].agg(["min", "max"])
    other = small if small < large else None
    losses = choosing.paired(runs, "batch_size", "train_loss")
    times = tables["times"].pivot(index="round", columns="batch_size", values="seconds")
    power = intervals.mean(gradient_noise.powers(tables["noise"]))
    slower = f"A step of {large} examples takes longer than one of {small}."
    lower = f"After as many examples, batches of {small} have a lower loss than those of {large}."
    return verdicts.verdict(
        verdicts.between("The variance of the gradient falls with the size to the power -1.", power, -1.1, -0.9),
        verdicts.more_than(slower, comparing.paired_ratio(times, large, other), 1, unit="×"),
        verdicts.less_than(lower, comparing.paired_ratio(losses, other, large), 1, unit="×"),
    )


def pictures(tables):
    """Noise over the size, and loss over examples and over seconds."""
    _, curves = best(tables)
    return {
        "noise": _noise_picture(tables["noise"]),
        "epoch": _loss_picture(curves, "epoch", "passes over the data"),
        "seconds": _loss_picture(curves, "seconds", "time of the steps (s)"),
    }


def _noise_picture(noise):
    labels = {"xlabel": "batch size", "ylabel": "noise / full gradient (norms)"}
    figure, axes = charts.lines(noise, "batch_size", "relative_noise", xscale="log", yscale="log", **labels)
    means = noise.groupby("batch_size")["relative_noise"].mean()
    axes.plot(means.index, means.iloc[0] * (means.index[0] / means.index) ** 0.5, color=INK, ls=":", label="1/√size")
    axes.legend()
    caption = "Norm of what a batch's gradient is off, relative to the full gradient. Band: 95% interval over nets."
    return Picture(figure, f"{caption} Large batches are drawn without replacement, which puts them below the line.")


def _loss_picture(curves, column, name):
    labels = {"xlabel": name, "ylabel": "training loss (nats)", "xscale": "log", "yscale": "log"}
    figure, _ = charts.lines(curves, column, "train_loss", "batch_size", **labels)
    caption = f"Training loss over {name}, each batch size at its best learning rate."
    return Picture(figure, f"{caption} Bands: 95% intervals over seeds.")


EXPERIMENT = Claim(
    name="batch_size",
    about=CLAIM,
    takes="features",
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": 128,
        "optimizer": "sgd",
        "learning_rate": [0.01, 0.03, 0.1, 0.3, 1, 3],
        "batch_size": [4, 16, 64, 256],
        "num_epochs": 10,
        "num_seeds": 8,
    },
    options=(
        Option("draws", 400, "Batches whose gradient is compared with the full one.", least=1),
        Option("rounds", 20, "Rounds of timing.", least=1),
        Option("nets", 6, "Nets on which gradients are compared.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

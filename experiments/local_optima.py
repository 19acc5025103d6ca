"""Where optimizers end: distances and barriers between their solutions, and which of them are better."""

import sys
from itertools import combinations

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "Different optimizers end in different local optima, some of them better."

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64",
    "optimizer": "sgd,momentum,adam",
    "learning_rate": "0.003,0.01,0.03,0.1,0.3,1",
    "num_epochs": "15",
    "num_seeds": "32",
}

FLAGS = {
    "pairs": ("8", "Starts from which solutions are compared."),
    "align": ("true", "Whether hidden units are also aligned by permutation, between different starts."),
}


OTHER, SHUFFLED = "same start, other optimizer", "same start, other shuffle"
COLUMNS = ["kind", "first", "second", "start", "distance", "barrier", "share", "loss"]


def measure(results):
    """Distances and losses along the line between solutions, from the same start and from different ones."""
    from jaxnets.analysis import landscape

    ends, again, loss = _solutions(results)
    rows = []

    def compare(kind, first, second, start, a, b):
        losses = landscape.along_the_line(loss, a, b)
        told = {"kind": kind, "first": first, "second": second, "start": start}
        told |= {"distance": landscape.distance(a, b), "barrier": landscape.barrier(losses)}
        rows.append(pd.DataFrame({"share": np.linspace(0, 1, len(losses)), "loss": losses}).assign(**told))

    optimizers = list(dict.fromkeys(name for name, _ in ends))
    starts = sorted({start for _, start in ends})
    for start, other in zip(starts, starts[1:] + starts[:1], strict=True):
        for first, second in combinations([name for name in optimizers if (name, start) in ends], 2):
            compare(OTHER, first, second, start, ends[first, start], ends[second, start])
        for name in optimizers:
            if (name, start) in again and (name, start) in ends:
                compare(SHUFFLED, name, name, start, ends[name, start], again[name, start])
            if start != other and (name, start) in ends and (name, other) in ends:
                a, b = ends[name, start], ends[name, other]
                compare("other start", name, name, start, a, b)
                if results.config.option("align", "bool"):
                    compare("other start, aligned", name, name, start, a, landscape.aligned(b, a))
    return {"pairs": pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)}


def _solutions(results):
    """By optimizer and start: where it ends at its best rate, and where with its batches in another order."""
    from jaxnets.analysis import landscape
    from jaxnets.evidence import statistics

    ends, again, loss = {}, {}, None
    starts = sorted(results.runs["seed"].unique())[: results.config.option("pairs", "int")]
    for _, best in statistics.best_configurations(results.runs).iterrows():
        flags = {"optimizer": best["optimizer"], "learning_rate": f"{best['learning_rate']:.12g}"}
        trained = results.train(**flags, seed=",".join(map(str, starts)), keep="last")
        finished = trained.runs[trained.runs["status"] == "finished"]
        shuffled = landscape.reshuffled(trained, finished["run"].tolist()) if len(finished) else []
        for (run, seed), other in zip(finished[["run", "seed"]].to_numpy(), shuffled, strict=True):
            ends[best["optimizer"], seed], again[best["optimizer"], seed] = trained.params(run), other
            loss = loss or landscape.training_loss(trained, run)
    return ends, again, loss


def ends(tables):
    """The finished runs of each optimizer at the rate that is best on dev."""
    from jaxnets.evidence import statistics

    runs = tables["runs"]
    chosen = statistics.best_configurations(runs)
    return runs[runs["run"].isin([run for members in chosen["members"] for run in members])]


def barriers(tables):
    """A row for each pair of solutions."""
    return tables["pairs"][tables["pairs"]["share"] == 0]


def summary(tables):
    """Distances and barriers by kind of pair, and the distribution of the final losses."""
    pairs = (
        barriers(tables).groupby(["kind", "first", "second"], sort=False)[["distance", "barrier"]].mean().reset_index()
    )
    losses = ends(tables).groupby("optimizer", sort=False)
    table = losses["test_loss"].describe()[["mean", "min", "50%", "max"]].rename(columns={"50%": "median"})
    table.insert(0, "learning rate", losses["learning_rate"].first())
    pairs = pairs.rename(columns={"distance": "relative distance", "barrier": "barrier (nats)"})
    return {"Pairs of solutions, means": pairs, "Test loss over seeds": table.reset_index()}


def verdict(tables):
    """Different: from the same start the training loss between two optimizers' solutions rises by over 0.05 nats.

    The control is the same optimizer from the same start with its batches in another order: optimizers must be further
    apart than that. Pairs from one start are not independent: their mean is one observation. Better: the optimizer that
    is best on dev has a lower test loss than the worst, paired by start.
    """
    from jaxnets.evidence import statistics, verdicts

    pairs, runs = barriers(tables), ends(tables)
    of_start = pairs.groupby(["start", "kind"])["barrier"].mean().unstack("kind").reindex(columns=[OTHER, SHUFFLED])
    both = of_start.dropna()
    dev = runs.groupby("optimizer")["dev_loss"].mean().sort_values()
    losses = runs.pivot(index="seed", columns="optimizer", values="test_loss")
    gap = (
        statistics.mean((losses[dev.index[-1]] - losses[dev.index[0]]).dropna()) if len(dev) > 1 else statistics.UNKNOWN
    )
    return verdicts.verdict(
        verdicts.more_than("Between the solutions of different optimizers from one start there is a barrier.",
                           statistics.mean(of_start[OTHER].dropna()), 0.05, unit="nats"),
        verdicts.more_than("It is higher than after another shuffle of the batches alone.",
                           statistics.paired_difference(both[OTHER], both[SHUFFLED]), 0, unit="nats"),
        verdicts.more_than("The optimizer that is worst on dev ends at a higher test loss than the best.", gap, 0,
                           unit="nats"),
    )  # fmt: skip


def pictures(tables):
    """The loss along the lines, and the distribution of the final test losses."""
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, Picture, panel

    figure, axes = charts.lines(tables["pairs"], "share", "loss", "kind", markers=False, yscale="log",
                                xlabel="way from one solution to the other", ylabel="training loss (nats)")  # fmt: skip
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), fontsize=8)
    groups = list(ends(tables).dropna(subset=["test_loss"]).groupby("optimizer", sort=False)["test_loss"])
    spread, axes = panel(xlabel="test loss (nats)", ylabel="share of runs below")
    for number, (name, losses) in enumerate(groups):
        axes.ecdf(losses, label=name, color=COLOURS[number], ls=("-", "--", ":", "-.")[number % 4])
    axes.legend()
    return {
        "lines": Picture(
            figure, "Training loss on the straight line between two solutions. Bands: 95% intervals over pairs."
        ),
        "losses": Picture(spread, "Distribution of the final test loss over starts, each optimizer at its best rate."),
    }


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

"""Where optimizers end: distances and barriers between their solutions, and which of them are better."""

import sys

from jaxnets.analysis import landscape, solutions
from jaxnets.analysis.solutions import OTHER_OPTIMIZER, OTHER_SHUFFLE
from jaxnets.basics.errors import UserError
from jaxnets.config.values import Range, choices
from jaxnets.evidence import choosing, comparing, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option
from jaxnets.plugins import MODEL
from jaxnets.report import charts
from jaxnets.report.figures import COLOURS, DASHES, Picture, panel

CLAIM = "Different optimizers end in different local optima, some of them better."


def check(config):
    """Refuses several architectures: only nets of one have solutions that can be compared."""
    for name in ("model", "head", *MODEL.find(choices(config.model)[0]).arguments):
        value = config.values().get(name)
        if isinstance(value, Range) or len(choices(value)) > 1:
            raise UserError(f"{name}: solutions of one architecture are compared; give one value.")


def measure(results):
    """The lines between solutions, from the same start and from different ones, with distances and barriers."""
    ends, again, loss = _solutions(results)
    return {"pairs": solutions.pairs(ends, again, loss, align=results.options["align"])}


def _solutions(results):
    """By optimizer and start: where it ends at its best rate, and where with its batches in another order."""
    ends, again, loss = {}, {}, None
    starts = sorted(results.runs["seed"].unique())[: results.options["pairs"]]
    for _, best in choosing.best_configurations(results.runs).iterrows():
        values = results.values(best["members"][0], *choosing.varying(results.runs))
        trained = results.train(**values, seed=starts, keep="last")
        runs = choosing.first_fold(choosing.finished(trained.runs))
        if runs.empty:
            continue
        shuffled = landscape.reshuffled(trained, runs["run"].tolist())
        for (run, seed), other in zip(runs[["run", "seed"]].to_numpy(), shuffled, strict=True):
            ends[best["optimizer"], seed], again[best["optimizer"], seed] = trained.params(run), other
        loss = loss or landscape.training_loss(trained, runs["run"].iloc[0])
    return ends, again, loss


def summary(tables):
    """Distances and barriers by kind of pair, and the distribution of the final losses."""
    ends = tables["pairs"].query("share == 0").groupby(["kind", "first", "second"], sort=False)
    pairs = ends[["distance", "barrier"]].mean()
    losses = choosing.with_failures(choosing.at_best(tables["runs"])).groupby("optimizer", sort=False)
    table = losses["test_loss"].describe()[["mean", "min", "50%", "max"]].rename(columns={"50%": "median"})
    table.insert(0, "learning rate", losses["learning_rate"].first())
    names = {"distance": "relative distance", "barrier": "barrier (nats)"}
    return {
        "Pairs of solutions, means": pairs.reset_index().rename(columns=names),
        "Test loss over seeds": table.reset_index(),
    }


def verdict(tables):
    """Different: from the same start the training loss between two optimizers' solutions rises by over 0.05 nats.

    The control is the same optimizer from the same start with its batches in another order: optimizers must be further
    apart than that. Pairs from one start are not independent: their mean is one observation. Better: the optimizer that
    is best on dev has a lower test loss than the worst, paired by start.
    """
    heights = tables["pairs"].query("share == 0").pivot_table(index="start", columns="kind", values="barrier")
    height = intervals.mean(heights[OTHER_OPTIMIZER].dropna() if OTHER_OPTIMIZER in heights else [])
    runs = choosing.with_failures(choosing.at_best(tables["runs"]))
    dev = runs.groupby("optimizer")["dev_loss"].mean().sort_values()
    losses = choosing.paired(runs, "optimizer", "test_loss")
    gap = comparing.gain(losses, dev.index[-1], dev.index[0]) if len(dev) > 1 else intervals.UNKNOWN
    there_is_one = "Between the solutions of different optimizers from one start there is a barrier."
    higher = "It is higher than after another shuffle of the batches alone."
    better = "The optimizer that is worst on dev ends at a higher test loss than the best."
    return verdicts.verdict(
        verdicts.more_than(there_is_one, height, 0.05, unit="nats"),
        verdicts.more_than(higher, comparing.gain(heights, OTHER_OPTIMIZER, OTHER_SHUFFLE), 0, unit="nats"),
        verdicts.more_than(better, gap, 0, unit="nats"),
    )


def pictures(tables):
    """The loss along the lines, and the distribution of the final test losses."""
    return {"lines": _lines_picture(tables["pairs"]), "losses": _losses_picture(tables["runs"])}


def _lines_picture(pairs):
    labels = {"xlabel": "way from one solution to the other", "ylabel": "training loss (nats)"}
    figure, axes = charts.lines(pairs, "share", "loss", "kind", markers=False, yscale="log", **labels)
    if len(pairs):
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), fontsize=8)
    caption = "Training loss on the straight line between two solutions. Bands: 95% intervals over pairs."
    return Picture(figure, caption)


def _losses_picture(runs):
    ends = choosing.at_best(runs).dropna(subset=["test_loss"]).groupby("optimizer", sort=False)
    figure, axes = panel(xlabel="test loss (nats)", ylabel="share of runs below")
    for number, (name, group) in enumerate(ends):
        look = {"color": COLOURS[number % len(COLOURS)], "ls": DASHES[number % len(DASHES)]}
        axes.ecdf(group["test_loss"], label=name, **look)
    if len(ends):
        axes.legend()
    return Picture(figure, "Distribution of the final test loss over starts, each optimizer at its best rate.")


EXPERIMENT = Claim(
    name="local_optima",
    about=CLAIM,
    takes="features",
    check=check,
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": 64,
        "optimizer": ["sgd", "momentum", "adam"],
        "learning_rate": [0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
        "num_epochs": 15,
        "num_seeds": 32,
    },
    options=(
        Option("pairs", 8, "Starts from which solutions are compared.", least=1),
        Option("align", True, "Whether hidden units are also aligned by permutation, between different starts."),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

"""Where optimizers end: distances and barriers between their solutions, and which of them are better."""

import sys
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd

from jaxnets import commandline

CLAIM = "Different optimizers end in different local optima, some of them better."

DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64",
    "optimizer": "sgd,momentum,adam",
    "learning_rate": "0.003,0.01,0.03,0.1,0.3",
    "num_epochs": "15",
    "num_seeds": "32",
}

FLAGS = {"pairs": ("8", "Starts from which solutions are compared."),
         "align": ("true", "Whether hidden units are also aligned by permutation, between different starts.")}  # fmt: skip


def measure(results):
    """Distances and losses along the line between solutions, from the same start and from different ones."""
    from jaxnets.analysis import landscape

    solutions, loss = _solutions(results), _loss(results)
    optimizers, count = sorted({name for name, _ in solutions}), max(seed for _, seed in solutions) + 1
    pairs = [("same start, other optimizer", (a, seed), (b, seed)) for a, b in combinations(optimizers, 2) if "again" not in a + b
             for seed in range(count)]  # fmt: skip
    pairs += [("same start, other shuffle", ("sgd", seed), ("sgd again", seed)) for seed in range(count)
              if ("sgd again", seed) in solutions]  # fmt: skip
    pairs += [("other start", (name, seed), (name, (seed + 1) % count)) for name in optimizers if "again" not in name
              for seed in range(count) if count > 1]  # fmt: skip
    rows = []
    for kind, first, second in pairs:
        a, b = solutions[first], solutions[second]
        rows.append(_compared(landscape, loss, kind, first[0], second[0], a, b))
        if kind == "other start" and results.config.option("align", "bool"):
            rows.append(
                _compared(landscape, loss, "other start, aligned", first[0], second[0], a, landscape.aligned(b, a))
            )
    return {"pairs": pd.concat(rows, ignore_index=True)}


def _solutions(results):
    """The parameters of each optimizer at its best rate, by start; and of SGD with the batches of another seed."""
    from jaxnets import statistics

    found, count = {}, min(results.config.option("pairs", "int"), results.runs["seed"].nunique())
    for _, best in statistics.best_configurations(results.runs).iterrows():
        flags = {"optimizer": best["optimizer"], "learning_rate": f"{best['learning_rate']:.12g}"}
        trained = results.train(**flags, seed=",".join(map(str, range(count))), keep="last")
        for _, run in trained.runs[trained.runs["status"] == "finished"].iterrows():
            found[best["optimizer"], run["seed"]] = trained.params(run["run"])
            if best["optimizer"] == "sgd":
                found["sgd again", run["seed"]] = _again(trained, run["run"])
    return found


def _again(trained, run):
    """The parameters from the same start with the batches in another order."""
    import jax
    import jax.numpy as jnp

    from jaxnets import training

    program, _ = trained.program(run)
    start, data = trained.start(run), trained.folds[0].train
    examples = training.Split(jnp.asarray(data.inputs), jnp.asarray(data.labels))
    train = jax.jit(partial(training.train, program.task))
    state, _ = train(
        start._replace(seed=start.seed + 10_000), examples, jnp.int32(0), jnp.int32(program.task.num_steps)
    )
    return jax.tree.map(np.asarray, state.params)


def _loss(results):
    """The loss on all training examples, of parameters."""
    import jax.numpy as jnp
    import optax

    from jaxnets.models import MLP

    data = results.folds[0].train
    inputs, labels = jnp.asarray(data.inputs), jnp.asarray(data.labels)
    units = tuple(int(size) for size in str(results.runs["hidden_units"][0]).split("x"))
    model = MLP(results.folds[0].num_classes, units, results.runs["activation"][0])

    def loss(params):
        logits = model.apply({"params": params}, inputs)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    return loss


def _compared(landscape, loss, kind, first, second, a, b):
    losses = landscape.along_the_line(loss, a, b)
    told = {"kind": kind, "first": first, "second": second, "distance": landscape.distance(a, b)}
    told["barrier"] = landscape.barrier(losses)
    return pd.DataFrame({"share": np.linspace(0, 1, len(losses)), "loss": losses}).assign(**told)


def ends(tables):
    """The finished runs of each optimizer at the rate that is best on dev."""
    from jaxnets import statistics

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
    apart than that. Better: the optimizer that is best on dev has a lower test loss than the worst, paired by start.
    """
    from jaxnets import statistics, verdicts

    pairs, runs = barriers(tables), ends(tables)
    other = pairs[pairs["kind"] == "same start, other optimizer"]["barrier"]
    shuffled = pairs[pairs["kind"] == "same start, other shuffle"]["barrier"]
    dev = runs.groupby("optimizer")["dev_loss"].mean().sort_values()
    losses = runs.pivot(index="seed", columns="optimizer", values="test_loss")
    gap = (
        statistics.mean((losses[dev.index[-1]] - losses[dev.index[0]]).dropna()) if len(dev) > 1 else statistics.UNKNOWN
    )
    return verdicts.verdict(
        verdicts.more_than("Between the solutions of different optimizers from one start there is a barrier.",
                           statistics.mean(other) if len(other) else statistics.UNKNOWN, 0.05, unit="nats"),
        verdicts.more_than("It is higher than after another shuffle of the batches alone.",
                           statistics.difference(other, shuffled), 0, unit="nats"),
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

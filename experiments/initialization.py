"""How nets start: all zeros, and the usual ways of drawing, each at its own best learning rate."""

import sys

import pandas as pd

from jaxnets.lab import commandline

CLAIM = (
    "All zeros fails by symmetry; He, Xavier and PyTorch's default work, and the choice is usually not worth tuning."
)

USUAL = ("he", "xavier", "pytorch")

TAKES = "features"
DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64x64x64",
    "activation": "relu",
    "initializer": "zeros,he,xavier,pytorch,glorot",
    "optimizer": "momentum",
    "learning_rate": "0.001,0.003,0.01,0.03,0.1",
    "num_epochs": "15",
    "num_seeds": "16",
}

FLAGS = {"layers": ("10", "Hidden layers of the nets whose signals are shown.")}


def measure(results):
    """Ranks of the hidden weights while they train, and the signals of deep nets before the first step."""
    from jaxnets.analysis import signals

    chosen = best(results.runs)
    drawn = chosen[chosen["initializer"] != "zeros"]
    rate = f"{(drawn if len(drawn) else chosen)['learning_rate'].median():g}"
    followed = results.train(
        initializer="zeros,he", learning_rate=rate, seed=str(results.runs["seed"].min()), keep="all"
    )
    ranks = [
        {
            "initializer": row["initializer"],
            "step": step,
            "rank": max(signals.hidden_ranks(followed.params(run, step)), default=0),
        }
        for run, row in followed.runs.set_index("run").iterrows()
        for step in (0, *followed.steps(run))
    ]
    return {"ranks": pd.DataFrame(ranks), "signals": _signals(results)}


def _signals(results):
    """Activations and gradients by layer in a deep MLP; without rows where the data are not features."""
    import jax.numpy as jnp

    from jaxnets.analysis import signals

    if results.folds[0].is_text or not (results.runs["model"] == "mlp").all():
        return pd.DataFrame({"initializer": [], "layer": [], "activation": [], "gradient": []})
    layers = results.config.option("layers", "int")
    deep = results.train(hidden_units="x".join(["64"] * layers), num_steps="1", learning_rate="0.001", num_seeds="4")
    data = results.folds[0].train
    inputs, labels = jnp.asarray(data.inputs[:256]), jnp.asarray(data.labels[:256])
    tables = [
        signals.scales(deep.params(row["run"], step=0), inputs, labels, row["activation"]).assign(
            initializer=row["initializer"], seed=row["seed"]
        )
        for _, row in deep.runs.iterrows()
    ]
    return pd.concat(tables)


def best(runs):
    """The runs of each initializer at the learning rate that is best on dev."""
    from jaxnets.evidence import statistics

    chosen = statistics.best_configurations(runs, ["initializer"])
    return runs[runs["run"].isin([run for members in chosen["members"] for run in members])]


def summary(tables):
    """Accuracy at the best learning rate, and over all of them."""
    runs = best(tables["runs"]).groupby("initializer", sort=False)
    table = pd.DataFrame(
        {"best learning rate": runs["learning_rate"].first(), "test accuracy": runs["test_accuracy"].mean()}
    )
    everywhere = tables["runs"].groupby(["initializer", "learning_rate"])["test_accuracy"].mean().unstack().mean(axis=1)
    table["mean over all rates"] = everywhere
    return {"Initializers": table.reset_index(), "Largest rank of a hidden layer": _last_ranks(tables["ranks"])}


def _last_ranks(ranks):
    return ranks.groupby("initializer", sort=False)["rank"].agg(first="first", last="last", most="max").reset_index()


def verdict(tables):
    """Failing is to stay 20 points below He; not worth tuning is less than a point between the best and the worst.

    Best and worst of the usual three are told apart by dev and compared on test, paired by seed.
    """
    from jaxnets.evidence import statistics, verdicts

    runs = best(tables["runs"])
    repetitions = [name for name in ("seed", "fold") if name in runs]
    test, dev = (
        runs.pivot_table(index=repetitions, columns="initializer", values=f"{split}_accuracy")
        for split in ("test", "dev")
    )
    usual = [name for name in USUAL if name in test]
    ranked = dev[usual].mean().sort_values() if usual else pd.Series(dtype=float)

    def gap(better, worse):
        return statistics.mean((test[better] - test[worse]).dropna())

    told = {"zeros": statistics.UNKNOWN, "usual": statistics.UNKNOWN, "works": statistics.UNKNOWN}
    if {"zeros", "he"} <= set(test):
        told["zeros"] = gap("he", "zeros")
    if len(ranked) > 1:
        told["usual"] = gap(ranked.index[-1], ranked.index[0])
    if len(ranked) and "zeros" in test:
        told["works"] = gap(ranked.index[0], "zeros")
    zeros = tables["ranks"][tables["ranks"]["initializer"] == "zeros"]["rank"]
    return verdicts.verdict(
        verdicts.more_than("All zeros fails: it stays 20 points below He.", told["zeros"], 0.2, unit="%"),
        verdicts.exact("From zeros no hidden layer's weights ever get a rank above 1.",
                       None if zeros.empty else bool((zeros <= 1).all()), f"largest rank {zeros.max()}", "none does"),
        verdicts.more_than("He, Xavier and PyTorch's default work: the worst is 20 points above zeros.", told["works"],
                           0.2, unit="%"),
        verdicts.between("Which of the three is taken matters less than a point at the best learning rate.",
                         told["usual"], -0.01, 0.01, unit="%"),
    )  # fmt: skip


def pictures(tables):
    """Accuracy over the learning rate, ranks over the steps, and signals by layer."""
    from jaxnets.report import charts
    from jaxnets.report.figures import Picture

    runs = tables["runs"]
    figure, _ = charts.lines(runs, "learning_rate", "test_accuracy", "initializer", xscale="log", percent=True,
                             xlabel="learning rate", ylabel="test accuracy")  # fmt: skip
    ranks, _ = charts.lines(
        tables["ranks"], "step", "rank", "initializer", markers=False, ylabel="largest rank of a layer"
    )
    drawn = {
        "accuracy": Picture(figure, "Test accuracy over the learning rate. Bands: 95% intervals over seeds."),
        "ranks": Picture(ranks, "Largest rank of a hidden layer's weights while one net from each start trains."),
    }
    signals = tables["signals"][tables["signals"]["initializer"] != "zeros"]
    for column, name in (("activation", "activations"), ("gradient", "gradients")):
        if len(signals):
            panel, _ = charts.lines(signals, "layer", column, "initializer", yscale="log", xlabel="hidden layer",
                                    ylabel=f"{name} (RMS)")  # fmt: skip
            drawn[name] = Picture(panel, f"Size of the {name} at each layer of a deep net before it trains. Bands: "
                                         "95% intervals over seeds.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

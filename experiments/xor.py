"""Which networks solve XOR: the share of seeds that do, by hidden units, non-linearity and initializer."""

import sys

import numpy as np
import pandas as pd

from jaxnets.lab import commandline

CLAIM = "A network with one hidden layer solves XOR; without one, none can."

TAKES = "features"
DEFAULTS = {
    "dataset": "xor",
    "model": "mlp",
    "hidden_units": "0,1,2,4,8",
    "activation": "sigmoid,tanh,relu",
    "initializer": "he,xavier,pytorch",
    "head": "sigmoid",
    "optimizer": "adam",
    "learning_rate": "0.03",
    "batch_size": "0",
    "num_steps": "2000",
    "evaluate_every": "2000",
    "num_seeds": "256",
}

PLANE = np.linspace(-0.5, 1.5, 41)


def measure(results):
    """The plane as a linear net and as one with two hidden units see it, and the patterns in that hidden layer."""
    planes, hidden = [], []
    solved = results.runs[results.runs["train_accuracy"] == 1].sort_values("train_loss")
    for units in ("0", "2"):
        of_width = results.runs[results.runs["hidden_units"] == units].sort_values("train_loss")
        # a saturated layer is easier to see than one with large linear parts
        chosen = pd.concat([solved[(solved["hidden_units"] == units) & (solved["activation"] == "tanh")], of_width])
        if chosen.empty:
            continue
        flags = {name: str(chosen.iloc[0][name]) for name in ("hidden_units", "activation", "initializer", "seed")}
        trained = results.train(**flags, keep="last")
        planes.append(_plane(trained).assign(hidden_units=units))
        if units == "2":
            hidden.append(_hidden(trained))
    return {"plane": pd.concat(planes), "hidden": pd.concat(hidden) if hidden else pd.DataFrame()}


def _plane(trained):
    x, y = (axis.ravel() for axis in np.meshgrid(PLANE, PLANE))
    logits = trained.logits(0, np.stack([x, y], axis=1).astype(np.float32))[:, 0]
    return pd.DataFrame({"x": x, "y": y, "probability": 1 / (1 + np.exp(-logits))})


def _hidden(trained):
    from jaxnets.models.blocks import nonlinearity

    patterns, params = trained.folds[0].train, trained.params(0)
    first, last = params["Linear_0"], params["output"]
    units = np.asarray(nonlinearity(trained.runs["activation"][0])(patterns.inputs @ first["kernel"] + first["bias"]))
    line = dict(zip(("a", "b"), np.asarray(last["kernel"])[:, 0], strict=True)) | {"c": float(last["bias"][0])}
    inputs = ["".join(f"{bit:.0f}" for bit in pattern) for pattern in patterns.inputs]
    return pd.DataFrame({"input": inputs, "label": patterns.labels, "h1": units[:, 0], "h2": units[:, 1], **line})


def summary(tables):
    """For each initializer and width, the share of seeds that get all four patterns right."""
    runs = tables["runs"].assign(solved=tables["runs"]["train_accuracy"] == 1)
    shares = runs.pivot_table(index=["initializer", "hidden_units"], columns="activation", values="solved", sort=False)
    shares = shares.map("{:.1%}".format).reset_index().rename(columns={"hidden_units": "hidden units"})
    return {"Runs that get all four patterns right": shares}


def verdict(tables):
    """No run may solve it without a hidden layer; with the width that does best, more than half must."""
    from jaxnets.evidence import statistics, verdicts

    runs = tables["runs"].assign(solved=tables["runs"]["train_accuracy"] == 1)
    linear, hidden = runs[runs["hidden_units"] == "0"], runs[runs["hidden_units"] != "0"]
    best = hidden.groupby("hidden_units", sort=False)["solved"].mean().idxmax() if len(hidden) else "no"
    most = hidden[hidden["hidden_units"] == best]["solved"]
    none_solves = None if linear.empty else not linear["solved"].any()
    counted = f"{linear['solved'].sum()} of {len(linear):,} runs solve it"
    share = statistics.share(int(most.sum()), len(most)) if len(most) else statistics.UNKNOWN
    return verdicts.verdict(
        verdicts.exact("Without a hidden layer no run solves XOR.", none_solves, counted, "none does"),
        verdicts.more_than(f"With {best} hidden units most runs solve it.", share, 0.5, unit="%"),
    )


def pictures(tables):
    """Solved shares, the plane without and with a hidden layer, and the space of that layer."""
    from jaxnets.report import charts
    from jaxnets.report.figures import COLOURS, Picture, panel

    runs = tables["runs"].assign(solved=tables["runs"]["train_accuracy"] == 1)
    figure, _ = charts.lines(runs, "hidden_units", "solved", "activation", estimate=charts.of_shares, percent=True,
                             xlabel="hidden units", ylabel="runs that solve XOR", ylim=(-0.03, 1.03))  # fmt: skip
    drawn = {"solved": Picture(figure, "Share of runs, over all initializers and seeds, that get all four patterns "
                                       "right. Bands: 95% intervals.")}  # fmt: skip
    names = {0: "same", 1: "different"}
    for units, grid in tables["plane"].groupby("hidden_units", sort=False):
        figure, axes = charts.plane(grid, "probability", title=f"{units} hidden units", boundary=0.5,
                                    label="probability of 'different'", levels=np.linspace(0, 1, 11))  # fmt: skip
        charts.points(axes, [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], names)
        drawn[f"plane_{units}"] = Picture(figure, f"What the best net with {units} hidden units says of each point; "
                                                  "the white line is where it is undecided.")  # fmt: skip
    if len(hidden := tables["hidden"]):
        figure, axes = panel("The hidden layer's space", xlabel="hidden unit 1", ylabel="hidden unit 2")
        charts.points(axes, hidden["h1"], hidden["h2"], hidden["label"], names)
        a, b, c = hidden.iloc[0][["a", "b", "c"]]
        axes.axline((-c * a / (a**2 + b**2), -c * b / (a**2 + b**2)), slope=-a / b, color=COLOURS[0], ls="--")
        for (h1, h2), inputs in hidden.groupby([(hidden["h1"] * 2).round() / 2, (hidden["h2"] * 2).round() / 2])[
            "input"
        ]:
            axes.annotate(", ".join(inputs), (h1, h2), xytext=(10, 6), textcoords="offset points")
        axes.margins(0.2)
        axes.locator_params(nbins=5)
        drawn["hidden"] = Picture(figure, "The four inputs as the hidden layer of that net sees them: there one line "
                                          "(dashed) parts the classes.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

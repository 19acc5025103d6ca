"""Which networks solve XOR: the share of seeds that do, by hidden units, non-linearity and initializer."""

import sys

import numpy as np
import pandas as pd

from jaxnets.evidence import comparing, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim
from jaxnets.models.layers import OUTPUT, linear_layer
from jaxnets.plugins import ACTIVATION
from jaxnets.report import charts
from jaxnets.report.figures import COLOURS, Picture, panel

CLAIM = "A network with one hidden layer solves XOR; without one, none can."

PLANE = np.linspace(-0.5, 1.5, 41)
CLASSES = {0: "same", 1: "different"}


def measure(results):
    """The plane as a linear net and as one with two hidden units see it, and the patterns in that hidden layer."""
    planes, hidden = [], []
    for units in ("0", "2"):
        if (run := _to_look_at(results.runs, units)) is None:
            continue
        values = results.values(run, "hidden_units", "activation", "initializer", "seed")
        trained = results.train(**values, keep="last")
        planes.append(_plane(trained).assign(hidden_units=units))
        if units == "2":
            hidden.append(_hidden(trained))
    return {"plane": pd.concat(planes), "hidden": pd.concat(hidden) if hidden else pd.DataFrame()}


def _to_look_at(runs, units):
    """The run of a width whose plane is shown: one that solves XOR with tanh if there is one, of the least loss."""
    of_width = runs[runs["hidden_units"] == units].sort_values("train_loss")
    # a saturated layer is easier to see than one with large linear parts
    solved = of_width[(of_width["train_accuracy"] == 1) & (of_width["activation"] == "tanh")]
    chosen = pd.concat([solved, of_width])["run"]
    return None if chosen.empty else int(chosen.iloc[0])


def _plane(trained):
    x, y = (axis.ravel() for axis in np.meshgrid(PLANE, PLANE))
    logits = trained.logits(0, np.stack([x, y], axis=1).astype(np.float32))[:, 0]
    return pd.DataFrame({"x": x, "y": y, "probability": 1 / (1 + np.exp(-logits))})


def _hidden(trained):
    patterns, params = trained.folds[0].train, trained.params(0)
    first, last = params[linear_layer(0)], params[OUTPUT]
    activation = ACTIVATION.find(trained.runs["activation"][0]).value
    units = np.asarray(activation(patterns.inputs @ first["kernel"] + first["bias"]))
    line = dict(zip(("a", "b"), np.asarray(last["kernel"])[:, 0], strict=True)) | {"c": float(last["bias"][0])}
    inputs = ["".join(f"{bit:.0f}" for bit in pattern) for pattern in patterns.inputs]
    return pd.DataFrame({"input": inputs, "label": patterns.labels, "h1": units[:, 0], "h2": units[:, 1], **line})


def solved_runs(tables):
    """The runs, with whether each gets all four patterns right."""
    return tables["runs"].assign(solved=tables["runs"]["train_accuracy"] == 1)


def summary(tables):
    """For each initializer and width, the share of seeds that get all four patterns right."""
    index = ["initializer", "hidden_units"]
    shares = solved_runs(tables).pivot_table(index=index, columns="activation", values="solved", sort=False)
    shares = shares.map("{:.1%}".format).reset_index().rename(columns={"hidden_units": "hidden units"})
    return {"Runs that get all four patterns right": shares}


def verdict(tables):
    """No run may solve it without a hidden layer; with the width that does best, more than half must."""
    runs = solved_runs(tables)
    linear, hidden = runs[runs["hidden_units"] == "0"], runs[runs["hidden_units"] != "0"]
    best, share = comparing.largest_share(hidden, "hidden_units", "solved", none="no")
    none_solves = None if linear.empty else not linear["solved"].any()
    counted = f"{linear['solved'].sum()} of {len(linear):,} runs solve it"
    return verdicts.verdict(
        verdicts.exact("Without a hidden layer no run solves XOR.", none_solves, counted, "none does"),
        verdicts.more_than(f"With {best} hidden units most runs solve it.", share, 0.5, unit="%"),
    )


def pictures(tables):
    """Solved shares, the plane without and with a hidden layer, and the space of that layer."""
    drawn = {"solved": _solved_picture(tables)}
    for units, grid in tables["plane"].groupby("hidden_units", sort=False):
        drawn[f"plane_{units}"] = _plane_picture(units, grid)
    if len(tables["hidden"]):
        drawn["hidden"] = _hidden_picture(tables["hidden"])
    return drawn


def _solved_picture(tables):
    look = {"xlabel": "hidden units", "ylabel": "runs that solve XOR", "ylim": (-0.03, 1.03), "percent": True}
    runs = solved_runs(tables)
    figure, _ = charts.lines(runs, "hidden_units", "solved", "activation", estimate=charts.of_shares, **look)
    caption = "Share of runs, over all initializers and seeds, that get all four patterns right."
    return Picture(figure, f"{caption} Bands: 95% intervals.")


def _plane_picture(units, grid):
    look = {"boundary": 0.5, "label": "probability of 'different'", "levels": np.linspace(0, 1, 11)}
    figure, axes = charts.plane(grid, "probability", title=f"{units} hidden units", **look)
    charts.points(axes, [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], CLASSES)
    caption = f"What the best net with {units} hidden units says of each point;"
    return Picture(figure, f"{caption} the white line is where it is undecided.")


def _hidden_picture(hidden):
    figure, axes = panel("The hidden layer's space", xlabel="hidden unit 1", ylabel="hidden unit 2")
    charts.points(axes, hidden["h1"], hidden["h2"], hidden["label"], CLASSES)
    a, b, c = hidden.iloc[0][["a", "b", "c"]]
    foot = (-c * a / (a**2 + b**2), -c * b / (a**2 + b**2))
    axes.axline(foot, slope=-a / b, color=COLOURS[0], ls="--")
    places = [(hidden[name] * 2).round() / 2 for name in ("h1", "h2")]
    for (h1, h2), inputs in hidden.groupby(places)["input"]:
        axes.annotate(", ".join(inputs), (h1, h2), xytext=(10, 6), textcoords="offset points")
    axes.margins(0.2)
    axes.locator_params(nbins=5)
    caption = "The four inputs as the hidden layer of that net sees them: there one line (dashed) parts the classes."
    return Picture(figure, caption)


EXPERIMENT = Claim(
    name="xor",
    about=CLAIM,
    takes="features",
    needs=("hidden_units", "activation"),
    defaults={
        "dataset": "xor",
        "model": "mlp",
        "hidden_units": [0, 1, 2, 4, 8],
        "activation": ["sigmoid", "tanh", "relu"],
        "initializer": ["he", "xavier", "pytorch"],
        "head": "sigmoid",
        "optimizer": "adam",
        "learning_rate": 0.03,
        "batch_size": 0,
        "num_steps": 2000,
        "evaluate_every": 2000,
        "num_seeds": 256,
    },
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

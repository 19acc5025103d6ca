"""The gradient by hand, by autodiff and by finite differences: how exact each is, and what it costs."""

import sys
from functools import partial

import jax
import numpy as np
import pandas as pd

from jaxnets.analysis import backprop, linear
from jaxnets.evidence import comparing, intervals, verdicts
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim, Option, only
from jaxnets.report import charts
from jaxnets.report.figures import INK, Picture

CLAIM = "Gradients are computed by back-propagation, exactly and at the cost of a few forward passes."

ORDERS = {"central": 2, "one-sided": 1}


def measure(results):
    """Errors against the gradient by hand in float64, by step; and times of the gradient and the forward pass."""
    trained, data, options = results.train(num_seeds=1), results.folds[0].train, results.options
    params, model, inputs, labels = trained.params(0), trained.module(0), data.inputs[:64], data.labels[:64]
    layers = linear.layers(params)
    by_hand = backprop.gradient(layers, inputs.astype(np.float64), labels)
    autodiff = linear.layers(jax.grad(partial(backprop.jax_loss, model, inputs, labels))(params))
    error = {"kind": "autodiff", "step": np.nan, "error": backprop.relative_error(autodiff, by_hand)}
    differences = backprop.errors_by_step(layers, inputs.astype(np.float64), labels, options["places"])
    times = backprop.costs(results.folds[0], options["widths"], options["repetitions"])
    return {"errors": pd.concat([differences, pd.DataFrame([error])], ignore_index=True), "times": times}


def summary(tables):
    """The errors at each method's best step, and the cost by size."""
    best = tables["errors"].loc[tables["errors"].groupby("kind", sort=False)["error"].idxmin()]
    times = tables["times"].groupby("parameters")[["forward", "gradient", "operations"]].median()
    columns = {
        "forward (µs)": times["forward"] * 1e6,
        "gradient (µs)": times["gradient"] * 1e6,
        "ratio": times["gradient"] / times["forward"],
        "ratio of operations": times["operations"],
        "finite differences (forward passes)": times.index + 1,
    }
    cost, names = pd.DataFrame(columns), {"kind": "method", "step": "best step", "error": "relative error"}
    return {"Error against the gradient by hand": best.rename(columns=names), "Cost": cost.reset_index()}


def verdict(tables):
    """Equal is to 1e-5 in float32; finite differences must fall with the powers of the step that theory gives.

    Slopes are taken over steps of 1e-3 to 1e-1, where rounding plays no part. A few forward passes are fewer than 5.
    """
    errors, times = tables["errors"], tables["times"]
    auto = errors[errors["kind"] == "autodiff"]["error"]
    equal = bool((auto < 1e-5).all()) if len(auto) and np.isfinite(auto).all() else None
    relative, limit = f"relative error {auto.max():.1e}", "it is below 1e-5, in float32"
    parts = [verdicts.exact("Autodiff gives the gradient that is derived by hand.", equal, relative, limit)]
    for kind, order in ORDERS.items():
        some = errors[(errors["kind"] == kind) & errors["step"].between(0.9e-3, 1.1e-1)]
        slope = intervals.slope(np.log(some["step"]), np.log(some["error"]))
        falls = f"The error of {kind} differences falls with the step to the power {order}."
        parts.append(verdicts.between(falls, slope, order - 0.2, order + 0.2))
    widths = [group for _, group in times.groupby("width")]
    ratios = [comparing.paired_ratio(group, "gradient", "forward") for group in widths]
    costliest = max(ratios, key=lambda ratio: ratio.value, default=intervals.UNKNOWN)
    logs = np.log(times["gradient"] / times["forward"])
    growth = intervals.slope(np.log(times["parameters"]), logs) if len(widths) > 2 else intervals.UNKNOWN
    fewer = None if times["operations"].isna().any() else bool((times["operations"] < 4).all())
    counted = f"{times['operations'].max():.2f} times as many as of one, at most"
    operations = "The compiler counts fewer operations than those of 4 forward passes."
    slower = "The cost grows far slower than the parameters (power of their number; finite differences: 1)."
    return verdicts.verdict(
        *parts,
        verdicts.exact(operations, fewer, counted, "it does at every size"),
        verdicts.less_than("At no size the gradient costs 5 forward passes.", costliest, 5, unit="×"),
        verdicts.less_than(slower, growth, 0.25),
    )


def pictures(tables):
    """The error over the step, and the cost over the parameters."""
    return {"error": _error_picture(tables["errors"]), "cost": _cost_picture(tables["times"])}


def _error_picture(errors):
    labels = {"xlabel": "step by which a weight is moved", "ylabel": "relative error", "legend": "finite differences"}
    finite = errors[(errors["kind"] != "autodiff") & (errors["error"] > 0)]
    figure, axes = charts.lines(finite, "step", "error", "kind", xscale="log", yscale="log", **labels)
    for error in errors[errors["kind"] == "autodiff"]["error"]:
        axes.axhline(error, color=INK, ls=":", label="autodiff, float32")
    axes.legend()
    caption = "Error of the gradient against the one by hand in float64: large steps are too coarse,"
    return Picture(figure, f"{caption} small ones drown in rounding.")


def _cost_picture(times):
    times = times.assign(ratio=times["gradient"] / times["forward"])
    top = max(5.2, times.groupby("width")["ratio"].median().max() * 1.2)
    labels = {"xscale": "log", "ylabel": "gradient / forward pass (time)", "ylim": (0, top)}
    figure, _ = charts.lines(times, "parameters", "ratio", **labels)
    caption = "Time of the gradient as a multiple of the forward pass. Band: 95% interval over rounds."
    return Picture(figure, f"{caption} Finite differences would take a forward pass for each parameter.")


EXPERIMENT = Claim(
    name="computing_gradients",
    about=CLAIM,
    takes="features",
    trains=False,
    check=only(model="mlp", activation="tanh", head="softmax"),  # as the gradient is derived by hand
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": (32, 32),
        "activation": "tanh",
        "initializer": "xavier",
        "num_steps": 1,
        "keep": "last",
    },
    options=(
        Option("places", 60, "Weights whose derivative is taken by finite differences.", least=1),
        Option("widths", [32, 64, 128, 256, 512], "Widths of the two hidden layers whose gradient is timed.", least=1),
        Option("repetitions", 40, "Rounds of timing.", least=1),
    ),
    measure=measure,
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

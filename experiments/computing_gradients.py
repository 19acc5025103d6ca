"""The gradient by hand, by autodiff and by finite differences: how exact each is, and what it costs."""

import sys
from functools import partial

import numpy as np
import pandas as pd

from jaxnets.basics.errors import UserError
from jaxnets.lab import commandline

CLAIM = "Gradients are computed by back-propagation, exactly and at the cost of a few forward passes."

SWEEP = False
TAKES = "features"
DEFAULTS = {"dataset": "digits", "model": "mlp", "hidden_units": "32x32", "activation": "tanh", "num_steps": "1",
            "keep": "last", "initializer": "xavier"}  # fmt: skip

FLAGS = {
    "places": ("60", "Weights whose derivative is taken by finite differences."),
    "widths": ("32x64x128x256x512", "Widths of the two hidden layers whose gradient is timed."),
    "repetitions": ("40", "Rounds of timing."),
}


def check(config):
    """Refuses nets other than those of the derivation by hand."""
    for flag, only in {"model": "mlp", "activation": "tanh", "head": "softmax"}.items():
        if config.texts().get(flag, only) != only:
            raise UserError(f"{flag}: the gradient is derived by hand for '{only}' alone.")


def measure(results):
    """Errors against the gradient by hand in float64, by step; and times of the gradient and the forward pass."""
    from jaxnets.analysis import backprop, linear

    trained = results.train(num_seeds="1")
    data = results.folds[0].train
    inputs, labels = data.inputs[:64].astype(np.float64), data.labels[:64]
    layers = linear.layers(trained.params(0))
    by_hand = backprop.gradient(layers, inputs, labels)
    generator = np.random.default_rng(0)
    count = results.config.option("places", "int")
    places = [(layer := int(generator.integers(len(layers))), int(generator.integers(layers[layer][0].size)))
              for _ in range(count)]  # fmt: skip
    exact = np.array([by_hand[layer][0].flat[place] for layer, place in places])
    rows = []
    for kind in ("central", "one-sided"):
        for step in np.logspace(-14, 0, 29):
            found = backprop.finite_differences(layers, inputs, labels, places, step, kind)
            rows.append({"kind": kind, "step": step, "error": np.linalg.norm(found - exact) / np.linalg.norm(exact)})
    rows.append({"kind": "autodiff", "step": np.nan, "error": _autodiff_error(trained, data, by_hand)})
    return {"errors": pd.DataFrame(rows), "times": _times(results)}


def _loss(model, params, inputs, labels):
    import jax.numpy as jnp
    import optax

    logits = model.apply({"params": params}, jnp.asarray(inputs))
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


def _autodiff_error(trained, data, by_hand):
    """The relative error of JAX's float32 gradient over all weights."""
    import jax

    from jaxnets.analysis import linear

    loss = partial(_loss, trained.model(0), inputs=data.inputs[:64], labels=data.labels[:64])
    found = linear.layers(jax.grad(loss)(trained.params(0)))
    pairs = [pair for ours, theirs in zip(found, by_hand, strict=True) for pair in zip(ours, theirs, strict=True)]
    return (sum(((a - b) ** 2).sum() for a, b in pairs) / sum((b**2).sum() for _, b in pairs)) ** 0.5


def _times(results):
    """Seconds of the forward pass and of the gradient with it, by width, in rounds; and the parameters."""
    import jax

    from jaxnets.analysis.timing import in_turns
    from jaxnets.models import MLP

    data, tables = results.folds[0].train, []
    inputs, labels = jax.device_put((data.inputs[:256], data.labels[:256]))
    for width in results.config.option("widths", "sizes"):
        model = MLP(results.folds[0].num_classes, (width, width), "tanh")
        params = model.init(jax.random.key(0), inputs)["params"]
        loss = partial(_loss, model, inputs=inputs, labels=labels)
        functions = {"forward": jax.jit(loss), "gradient": jax.jit(jax.value_and_grad(loss))}
        calls = {name: partial(function, params) for name, function in functions.items()}
        times = in_turns(calls, results.config.option("repetitions", "int"), inner=10)
        num_parameters = sum(leaf.size for leaf in jax.tree.leaves(params))
        operations = _operations(functions["gradient"], params) / _operations(functions["forward"], params)
        tables.append(times.assign(width=width, parameters=num_parameters, operations=operations))
    return pd.concat(tables)


def _operations(function, params):
    """How many floating-point operations the compiler counts."""
    return function.lower(params).compile().cost_analysis()["flops"]


def summary(tables):
    """The errors at each method's best step, and the cost by size."""
    errors = tables["errors"].loc[tables["errors"].groupby("kind", sort=False)["error"].idxmin()]
    times = tables["times"].groupby("parameters")[["forward", "gradient", "operations"]].median()
    cost = pd.DataFrame({"forward (µs)": times["forward"] * 1e6, "gradient (µs)": times["gradient"] * 1e6,
                         "ratio": times["gradient"] / times["forward"],
                         "ratio of operations": times["operations"]})  # fmt: skip
    finite = "finite differences (forward passes)"
    errors = errors.rename(columns={"kind": "method", "step": "best step", "error": "relative error"})
    return {
        "Error against the gradient by hand": errors,
        "Cost": cost.reset_index().assign(**{finite: times.index + 1}),
    }


def verdict(tables):
    """Equal is to 1e-5 in float32; finite differences must fall with the powers of the step that theory gives.

    Slopes are taken over steps of 1e-3 to 1e-1, where rounding plays no part. A few forward passes are fewer than 5.
    """
    from jaxnets.evidence import statistics, verdicts

    errors, times = tables["errors"], tables["times"]
    auto = errors[errors["kind"] == "autodiff"]["error"]
    parts = [
        verdicts.exact("Autodiff gives the gradient that is derived by hand.",
                       bool((auto < 1e-5).all()) if np.isfinite(auto).all() and len(auto) else None,
                       f"relative error {auto.max():.1e}", "it is below 1e-5, in float32"),
    ]  # fmt: skip
    for kind, order in (("central", 2), ("one-sided", 1)):
        some = errors[(errors["kind"] == kind) & errors["step"].between(0.9e-3, 1.1e-1)]
        slope = statistics.slope(np.log(some["step"]), np.log(some["error"])) if len(some) > 2 else statistics.UNKNOWN
        parts.append(verdicts.between(f"The error of {kind} differences falls with the step to the power {order}.",
                                      slope, order - 0.2, order + 0.2))  # fmt: skip
    widths = [group for _, group in times.groupby("width")]
    ratios = [statistics.ratio(group["gradient"], group["forward"], paired=True) for group in widths]
    costliest = max(ratios, key=lambda ratio: ratio.value) if ratios else statistics.UNKNOWN
    logs = np.log(times["gradient"] / times["forward"])
    growth = statistics.slope(np.log(times["parameters"]), logs) if len(widths) > 2 else statistics.UNKNOWN
    parts += [
        verdicts.exact("The compiler counts fewer operations than those of 4 forward passes.",
                       None if times["operations"].isna().any() else bool((times["operations"] < 4).all()),
                       f"{times['operations'].max():.2f} times as many as of one, at most",
                       "it does at every size"),
        verdicts.less_than("At no size the gradient costs 5 forward passes.", costliest, 5, unit="×"),
        verdicts.less_than("The cost grows far slower than the parameters (power of their number; finite differences: "
                           "1).", growth, 0.25),
    ]  # fmt: skip
    return verdicts.verdict(*parts)


def pictures(tables):
    """The error over the step, and the cost over the parameters."""
    from jaxnets.report import charts
    from jaxnets.report.figures import INK, Picture

    errors = tables["errors"]
    finite = errors[errors["kind"] != "autodiff"]
    figure, axes = charts.lines(finite[finite["error"] > 0], "step", "error", "kind", xscale="log", yscale="log",
                                xlabel="step by which a weight is moved", ylabel="relative error",
                                legend="finite differences")  # fmt: skip
    for error in errors[errors["kind"] == "autodiff"]["error"]:
        axes.axhline(error, color=INK, ls=":", label="autodiff, float32")
    axes.legend()
    times = tables["times"].assign(ratio=tables["times"]["gradient"] / tables["times"]["forward"])
    cost, _ = charts.lines(times, "parameters", "ratio", xscale="log", ylabel="gradient / forward pass (time)",
                           ylim=(0, max(5.2, times.groupby("width")["ratio"].median().max() * 1.2)))  # fmt: skip
    return {
        "error": Picture(figure, "Error of the gradient against the one by hand in float64: large steps are too "
                                 "coarse, small ones drown in rounding."),
        "cost": Picture(cost, "Time of the gradient as a multiple of the forward pass. Band: 95% interval over rounds. "
                              "Finite differences would take a forward pass for each parameter."),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

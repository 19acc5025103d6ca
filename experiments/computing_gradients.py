"""The gradient by hand, by autodiff and by finite differences: how exact each is, and what it costs."""

import numpy as np
import pandas as pd

from jaxnets.analysis import backprop, timing
from jaxnets.claims import measures
from jaxnets.claims.verdicts import EMPIRICAL, IDENTITY, Fact, Rule
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import Claim, Option, only
from jaxnets.stats import estimates

CLAIM = "Gradients are computed by back-propagation, exactly and at the cost of a few forward passes."

ORDERS = {"central": 2, "one-sided": 1}
PASSES = 5  # as few forward passes are "a few"

RULES = {
    "exact": Rule(
        statement="Autodiff in float32 gives the gradient that is derived by hand, as far as rounding allows.",
        kind=IDENTITY,
        test="exact",
    ),
    "cost": Rule(
        statement=f"The gradient takes less than {PASSES} times as long as the forward pass, at whatever size it takes "
        "longest.",
        kind=EMPIRICAL,
        test="below",
        bound=float(np.log(PASSES)),
        unit="log×",
        reason="One forward pass and one backward pass, which multiplies twice, make 3; some room is left for memory.",
        power="With 8 repeats of 10 rounds a ratio of 3.4 is found in four of five repetitions, on a busy machine.",
    ),
    "operations": Rule(
        statement="The compiler counts fewer operations in the gradient than in 4 forward passes.",
        kind=IDENTITY,
        core=False,
        test="exact",
        bound=4.0,
    ),
    "growth": Rule(
        statement="The cost in forward passes grows far slower than the parameters (power of their number; finite "
        "differences: 1).",
        kind=EMPIRICAL,
        core=False,
        test="below",
        bound=0.25,
        reason="A power of 1 is that of finite differences; a quarter of it is far slower.",
        power="A power of 0.24 is told from it in four of five repetitions.",
    ),
    **{
        kind: Rule(
            statement=f"The error of {kind} differences falls with the step to the power {order} (within 0.2), until "
            "rounding counts.",
            kind=IDENTITY,
            core=False,
            test="exact",
            bound=0.2,
        )
        for kind, order in ORDERS.items()
    },
    "small_steps": Rule(
        statement="At smaller steps their error is no more than rounding and the step make.",
        kind=IDENTITY,
        core=False,
        test="exact",
    ),
}


def measure(results):
    """In each repeat a net's gradient against that by hand, and times by size; finite differences in the first."""
    trained, options = results.train(num_seeds=1), results.options
    nets = pd.DataFrame([backprop.autodiff_against_hand(trained, run) for run in trained.runs["run"]])
    errors = backprop.errors_by_step(*backprop.of_run(trained, 0), options["places"], results.config.first_seed)
    times = timing.gradient_costs(results.folds, options["widths"], options["repetitions"], results.config.first_seed)
    return {"nets": nets, "errors": errors, "times": times}


def evidence(tables):
    """Errors against what rounding allows; powers of the step; times and operations in forward passes."""
    nets, times = tables["nets"], tables["times"]
    ratios = measures.time_ratios(times, "gradient", "forward")
    known, share, most = np.isfinite(nets["share"]).all(), nets["share"].max(), times["operations"].max()
    of_rounding = f"{share:.2%} of what rounding may make, a relative error of {nets['error'].max():.1e}, at most"
    fewer = bool(most < RULES["operations"].bound) if np.isfinite(most) else None
    return {
        "exact": Fact(bool(share <= 1) if known else None, f"{of_rounding}, over {len(nets)} nets", not known),
        "cost": measures.at_largest(ratios, "parameters"),
        "operations": Fact(fewer, f"{most:.2f} times as many as of one, at most", fewer is None),
        "growth": measures.slopes(ratios, "parameters", "effect", ("repeat", "round"), np.log),
        **{kind: _power(tables["errors"], kind) for kind in ORDERS},
        "small_steps": _small_steps(tables["errors"]),
    }


def _power(errors, kind):
    off = measures.order_deviation(errors[errors["kind"] == kind], ORDERS[kind])
    holds = bool(off < RULES[kind].bound) if np.isfinite(off) else None
    return Fact(holds, f"between neighbouring steps the power is off by {off:.3f} at most", holds is None)


def _small_steps(errors):
    share = max(measures.share_allowed(errors[errors["kind"] == kind], order) for kind, order in ORDERS.items())
    known = np.isfinite(share)
    return Fact(bool(share <= 1) if known else None, f"{share:.2%} of it at most", not known)


def summary(tables):
    """The errors at each method's best step, and the cost by size."""
    errors, times = tables["errors"], tables["times"].groupby("parameters")
    best = errors.loc[errors.groupby("kind", sort=False)["error"].idxmin(), ["kind", "step", "error"]]
    auto = pd.DataFrame([{"kind": "autodiff, float32", "step": np.nan, "error": tables["nets"]["error"].max()}])
    middle = times[["forward", "gradient", "operations"]].median()
    columns = {
        "forward (µs)": middle["forward"] * 1e6,
        "gradient (µs)": middle["gradient"] * 1e6,
        "ratio": middle["gradient"] / middle["forward"],
        "ratio of operations": middle["operations"],
        "finite differences (forward passes)": middle.index + 1,
    }
    names = {"kind": "method", "step": "best step", "error": "relative error"}
    return {
        "Error against the gradient by hand": pd.concat([best, auto], ignore_index=True).rename(columns=names),
        "Cost": pd.DataFrame(columns).reset_index(),
    }


def pictures(tables):
    """The error over the step, and the cost over the parameters."""
    return {"error": _error_picture(tables), "cost": _cost_picture(tables["times"])}


def _error_picture(tables):
    labels = {"xlabel": "step by which a weight is moved", "ylabel": "relative error", "legend": "finite differences"}
    finite = tables["errors"][tables["errors"]["error"] > 0]
    look = {"kind": estimates.POSITIVE, "xscale": "log", "yscale": "log"}
    figure = figures.lines(finite, "step", "error", "kind", **look, **labels)
    figure += figures.rule(y=tables["nets"]["error"].max())
    caption = "Error of the gradient against the one by hand in float64: large steps are too coarse,"
    return Picture(figure, f"{caption} small ones drown in rounding. Dotted: autodiff, float32.")


def _cost_picture(times):
    times = times.assign(ratio=times["gradient"] / times["forward"])
    means = times.groupby(["width", "parameters", "repeat"])["ratio"].median().reset_index()
    top = max(PASSES * 1.04, means["ratio"].max() * 1.2)
    labels = {"xscale": "log", "ylabel": "gradient / forward pass (time)", "domain": (0, top)}
    figure = figures.lines(means, "parameters", "ratio", kind=estimates.POSITIVE, **labels)
    figure += figures.rule((6, 4), y=PASSES)
    caption = "Time of the gradient as a multiple of the forward pass; below the dashed line they are few. Band: 95%"
    return Picture(figure, f"{caption} interval over repeats. Finite differences take a pass for each parameter.")


EXPERIMENT = Claim(
    name="computing_gradients",
    about=CLAIM,
    lecture="The heading alone; textbooks add that back-propagation is exact, and costs a few forward passes.",
    measured="The gradient by autodiff in float32 against one by hand in float64, number by number, with a bound on "
    "rounding; and its time in forward passes, in rounds that take turns, for five sizes of nets.",
    rules=RULES,
    takes="features",
    check=only(model="mlp", activation="tanh", head="softmax"),  # as the gradient is derived by hand
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": (32, 32),
        "activation": "tanh",
        "initializer": "xavier",
        "num_steps": 1,
        "num_repeats": 8,
        "keep": "last",
    },
    quick={"num_repeats": 4, "widths": [32, 64, 128]},
    options=(
        Option("places", 60, "Weights whose derivative is taken by finite differences.", least=1),
        Option(
            "widths",
            [32, 64, 128, 256, 512],
            "Widths of the two hidden layers whose gradient is timed.",
            least=1,
            most=8192,
        ),
        Option("repetitions", 10, "Rounds of timing in each repeat.", least=1),
    ),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

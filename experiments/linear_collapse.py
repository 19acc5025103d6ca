"""Linear layers one after another are one linear map; with a non-linearity between them they are not."""

from dataclasses import replace

from jaxnets.analysis import linear
from jaxnets.claims import effects, verdicts
from jaxnets.claims.verdicts import CONSTRUCTED, EMPIRICAL, IDENTITY, Fact, Rule
from jaxnets.config.values import log_range
from jaxnets.report import figures
from jaxnets.report.figures import Picture
from jaxnets.runs.experiment import FINAL_SEEDS, Claim
from jaxnets.stats import estimates

CLAIM = "Without non-linearities, stacked layers are one linear map."

CLASSIFIER = "no hidden layer"
NO_NETS = Fact(None, "no such net")
SHOWN = 60  # test examples whose logits are drawn

RULES = {
    "equal_maps": Rule(
        statement="The logits of linear nets are those of their layers multiplied out, as far as rounding allows.",
        kind=IDENTITY,
        test="exact",
    ),
    "bent": Rule(
        statement="With a non-linearity between them layers are no linear map: every net is farther from the best one "
        "than rounding allows.",
        kind=CONSTRUCTED,
        test="exact",
    ),
    "much": Rule(
        statement="The best linear map leaves over 5% of the variance of the logits of such a net unexplained.",
        kind=EMPIRICAL,
        core=False,
        bound=0.05,
        against=0.05,
        unit="%",
        reason="A map that leaves less could stand for the net in practice.",
        power="Over 8 repeats a share of 7.5% is found in four of five repetitions.",
    ),
    "as_accurate": Rule(
        statement="Linear nets are as accurate on test as the linear classifier.",
        kind=EMPIRICAL,
        core=False,
        test="within",
        bound=0.015,
        unit="%",
        reason="On the 180 test images of a repeat an accuracy of 96% has a standard error of 1.5 points.",
        power="Over 8 repeats a mean has an interval of 1 point to either side: with no difference it is found within.",
    ),
    "more_accurate": Rule(
        statement="Nets with a non-linearity are more accurate on test than the linear classifier.",
        kind=EMPIRICAL,
        core=False,
        bound=0.005,
        unit="%",
        reason="Half a point is one of the 180 test images of a repeat.",
        power="Over 8 repeats a difference of 2.5 points is found in four of five repetitions.",
    ),
}


def measure(results):
    """Nets tuned alike in each repeat; how near to a linear map those that report are; logits of some of them."""
    studied = results.comparison(architecture, score="dev_accuracy", keep="last")
    (trained,) = studied.reporting.values()
    nets = linear.examined(trained, ["hidden_units", "activation", "seed"])
    logits = linear.against_product(trained, nets[nets["hidden_units"] != "0"], SHOWN)
    return {"scores": effects.scores(studied.comparison), "nets": nets, "logits": logits}


def architecture(table):
    """What each run is: without a hidden layer the activation makes no difference."""
    return (table["activation"] + " " + table["hidden_units"]).where(table["hidden_units"] != "0", CLASSIFIER)


def evidence(tables):
    """How far linear nets are from their product and others from any linear map; and gains over the classifier."""
    stacked, bent = (nets_of(tables["nets"], linear=which) for which in (True, False))
    stacked, far = stacked.dropna(subset="error"), bent["bend"].dropna()
    equal, bends = (stacked["error"] <= 1).all(), (far > 1).all()
    share, relative = stacked["error"].max(), stacked["relative"].max()
    most = f"{share:.2%} of what rounding may make, {relative:.1e} of a logit at most, over {len(stacked)} nets"
    least = f"{far.min():.3g} times what rounding may make at least, over {len(far)} nets"
    return {
        "equal_maps": Fact(bool(equal), most) if len(stacked) else NO_NETS,
        "bent": Fact(bool(bends), least) if len(far) else NO_NETS,
        "much": bent.rename(columns={"unexplained": "effect"})[["repeat", "seed", "effect", "test_share"]],
        "as_accurate": _gain(tables["scores"], linear=True),
        "more_accurate": _gain(tables["scores"], linear=False),
    }


def nets_of(nets, *, linear):
    """Those with hidden layers, and the identity between them or anything else."""
    return nets[(nets["hidden_units"] != "0") & ((nets["activation"] == "identity") == linear)]


def _gain(scores, *, linear):
    """By how much the mean accuracy of the linear nets, or of the others, is above that of the linear classifier."""
    hidden = [name for name in scores["method"].unique() if name != CLASSIFIER]
    names = [name for name in hidden if name.startswith("identity ") == linear]
    weights = {name: 1 / len(names) for name in names} or {"": 1}  # no method has no name
    return effects.contrast(scores, "test_accuracy", {**weights, CLASSIFIER: -1})


def summary(tables):
    """Mean accuracy, error of the multiplied-out map, and what no linear map explains, by architecture."""
    nets = tables["nets"].assign(method=architecture(tables["nets"])).groupby("method", sort=False)
    scores = tables["scores"].groupby("method", sort=False)
    table = scores.agg(rate=("learning_rate", "median"), accuracy=("test_accuracy", "mean"))
    table = table.join(nets.agg(error=("relative", "max"), left=("unexplained", "mean"), least=("unexplained", "min")))
    names = {
        "method": "net",
        "rate": "learning rate (median)",
        "accuracy": "test accuracy",
        "error": "largest relative error of the product",
        "left": "variance no linear map explains",
        "least": "least of it in a net",
    }
    return {"Nets, each at its best learning rate": table.reset_index().rename(columns=names)}


def pictures(tables):
    """The logits of nets against those of their layers multiplied out, and accuracies."""
    drawn = {"accuracy": _accuracy_picture(tables["scores"])}
    if len(tables["logits"]):
        for number, (activation, points) in enumerate(tables["logits"].groupby("activation", sort=False)):
            drawn[f"logits_{number}"] = _logits_picture(activation, points)
    return drawn


def _logits_picture(activation, points):
    labels = {"xlabel": "logit of the layers multiplied out", "ylabel": "logit of the net"}
    points = points.assign(net_of="hidden units " + points["hidden_units"].astype(str))
    figure = figures.against(points, "collapsed", "net", "net_of", title=f"activation: {activation}", **labels)
    caption = f"Logits of {SHOWN} test examples with {activation}: on the dotted line, the net is the product of its"
    return Picture(figure, f"{caption} layers.")


def _accuracy_picture(scores):
    by_net = scores.rename(columns={"test_accuracy": "effect"}).groupby("method", sort=False)
    figure = figures.dots(
        {name: verdicts.estimated(own, estimates.SHARE) for name, own in by_net},
        percent=True,
        xlabel="test accuracy",
    )
    return Picture(figure, "Test accuracy of each net at its best learning rate, over repeats. Bars: 95% estimates.")


EXPERIMENT = Claim(
    name="linear_collapse",
    about=CLAIM,
    lecture="Without functions that are not linear between its layers the whole network is one linear equation.",
    measured="The logits of trained linear nets on test images against those of their layers multiplied out, with a "
    "bound on rounding; and what the best linear map leaves over of nets with ReLU.",
    rules=RULES,
    takes="features",
    needs=("hidden_units", "activation"),
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": [0, 64, (64, 64, 64)],
        "activation": ["identity", "relu"],
        "optimizer": "momentum",
        "learning_rate": log_range(1e-3, 1, 7),
        "num_epochs": 20,
        "evaluate_every": 10**6,
        "num_repeats": 8,
    },
    quick={"num_repeats": 4},
    options=(replace(FINAL_SEEDS, default=4),),
    measure=measure,
    evidence=evidence,
    summary=summary,
    pictures=pictures,
)

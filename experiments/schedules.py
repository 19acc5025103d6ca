"""Schedules of the learning rate against a constant one, each at its own best rate and with as many steps."""

import sys

from jaxnets.evidence import choosing, comparing, verdicts
from jaxnets.evidence.intervals import UNKNOWN
from jaxnets.lab import commandline
from jaxnets.lab.experiment import Claim
from jaxnets.report import charts
from jaxnets.report.figures import Picture

CLAIM = "Learning-rate schedules help."

CONSTANT, WARM_UP = "constant", " + warm-up"


def confirmed(tables):
    """The runs of each schedule at its best rate by dev loss, on fresh seeds; those that diverged count."""
    runs = tables["runs"]
    warm = runs["warmup_steps"].map(lambda steps: WARM_UP if steps else "")
    chosen = choosing.confirmed(runs.assign(kind=runs["schedule"] + warm), ["kind"], score="dev_loss")
    return choosing.with_failures(chosen)


def summary(tables):
    """Each schedule at its best rate."""
    table = (
        confirmed(tables)
        .groupby("kind", sort=False)
        .agg(
            rate=("learning_rate", "first"),
            loss=("test_loss", "mean"),
            accuracy=("test_accuracy", "mean"),
            train=("train_loss", "mean"),
            runs=("run", "count"),
        )
    )
    names = {
        "kind": "schedule",
        "rate": "learning rate",
        "loss": "test loss",
        "accuracy": "test accuracy",
        "train": "training loss",
    }
    table = table.sort_values("loss").reset_index().rename(columns=names)
    return {"Schedules, each at its best learning rate": table}


def gains(tables):
    """The test loss of each schedule less that of the constant rate, paired by seed."""
    losses = choosing.paired(confirmed(tables), "kind", "test_loss")
    return {kind: comparing.gain(losses, kind, CONSTANT) for kind in losses if kind != CONSTANT and CONSTANT in losses}


def verdict(tables):
    """The schedule that is best on dev must have a lower test loss than the constant rate, on fresh seeds.

    Rates are chosen by the loss on dev of the first half of the seeds, the schedule by that of all; the second half
    measures. Two parts: schedules that decay, and a warm-up added to the constant rate.
    """
    differences = gains(tables)
    dev = confirmed(tables).groupby("kind")["dev_loss"].mean()
    decaying = [kind for kind in differences if not kind.startswith(CONSTANT)]
    best = min(decaying, key=lambda kind: dev[kind], default="none")
    best_wins = f"The best schedule by dev ({best}) has a lower test loss than the constant rate."
    parts = [verdicts.less_than(best_wins, differences.get(best, UNKNOWN), 0, unit="nats")]
    if (warm := CONSTANT + WARM_UP) in differences:
        warm_up_wins = "A warm-up lowers the test loss of the constant rate."
        parts.append(verdicts.less_than(warm_up_wins, differences[warm], 0, unit="nats"))
    return verdicts.verdict(*parts)


def pictures(tables):
    """Loss over the learning rate, and differences to the constant rate."""
    differences = gains(tables)
    drawn = {"rates": _rates_picture(tables["runs"])}
    return drawn | ({"gains": _gains_picture(differences)} if differences else {})


def _rates_picture(runs):
    cold = runs[runs["warmup_steps"] == runs["warmup_steps"].min()]
    labels = {"xlabel": "learning rate", "ylabel": "test loss (nats)"}
    figure, _ = charts.lines(cold, "learning_rate", "test_loss", "schedule", xscale="log", yscale="log", **labels)
    return Picture(figure, "Test loss over the learning rate, without warm-up. Bands: 95% intervals over seeds.")


def _gains_picture(differences):
    ordered = dict(sorted(differences.items(), key=lambda item: item[1].value))
    figure, _ = charts.dots(ordered, zero=0.0, xlabel="test loss less that of the constant rate (nats)")
    caption = "Each schedule at its best rate against the constant one at its own, on fresh seeds: left of the line is"
    return Picture(figure, f"{caption} better. Bars: 95% intervals.")


EXPERIMENT = Claim(
    name="schedules",
    about=CLAIM,
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "hidden_units": 64,
        "num_train": 500,
        "optimizer": "sgd",
        "schedule": ["constant", "step", "cosine", "inverse_time", "linear"],
        "warmup_steps": [0, 60],
        "learning_rate": [0.01, 0.03, 0.1, 0.3, 1.0],
        "batch_size": 8,
        "num_epochs": 10,
        "num_seeds": 40,
    },
    summary=summary,
    verdict=verdict,
    pictures=pictures,
)

if __name__ == "__main__":
    sys.exit(commandline.main(EXPERIMENT, sys.argv))

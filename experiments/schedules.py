"""Schedules of the learning rate against a constant one, each at its own best rate and with as many steps."""

import sys

from jaxnets.lab import commandline

CLAIM = "Learning-rate schedules help."

DEFAULTS = {
    "dataset": "digits",
    "model": "mlp",
    "hidden_units": "64",
    "num_train": "500",
    "optimizer": "sgd",
    "schedule": "constant,step,cosine,inverse_time,linear",
    "warmup_steps": "0,60",
    "learning_rate": "0.01,0.03,0.1,0.3,1",
    "batch_size": "8",
    "num_epochs": "10",
    "num_seeds": "40",
}


def confirmed(tables):
    """The runs of each schedule at its best rate by dev loss, on fresh seeds."""
    from jaxnets.evidence import statistics

    runs = tables["runs"]
    warm = runs["warmup_steps"].map(lambda steps: " + warm-up" if steps else "")
    return statistics.confirmed(runs.assign(kind=runs["schedule"] + warm), ["kind"], score="dev_loss")


def summary(tables):
    """Each schedule at its best rate."""
    groups = confirmed(tables).groupby("kind", sort=False)
    table = groups.agg(rate=("learning_rate", "first"), loss=("test_loss", "mean"), accuracy=("test_accuracy", "mean"),
                       train=("train_loss", "mean"), runs=("run", "count")).sort_values("loss")  # fmt: skip
    names = {"kind": "schedule", "rate": "learning rate", "loss": "test loss", "accuracy": "test accuracy",
             "train": "training loss"}  # fmt: skip
    return {"Schedules, each at its best learning rate": table.reset_index().rename(columns=names)}


def gains(tables):
    """The test loss of each schedule less that of the constant rate, paired by seed."""
    from jaxnets.evidence import statistics

    losses = confirmed(tables).pivot(index="seed", columns="kind", values="test_loss")
    if "constant" not in losses:
        return {}
    return {
        kind: statistics.mean((losses[kind] - losses["constant"]).dropna()) for kind in losses if kind != "constant"
    }


def verdict(tables):
    """The schedule that is best on dev must have a lower test loss than the constant rate, on fresh seeds.

    Rates are chosen by the loss on dev of the first half of the seeds, the schedule by that of all; the second half
    measures. Two parts: schedules that decay, and a warm-up added to the constant rate.
    """
    from jaxnets.evidence import statistics, verdicts

    found = gains(tables)
    dev = confirmed(tables).groupby("kind")["dev_loss"].mean()
    decaying = [kind for kind in found if not kind.startswith("constant")]
    best = min(decaying, key=lambda kind: dev[kind], default="none")
    warm = found.get("constant + warm-up", statistics.UNKNOWN)
    parts = [verdicts.less_than(f"The best schedule by dev ({best}) has a lower test loss than the constant rate.",
                                found.get(best, statistics.UNKNOWN), 0, unit="nats")]  # fmt: skip
    if "constant + warm-up" in found:
        parts.append(verdicts.less_than("A warm-up lowers the test loss of the constant rate.", warm, 0, unit="nats"))
    return verdicts.verdict(*parts)


def pictures(tables):
    """Loss over the learning rate, and differences to the constant rate."""
    from jaxnets.report import charts
    from jaxnets.report.figures import Picture

    runs = tables["runs"]
    cold = runs[runs["warmup_steps"] == runs["warmup_steps"].min()]
    figure, _ = charts.lines(cold, "learning_rate", "test_loss", "schedule", xscale="log", yscale="log",
                             xlabel="learning rate", ylabel="test loss (nats)")  # fmt: skip
    drawn = {
        "rates": Picture(figure, "Test loss over the learning rate, without warm-up. Bands: 95% intervals over seeds.")
    }
    if found := gains(tables):
        ordered = dict(sorted(found.items(), key=lambda item: item[1].value))
        figure, _ = charts.dots(ordered, zero=0.0, xlabel="test loss less that of the constant rate (nats)")
        drawn["gains"] = Picture(figure, "Each schedule at its best rate against the constant one at its own, on fresh "
                                         "seeds: left of the line is better. Bars: 95% intervals.")  # fmt: skip
    return drawn


if __name__ == "__main__":
    sys.exit(commandline.main(sys.modules[__name__], sys.argv))

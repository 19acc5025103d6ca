import numpy as np
import pandas as pd

from jaxnets.evidence.zones import zones


def runs(**columns):
    rates = [1e-4, 1e-2, 1.0, 10.0]
    table = pd.DataFrame({"learning_rate": rates, "status": "finished"} | columns)
    return table.assign(test_accuracy=table["dev_accuracy"])


def test_zones_follow_their_rule():
    table = zones(runs(dev_accuracy=[0.2, 0.95, 0.96, 0.9], train_loss=[2.0, 0.1, 0.1, 0.3]))
    assert table["zone"].tolist() == ["slow", "good", "good", "unstable"]
    table = zones(runs(dev_accuracy=[0.2, 0.96, 0.9, 0.1], train_loss=[2.0, 0.1, 0.3, 1.9]))
    assert table["zone"].tolist() == ["slow", "good", "unstable", "diverged"]


def test_where_all_runs_diverged_so_did_all_rates():
    nothing = [np.nan] * 4
    table = zones(runs(dev_accuracy=nothing, train_loss=nothing, status="diverged"))
    assert table["zone"].tolist() == ["diverged"] * 4

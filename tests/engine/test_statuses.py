"""A status, with its reason for a run to end, is declared in one place."""

import jaxnets
from jaxnets import statuses
from jaxnets.stats import selection
from jaxnets.statuses import Status

VALUES = {"dataset": "wine", "hidden_units": 3, "batch_size": 0, "num_steps": 9, "evaluate_every": 3}


def test_one_more_reason_to_end_is_one_more_row(monkeypatch):
    solved = Status("solved", "its dev loss is low enough", True, lambda now: now.metric("dev_loss") < 0.75)
    given = VALUES | {"learning_rate": [1e-9, 0.3, 1e30], "optimizer": "sgd", "progress": False}
    plain = jaxnets.sweep(**given)
    assert plain.runs["status"].tolist() == ["finished", "finished", "diverged"]
    monkeypatch.setattr(statuses, "STATUSES", [*statuses.STATUSES[:1], solved, *statuses.STATUSES[1:]])
    ended = jaxnets.sweep(**given)
    assert ended.runs["status"].tolist() == ["finished", "solved", "diverged"]
    assert ended.curves.loc[ended.curves["run"] == 1, "step"].tolist() == [3, 6]
    assert selection.finished(ended.runs)["run"].tolist() == [0, 1]
    before = plain.curves.merge(ended.curves, on=["run", "step"])
    assert (before["dev_loss_x"] == before["dev_loss_y"]).all()

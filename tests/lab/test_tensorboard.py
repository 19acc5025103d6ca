"""The export, read back as TensorBoard reads it."""

import numpy as np
import pandas as pd
import pytest
from tensorboardX.proto import api_pb2 as api
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

import jaxnets
from jaxnets.errors import UserError
from jaxnets.lab import tensorboard

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

RUNS = pd.DataFrame(
    {
        "run": [0, 1, 2],
        "optimizer": ["sgd", "adam", "adam"],
        "learning_rate": [0.1, 0.001, 0.01],
        "nesterov": pd.array([True, None, None], "boolean"),
        "batch_size": 64,
        "seed": [0, 0, 1],
        "status": ["finished", "diverged", "stopped"],
        "test_loss": np.float32([0.25, np.nan, np.nan]),
        "test_accuracy": np.float32([0.9, np.nan, np.nan]),
        "dev_loss": np.float32([0.5, np.nan, np.nan]),
        "dev_accuracy": np.float32([0.8, np.nan, np.nan]),
        "seconds": [2.0, 1.0, np.nan],
    }
)
CURVES = pd.DataFrame(
    {
        "run": [0, 0, 2],
        "step": [10, 20, 10],
        "train_loss": np.float32([1.5, 0.75, 2.0]),
        "train_accuracy": np.float32([0.5, 0.75, 0.25]),
        "dev_loss": np.float32([1.0, 0.5, np.nan]),
        "dev_accuracy": np.float32([0.6, 0.8, 0.1]),
    }
)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """What each log directory holds, by its name."""
    folder = tensorboard.write(tmp_path_factory.mktemp("run"), RUNS, CURVES)
    assert [path.name for path in folder.parent.iterdir()] == ["tensorboard"]
    return {path.name: event_accumulator.EventAccumulator(str(path)).Reload() for path in sorted(folder.iterdir())}


def hparams(events):
    """The messages to the HParams plug-in."""
    contents = events.PluginTagToContent("hparams").items()
    return {tag.removeprefix("_hparams_/"): HParamsPluginData.FromString(content) for tag, content in contents}


def test_each_run_has_a_log_directory_that_says_what_it_is(read):
    assert list(read) == [
        "0 sgd learning_rate=0.1 seed=0",
        "1 adam learning_rate=0.001 seed=0",
        "2 adam learning_rate=0.01 seed=1",
    ]


def test_the_curves_are_scalars(read):
    first, diverged, stopped = read.values()
    for tag, column in tensorboard.CURVES.items():
        expected = CURVES[CURVES["run"] == 0]
        assert [event.step for event in first.Scalars(tag)] == expected["step"].tolist()
        assert np.float32([event.value for event in first.Scalars(tag)]).tolist() == expected[column].tolist()
    start, end = first.Scalars("loss/train")
    assert end.wall_time - start.wall_time == pytest.approx(1.0, abs=1e-3)  # half of the run's two seconds
    assert diverged.Tags()["scalars"] == []
    assert "loss/dev" not in stopped.Tags()["scalars"]  # NaN


def test_the_hyperparameters_and_final_metrics_are_hparams(read):
    first, diverged, stopped = (hparams(events) for events in read.values())
    about = first["experiment"].experiment
    kinds = {info.name: info.type for info in about.hparam_infos}
    assert kinds == {
        "optimizer": api.DATA_TYPE_STRING,
        "learning_rate": api.DATA_TYPE_FLOAT64,
        "seed": api.DATA_TYPE_FLOAT64,
    }
    assert list(about.hparam_infos[0].domain_discrete) == ["sgd", "adam"]
    given = first["session_start_info"].session_start_info.hparams
    assert given["optimizer"].string_value == "sgd"
    assert given["learning_rate"].number_value == 0.1
    ends = [one["session_end_info"].session_end_info.status for one in (first, diverged, stopped)]
    assert ends == [api.STATUS_SUCCESS, api.STATUS_FAILURE, api.STATUS_UNKNOWN]
    metrics = {info.name.tag for info in about.metric_infos}
    events = next(iter(read.values()))
    assert metrics <= set(events.Tags()["scalars"])
    (final,) = events.Scalars("final/test accuracy")
    assert (final.step, np.float32(final.value)) == (20, np.float32(0.9))


def test_a_comparison_and_odd_names(tmp_path):
    runs = RUNS.assign(task=["digits", "my/../data: ü", "digits"], phase=["tuning", "tuning", "confirmation"])
    names = sorted(path.name for path in tensorboard.write(tmp_path, runs, CURVES).iterdir())
    assert names[0].startswith("0 sgd learning_rate=0.1 digits tuning")
    assert names[1] == "1 adam learning_rate=0.001 my_.._data_ ü tuning seed=0"
    again = tensorboard.write(tmp_path, runs.iloc[:1], CURVES)
    assert len(list(again.iterdir())) == 1  # nothing of before is left


def test_a_sweep_writes_it_into_its_directory(tmp_path):
    values = {"dataset": "xor", "batch_size": 0, "num_steps": 4, "tensorboard": True, "progress": False}
    with pytest.raises(UserError, match="tensorboard: it is written into the run directory"):
        jaxnets.sweep(**values)
    jaxnets.sweep(**values, output=tmp_path / "run")
    assert [path.name for path in (tmp_path / "run" / "tensorboard").iterdir()] == ["0 adam learning_rate=0.001"]

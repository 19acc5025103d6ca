"""The tables of a sweep as TensorBoard reads them: curves as scalars, hyperparameters and final metrics as HParams."""

import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from jaxnets import io
from jaxnets.stats import selection

if TYPE_CHECKING:
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

FOLDER = "tensorboard"
CURVES = {
    "accuracy/dev": "dev_accuracy",
    "accuracy/train": "train_accuracy",
    "loss/dev": "dev_loss",
    "loss/train": "train_loss",
}
FINAL = {"final/test accuracy": "test_accuracy", "final/test loss": "test_loss"} | {
    "final/dev accuracy": "dev_accuracy",
    "final/dev loss": "dev_loss",
}
"""The metrics of the table of runs; beside the curves' tags, so that TensorBoard draws them apart."""
_LONGEST_NAME = 150


def write(directory: Path, runs: pd.DataFrame, curves: pd.DataFrame) -> Path:
    """Writes a log directory for each run, all of them or none; `tensorboard --logdir=` opens the folder."""
    folder, now = directory / FOLDER, time.time()
    temporary = folder.with_name(f".{FOLDER}.{os.getpid()}.tmp")
    names, of_run = _columns(runs), dict(tuple(curves.groupby("run")))
    with io.file_errors(folder):
        try:
            about = [_event(now, _experiment(runs[names]))]  # it holds for all, wherever it stands
            for row in _rows(runs):
                events = about + _events(row, names, of_run.get(row["run"]), now)
                _write_events(temporary / _name(row, names, len(runs)), events)
                about = []
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _rows(runs: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in runs.to_dict("records")]


def _columns(runs: pd.DataFrame) -> list[str]:
    """What tells the runs apart: the optimizer, its rate, and what else has several values, the seed among it."""
    names = ["task", "phase", *selection.hyperparameters(runs)]
    several = [name for name in names if name in runs and runs[name].nunique() > 1]
    return list(dict.fromkeys(["optimizer", "learning_rate", *several]))


def _name(row: Mapping[str, Any], names: Sequence[str], count: int) -> str:
    """The name of a run's folder, which TensorBoard shows: its number, and what tells it apart."""
    values = [_labelled(name, row[name]) for name in names if not pd.isna(row[name])]
    text = " ".join([f"{row['run']:0{len(str(count - 1))}d}", *values])
    return re.sub(r"[^\w .=+-]", "_", text)[:_LONGEST_NAME].rstrip(" .")


def _labelled(name: str, value: Any) -> str:
    """A value that speaks for itself, or with its name before it."""
    if isinstance(value, str):
        return value
    return f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"


def _events(row: Mapping[str, Any], names: Sequence[str], curve: pd.DataFrame | None, now: float) -> "list[Event]":
    """The events of a run, at the times at which they would have happened had it ended now."""
    given = {name: row[name] for name in names if not pd.isna(row[name])}
    seconds = 0.0 if pd.isna(row["seconds"]) else float(row["seconds"])
    rows = [] if curve is None else list(curve[["step", *CURVES.values()]].itertuples(index=False, name=None))
    last = rows[-1][0] if rows else 0
    events = [_event(now - seconds, _started(given, now - seconds))]
    for step, *values in rows:
        events.append(_event(now - seconds * (1 - step / last), _scalars(zip(CURVES, values, strict=True)), step))
    events.append(_event(now, _scalars((tag, row[name]) for tag, name in FINAL.items()), last))
    return [*events, _event(now, _ended(row["status"], now))]


def _event(moment: float, summary: "Summary", step: int = 0) -> "Event":
    from tensorboardX.proto.event_pb2 import Event

    return Event(wall_time=moment, step=step, summary=summary)


def _scalars(values: Any) -> "Summary":
    """Pairs of a tag and a number; those that are missing are left out."""
    from tensorboardX.proto.summary_pb2 import Summary

    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values if not pd.isna(value)])


def _experiment(values: pd.DataFrame) -> "Summary":
    """What the hyperparameters and the metrics of all runs are; texts and switches with all their values."""
    from tensorboardX.proto import api_pb2 as api

    infos = []
    for name in map(str, values):
        info = api.HParamInfo(name=name, display_name=name.replace("_", " "), type=_type(api, values[name]))
        if info.type != api.DATA_TYPE_FLOAT64:
            info.domain_discrete.extend(_plain(value) for value in values[name].dropna().unique())
        infos.append(info)
    metrics = [api.MetricInfo(name=api.MetricName(tag=tag), display_name=tag.split("/")[1]) for tag in FINAL]
    return _hparams("experiment", experiment=api.Experiment(hparam_infos=infos, metric_infos=metrics))


def _type(api: Any, values: pd.Series) -> int:
    plain = [_plain(value) for value in values.dropna()]
    if all(isinstance(value, bool) for value in plain):
        return api.DATA_TYPE_BOOL
    return api.DATA_TYPE_STRING if any(isinstance(value, str) for value in plain) else api.DATA_TYPE_FLOAT64


def _plain(value: Any) -> Any:
    """A value as a protocol buffer takes it."""
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, str | bool | int | float) else str(value)


def _started(values: Mapping[str, Any], moment: float) -> "Summary":
    from tensorboardX.proto.plugin_hparams_pb2 import SessionStartInfo

    info = SessionStartInfo(start_time_secs=moment)
    for name, value in values.items():
        plain = _plain(value)
        kind = {str: "string_value", bool: "bool_value"}.get(type(plain), "number_value")
        setattr(info.hparams[name], kind, plain)
    return _hparams("session_start_info", session_start_info=info)


def _ended(status: str, moment: float) -> "Summary":
    from tensorboardX.proto import api_pb2 as api
    from tensorboardX.proto.plugin_hparams_pb2 import SessionEndInfo

    outcome = {"finished": api.STATUS_SUCCESS, "diverged": api.STATUS_FAILURE}.get(status, api.STATUS_UNKNOWN)
    return _hparams("session_end_info", session_end_info=SessionEndInfo(status=outcome, end_time_secs=moment))


def _hparams(tag: str, **content: Any) -> "Summary":
    """A message to the HParams plug-in."""
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata

    data = HParamsPluginData(version=0, **content).SerializeToString()
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=data)
    return Summary(value=[Summary.Value(tag=f"_hparams_/{tag}", metadata=SummaryMetadata(plugin_data=plugin))])


def _write_events(folder: Path, events: "Sequence[Event]") -> None:
    from tensorboardX.event_file_writer import EventsWriter

    folder.mkdir(parents=True, exist_ok=True)
    writer = EventsWriter(str(folder / "events"))
    for event in events:
        writer.write_event(event)
    writer.close()

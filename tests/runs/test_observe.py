"""What watches a run: TensorBoard's files, read back as it reads them, the profile, and tables while it trains."""

import gzip
import io
import json
import re
import sys

import pandas as pd
import pytest
from rich.console import Console
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

import jaxnets
from jaxnets.cli import main as cli
from jaxnets.comparison import table as comparison_table
from jaxnets.errors import UserError
from jaxnets.runs import directory as run_directory
from jaxnets.runs import experiment, observe, train

event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
XOR = {"dataset": "xor", "hidden_units": 3, "batch_size": 0, "num_steps": 4, "evaluate_every": 2, "progress": False}
COMPARISON = (
    "compare_optimizers --dataset=xor --model=mlp --hidden_units=4 --batch_size=0 --num_steps=4 --num_repeats=1"
)
COMPARISON += " --num_seeds=1 --final_seeds=1 --learning_rate=0.1,1.0 --optimizer=sgd,adam"


def read(folder):
    return {path.name: event_accumulator.EventAccumulator(str(path)).Reload() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    values = {"optimizer": ["sgd", "adam"], "learning_rate": [0.1, 1e30]}
    folder = tmp_path_factory.mktemp("run") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(observe, "_MOST_OPEN", 1)  # writers are closed and opened again
        return jaxnets.sweep(**XOR, **values, output=folder, tensorboard=True, profile=True)


def test_each_run_has_a_log_with_its_curves_and_final_metrics(swept):
    logs = read(swept.directory / observe.LOGS)
    assert list(logs) == [
        f"{run} {optimizer} learning_rate={rate}"
        for run, (optimizer, rate) in enumerate([(one, rate) for one in ("sgd", "adam") for rate in ("0.1", "1e+30")])
    ]
    for (_, row), events in zip(swept.runs.iterrows(), logs.values(), strict=True):
        own = swept.curves[swept.curves["run"] == row["run"]]
        if row["status"] == "diverged":
            assert len(own) == 0
            assert events.Tags()["scalars"] == []
            continue
        for tag, column in observe.CURVES.items():
            told = [(one.step, one.value) for one in events.Scalars(tag)]
            assert told == list(zip(own["step"], own[column], strict=True))
        for tag, column in observe.FINAL.items():
            assert [one.value for one in events.Scalars(tag)] == [row[column]]


def test_the_hyperparameters_are_hparams(swept):
    events = read(swept.directory / observe.LOGS)["0 sgd learning_rate=0.1"]
    contents = events.PluginTagToContent("hparams").items()
    about = {tag.removeprefix("_hparams_/"): HParamsPluginData.FromString(content) for tag, content in contents}
    given = about["session_start_info"].session_start_info.hparams
    assert (given["optimizer"].string_value, given["learning_rate"].number_value) == ("sgd", 0.1)
    assert {one.name for one in about["experiment"].experiment.hparam_infos} == {"optimizer", "learning_rate"}
    assert {one.name.tag for one in about["experiment"].experiment.metric_infos} == set(observe.FINAL)


def test_a_profile_is_a_trace_and_a_line(swept, tmp_path):
    (trace,) = (swept.directory / observe.TRACE).glob("plugins/profile/*/*.trace.json.gz")
    assert json.loads(gzip.decompress(trace.read_bytes()))["traceEvents"]
    console = Console(file=io.StringIO(), width=300)
    with observe.profiled(tmp_path, console):
        observe.took("compile", 3.25)
        observe.took("compile", 1.0)
        observe.took("steps and evaluations", 20.0)
    line = r"Profile: compile 4\.2 s, steps and evaluations 20\.0 s, data, analysis and report \S+ s; trace in \S+\n"
    assert re.fullmatch(line, console.file.getvalue())
    observe.took("compile", 1.0)  # nobody listens
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"), observe.profiled(tmp_path / "file", None):
        pass


@pytest.mark.parametrize("name", ["tensorboard", "profile"])
def test_both_take_a_run_directory(name):
    with pytest.raises(UserError, match=f"{name}: it is written into the run directory; name one by output"):
        jaxnets.sweep(**XOR, **{name: True})


@pytest.fixture
def seen(monkeypatch):
    """Tables are written after each evaluation, and what this is called with happens then."""

    def look(module, name, then):
        monkeypatch.setattr(train, "SAVE_SECONDS", 0.0)
        monkeypatch.setattr(train, "SAVE_SHARE", float("inf"))
        write, found = getattr(module, name), []

        def written(*arguments):
            write(*arguments)
            found.append(then(len(found)))

        monkeypatch.setattr(module, name, written)
        return found

    return look


def test_tables_are_written_while_a_sweep_runs(tmp_path, seen):
    seen = seen(run_directory, "write_tables", lambda number: jaxnets.load(tmp_path / "run"))
    jaxnets.sweep(**XOR, optimizer=["sgd", "adam"], output=tmp_path / "run")
    assert [len(one.curves) for one in seen] == sorted(len(one.curves) for one in seen)
    assert (len(seen[0].curves), len(seen[-1].curves)) == (1, 4)
    assert set(seen[0].runs["status"]) == {"interrupted"}


def test_a_comparison_is_reported_while_it_runs(tmp_path, monkeypatch, capsys, seen):
    folder = tmp_path / "run"

    def look(number):
        if number == 5:
            assert cli.main(["run.py", "report", str(folder)]) == 0
        return pd.read_parquet(folder / "runs.parquet")["phase"].value_counts().to_dict()

    seen = seen(comparison_table, "write", look)
    monkeypatch.setattr(experiment, "show", lambda *_: None)
    assert cli.main(["run.py", *COMPARISON.split(), "--tensorboard", f"--output={folder}"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "No task has been carried out whole: 4 runs were begun" in said
    assert (seen[0], seen[-1]) == ({"tuning": 4}, {"tuning": 4, "final": 2})
    logs = folder / observe.LOGS
    assert sorted(path.name for path in logs.iterdir()) == ["xor final", "xor tuning"]
    assert len(list((logs / "xor tuning").iterdir())) == 4


def test_without_its_package_one_line_names_the_extra(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    assert (
        cli.main(
            ["run.py", "train", "--dataset=xor", "--batch_size=0", "--tensorboard", f"--output={tmp_path / 'run'}"]
        )
        == 2
    )
    assert 'pip install "jaxnets[tensorboard]"' in capsys.readouterr().err

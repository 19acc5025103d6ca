"""The run directory: what it holds, how a sweep in it goes on or is repeated, and directories as comparisons."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jaxnets
from jaxnets import data, io
from jaxnets.cli import main as cli
from jaxnets.comparison import leaderboard
from jaxnets.comparison.table import TaskFacts
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.data.dataset import Split
from jaxnets.errors import UserError
from jaxnets.runs import directories, experiment
from jaxnets.runs import directory as run_directory
from tests.by_hand import may_be_changed

ROOT = Path(__file__).parents[2]
XOR = {"dataset": "xor", "num_steps": 6, "hidden_units": 4, "evaluate_every": 3, "batch_size": 2}
VALUES = XOR | {"optimizer": ["sgd", "adam"], "learning_rate": [0.01, 0.1], "num_seeds": 3, "predictions": True}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The directory of a small comparison without fresh seeds, as a sweep."""
    directory = tmp_path_factory.mktemp("runs") / "a"
    jaxnets.sweep(**VALUES, output=directory, progress=False)
    return directory


@pytest.fixture
def copy(written, tmp_path):
    """A copy of it in which files may be changed."""
    return may_be_changed(shutil.copytree(written, tmp_path / "b"))


def change(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def launch(*words):
    return cli.main(["run.py", *map(str, words)])


def test_a_directory_is_named_by_experiment_time_and_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.ExitStack() as held:
        one, other = (run_directory.begin("xor", Config(num_seeds=seeds), held).as_posix() for seeds in (1, 2))
    assert re.fullmatch(r"results/xor/\d{8}-\d{6}-[0-9a-f]{8}", one)
    assert one[-8:] != other[-8:]


def test_the_tables_and_what_was_recorded(written):
    runs, curves = (pd.read_parquet(written / f"{name}.parquet") for name in ("runs", "curves"))
    assert not [name for table in (runs, curves) for name in table if table[name].dtype == object]
    kinds = {"run": "int64", "optimizer": "str", "learning_rate": "float64", "nesterov": "boolean"}
    assert {name: str(runs[name].dtype) for name in kinds} == kinds
    assert str(runs["weight_decay"].dtype) == "float64"
    pd.testing.assert_frame_equal(jaxnets.load(written).runs, runs)
    assert json.loads((written / "config.json").read_text())["format"] == record.FORMAT == 3
    environment = run_directory.read_environment(written)
    assert environment["devices"]
    assert environment["versions"]["jax"]
    (fold,) = data.load_folds("xor")
    (about,) = run_directory.described([fold])
    assert about == environment["data"][0]
    other = replace(fold, test=Split(fold.test.inputs[::-1], fold.test.labels))
    assert run_directory.described([other])[0]["fingerprint"] != about["fingerprint"]
    assert run_directory.described([fold, other])[0]["splits"] == 2


def test_a_sweep_is_a_comparison_of_its_runs(written):
    read = directories.read(written)
    comparison = read.comparison
    assert (comparison.by, comparison.methods) == ("optimizer", ["sgd", "adam"])
    assert (comparison.protocol.num_trials, comparison.protocol.num_seeds, comparison.protocol.final_seeds) == (2, 3, 0)
    assert comparison.protocol.spaces == {"learning_rate": "0.01, 0.1"}
    assert comparison.tasks == (TaskFacts("xor", "", pytest.approx(np.nan, nan_ok=True), 0.5, 2, 4, 4, 4),)
    assert set(comparison.runs["phase"]) == {"tuning"}
    assert read.command == f"jaxnets --config={written / 'config.json'}"


def test_the_set_ups_differ_in_what_was_changed_alone(written, copy):
    change(copy / "config.json", lambda content: content["config"].update(batch_size=4))
    one, two = directories.read(written), directories.read(copy)
    assert directories.differences([one, one]) == []
    assert directories.differences([one, two]) == [["batch_size", "2", "4"]]


def test_directories_are_methods_of_one_comparison(written):
    one = directories.read(written)
    tables = [one.comparison.runs.assign(test_accuracy=accuracy) for accuracy in (0.5, 1.0)]
    one, better = (replace(one, comparison=replace(one.comparison, runs=runs)) for runs in tables)
    comparison = directories.joined([one, better], ["a", "b"])
    assert comparison.methods == ["a: sgd", "a: adam", "b: sgd", "b: adam"]
    assert comparison.runs[comparison.runs["phase"] == "tuning"]["run"].is_unique
    assert set(comparison.curves["run"]) == set(comparison.runs["run"])
    scores = leaderboard.methods(comparison).set_index("method")["accuracy"]
    assert scores.to_dict() == {"a: sgd": 0.5, "a: adam": 0.5, "b: sgd": 1.0, "b: adam": 1.0}
    other = replace(one, comparison=replace(one.comparison, tasks=(replace(one.comparison.tasks[0], name="another"),)))
    with pytest.raises(UserError, match="no task in common"):
        directories.joined([one, other], ["a", "c"])


def test_runs_that_were_interrupted_are_left_out(copy):
    runs = pd.read_parquet(copy / "runs.parquet")
    runs.loc[:3, "status"] = "interrupted"
    runs.to_parquet(copy / "runs.parquet")
    read = directories.read(copy)
    assert (read.left_out, len(read.comparison.runs)) == (4, 8)
    runs.assign(status="interrupted").to_parquet(copy / "runs.parquet")
    with pytest.raises(UserError, match="holds no run that came to an end"):
        directories.read(copy)


def test_what_is_no_run_directory_is_one_line(tmp_path):
    def refused(match, read=run_directory.read_config, path=tmp_path):
        with pytest.raises(UserError, match=match):
            read(path)

    def tables(path):
        return run_directory.read_tables(path)

    refused("there is not a run directory", path=tmp_path / "none")
    refused("there is not a run directory", directories.read, tmp_path / "none")
    refused(r"holds no config\.json")
    (tmp_path / "config.json").write_text("[" * 100_000)
    refused("cannot be read")
    for number in (2, 99):  # 2 is that of 0.4
        (tmp_path / "config.json").write_text(json.dumps({"format": number, "experiment": "train", "config": {}}))
        refused(f"has the format {number}; this version reads 3", directories.read)
    refused(r"holds no runs\.parquet", tables)
    (tmp_path / "runs.parquet").write_text("no table")
    refused(r"runs\.parquet: cannot be read", tables)
    refused("holds results already", run_directory.create)
    refused("cannot be written", run_directory.create, tmp_path / "runs.parquet" / "run")


def test_what_is_finished_is_not_done_again_and_what_is_not_is_gone_on_with(tmp_path):
    folder, values = tmp_path / "run", XOR | {"progress": False}
    with run_directory.lock(folder), pytest.raises(UserError, match=f"is in use by process {os.getpid()} on "):
        jaxnets.sweep(**values, output=folder)
    first = jaxnets.sweep(**values, output=folder)
    with pytest.raises(UserError, match="holds results already"):
        jaxnets.sweep(**values, output=folder)
    (folder / run_directory.PARTS).mkdir()  # as if it had been killed at its last file
    with pytest.raises(UserError, match=r"another command began .*: num_steps is 6 there, and 7 here"):
        jaxnets.sweep(**{**values, "num_steps": 7}, output=folder)
    again = jaxnets.sweep(**values, output=folder)
    pd.testing.assert_frame_equal(first.curves, again.curves, check_exact=True)


def test_data_that_have_changed_are_refused(tmp_path):
    inputs = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)

    def mine():
        return inputs, [0, 1] * 20

    values = {"dataset": mine, "hidden_units": 4, "num_steps": 2, "batch_size": 4, "progress": False}
    jaxnets.sweep(**values, output=tmp_path / "run")
    (tmp_path / "run" / run_directory.PARTS).mkdir()
    inputs[7] = 0
    with pytest.raises(UserError, match=r"the data '.*' have changed since"):
        jaxnets.sweep(**values, output=tmp_path / "run")


def start(*words):
    command = [sys.executable, "run.py", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_sweep_that_is_killed_goes_on_to_the_same_tables(tmp_path, number, status):
    sweep = ("xor", "--hidden_units=0,2,4,8", "--activation=tanh,relu", "--num_seeds=64", "--num_steps=3000")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    process, deadline = start(*sweep, f"--output={killed}"), time.monotonic() + 100
    while not list(killed.glob("parts/*.part")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.communicate()
    assert process.returncode == status
    assert list(killed.glob("parts/*.part"))
    other = start(*sweep, "--learning_rate=0.5", f"--output={killed}")
    assert "another command began" in other.communicate()[1]
    assert other.returncode == 2
    for folder in (killed, whole):
        process = start(*sweep, f"--output={folder}")
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
        assert not (folder / "parts").exists()
    for name in ("runs", "curves"):
        one, two = (
            pd.read_parquet(folder / f"{name}.parquet").drop(columns="seconds", errors="ignore")
            for folder in (killed, whole)
        )
        pd.testing.assert_frame_equal(one, two, check_exact=True)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The directory of a small comparison; its page is not made."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    words = ["--dataset=xor", "--model=mlp", "--hidden_units=4", "--batch_size=0", "--num_steps=8", "--num_seeds=2"]
    words += ["--final_seeds=0", "--learning_rate=0.1,1.0", "--optimizer=sgd", "--predictions"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "show", lambda *_: None)
        assert launch("compare_optimizers", *words, f"--output={folder}") == 0
    return folder


@pytest.fixture
def no_page(monkeypatch):
    monkeypatch.setattr(experiment, "show", lambda *_: None)


@pytest.mark.usefixtures("no_page")
def test_the_same_numbers_come_out(compared, capsys):
    assert launch("reproduce", compared) == 0
    said = capsys.readouterr().out
    assert "Bit-equal." in said
    assert all(name in said for name in ("runs", "curves", "predictions"))


@pytest.mark.usefixtures("no_page")
def test_what_differs_and_why_is_said(compared, tmp_path, capsys):
    changed = shutil.copytree(compared, tmp_path / "changed")
    (changed / io.CHECKSUMS).unlink()
    runs = pd.read_parquet(changed / "runs.parquet")
    runs.loc[1, "dev_loss"] += 0.5
    runs.to_parquet(changed / "runs.parquet", index=False)
    change(changed / "environment.json", lambda content: content["versions"].update(optax="0.0.1"))
    change(changed / "environment.json", lambda content: content["data"][0].update(fingerprint="0" * 64))
    assert launch("reproduce", changed, f"--output={tmp_path / 'kept'}") == 1
    said = " ".join(capsys.readouterr().out.split())
    for part in ("Different.", "dev_loss by", "optax: 0.0.1 was used, and", "data 'xor': 000000000000 was used, and"):
        assert part in said
    assert (tmp_path / "kept" / "runs.parquet").exists()


@pytest.mark.usefixtures("no_page")
def test_a_run_directory_is_resumed_by_its_name_alone(compared, tmp_path, capsys):
    folder = shutil.copytree(compared, tmp_path / "run")
    assert launch(f"--resume={folder}") == 2
    assert f"error: resume: what '{folder}' holds is finished." in capsys.readouterr().err
    (folder / "parts").mkdir()  # as if it had been killed at its last file
    for name in ("runs.parquet", "curves.parquet"):
        (folder / name).unlink()
    assert launch(f"--resume={folder}", "--learning_rate=0.3") == 2
    assert "another command began" in capsys.readouterr().err
    assert launch("--resume", folder, "--num_devices=1") == 0
    one, other = (pd.read_parquet(path / "runs.parquet").drop(columns="seconds") for path in (folder, compared))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["reproduce"], "error: directory: reproduce takes one run directory, not 0; see --help.\n"),
        (["reproduce", "nowhere"], "error: there is not a run directory 'nowhere'.\n"),
        (["reproduce", ".", "--tolerance=much"], None),
        (["--resume=nowhere"], "error: there is not a run directory 'nowhere'.\n"),
        (
            ["train", "--resume=nowhere", "--output=there"],
            "error: output: --resume goes on with what 'nowhere' holds; leave --output out.\n",
        ),
    ],
)
def test_mistakes_are_one_line(words, line, capsys):
    assert launch(*words) == 2
    said = capsys.readouterr().err
    assert said == line if line else said.count("\n") == 1

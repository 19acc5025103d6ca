"""Run directories of this version and of older ones, as studies."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import jaxnets
from jaxnets import data
from jaxnets.comparison import leaderboard
from jaxnets.comparison.table import TaskFacts
from jaxnets.config import record
from jaxnets.data.dataset import Split
from jaxnets.errors import UserError
from jaxnets.runs import directories
from jaxnets.runs import directory as run_directory
from tests.by_hand import may_be_changed

XOR = {"dataset": "xor", "num_steps": 6, "hidden_units": 4, "evaluate_every": 3, "num_seeds": 3, "batch_size": 2}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The directory of a small sweep."""
    directory = tmp_path_factory.mktemp("runs") / "a"
    jaxnets.sweep(**XOR, optimizer=["sgd", "adam"], learning_rate=[0.01, 0.1], output=directory, progress=False)
    return directory


def copied(directory, name, change, to):
    """A copy of a directory with some content of one of its JSON files changed."""
    may_be_changed(shutil.copytree(directory, to))
    content = json.loads((to / name).read_text())
    change(content)
    (to / name).write_text(json.dumps(content))
    return to


def test_a_sweep_is_a_study_of_its_runs(written):
    read = directories.read(written)
    study = read.study
    assert (study.by, study.contestants) == ("optimizer", ["sgd", "adam"])
    assert (study.protocol.num_trials, study.protocol.num_seeds, study.protocol.confirm_seeds) == (2, 3, 0)
    assert study.protocol.spaces == {"learning_rate": "0.01, 0.1"}
    assert study.tasks == (TaskFacts("xor", "", pytest.approx(np.nan, nan_ok=True), 0.5, 2, 4, 4, 4),)
    assert set(study.runs["phase"]) == {"tuning"}
    assert read.command == f"jaxnets --config={written / 'config.json'}"


def test_the_set_ups_differ_in_what_was_changed_alone(written, tmp_path):
    other = copied(written, "config.json", lambda content: content["config"].update(batch_size=4), tmp_path / "b")
    one, two = (directories.read(path) for path in (written, other))
    assert directories.differences([one, one]) == []
    assert directories.differences([one, two]) == [["batch_size", "2", "4"]]


def test_directories_are_methods_of_one_comparison(written, tmp_path):
    one = directories.read(written)
    better = replace(one, study=replace(one.study, runs=one.study.runs.assign(test_accuracy=1.0)))
    one = replace(one, study=replace(one.study, runs=one.study.runs.assign(test_accuracy=0.5)))
    study = directories.joined([one, better], ["a", "b"])
    assert study.contestants == ["a: sgd", "a: adam", "b: sgd", "b: adam"]
    assert study.runs[study.runs["phase"] == "tuning"]["run"].is_unique
    assert set(study.curves["run"]) == set(study.runs["run"])
    scores = leaderboard.contestants(study).set_index("contestant")["accuracy"]
    assert scores.to_dict() == {"a: sgd": 0.5, "a: adam": 0.5, "b: sgd": 1.0, "b: adam": 1.0}
    other = replace(one, study=replace(one.study, tasks=(replace(one.study.tasks[0], name="another"),)))
    with pytest.raises(UserError, match="no task in common"):
        directories.joined([one, other], ["a", "c"])


def test_the_tables_open_in_pandas_in_one_line(written):
    runs = pd.read_parquet(written / "runs.parquet")
    curves = pd.read_parquet(written / "curves.parquet")
    for table in (runs, curves):
        assert not [name for name in table if table[name].dtype == object]
    kinds = {name: str(runs[name].dtype) for name in ("run", "optimizer", "learning_rate", "nesterov", "weight_decay")}
    assert kinds == {
        "run": "int64",
        "optimizer": "str",
        "learning_rate": "float64",
        "nesterov": "boolean",
        "weight_decay": "float64",
    }
    pd.testing.assert_frame_equal(jaxnets.load(written).runs, runs)


def test_the_configuration_tells_its_format(written):
    assert json.loads((written / "config.json").read_text())["format"] == record.FORMAT == 3


def test_a_fingerprint_tells_examples_apart(written):
    (fold,) = data.load_folds("xor")
    (about,) = run_directory.described([fold])
    assert about == json.loads((written / "environment.json").read_text())["data"][0]
    turned = Split(fold.test.inputs[::-1], fold.test.labels)
    other = replace(fold, test=turned)
    assert run_directory.described([other])[0]["fingerprint"] != about["fingerprint"]
    assert run_directory.described([fold, other])[0]["splits"] == 2
    assert run_directory.described([]) == []


def test_runs_that_were_interrupted_are_left_out(written, tmp_path):
    for path in (written).glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    may_be_changed(tmp_path)
    runs = pd.read_parquet(tmp_path / "runs.parquet")
    runs.loc[:3, "status"] = "interrupted"
    runs.to_parquet(tmp_path / "runs.parquet")
    read = directories.read(tmp_path)
    assert (read.left_out, len(read.study.runs)) == (4, 8)
    runs.assign(status="interrupted").to_parquet(tmp_path / "runs.parquet")
    with pytest.raises(UserError, match="holds no run that came to an end"):
        directories.read(tmp_path)


def test_what_is_no_run_directory_is_one_line(written, tmp_path):
    with pytest.raises(UserError, match="there is not a run directory"):
        directories.read(tmp_path / "none")
    (tmp_path / "environment.json").write_text("{}")
    for number in (2, 99):  # 2 is that of 0.4
        (tmp_path / "config.json").write_text(json.dumps({"format": number, "experiment": "train", "config": {}}))
        with pytest.raises(UserError, match=f"has the format {number}; this version reads 3"):
            directories.read(tmp_path)

import contextlib
import errno
import json
import re

import pandas as pd
import pytest

from jaxnets import io
from jaxnets.config.config import Config
from jaxnets.errors import UserError
from jaxnets.runs import directory as run_directory


def test_a_directory_is_named_by_experiment_time_and_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.ExitStack() as held:
        one, other = (run_directory.begin("xor", Config(num_seeds=seeds), held).as_posix() for seeds in (1, 2))
    assert re.fullmatch(r"results/xor/\d{8}-\d{6}-[0-9a-f]{8}", one)
    assert one[-8:] != other[-8:]


def test_files_are_written_whole(tmp_path):
    table = pd.DataFrame({"run": [0, 1], "loss": [0.5, None]})
    pd.testing.assert_frame_equal(pd.read_parquet(io.write_table(tmp_path / "runs.parquet", table)), table)
    assert json.loads(io.write_json(tmp_path / "config.json", {"a": 1}).read_text()) == {"a": 1}
    assert {path.name for path in tmp_path.iterdir()} == {"runs.parquet", "config.json"}


def test_a_full_disk_leaves_what_was_there(tmp_path):
    path = io.write_json(tmp_path / "config.json", {"a": 1})

    def fill(temporary):
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(UserError, match="no space left"):
        io.write(path, fill)
    assert json.loads(path.read_text()) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_folder_that_cannot_be_made_or_holds_results(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written"):
        run_directory.create(tmp_path / "file" / "run")
    io.write_table(run_directory.create(tmp_path / "run") / "runs.parquet", pd.DataFrame({"run": [0]}))
    with pytest.raises(UserError, match="holds results already"):
        run_directory.create(tmp_path / "run")


def test_the_environment_is_json():
    environment = json.loads(json.dumps(run_directory.environment(["cpu:0"], ["One note."])))
    assert environment["devices"] == ["cpu:0"]
    assert environment["notes"] == ["One note."]
    assert environment["versions"]["jax"]


def test_what_is_no_run_directory_is_one_line(tmp_path):
    with pytest.raises(UserError, match="there is not a run directory"):
        run_directory.read_config(tmp_path / "none")
    with pytest.raises(UserError, match=r"holds no config\.json"):
        run_directory.read_config(tmp_path)
    (tmp_path / "config.json").write_text("[" * 100_000)
    with pytest.raises(UserError, match="cannot be read"):
        run_directory.read_config(tmp_path)
    with pytest.raises(UserError, match=r"holds no runs\.parquet"):
        run_directory.read_table(tmp_path, "runs")
    (tmp_path / "runs.parquet").write_text("no table")
    with pytest.raises(UserError, match=r"runs\.parquet: cannot be read"):
        run_directory.read_table(tmp_path, "runs")

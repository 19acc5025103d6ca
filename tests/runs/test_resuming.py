"""A sweep that is killed goes on where it was, to the same tables; and nothing else is done in its folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import jaxnets
from jaxnets.errors import UserError
from jaxnets.runs import directory as run_directory

ROOT = Path(__file__).parents[2]
SWEEP = ("xor", "--hidden_units=0,2,4,8", "--activation=tanh,relu", "--num_seeds=64", "--num_steps=3000")


def start(*words, **options):
    command = [sys.executable, "run.py", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def parts(folder):
    return sorted((folder / "parts").glob("*.part"))


def stop_after_parts(process, folder, number, count=1):
    deadline = time.monotonic() + 100
    while len(parts(folder)) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, number)
    process.communicate()
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_sweep_that_is_killed_goes_on_to_the_same_tables(tmp_path, number, status):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert stop_after_parts(start(*SWEEP, f"--output={killed}"), killed, number) == status
    done = len(parts(killed))
    assert done >= 1
    other = start(*SWEEP, "--learning_rate=0.5", f"--output={killed}")
    assert "another command began" in other.communicate()[1]
    assert other.returncode == 2
    for folder in (killed, whole):
        process = start(*SWEEP, f"--output={folder}")
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
        assert not (folder / "parts").exists()
    for name in ("runs", "curves"):
        one, two = (pd.read_parquet(folder / f"{name}.parquet") for folder in (killed, whole))
        pd.testing.assert_frame_equal(
            one.drop(columns="seconds", errors="ignore"), two.drop(columns="seconds", errors="ignore"), check_exact=True
        )


XOR = {"dataset": "xor", "num_steps": 5, "batch_size": 0, "progress": False}


def test_what_is_finished_is_not_done_again_and_what_is_not_is_gone_on_with(tmp_path):
    first = jaxnets.sweep(**XOR, output=tmp_path / "run")
    with pytest.raises(UserError, match="holds results already"):
        jaxnets.sweep(**XOR, output=tmp_path / "run")
    (tmp_path / "run" / run_directory.PARTS).mkdir()  # as if it had been killed at its last file
    with pytest.raises(UserError, match=r"another command began .*: num_steps is 5 there, and 6 here"):
        jaxnets.sweep(**{**XOR, "num_steps": 6}, output=tmp_path / "run")
    again = jaxnets.sweep(**XOR, output=tmp_path / "run")
    pd.testing.assert_frame_equal(first.curves, again.curves, check_exact=True)


def test_data_that_have_changed_are_refused(tmp_path):
    text = tmp_path / "texts.tsv"
    text.write_text("".join(f"{label}\tgood film number {n}\n" for n in range(30) for label in ("yes", "no")))
    values = {"dataset": str(text), "model": "dan", "num_steps": 2, "batch_size": 4, "progress": False}
    jaxnets.sweep(**values, output=tmp_path / "run")
    (tmp_path / "run" / run_directory.PARTS).mkdir()
    text.write_text(text.read_text().replace("good film number 7", "film good number 7"))
    with pytest.raises(UserError, match=r"the data 'texts\.tsv' have changed since"):
        jaxnets.sweep(**values, output=tmp_path / "run")


def test_a_folder_in_use_names_its_holder(tmp_path):
    folder = tmp_path / "run"
    with run_directory.lock(folder), pytest.raises(UserError, match=f"is in use by process {os.getpid()} on "):
        jaxnets.sweep(**XOR, output=folder)
    assert len(jaxnets.sweep(**XOR, output=folder).runs) == 1

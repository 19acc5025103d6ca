"""What a sweep writes while it runs."""

import json

import pandas as pd
import pytest

import jaxnets
from jaxnets.errors import UserError
from jaxnets.lab import live, run_directory, session
from jaxnets.lab.live import Live, Pace
from jaxnets.report.progress import Count

XOR = {"dataset": "xor", "hidden_units": 3, "batch_size": 0, "num_steps": 6, "evaluate_every": 3, "progress": False}


class Clock:
    """Seconds that pass only when told."""

    now = 0.0

    def __call__(self):
        return self.now


def progress(directory):
    return json.loads((directory / live.FILE).read_text())


def test_work_takes_a_small_share_of_the_time():
    clock = Clock()
    pace, done = Pace(2.0, 0.02, clock), 0

    def work():
        clock.now += 0.5

    while clock.now < 1000:
        done += pace.run(work)
        clock.now += 0.1
    assert done * 0.5 / clock.now < 0.021
    assert done > 30


def test_a_piece_that_is_due_soon_waits_for_its_share_only():
    clock = Clock()
    pace = Pace(2.0, 0.5, clock)
    assert pace.run(lambda: None, soon=True)

    def work():
        clock.now += 0.5

    assert pace.run(work, soon=True)
    assert not pace.run(work, soon=True)
    clock.now += 1.0
    assert not pace.run(work)
    assert pace.run(work, soon=True)


def test_a_sweep_says_how_far_it_is_and_that_it_is_over(tmp_path, monkeypatch):
    seen = []

    def write_json(path, content, write=live.io.write_json):
        if path.name == live.FILE:
            seen.append(content)
        return write(path, content)

    monkeypatch.setattr(live.io, "write_json", write_json)
    jaxnets.sweep(**XOR, learning_rate=[0.01, 1e30], num_seeds=2, output=tmp_path / "run")
    assert (seen[0]["state"], seen[0]["steps"]) == ("running", 0)
    last = progress(tmp_path / "run")
    assert last == seen[-1]
    assert (last["format"], last["state"], last["stage"]) == (1, "finished", "")
    assert (last["runs"], last["steps"], last["total_steps"]) == (4, 24, 24)
    assert last["runs_ended"] + last["diverged"] >= 4
    assert last["best_dev_accuracy"] > 0


def test_tables_are_written_while_a_sweep_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "Pace", lambda least, share: Pace(0.0, 1e9))  # always due
    written = []

    def write_tables(directory, runs, curves, write=run_directory.write_tables):
        written.append((directory, runs, curves))
        write(directory, runs, curves)

    monkeypatch.setattr(run_directory, "write_tables", write_tables)
    jaxnets.sweep(**XOR, optimizer=["sgd", "adam"], output=tmp_path / "run")
    counts = [len(curves) for _, _, curves in written]
    assert counts == sorted(counts)
    assert counts[0] == 1
    assert counts[-1] == 4
    assert set(written[0][1]["status"]) == {"interrupted"}
    assert len(pd.read_parquet(tmp_path / "run" / "curves.parquet")) == 4


def test_a_stage_has_tables_of_its_own_until_the_work_is_over(tmp_path):
    whole, count = Live(tmp_path), Count(2, 10)
    stage = whole.stage("digits, tuning")
    stage.note(count)
    assert (progress(tmp_path)["stage"], progress(tmp_path)["state"]) == ("digits, tuning", "running")
    table = pd.DataFrame({"run": [0]})
    stage._tables = Pace(0.0, 1.0)
    stage.follow(count, lambda: (table, table))
    assert {path.name for path in (tmp_path / live.STAGE).iterdir()} == {"runs.parquet", "curves.parquet"}
    assert not (tmp_path / "runs.parquet").exists()
    whole.end("finished")
    assert (progress(tmp_path)["stage"], progress(tmp_path)["state"]) == ("", "finished")
    assert [path.name for path in tmp_path.iterdir()] == [live.FILE]


def test_nothing_is_written_without_a_directory():
    nowhere, count = Live(None), Count(1, 1)
    nowhere.note(count)
    nowhere.follow(count, None)
    nowhere.end("finished")


def test_a_sweep_that_fails_says_so(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")
        yield

    monkeypatch.setattr(session, "execute", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        jaxnets.sweep(**XOR, output=tmp_path / "run")
    assert progress(tmp_path / "run")["state"] == "failed"
    with pytest.raises(UserError, match="has not come to an evaluation yet"):
        jaxnets.load(tmp_path / "run")

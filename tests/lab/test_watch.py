"""A run directory watched: while a sweep writes into it, and as it was left."""

import http.client
import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from experiments import watch as command
from jaxnets.errors import UserError
from jaxnets.lab import commandline, live, watch
from jaxnets.lab.watch import Watched

ROOT = Path(__file__).parents[2]
SOON = {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "PYTHONUNBUFFERED": "1"}
COUNT = {
    "label": "sgd",
    "runs": 2,
    "runs_ended": 1,
    "diverged": 0,
    "steps": 15,
    "steps_saved": 0,
    "total_steps": 20,
    "seconds": 1.0,
    "best_dev_accuracy": None,
    "leader": "",
}
RUNS = pd.DataFrame({"run": [0, 1], "optimizer": "sgd", "learning_rate": 0.1, "seed": [0, 1]})
RUNS = RUNS.assign(status=["finished", "interrupted"])
CURVES = pd.DataFrame({"run": [0, 1], "step": [10, 5], "dev_accuracy": [0.5, 0.25], "train_loss": [1.0, 2.0]})


def left(directory, tables=True, **values):
    """A directory as a sweep left it."""
    directory.mkdir(exist_ok=True)
    about = {"format": 1, "state": "running", "stage": "", "process": os.getpid(), "machine": platform.node()}
    (directory / live.FILE).write_text(json.dumps(about | COUNT | values))
    if tables:
        for name, table in (("runs", RUNS), ("curves", CURVES)):
            table.to_parquet(directory / f"{name}.parquet")
    return Watched(directory)


def dead():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_state_is_what_the_files_tell(tmp_path):
    nothing = Watched(tmp_path / "none")
    assert nothing.view().state == "waiting"
    assert nothing.view().share == 0
    running = left(tmp_path / "running").view()
    assert (running.state, running.share, len(running.runs), len(running.curves)) == ("running", 0.75, 2, 2)
    assert left(tmp_path / "early", tables=False).view().state == "running"
    for state in ("finished", "interrupted"):
        assert left(tmp_path / state, state=state, process=dead()).view().state == state
    assert left(tmp_path / "failed", state="failed").view().state == "gone"
    assert left(tmp_path / "dead", process=dead()).view().state == "gone"
    assert left(tmp_path / "elsewhere", process=dead(), machine="another").view().state == "running"
    (tmp_path / "dead" / live.FILE).unlink()  # as an older version leaves it
    assert Watched(tmp_path / "dead").view().state == "finished"


def test_tables_are_read_again_when_they_have_changed(tmp_path, monkeypatch):
    watched = left(tmp_path)
    first = watched.view()
    monkeypatch.setattr(pd, "read_parquet", None)  # nothing is read twice
    assert watched.view().runs is first.runs
    monkeypatch.undo()
    RUNS.iloc[:1].to_parquet(tmp_path / "runs.parquet")
    second = watched.view()
    assert len(second.runs) == 1
    assert second.version != first.version


def test_a_stage_shows_its_own_tables(tmp_path):
    watched = left(tmp_path, stage="digits, tuning")
    assert watched.view().runs.empty
    (tmp_path / live.STAGE).mkdir()
    for name, table in (("runs", RUNS.iloc[:1]), ("curves", CURVES)):
        table.to_parquet(tmp_path / live.STAGE / f"{name}.parquet")
    assert len(watched.view().runs) == 1


def test_a_foreign_file_is_one_line(tmp_path):
    (tmp_path / live.FILE).write_text('{"format": 7}')
    with pytest.raises(UserError, match="has the format 7; this version reads 1"):
        Watched(tmp_path).view()
    (tmp_path / live.FILE).write_text("no JSON")
    with pytest.raises(UserError, match="cannot be read"):
        Watched(tmp_path).view()


def test_it_follows_until_the_sweep_is_over(tmp_path):
    console, looks = Console(width=100), []

    def sleep(seconds):
        looks.append(seconds)
        left(tmp_path / "run", state="finished" if len(looks) == 2 else "running")

    views = list(watch.views(Watched(tmp_path / "run"), 3.0, sleep))
    assert [view.state for view in views] == ["waiting", "running", "finished"]
    assert looks == [3.0, 3.0]
    with console.capture() as captured:
        watch.follow(Watched(tmp_path / "run"), console)
    assert "Finished." in captured.get()
    assert "The best 2 of 2 runs on dev" in captured.get()


def test_on_a_terminal_the_picture_changes(tmp_path):
    left(tmp_path, state="interrupted")
    console = Console(width=200, height=20, force_terminal=True)
    with console.capture() as captured:
        watch.follow(Watched(tmp_path), console)
    assert "Interrupted by the user" in captured.get()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "watch takes one run directory, not 0"),
        (["a", "b"], "watch takes one run directory, not 2"),
        (["a", "--once", "--serve"], "once: "),
        (["a", "--serve", "--port=many"], "port: 'many' is not a whole number"),
        (["a", "--prot=1"], "prot: there is no such flag. Did you mean 'port'"),
    ],
)
def test_a_mistake_is_one_line(arguments, part, capsys):
    assert commandline.main(command.EXPERIMENT, ["watch", *arguments]) == 2
    error = capsys.readouterr().err
    assert part in error
    assert len(error.splitlines()) == 1


def test_ctrl_c_ends_the_watching_with_130(tmp_path, monkeypatch):
    def press(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "follow", press)
    assert commandline.main(command.EXPERIMENT, ["watch", str(tmp_path)]) == 130


def begin(*arguments):
    """Starts the program; it hears Ctrl-C even if the tests were started where that is ignored, as behind a `&`."""
    command, environment = [sys.executable, "run.py", *arguments], os.environ | SOON
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def asked(port, path="/state.json", host=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def until(port, state, has=lambda view: True):
    """The view, when the sweep has come to a state."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        view = json.loads(asked(port)[1])
        if view["state"] == state and has(view):
            return view
        time.sleep(0.2)
    raise AssertionError(view)


@pytest.mark.slow
def test_a_sweep_is_watched_from_its_start_to_its_end(tmp_path):
    output = tmp_path / "run"
    server = begin("watch", str(output), "--serve", "--port=0")
    try:
        port = int(server.stdout.readline().split("http://127.0.0.1:")[1].split("/")[0])
        assert json.loads(asked(port)[1])["state"] == "waiting"
        assert "<progress" in asked(port, "/")[1]
        assert asked(port, host=f"evil.example:{port}")[0] == 403
        flags = ("--num_epochs=100000", "--hidden_units=8", "--optimizer=sgd", "--num_seeds=2", "--keep=none")
        sweep = begin("train", *flags, f"--output={output}")
        try:
            view = until(port, "running", lambda view: view["rows"] and view["share"] > 0)
            assert view["share"] < 1
            assert [row[view["columns"].index("status")] for row in view["rows"]] == ["running", "running"]
            assert len(view["pictures"]) == 2
            sweep.send_signal(signal.SIGINT)
            assert sweep.wait(120) == 130
        finally:
            sweep.kill()
        assert len(until(port, "interrupted")["rows"]) == 2
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 130
    finally:
        server.kill()
    assert json.loads((output / live.FILE).read_text())["state"] == "interrupted"

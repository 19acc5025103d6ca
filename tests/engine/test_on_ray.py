"""On Ray's workers a sweep gives the tables of one machine, whoever dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from jaxnets.cli import main as cli

ROOT = Path(__file__).parents[2]
SWEEP = ("train", "--optimizer=sgd,adam", "--num_seeds=12", "--hidden_units=32", "--evaluate_every=23", "--select=best")


def start(folder, *flags, epochs=40):
    command = [sys.executable, "run.py", *SWEEP, f"--num_epochs={epochs}", f"--output={folder}", *flags]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(folder, *flags, **options):
    process = start(folder, *flags, **options)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    return tables(folder)


def tables(folder):
    both = [pd.read_parquet(folder / f"{name}.parquet") for name in ("runs", "curves")]
    return [table.drop(columns="seconds", errors="ignore") for table in both]


def assert_same_tables(one, other):
    for pair in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(*pair, check_exact=True)


def model_of(folder):
    return (folder / "checkpoint" / "model.json").read_text()


def descendants(pid):
    """The processes that a process has started, and these in turn, with their command lines."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found, last = {}, {pid}
    while last := {child for child, parent in parents.items() if parent in last}:
        for child in last:
            try:
                found[child] = (Path("/proc") / str(child) / "cmdline").read_text()
            except OSError:
                continue
    return found


def is_alive(pid):
    """Whether a process runs; one that has ended may stay listed until its parent asks for its status."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, process, seconds=400):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def training(pid):
    """The workers that a driver has started and that train now."""
    return [one for one, command in descendants(pid).items() if command.startswith("ray::train")]


def num_parts(folder):
    return len(list((folder / "parts").glob("*.part")))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    pytest.importorskip("ray")
    folder = tmp_path_factory.mktemp("alone") / "run"
    return finish(folder), model_of(folder)


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [1, 2, 4])
def test_any_number_of_workers_gives_the_tables_of_one_machine(num_workers, alone, tmp_path):
    found = finish(tmp_path / "run", "--cluster=local", f"--num_devices={num_workers}")
    assert_same_tables(found, alone[0])
    assert model_of(tmp_path / "run") == alone[1]


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_nothing(alone, tmp_path):
    folder = tmp_path / "run"
    process = start(folder, "--cluster=local", "--num_devices=2")
    wait_for(lambda: num_parts(folder) >= 2, process)
    os.kill(wait_for(lambda: training(process.pid), process)[0], signal.SIGKILL)
    output = process.communicate()[0]
    assert process.returncode == 0, output
    assert_same_tables(tables(folder), alone[0])


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_the_same_command_goes_on_where_a_driver_was_killed(number, status, alone, tmp_path):
    folder = tmp_path / "run"
    process = start(folder, "--cluster=local", "--num_devices=2")
    wait_for(lambda: num_parts(folder) >= 2, process)
    # one of them may be between two chunks
    workers = wait_for(lambda: found if len(found := training(process.pid)) == 2 else None, process)
    os.kill(process.pid, number)
    assert process.wait(120) == status
    deadline = time.monotonic() + 120
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, workers))
    done = num_parts(folder)
    assert done >= 2
    # goes on with other workers, and with none
    found = finish(folder, *(() if number == signal.SIGINT else ("--cluster=local", "--num_devices=1")))
    assert_same_tables(found, alone[0])
    assert model_of(folder) == alone[1]


@pytest.mark.slow
def test_the_script_for_one_machine_works(tmp_path):
    pytest.importorskip("ray")
    quick = ["--num_devices=2", "--num_seeds=2", "--num_epochs=1", "--learning_rate=0.01", "--final_seeds=2"]
    done = subprocess.run(
        ["bash", "docs/cluster/one_machine.sh", *quick],
        cwd=ROOT,
        env={**os.environ, "OUTPUT": str(tmp_path / "run")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "report.html").exists()


GUEST = """
import sys
from jaxnets.models.mlp import MLP

class Net(MLP):
    def __call__(self, inputs, *, train=False):
        if "default_worker" in sys.argv[0]:
            raise ValueError("not in a worker")
        return super().__call__(inputs, train=train)
"""


@pytest.mark.slow
def test_a_mistake_in_a_worker_is_one_line(tmp_path):
    pytest.importorskip("ray")
    (tmp_path / "my_guest.py").write_text(GUEST)
    command = [sys.executable, "run.py", "train", "--model=my_guest:Net", "--num_steps=5", "--cluster=local"]
    done = subprocess.run(
        [*command, "--num_devices=2", f"--output={tmp_path / 'run'}"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == cli.USER_ERROR_STATUS, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: model: 'Net' fails with ValueError: not in a worker")


@pytest.mark.slow
def test_from_python(tmp_path):
    pytest.importorskip("ray")
    code = (
        "import jaxnets\n"
        "values = dict(dataset='digits', hidden_units=16, num_seeds=8, num_steps=40, progress=False)\n"
        "one = jaxnets.sweep(**values, cluster='local', num_devices=2)\n"
        "two = jaxnets.sweep(**values)\n"
        "assert one.curves.equals(two.curves)\n"
        "print(one.devices[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 workers of Ray" in done.stdout

"""The program as its users meet it."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import MappingProxyType

import pandas as pd
import pytest

import jaxnets
from jaxnets.cli import main
from jaxnets.experiments import train
from jaxnets.runs.experiment import Command

ROOT = Path(__file__).parents[2]
SOON = MappingProxyType({"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"})  # compiles in less time
QUICK = ["--num_epochs=2", "--hidden_units=8", "--num_seeds=2", "--learning_rate=0.01,0.1", "--final_seeds=2"]


def start(*arguments, cwd=ROOT, env=SOON, **kwargs):
    environment = {**os.environ, "COLUMNS": "100"} | env
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300, env=environment, **kwargs
    )


def said(*arguments):
    """The status of the program, run in this process, and what it printed on either stream."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main.main(["run.py", *map(str, arguments)])
    return status, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """The main job in small: what it printed, and its run directory."""
    output = tmp_path_factory.mktemp("results") / "run"
    status, out, err = said(*QUICK, "--num_devices=2", f"--output={output}")
    assert status == 0, err
    return (out, err), output


def test_the_main_job_prints_a_table_and_fills_its_directory(compared):
    (out, err), output = compared
    assert all(optimizer in out for optimizer in ("sgd", "momentum", "adam"))
    assert "12/12 runs" in err  # plain lines where there is no terminal
    assert "\x1b" not in err
    names = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    figures = {
        f"figures/{name}.png" for name in ("accuracy_over_learning_rate", "dev_accuracy", "profiles", "training_loss")
    }
    records = {f"{name}.json" for name in ("checksums", "config", "environment", "comparison")}
    tables = {f"{name}.parquet" for name in ("runs", "curves", "predictions")}
    assert names == {"report.html"} | records | tables | figures
    status, _, error = said(*QUICK, "--num_devices=2", f"--output={output}")
    assert status == 2
    assert "holds results already" in error


def test_the_tables_have_the_columns_that_are_promised(compared):
    runs, curves = (pd.read_parquet(compared[1] / f"{name}.parquet") for name in ("runs", "curves"))
    metrics = {f"{split}_{metric}" for split in ("train", "dev", "test") for metric in ("loss", "accuracy")}
    flags = {"optimizer", "learning_rate", "schedule", "initializer", "seed", "hidden_units", "batch_size", "momentum"}
    assert metrics | flags | {"status", "best_dev_accuracy", "best_step", "seconds"} <= set(runs.columns)
    assert runs["phase"].value_counts().to_dict() == {"tuning": 3 * 2 * 2, "final": 3 * 2}
    assert len(curves) == len(runs) * 2
    assert (runs["status"] == "finished").all()
    assert runs["seconds"].gt(0).all()
    best = curves.groupby("run")["dev_accuracy"].max()
    assert (runs.set_index("run")["best_dev_accuracy"] == best).all()


@pytest.mark.slow
def test_a_configuration_repeats_its_run(compared, tmp_path):
    output = tmp_path / "again"
    process = start("run.py", f"--config={compared[1] / 'config.json'}", f"--output={output}")
    assert process.returncode == 0, process.stderr
    again, first = (pd.read_parquet(path / "curves.parquet") for path in (output, compared[1]))
    pd.testing.assert_frame_equal(again, first, check_exact=True)
    recorded = [json.loads((path / "config.json").read_text()) for path in (output, compared[1])]
    assert recorded[0] == recorded[1]
    assert recorded[0]["experiment"] == "compare_optimizers"


@pytest.mark.slow
def test_one_device_gives_the_same_bits_as_two(compared, tmp_path):
    process = start("run.py", *QUICK, "--num_devices=1", "--optimizer=sgd", f"--output={tmp_path / 'one'}")
    assert process.returncode == 0, process.stderr
    one, two = (pd.read_parquet(path / "curves.parquet") for path in (tmp_path / "one", compared[1]))
    assert one["run"].nunique() == 4 + 2
    both = (table[table["run"] < 4].reset_index(drop=True) for table in (one, two))
    pd.testing.assert_frame_equal(*both, check_exact=True)


@pytest.mark.slow
def test_an_experiment_is_a_program_of_its_own(tmp_path):
    arguments = [
        "--dataset=xor",
        "--optimizer=adam",
        "--hidden_units=2",
        "--learning_rate=0.1",
        "--batch_size=0",
        "--num_seeds=4",
        "--num_steps=20",
        "--evaluate_every=10",
    ]
    outputs = []
    for name, program in (("a", ["run.py", "train"]), ("b", ["-m", "jaxnets", "train"])):
        process = start(*program, *arguments, f"--output={tmp_path / name}")
        assert process.returncode == 0, process.stderr
        outputs.append(process.stdout.replace(str(tmp_path / name), ""))
    assert outputs[0] == outputs[1] != ""
    tables = [(tmp_path / name / "curves.parquet").read_bytes() for name in ("a", "b")]
    assert tables[0] == tables[1]


def test_help_lists_experiments_and_flags():
    status, overview, _ = said("--help")
    assert status == 0
    assert all(name in overview for name in ("compare_optimizers", "train", "xor"))
    status, flags, _ = said("xor", "--help")
    assert status == 0
    assert all(f"--{name}" in flags for name in ("learning_rate", "hidden_units", "b1", "num_seeds", "config"))
    assert said("--version")[1] == f"jaxnets {jaxnets.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["compare_optimisers"], "Did you mean 'compare_optimizers'"),
        (["xor", "--hiden_units=3"], "hiden_units: there is no such flag. Did you mean 'hidden_units'"),
        (["--optimizer=adm"], "Did you mean 'adam'"),
        (["--model=mpl"], "Did you mean 'mlp'"),
        (["--dataset=digit"], "Did you mean 'digits'"),
        (["--dataset=math:pi"], "not a function"),
        (["--dataset=math:sqrt"], "dataset"),
        (["--activation=rellu"], "Did you mean"),
        (["--optimizer=sgd", "--b1=0.9"], "optimizer=sgd has no 'b1'"),
        (["--learning_rate=-1"], "-1.0 is below 0"),
        (["--learning_rate=fast"], "'fast' is not a number"),
        (["--warmup_steps="], "the value is empty"),
        (["--learning_rate=log:0:1:3"], "not above 0"),
        (["--batch_size=100000"], "larger than the 1437 training examples"),
        (["--head=sigmoid"], "two classes, and there are 10"),
        (["--output=/dev/null/run"], "cannot be written"),
        (["--config=no/such.json"], "cannot be read"),
        (["--platform=gpuu"], "Did you mean 'gpu'"),
        (["train", "more"], "'more' is not a flag"),
    ],
)
def test_a_mistake_is_one_line_and_status_two(arguments, part, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    if "--num_devices" not in str(arguments):
        arguments = [*arguments, "--num_devices=2"]  # those that the tests have set up
    assert main.main(["run.py", *arguments]) == 2
    printed = capfd.readouterr()
    assert part in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""
    assert list(tmp_path.iterdir()) == []


def test_the_program_ends_with_status_two_and_no_traceback():
    process = start("run.py", "--optimizer=adm")
    assert process.returncode == 2
    (line,) = process.stderr.splitlines()
    assert "Did you mean 'adam'" in line


def test_debug_shows_the_traceback_of_any_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments in (["xor", "--debug", "--optimizer=adm"], ["reproduce", "a", "b", "--debug"]):
        assert main.main(["run.py", *arguments]) == 2
        first, *_, last = capsys.readouterr().err.splitlines()
        assert first.startswith("Traceback")
        assert last.startswith("error: ")


@pytest.mark.parametrize(
    ("error", "status", "part"),
    [
        (KeyError("column"), 1, "error: KeyError: 'column' ("),
        (MemoryError(), 2, "error: memory: there is not enough"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory"), 2, "error: memory: there is not enough"),
    ],
)
def test_what_nobody_foresaw_is_one_line_too(error, status, part, capsys):
    def fails(arguments):
        raise error

    assert main.run(Command(name="fails", about="Fails.", run=fails), ["fails"]) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(part)
    assert status == 2 or line.endswith("--debug shows where it arose.")


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("inputs[3, 1] = np.nan", "train, row 3"),
        ("labels[5] = 7", "row 5: label 7"),
    ],
)
def test_bad_data_are_named_by_row(body, part, tmp_path, monkeypatch, capsys):
    (tmp_path / "my_bad_data.py").write_text(
        "import numpy as np\n"
        "from jaxnets.data.dataset import Dataset, Split\n"
        "def load():\n"
        "    inputs, labels = np.zeros((9, 2), np.float32), np.zeros(9, np.int32)\n"
        f"    {body}\n"
        "    split = Split(inputs, labels)\n"
        "    return Dataset('mine', split, split, split, ('a', 'b'))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "my_bad_data", raising=False)
    assert main.run(train.EXPERIMENT, ["train", "--dataset=my_bad_data:load", "--num_devices=2"]) == 2
    error = capsys.readouterr().err
    assert part in error
    assert len(error.splitlines()) == 1


def test_an_interruption_keeps_what_was_finished(tmp_path):
    output = tmp_path / "run"
    command = [
        sys.executable,
        "run.py",
        "--num_epochs=100000",
        "--checkpoint_every=1",
        "--hidden_units=8",
        f"--output={output}",
        "--optimizer=sgd",
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | SOON, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 120
    while not list(output.glob("parts/*/*.records")) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    runs, curves = (pd.read_parquet(output / f"{name}.parquet") for name in ("runs", "curves"))
    assert set(runs["status"]) == {"interrupted"}
    assert len(curves) > 0
    assert curves["dev_loss"].notna().all()

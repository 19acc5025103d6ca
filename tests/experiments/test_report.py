"""The reports of run directories, made again and compared."""

import json
import shutil

import pytest

import jaxnets
from jaxnets.cli import main as cli
from jaxnets.comparison.table import read
from jaxnets.experiments import compare_optimizers, report
from jaxnets.runs import directory as run_directory
from jaxnets.runs import protocol, train
from jaxnets.runs.experiment import configure
from tests.by_hand import may_be_changed

XOR = {"dataset": "xor", "num_steps": 6, "hidden_units": 4, "evaluate_every": 3, "batch_size": 2, "progress": False}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two directories of the same runs, the second said to be of another commit."""
    folder = tmp_path_factory.mktemp("runs")
    axes = {"learning_rate": [0.01, 0.1], "optimizer": ["sgd", "adam"], "num_seeds": 3}
    jaxnets.sweep(**XOR, **axes, output=folder / "a <b>")
    may_be_changed(shutil.copytree(folder / "a <b>", folder / "b"))
    environment = json.loads((folder / "b" / "environment.json").read_text())
    (folder / "b" / "environment.json").write_text(json.dumps(environment | {"git_commit": "0123abc"}))
    return folder


def test_the_report_is_made_again(runs, capsys):
    assert cli.run(report.EXPERIMENT, ["report", str(runs / "b")]) == 0
    assert capsys.readouterr().out.endswith(f"Report: {runs / 'b' / 'report.html'}\n")
    assert "<!doctype html>" in (runs / "b" / "report.html").read_text()[:200].lower()
    assert list((runs / "b" / "figures").glob("*.png"))


def test_directories_are_compared(runs, capsys, monkeypatch):
    monkeypatch.setattr(report, "write", lambda directory, console: None)  # it is tested above
    output = runs / "out"
    names = [str(runs / "a <b>"), str(runs / "b")]
    assert cli.run(report.EXPERIMENT, ["report", *names, f"--output={output}"]) == 0
    printed = capsys.readouterr().out
    assert "0123abc" in printed
    assert "sgd" in printed
    page = (output / "report.html").read_text()
    assert "a &lt;b&gt;" in page
    assert "a <b>" not in page


@pytest.mark.parametrize(
    ("axis", "name"),
    [
        ({"learning_rate": [0.01, 0.1]}, "learning_rate 0.01"),
        pytest.param({"batch_size": [2, 4]}, "batch_size 2", marks=pytest.mark.slow),
        pytest.param({"optimizer": "momentum", "nesterov": [False, True]}, "nesterov True", marks=pytest.mark.slow),
        pytest.param({"gradient_clip": [None, 1.0]}, "adam", marks=pytest.mark.slow),
        ({"num_steps": [6, 9], "search": "halving", "learning_rate": jaxnets.log_range(0.01, 1), "num_trials": 9}, "6"),
    ],
)
def test_whatever_varies_there_is_a_report(axis, name, tmp_path, capsys):
    jaxnets.sweep(**{**XOR, **axis}, num_seeds=2, output=tmp_path / "run")
    assert cli.run(report.EXPERIMENT, ["report", str(tmp_path / "run")]) == 0
    assert name in capsys.readouterr().out
    assert name in (tmp_path / "run" / "report.html").read_text()


def test_of_an_interrupted_comparison_whole_tasks_are_reported(tmp_path, capsys, monkeypatch):
    values = {"tasks": ["wine", "spirals"], "optimizer": ["sgd", "adam"], "learning_rate": [0.01, 0.1]}
    small = {"num_seeds": 1, "final_seeds": 2, "num_train": 80, "num_steps": 4, "output": str(tmp_path / "run")}
    config = configure(compare_optimizers.EXPERIMENT, {**values, **small})
    wine, spirals = protocol.parts(config, config.options["tasks"])
    directory = tmp_path / "run"
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(run_directory.configuration("compare_optimizers", config)))
    (directory / "environment.json").write_text("{}")

    def interrupted(sweep, *_, **__):
        if sweep.folds[0].name == "spirals":
            raise KeyboardInterrupt
        return carry_out(sweep, None, None)

    carry_out = train.carry_out
    monkeypatch.setattr(train, "carry_out", interrupted)
    contest = protocol.Contest("optimizer", config.options["final_seeds"])
    with pytest.raises(KeyboardInterrupt):
        protocol.carry_out(config, contest, [wine, spirals], None, directory, writes=True)
    assert cli.run(report.EXPERIMENT, ["report", str(directory)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "wine" in printed
    assert "Interrupted; unfinished tasks are left out: spirals." in printed
    assert read(directory).unfinished == ("spirals",)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ([], "report takes one run directory or several"),
        (["none"], "there is not a run directory 'none'"),
        (["none", "./none"], "one of them is given twice"),
    ],
)
def test_a_mistake_is_one_line(arguments, part, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(report.EXPERIMENT, ["report", *arguments]) == 2
    error = capsys.readouterr().err
    assert part in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []

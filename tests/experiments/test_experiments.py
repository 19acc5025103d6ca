"""The experiments' reports, on tables of runs that never were."""

import importlib
import io
import pkgutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import experiments
from jaxnets.config.config import Config
from jaxnets.lab import commandline
from jaxnets.lab.session import Results


def results(directory: Path, runs: pd.DataFrame) -> Results:
    curves = pd.DataFrame({"run": runs["run"], "step": 10, "train_loss": 0.5, "dev_accuracy": 0.5})
    return Results(Config(), runs, curves, directory=directory)


def table(num_solved: int, num_runs: int, status: str = "finished") -> pd.DataFrame:
    accuracy = np.where(np.arange(num_runs) < num_solved, 1.0, 0.75)
    metrics = {f"{split}_{metric}": accuracy for split in ("train", "dev", "test") for metric in ("loss", "accuracy")}
    head = {"run": np.arange(num_runs), "hidden_units": "2", "activation": "tanh", "optimizer": "adam"}
    return pd.DataFrame(head | {"learning_rate": 0.1, "seed": np.arange(num_runs), "status": status} | metrics)


def report(name: str, directory: Path, runs: pd.DataFrame) -> str:
    console = Console(file=io.StringIO(), width=100)
    importlib.import_module(f"experiments.{name}").report(results(directory, runs), console)
    return console.file.getvalue()


@pytest.mark.parametrize("name", ["compare_optimizers", "train"])
def test_reports_draw_their_figures(tmp_path, name):
    text = report(name, tmp_path, table(2, 4))
    assert (tmp_path / "figures" / "learning_curves.png").exists()
    assert "learning_curves.svg" in text


MODULES = sorted(module.name for module in pkgutil.iter_modules(experiments.__path__))


@pytest.mark.parametrize("name", MODULES)
def test_an_experiment_is_short_and_its_defaults_can_be_planned(name):
    from jaxnets.engine.runs import runs

    module = importlib.import_module(f"experiments.{name}")
    assert module.CLAIM.endswith(".")
    assert len(Path(module.__file__).read_text().splitlines()) <= 180
    if hasattr(module, "DEFAULTS"):
        assert runs(commandline.parse(module, []))


MISTAKES = {
    "xor --dataset=ngrams --model=dan --hidden_units=0": "'ngrams' has texts; this experiment takes features.",
    "negation --dataset=digits --model=mlp": "dataset: 'digits' has features; this experiment takes texts.",
    "computing_gradients --activation=relu": "activation: the gradient is derived by hand for 'tanh' alone.",
    "building_blocks --widths=0": "widths: 0 is below 1.",
    "word_order --num_sentences=101": "num_sentences: 101 is odd",
}


@pytest.mark.parametrize("flags", MISTAKES)
def test_what_an_experiment_is_not_made_for_is_one_line(flags, tmp_path, capsys):
    name, *rest = flags.split()
    output = tmp_path / "run"
    assert commandline.launch(experiments, ["run.py", name, *rest, f"--output={output}"], "") == 2
    error = capsys.readouterr().err
    assert MISTAKES[flags] in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_the_main_job_is_as_large_as_the_readme_says():
    from jaxnets.engine.runs import runs

    module = importlib.import_module("experiments.compare_optimizers")
    assert len(runs(Config.from_texts(module.DEFAULTS))) == 216

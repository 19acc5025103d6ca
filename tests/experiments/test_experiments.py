"""The experiments' reports, on tables of runs that never were."""

import importlib
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from jaxnets.config import Config
from jaxnets.experiment import Results


def results(directory: Path, runs: pd.DataFrame) -> Results:
    curves = pd.DataFrame({"run": runs["run"], "step": 10, "train_loss": 0.5, "dev_accuracy": 0.5})
    return Results(Config(), directory, runs, curves, False, 1, 1.0)


def table(num_solved: int, num_runs: int, status: str = "finished") -> pd.DataFrame:
    accuracy = np.where(np.arange(num_runs) < num_solved, 1.0, 0.75)
    metrics = {f"{split}_{metric}": accuracy for split in ("train", "dev", "test") for metric in ("loss", "accuracy")}
    head = {"run": np.arange(num_runs), "hidden_units": "2", "activation": "tanh", "optimizer": "adam"}
    return pd.DataFrame(head | {"learning_rate": 0.1, "seed": np.arange(num_runs), "status": status} | metrics)


def report(name: str, directory: Path, runs: pd.DataFrame) -> str:
    console = Console(file=io.StringIO(), width=100)
    importlib.import_module(f"experiments.{name}").report(results(directory, runs), console)
    return console.file.getvalue()


@pytest.mark.parametrize(("solved", "shown"), [(0, "0.000"), (3, "0.750"), (4, "1.000")])
def test_xor_shows_the_share_of_seeds_that_solve_it(tmp_path, solved, shown):
    text = report("xor", tmp_path, table(solved, 4))
    (row,) = [line.split() for line in text.splitlines() if "tanh" in line]
    assert row[:3] == ["2", "tanh", shown]
    assert row[-1] == "4"


def test_xor_leaves_runs_out_that_have_not_ended(tmp_path):
    runs = pd.concat([table(2, 2), table(0, 2, "interrupted").assign(run=[2, 3])])
    (row,) = [line.split() for line in report("xor", tmp_path, runs).splitlines() if "tanh" in line]
    assert row[2] == "1.000"
    assert row[-1] == "2"


@pytest.mark.parametrize("name", ["compare_optimizers", "train"])
def test_reports_draw_their_figures(tmp_path, name):
    text = report(name, tmp_path, table(2, 4))
    assert (tmp_path / "figures" / "learning_curves.png").exists()
    assert "learning_curves.svg" in text


NUM_RUNS = {"compare_optimizers": 216, "text_classification": 10, "train": 1, "xor": 3072}


@pytest.mark.parametrize("name", NUM_RUNS)
def test_an_experiment_is_a_claim_and_defaults_that_can_be_planned(name):
    from jaxnets.sweep.table import runs

    module = importlib.import_module(f"experiments.{name}")
    assert module.CLAIM.endswith(".")
    assert len(runs(Config.from_texts(module.DEFAULTS))) == NUM_RUNS[name]
    assert len(Path(module.__file__).read_text().splitlines()) <= 100

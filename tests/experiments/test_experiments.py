"""What all experiments have in common: their form, their reports, and what they refuse."""

import importlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from jaxnets import experiments
from jaxnets.cli import flags
from jaxnets.cli import main as cli
from jaxnets.config.config import Config
from jaxnets.engine.table import runs
from jaxnets.runs.experiment import Command, Experiment, configure
from jaxnets.runs.results import Results

NAMES = sorted(cli.sentences())


def experiment_of(name):
    return importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_is_short_and_its_defaults_can_be_planned(name):
    experiment = experiment_of(name)
    source = (Path(experiments.__path__[0]) / f"{name}.py").read_text()
    assert len(source.splitlines()) <= 250
    assert not re.search(r"# fmt:|^ +(import|from) ", source, re.MULTILINE)
    assert experiment.name == name
    assert experiment.about.endswith(".")
    if isinstance(experiment, Experiment):
        assert runs(configure(experiment, {}))
        assert flags.parse(experiment, []) == configure(experiment, {})
    else:
        assert isinstance(experiment, Command)


def results_of(directory, accuracies, status="finished"):
    """Results of runs that never were."""
    metrics = {f"{split}_{metric}": accuracies for split in ("train", "dev", "test") for metric in ("loss", "accuracy")}
    head = {"run": range(len(accuracies)), "optimizer": "adam", "learning_rate": 0.1, "seed": range(len(accuracies))}
    table = pd.DataFrame({**head, "status": status, **metrics})
    curves = pd.DataFrame({"run": table["run"], "step": 10, "train_loss": 0.5, "dev_accuracy": 0.5})
    return Results(Config(), table, curves, directory=directory)


@pytest.mark.parametrize("status", ["finished", "diverged"])
def test_the_report_draws_its_figure(tmp_path, status):
    console = Console(file=io.StringIO(), width=100)
    accuracies = [0.5, 1.0] if status == "finished" else [np.nan, np.nan]
    experiment_of("train").report(results_of(tmp_path, accuracies, status), console)
    assert (tmp_path / "figures" / "learning_curves.png").exists()
    assert "learning_curves.png" in console.file.getvalue()


MISTAKES = {
    "xor --dataset=ngrams --model=dan --hidden_units=0": "'ngrams' has text; this experiment takes features.",
    "negation --dataset=digits --model=mlp": "dataset: 'digits' has features; this experiment takes text.",
    "text_classification --dataset=digits --model=mlp": "dataset: 'digits' has features; this experiment takes text.",
    "computing_gradients --activation=relu": "activation: ",
    "building_blocks --widths=0": "widths: there is no size; give one or several that differ.",
    "building_blocks --widths=3x3": "widths: 3x3 has a size twice",
    "building_blocks --dim=100001": "dim: 100001 is above 100000.",
    "word_order --num_sentences=101": "num_sentences: 101 is odd",
    "unseen_ngrams --phrases=good": "phrases: give a phrase",
    "unseen_ngrams --order=99 --num_sentences=60 --num_train=20": "order: 99 words are more than the longest",
    "xor --dataset=wine --head=softmax": "dataset: this experiment draws patterns",
    "schedules --dataset=tests.guests:circle --hidden_units=2000000x2000000": "model: 'MLP' of 4,000,0",
    "word_order --distances=9": "distance: 9 is not from 1 to 4.",
    "initialization --constant=math:pi": "initializer: 'math:pi' is a float, not a function.",
    "dan_vs_naive_bayes --model=dan,text_cnn": "model: one model is compared with Naive Bayes",
    "local_optima --model=mlp,tests.guests:WaveNet": "model: solutions of one model and head are compared",
}


@pytest.mark.parametrize("flags", MISTAKES)
def test_what_an_experiment_is_not_made_for_is_one_line(flags, tmp_path, capsys):
    name, *rest = flags.split()
    output = tmp_path / "run"
    assert cli.main(["run.py", name, *rest, f"--output={output}"]) == 2
    error = capsys.readouterr().err
    assert MISTAKES[flags] in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_the_main_job_is_as_large_as_the_readme_says():
    assert len(runs(configure(experiment_of("compare_optimizers"), {}))) == 216

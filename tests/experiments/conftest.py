"""Experiments in small: a real run of one, in this process, and its repetition from its own `config.json`."""

import importlib
import io

import pandas as pd
import pytest
from rich.console import Console

from jaxnets.cli import flags
from jaxnets.engine.sweep import prepare
from jaxnets.runs import train
from jaxnets.runs.experiment import configure
from jaxnets.runs.experiment import run as carry_out


@pytest.fixture
def tiny(tmp_path):
    """From an experiment's name and values to its finding, its results, and what the console shows."""

    def run(name, **values):
        experiment = importlib.import_module(f"jaxnets.experiments.{name}").EXPERIMENT
        config = configure(experiment, {**values, "output": str(tmp_path / name)})
        console = Console(file=io.StringIO(), width=120)
        results, finding = carry_out(experiment, config, console, progress=None)
        for picture in finding.pictures:
            assert (results.directory / "figures" / f"{picture}.svg").stat().st_size > 1000
        assert finding.tables
        assert all(len(table) for table in finding.tables.values())
        check_repetition(experiment, results)
        return finding, results, console.file.getvalue()

    return run


def check_repetition(experiment, results):
    """The sweep that `config.json` asks for gives the same tables; its programs are still compiled."""
    again = flags.parse(experiment, [f"--config={results.directory / 'config.json'}", "--trust"])
    assert again == results.config.changed(output=None)
    if experiment.trains:
        repeated = train.carry_out(prepare(again), directory=None, console=None)
        for name in ("runs", "curves"):
            first, second = (getattr(of, name).drop(columns="seconds", errors="ignore") for of in (results, repeated))
            pd.testing.assert_frame_equal(first, second, check_exact=True)

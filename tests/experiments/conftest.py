"""Experiments in small: a real run of one, in this process."""

import importlib
import io

import pytest
from rich.console import Console

from jaxnets.lab import runner
from jaxnets.lab.experiment import configure


@pytest.fixture
def tiny(tmp_path):
    """From an experiment's name and values to its finding, its results, and what the console shows."""

    def run(name, **values):
        experiment = importlib.import_module(f"experiments.{name}").EXPERIMENT
        config = configure(experiment, {**values, "output": str(tmp_path / name)})
        console = Console(file=io.StringIO(), width=120)
        results, finding = runner.run(experiment, config, console, progress=None)
        for picture in finding.pictures:
            assert (results.directory / "figures" / f"{picture}.svg").stat().st_size > 1000
        assert finding.tables
        assert all(len(table) for table in finding.tables.values())
        return finding, results, console.file.getvalue()

    return run

"""Claims in small: a real run of an experiment, in this process."""

import importlib
import io

import pytest
from rich.console import Console

from jaxnets.lab import claims, commandline
from jaxnets.lab import session as experiment


@pytest.fixture
def tiny(tmp_path):
    """From an experiment's name and flags to its finding, its results, and what the console shows."""

    def run(name, **flags):
        module = importlib.import_module(f"experiments.{name}")
        arguments = [f"--{flag}={text}" for flag, text in flags.items()]
        config = commandline.parse(module, [*arguments, f"--output={tmp_path / name}"])
        start = experiment.run if getattr(module, "SWEEP", True) else experiment.without_runs
        results = start(name, config, progress=False, takes=getattr(module, "TAKES", ""))
        console = Console(file=io.StringIO(), width=120)
        finding = claims.conclude(name, module, results, console)
        for picture in finding.pictures:
            assert (results.directory / "figures" / f"{picture}.svg").stat().st_size > 1000
        assert finding.tables
        assert all(len(table) for table in finding.tables.values())
        return finding, results, console.file.getvalue()

    return run

import re
import sys

import pytest

from benchmarks import overhead
from jaxnets.inference import model


@pytest.mark.slow
def test_the_bare_engine_and_a_whole_sweep_are_timed(monkeypatch, capsys):
    asked = ["overhead", "--model=mlp", "--num_runs=2", "--num_epochs=2", "--rounds=1"]
    monkeypatch.setattr(sys, "argv", asked)
    written = []
    carry_out = overhead.train.carry_out

    def spied(sweep, directory, *consoles):
        trained = carry_out(sweep, directory, *consoles)
        written.append(sorted(path.name for path in directory.iterdir()))
        return trained

    monkeypatch.setattr(overhead.train, "carry_out", spied)
    overhead.main()
    assert re.fullmatch(r"2 runs of mlp: \d+\.\d\d s bare, \d+\.\d\d s whole, [+-]\d+\.\d%\n", capsys.readouterr().out)
    assert {"runs.parquet", "curves.parquet", model.CHECKPOINT, "parts"} <= set(written[0])

"""Runs give the same bits on one, two, four and eight CPU devices, also where there are more devices than runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = {"dataset": "ngrams", "num_sentences": 40, "embedding_dim": 4, "batch_size": 8, "num_steps": 4}
DIGITS = {"dataset": "digits", "num_train": 60, "batch_size": 16, "num_steps": 6}
SWEEPS = {
    "mlp": {**DIGITS, "hidden_units": (8,), "learning_rate": [0.01, 0.1], "num_seeds": 5},
    "mlp, three runs": {**DIGITS, "hidden_units": (8,), "num_seeds": 3},
    "mlp side by side": {"dataset": "xor", "batch_size": 0, "hidden_units": (4,), "num_seeds": 130, "num_steps": 8},
    "dan": {**TEXT, "model": "dan", "hidden_units": (4,), "num_seeds": 9},
    "text_cnn": {**TEXT, "model": "text_cnn", "num_filters": 4, "filter_widths": (1, 2), "num_seeds": 9},
}
SCRIPT = """
import hashlib, json, sys
import jax
import jaxnets
jaxnets.configure("cpu", num_devices=8)
given, found = json.loads(sys.argv[1]), {}
given |= {name: tuple(given[name]) for name in ("hidden_units", "filter_widths") if name in given}
for count in (8, 4, 2, 1):
    results = jaxnets.sweep(**given, evaluate_every=2, num_devices=count, keep="last", progress=False)
    tables = [table.drop(columns="seconds", errors="ignore") for table in (results.runs, results.curves)]
    leaves = jax.tree.leaves(dict(results.kept))
    content = b"".join([table.to_parquet() for table in tables] + [leaf.tobytes() for leaf in leaves])
    found[count] = [hashlib.sha256(content).hexdigest(), len(results.devices), len(leaves)]
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", SWEEPS)
def test_tables_and_parameters_are_equal_on_any_number_of_devices(name):
    command = [sys.executable, "-c", SCRIPT, json.dumps(SWEEPS[name])]
    environment = {**os.environ, "XLA_FLAGS": ""}  # compiled as for the user
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout)
    assert [devices for _, devices, _ in found.values()] == [8, 4, 2, 1]
    assert min(leaves for _, _, leaves in found.values()) > 0
    assert len({digest for digest, _, _ in found.values()}) == 1, found

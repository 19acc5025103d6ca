"""What holds for the whole package: its public names, what an import costs, and what JAX must not do by itself."""

import subprocess
import sys

import jax
import pytest

import jaxnets
from jaxnets import jax_settings
from jaxnets.engine import executables

LITTLE = {"num_steps": 3, "evaluate_every": 2, "progress": False}
TEXTS = {"dataset": "ngrams", "num_sentences": 30, "embedding_dim": 4, "batch_size": 8}
SWEEPS = {
    "mlp": {"dataset": "xor", "hidden_units": 3, "batch_size": 0, "optimizer": ["sgd", "adam"]},
    "dan": {**TEXTS, "model": "dan", "hidden_units": 3},
    "text_cnn": {**TEXTS, "model": "text_cnn", "num_filters": 2, "filter_widths": 2},
}

NAMES = ["mlp", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dan", "text_cnn"))]
PUBLIC = [
    "Config",
    "Dataset",
    "Results",
    "Split",
    "UserError",
    "configure",
    "linear_range",
    "load",
    "log_range",
    "sweep",
]


def test_the_public_names():
    assert sorted(jaxnets.__all__) == sorted(PUBLIC)
    for name in jaxnets.__all__:
        assert getattr(jaxnets, name) is not None


def test_an_import_waits_for_what_is_asked_for():
    code = "import sys, jaxnets; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"jax", "numpy", "pandas", "flax", "altair", "rich", "sklearn"} & set(loaded)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_transferred_implicitly(name, monkeypatch):
    monkeypatch.setitem(jax_settings._OWN, "jax_transfer_guard", (jax.transfer_guard, "disallow"))
    executables.forget()
    results = jaxnets.sweep(**SWEEPS[name], **LITTLE, keep="none")
    assert (results.runs["status"] == "finished").all()


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_compiled_once_for_all_its_runs_and_segments(name):
    executables.forget()
    asked = {**SWEEPS[name], **LITTLE, "learning_rate": [0.1, 0.01, 1e30], "num_seeds": 5}
    results = jaxnets.sweep(**asked)
    assert results.num_programs == len(results.programs)
    assert jaxnets.sweep(**{**asked, "learning_rate": [0.3, 0.2]}).num_programs == 0

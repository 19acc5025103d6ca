"""Imports all that a command needs, but starts nothing: whoever is forked from here begins at once."""

import importlib

from jaxnets.cli import main as cli

for name in cli.sentences():
    importlib.import_module(f"jaxnets.experiments.{name}")
for name in (
    "altair",
    "optax",
    "pandas",
    "pyarrow.parquet",
    "safetensors.numpy",
    "sklearn.linear_model",
    "jaxnets.runs.protocol",
    "jaxnets.report.comparison_page",
):
    importlib.import_module(name)

"""Imports all that a command needs, but starts nothing: whoever is forked from here begins at once."""

import importlib

import experiments
from jaxnets.lab import commandline

for name in commandline.sentences(experiments):
    importlib.import_module(f"experiments.{name}")
for name in (
    "altair",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "optax",
    "orbax.checkpoint",
    "pandas",
    "pyarrow.parquet",
    "safetensors.numpy",
    "sklearn.linear_model",
    "jaxnets.lab.comparing",
    "jaxnets.report.study_figures",
    "jaxnets.report.study_page",
):
    importlib.import_module(name)

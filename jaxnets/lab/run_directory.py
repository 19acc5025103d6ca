"""The run directory: what is written into it, and read back; each file whole or not at all."""

import hashlib
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.basics import files
from jaxnets.basics.errors import UserError
from jaxnets.basics.version import VERSION
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset
from jaxnets.data.texts import Texts
from jaxnets.engine.trained import Trained
from jaxnets.lab import tensorboard

_PACKAGES = ("jaxnets", "jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn")


def default_directory(experiment: str, config: Mapping[str, Any], now: datetime) -> Path:
    """`results/<experiment>/<time>-<short hash of the configuration>`."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:8]
    return Path("results") / experiment / f"{now:%Y%m%d-%H%M%S}-{digest}"


def create(directory: Path) -> Path:
    """Makes a run directory.

    Raises:
      UserError: if it cannot be written, or holds results already: they are not written over.
    """
    if (directory / "runs.parquet").exists():
        raise UserError(f"output: '{directory}' holds results already; name another folder.")
    with files.file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    return directory


def configuration(experiment: str, config: Config) -> dict[str, Any]:
    """The content of `config.json`: it repeats the sweep exactly, or says what it cannot give again."""
    values = record.to_json(config)
    content = {"format": record.FORMAT, "version": VERSION, "experiment": experiment, "config": values}
    if config.options:
        content["options"] = record.encoded(config.options)
    if objects := record.unrepeatable(values):
        content["not_repeatable"] = f"{', '.join(objects)}: an object without an import path; give it again."
    return content


def write_tables(directory: Path, runs: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Writes the two tables of a sweep, the runs last."""
    files.write_table(directory / "curves.parquet", curves)
    files.write_table(directory / "runs.parquet", runs)


def write_rest(directory: Path, trained: Trained) -> None:
    """Writes predictions and events for TensorBoard, where they were asked for."""
    if trained.config.predictions:
        files.write_table(directory / "predictions.parquet", trained.predictions)
    if trained.config.tensorboard:
        tensorboard.write(directory, trained.runs, trained.curves)


def read_json(directory: Path, name: str) -> Any:
    """The content of a JSON file of a run directory.

    Raises:
      UserError: if it is not there or cannot be read.
    """
    path = directory / name
    if not directory.is_dir():
        raise UserError(f"there is not a run directory '{directory}'.")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"'{directory}' is not a run directory: it holds no {name}.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read: {error}.") from None


def read_table(directory: Path, name: str) -> pd.DataFrame:
    """A table of a run directory.

    Raises:
      UserError: if it is not there or cannot be read.
    """
    path = directory / f"{name}.parquet"
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise UserError(f"'{directory}' holds no {path.name}; the sweep has not come to an evaluation yet.") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {str(error).splitlines()[0]}.") from None


def environment(devices: Sequence[str], notes: Sequence[str] = (), datasets: Sequence[Dataset] = ()) -> dict[str, Any]:
    """What a run's numbers may depend on, beside its configuration; and what the user should know of the data."""
    return {
        "notes": list(notes),
        "data": described(datasets),
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "devices": list(devices),
        "versions": {name: _version(name) for name in _PACKAGES},
        "git_commit": _git_commit(),
    }


def described(datasets: Sequence[Dataset]) -> list[dict[str, Any]]:
    """What is to be known of data sets: for each name the sizes of the first, and a fingerprint of all their splits.

    The folds or blocks of a data set have one name. `chance` is the share of the largest class of the test examples.
    """
    named: dict[str, list[Dataset]] = {}
    for dataset in datasets:
        named.setdefault(dataset.name, []).append(dataset)
    return [
        {
            "name": name,
            "splits": len(own),
            "num_classes": own[0].num_classes,
            "chance": float(np.bincount(own[0].test.labels).max() / len(own[0].test)),
            **{f"num_{split}": len(getattr(own[0], split)) for split in ("train", "dev", "test")},
            "fingerprint": _fingerprint(own),
        }
        for name, own in named.items()
    ]


def _fingerprint(datasets: Sequence[Dataset]) -> str:
    """Equal for equal examples in an equal order, on any machine."""
    digest = hashlib.sha256()
    for split in (split for dataset in datasets for split in (dataset.train, dataset.dev, dataset.test)):
        given = split.inputs
        arrays = (given.words, given.lengths) if isinstance(given, Texts) else (np.asarray(given),)
        for array in (*arrays, np.asarray(split.labels)):
            digest.update(f"{array.shape}{array.dtype}".encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git_commit() -> str | None:
    """The commit of the code that runs; None outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None

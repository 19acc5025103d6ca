"""The run directory: what is written into it, and read back; each file whole or not at all."""

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxnets import __version__, io, jax_settings, schema
from jaxnets.comparison import table as comparison_table
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.config.values import brief
from jaxnets.data.dataset import Dataset, fingerprint
from jaxnets.engine.results import Trained
from jaxnets.errors import UserError

CONFIG, PARTS, LOCK = "config.json", "parts", ".lock"
_READ_BACK = (".json", ".parquet", ".safetensors")
_OF_THE_MACHINE = (
    *("platform", "num_devices", "cluster", "gpus_per_worker"),
    *("memory_limit", "data", "checkpoint_every", "compilation_cache", "profile"),
)
ENVIRONMENT = {
    "notes?": [str],
    "data?": [
        {
            "name": str,
            "num_classes": int,
            "chance": float,
            "fingerprint": str,
            "num_train?": int,
            "num_dev?": int,
            "num_test?": int,
            ...: schema.SCALAR,
        }
    ],
    "python?": str,
    "machine?": str,
    "devices?": [str],
    "versions?": {...: (None, str)},
    "jax_settings?": {...: schema.SCALAR},
    "git_commit?": (None, str),
    ...: object,
}
"""The shape of `environment.json`."""
_PACKAGES = ("jaxnets", "jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn")


def default_directory(experiment: str, config: Mapping[str, Any], now: datetime) -> Path:
    """`results/<experiment>/<time>-<short hash of the configuration>`."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:8]
    return Path("results") / experiment / f"{now:%Y%m%d-%H%M%S}-{digest}"


def path_of(name: str, value: Any) -> Path:
    """A path that an argument gives."""
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes) or not os.fspath(value):
        raise UserError(f"{name}: {brief(value)} is not a path.")
    return Path(value)


def create(directory: Path, content: Mapping[str, Any] | None = None) -> Path:
    """Makes a run directory, or goes on with one in which the same command has not finished."""
    if io.exists(directory / CONFIG) or io.exists(directory / "runs.parquet"):
        _check_same(directory, content)
    with io.file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    io.check_writable(directory)
    with io.file_errors(directory):
        if content is not None:
            (directory / PARTS).mkdir(exist_ok=True)
            (directory / io.CHECKSUMS).unlink(missing_ok=True)  # what it lists is written anew
            for folder in (directory, *(path for path in directory.iterdir() if path.is_dir())):
                io.clear_temporaries(folder)
    return directory


def is_begun(directory: Path) -> bool:
    """Whether a run has begun there, and has not finished: its parts are taken away when it has."""
    return (directory / PARTS).is_dir() and (directory / CONFIG).exists()


def check_begun(directory: Path) -> None:
    """Refuses to go on where nothing is left to do."""
    read_config(directory)
    if not is_begun(directory):
        raise UserError(f"resume: what '{directory}' holds is finished.")


def goes_on(directory: Path, content: Mapping[str, Any]) -> bool:
    """Whether the command of a `config.json` has begun there, and can go on."""
    return is_begun(directory) and _asked(read_config(directory)) == _asked(content)


def finish(directory: Path) -> None:
    """Lists the checksums of what has finished, and takes its parts away; the tables hold all of them."""
    read_back = [path for path in directory.iterdir() if path.suffix in _READ_BACK and path.name != io.CHECKSUMS]
    io.write_checksums(directory, read_back)
    shutil.rmtree(directory / PARTS, ignore_errors=True)


def _check_same(directory: Path, content: Mapping[str, Any] | None) -> None:
    if content is None or not is_begun(directory):
        raise UserError(f"output: '{directory}' holds results already; name another folder.")
    there, here = (_asked(one) for one in (read_config(directory), content))
    for name in [*here, *there]:
        if there.get(name) != here.get(name):
            values = f"{name} is {json.dumps(there.get(name))} there, and {json.dumps(here.get(name))} here"
            raise UserError(f"output: another command began '{directory}': {values}; name another folder.")


def _asked(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a `config.json` asks for; on how many devices makes no difference."""
    asked = {"experiment": content.get("experiment"), **content.get("config", {}), **content.get("options", {})}
    return {name: value for name, value in asked.items() if name not in _OF_THE_MACHINE}


def check_data(directory: Path, environment: Mapping[str, Any]) -> None:
    """Refuses to go on with other data than a run began with."""
    if not (directory / "environment.json").exists():
        return
    there = read_environment(directory).get("data", [])
    before, now = ({one["name"]: one["fingerprint"] for one in data} for data in (there, environment["data"]))
    for name in now:
        if before.get(name, now[name]) != now[name]:
            raise UserError(f"output: the data '{name}' have changed since '{directory}' began; name another folder.")


@contextlib.contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Keeps a run directory from other processes; the lock is gone with its process, however that ends."""
    path = directory / LOCK
    with io.file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.fstat(file.fileno()).st_nlink:  # its holder has ended since it was opened
                raise BlockingIOError
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UserError(f"output: '{directory}' is in use by {holder}; name another folder.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def configuration(experiment: str, config: Config) -> dict[str, Any]:
    """The content of `config.json`: it repeats the sweep exactly, or says what it cannot give again."""
    values = record.to_json(config)
    content = {"format": record.FORMAT, "version": __version__, "experiment": experiment, "config": values}
    if config.options:
        content["options"] = record.encoded(config.options)
    if objects := record.unrepeatable(values):
        content["not_repeatable"] = f"{', '.join(objects)}: an object without an import path; give it again."
    return content


def write_tables(directory: Path, runs: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Writes the two tables of a sweep, the runs last."""
    io.write_table(directory / "curves.parquet", curves)
    io.write_table(directory / "runs.parquet", runs)


def write_rest(directory: Path, trained: Trained) -> None:
    """Writes predictions, where they were asked for."""
    if trained.config.predictions:
        io.write_table(directory / "predictions.parquet", trained.predictions)


def read_json(directory: Path, name: str, shape: schema.Shape) -> Any:
    """The content of a JSON file of a run directory."""
    with _told(directory, name):
        return schema.read_json(directory / name, shape)


def read_config(directory: Path) -> dict[str, Any]:
    """The content of `config.json`."""
    with _told(directory, "config.json"):
        return record.read(directory / "config.json")


def read_environment(directory: Path) -> dict[str, Any]:
    """The content of `environment.json`; see `read_json`."""
    return read_json(directory, "environment.json", ENVIRONMENT)


@contextlib.contextmanager
def _told(directory: Path, name: str) -> Iterator[None]:
    """Says that a folder is no run directory, where there is not such a file."""
    if not directory.is_dir():
        raise UserError(f"there is not a run directory '{directory}'.")
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"'{directory}' is not a run directory: it holds no {name}.") from None


def read_table(directory: Path, name: str, columns: schema.Columns | None = None) -> pd.DataFrame:
    """A table of a run directory."""
    path = directory / f"{name}.parquet"
    try:
        return schema.read_table(path, comparison_table.COLUMNS[name] if columns is None else columns)
    except FileNotFoundError:
        raise UserError(f"'{directory}' holds no {path.name}; the sweep has not come to an evaluation yet.") from None


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
        "jax_settings": jax_settings.described(),
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
            "fingerprint": fingerprint(own),
        }
        for name, own in named.items()
    ]


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

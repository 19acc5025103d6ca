"""The run directory: what is written into it and read back; what a file of it names is trusted or refused."""

import contextlib
import fcntl
import glob
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxnets import __version__, io, jax_settings, plugins, schema
from jaxnets.comparison import table as comparison_table
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.config.values import brief
from jaxnets.data.dataset import Dataset, fingerprint
from jaxnets.engine.sweep import devices_of
from jaxnets.errors import UserError
from jaxnets.plugins import Trust

CONFIG, ENVIRONMENT, PARTS, LOCK = "config.json", "environment.json", "parts", ".lock"
_OF_THE_MACHINE = (
    *("platform", "num_devices", "cluster", "gpus_per_worker"),
    *("memory_limit", "data", "checkpoint_every", "compilation_cache", "profile"),
)
_DATA = {"name": str, "num_classes": int, "chance": float, "fingerprint": str}
_ENVIRONMENT = {
    "notes?": [str],
    "data?": [_DATA | {"num_train?": int, "num_dev?": int, "num_test?": int, ...: schema.SCALAR}],
    "python?": str,
    "machine?": str,
    "devices?": [str],
    "git_commit?": (None, str),
    "versions?": {...: (None, str)},
    "jax_settings?": {...: schema.SCALAR},
    ...: object,
}
_PACKAGES = ("jaxnets", "jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn")


def path_of(name: str, value: Any) -> Path:
    """A path that an argument gives."""
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes) or not os.fspath(value):
        raise UserError(f"{name}: {brief(value)} is not a path.")
    return Path(value)


def begin(
    experiment: str,
    config: Config,
    held: contextlib.ExitStack,
    notes: Sequence[str] = (),
    datasets: Sequence[Dataset] = (),
) -> Path:
    """Makes the run directory, with what is known before the first step, or resumes one that was not finished."""
    content = configuration(experiment, config)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
    default = Path("results") / experiment / f"{datetime.now():%Y%m%d-%H%M%S}-{digest}"
    directory = Path(config.output) if config.output else default
    held.enter_context(lock(directory))
    begun = is_begun(directory)
    create(directory, content)
    if config.export:
        io.clear_temporaries(Path(config.export).parent, glob.escape(Path(config.export).name))
    now = environment(devices_of(config), notes, datasets)
    if begun and (directory / ENVIRONMENT).exists():
        before = {one["name"]: one["fingerprint"] for one in read_environment(directory).get("data", [])}
        for data in now["data"]:
            if before.get(data["name"], data["fingerprint"]) != data["fingerprint"]:
                changed = f"the data '{data['name']}' have changed since '{directory}' began"
                raise UserError(f"output: {changed}; name another folder.")
    io.write_json(directory / CONFIG, content)
    io.write_json(directory / ENVIRONMENT, now)
    return directory


def create(directory: Path, content: Mapping[str, Any] | None = None) -> Path:
    """Makes a folder for results; with the content of a `config.json`, one in which it has begun will do as well."""
    if io.exists(directory / CONFIG) or io.exists(directory / "runs.parquet"):
        if content is None or not is_begun(directory):
            raise UserError(f"output: '{directory}' holds results already; name another folder.")
        there, here = _asked(read_config(directory)), _asked(content)
        for name in [*here, *there]:
            if there.get(name) != here.get(name):
                values = f"{name} is {json.dumps(there.get(name))} there, and {json.dumps(here.get(name))} here"
                raise UserError(f"output: another command began '{directory}': {values}; name another folder.")
    with io.file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
    io.check_writable(directory)
    if content is not None:
        with io.file_errors(directory):
            (directory / PARTS).mkdir(exist_ok=True)
            (directory / io.CHECKSUMS).unlink(missing_ok=True)  # what it lists is written anew
            for folder in (directory, *(path for path in directory.iterdir() if path.is_dir())):
                io.clear_temporaries(folder)
    return directory


def _asked(content: Mapping[str, Any]) -> dict[str, Any]:
    """What a `config.json` asks for; the devices make no difference."""
    asked = {"experiment": content.get("experiment"), **content.get("config", {}), **content.get("options", {})}
    return {name: value for name, value in asked.items() if name not in _OF_THE_MACHINE}


def is_begun(directory: Path) -> bool:
    """Whether a run has begun there and has not finished: its parts are removed when it has."""
    return (directory / PARTS).is_dir() and (directory / CONFIG).exists()


def goes_on(directory: Path, content: Mapping[str, Any]) -> bool:
    """Whether the command of a `config.json` has begun there and can go on."""
    return is_begun(directory) and _asked(read_config(directory)) == _asked(content)


def to_resume(text: str) -> Path:
    """The `config.json` of a run directory in which something is left to do."""
    directory = Path(text)
    read_config(directory)
    if not is_begun(directory):
        raise UserError(f"resume: what '{directory}' holds is finished.")
    return directory / CONFIG


def finish(directory: Path) -> None:
    """Lists the checksums of what is read back, and removes the parts: the tables hold all of them."""
    read_back = [path for path in directory.iterdir() if path.suffix in (".json", ".parquet", ".safetensors")]
    io.write_checksums(directory, [path for path in read_back if path.name != io.CHECKSUMS])
    shutil.rmtree(directory / PARTS, ignore_errors=True)


def remove(directory: Path) -> None:
    """Removes a run directory in which nothing was done, except for files of others."""
    shutil.rmtree(directory / PARTS, ignore_errors=True)
    for name in (CONFIG, ENVIRONMENT, LOCK):
        (directory / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not empty
        directory.rmdir()


@contextlib.contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Keeps a run directory from other processes; the lock ends with its process, however that ends."""
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


def write_tables(directory: Path, runs: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Writes the two tables of a sweep, the runs last."""
    io.write_table(directory / "curves.parquet", curves)
    io.write_table(directory / "runs.parquet", runs)


def read_table(directory: Path, name: str) -> pd.DataFrame:
    """A table of a run directory."""
    path = directory / f"{name}.parquet"
    try:
        return schema.read_table(path, comparison_table.COLUMNS[name])
    except FileNotFoundError:
        raise UserError(f"'{directory}' holds no {path.name}; the sweep has not come to an evaluation yet.") from None


def read_tables(directory: Path) -> dict[str, Any]:
    """Its runs, curves and predictions; the last is empty where they were not kept."""
    kept = (directory / "predictions.parquet").exists()
    none = {} if kept else {"predictions": pd.DataFrame()}
    return {name: read_table(directory, name) for name in comparison_table.COLUMNS if name not in none} | none


def read_json(directory: Path, name: str, shape: schema.Shape) -> Any:
    """The content of a JSON file of a run directory."""
    if not directory.is_dir():
        raise UserError(f"there is not a run directory '{directory}'.")
    try:
        return schema.read_json(directory / name, shape)
    except FileNotFoundError:
        raise UserError(f"'{directory}' is not a run directory: it holds no {name}.") from None


def read_config(directory: Path) -> dict[str, Any]:
    """The content of `config.json`."""
    return _with_values(directory / CONFIG, read_json(directory, CONFIG, record.SHAPE))


def read_config_file(path: str | Path) -> dict[str, Any]:
    """The content of a `config.json`, wherever it lies."""
    try:
        return _with_values(path, schema.read_json(Path(path), record.SHAPE))
    except FileNotFoundError as error:
        raise UserError(f"config: '{path}' cannot be read: {error.strerror}.") from None


def _with_values(path: str | Path, content: dict[str, Any]) -> dict[str, Any]:
    if "config" not in content:
        raise UserError(f"{path}: it has no 'config' with values by name; take the config.json of a run.")
    return content


def read_environment(directory: Path) -> dict[str, Any]:
    """The content of `environment.json`."""
    return read_json(directory, ENVIRONMENT, _ENVIRONMENT)


def configuration(experiment: str, config: Config) -> dict[str, Any]:
    """The content of `config.json`: it repeats the sweep exactly, or says what it cannot give again."""
    values = record.to_json(config)
    content = {"format": record.FORMAT, "version": __version__, "experiment": experiment, "config": values}
    if config.options:
        content["options"] = record.encoded(config.options)
    if objects := record.unrepeatable(values):
        content["not_repeatable"] = f"{', '.join(objects)}: an object without an import path; give it again."
    return content


def values_of(path: str | Path, content: Mapping[str, Any], given: Collection[str], trusted: Trust) -> dict[str, Any]:
    """The values that a `config.json` holds, except those that are given again.

    What would run or write is refused before anything is looked up.
    """
    both = {**content["config"], **content.get("options", {})}
    found = record.from_json({name: value for name, value in both.items() if name not in given})
    plugins.check_trust(path, found, trusted)
    for name, place in record.places(found).items() if trusted is not True else ():
        raise UserError(
            f"{path}: {name} is '{place}', a place on the machine of whoever wrote the file: give --{name} again, "
            "or --trust for all that stands there."
        )
    return found


def config_of(path: Path, content: Mapping[str, Any], trusted: Trust) -> Config:
    """The configuration of a file, without the objects that it had, and without its places."""
    known: dict[str, dict[str, Any]] = {}
    for part in ("config", "options"):
        held = content.get(part, {})
        absent = {*record.unrepeatable(held), *record.places(held)}
        plain = {name: value for name, value in held.items() if name not in absent}
        known[part] = values_of(path, {"config": plain}, (), trusted)
    try:
        return Config(**known["config"], options=known["options"])
    except TypeError as error:  # a keyword such as 'self'
        raise UserError(f"{path}: cannot be read: {error}.") from None


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
    """What is to be known of data sets: for each name the sizes of the first fold, and a fingerprint of all folds."""
    named: dict[str, list[Dataset]] = {}
    for dataset in datasets:
        named.setdefault(dataset.name, []).append(dataset)
    return [
        {
            "name": name,
            "splits": len(folds),
            "num_classes": folds[0].num_classes,
            "chance": chance(folds[0]),
            **{f"num_{split}": len(getattr(folds[0], split)) for split in ("train", "dev", "test")},
            "fingerprint": fingerprint(folds),
        }
        for name, folds in named.items()
    ]


def chance(dataset: Dataset) -> float:
    """The share of the largest class of the test examples."""
    return float(np.bincount(dataset.test.labels).max() / len(dataset.test))


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

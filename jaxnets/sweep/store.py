"""The run directory: each file in it is written whole or not at all."""

import contextlib
import errno
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from jaxnets.names import UserError

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
        raise UserError(f"--output: '{directory}' holds results already; name another folder.")
    with file_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    return directory


@contextlib.contextmanager
def file_errors(path: Path) -> Iterator[None]:
    """Turns a failure of the file system into one line for the user."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(f"{path}: no space left on the device; what was written before is whole.") from error
        raise UserError(f"{path}: cannot be written: {error.strerror or error}.") from error


def write(path: Path, fill: Callable[[Path], Any]) -> Path:
    """Lets `fill` write a temporary file beside `path`, and puts it in place when it is whole.

    Raises:
      UserError: if it cannot be written; then `path` is as it was.
    """
    with file_errors(path):
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            fill(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return path


def write_json(path: Path, content: Any) -> Path:
    """Writes a JSON file, readable by eye."""
    return write(path, lambda temporary: temporary.write_text(json.dumps(content, indent=2) + "\n"))


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """Writes a table as Parquet."""
    return write(path, lambda temporary: table.to_parquet(temporary, index=False))


def environment(devices: list[str]) -> dict[str, Any]:
    """What a run's numbers may depend on, beside its configuration."""
    return {
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": sys.argv,
        "python": platform.python_version(),
        "machine": platform.platform(),
        "devices": devices,
        "versions": {name: _version(name) for name in _PACKAGES},
        "git_commit": _git_commit(),
    }


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

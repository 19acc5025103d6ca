"""The run directory: each file in it is written whole or not at all."""

import hashlib
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from jaxnets.basics import files
from jaxnets.basics.errors import UserError

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

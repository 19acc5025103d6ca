"""The commands that are broken, how they are run, and what must be the same when they have come to their end."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import pandas as pd

from jaxnets.cli import main as cli
from jaxnets.inference import model

_XOR = ("--dataset=xor", "--batch_size=0", "--evaluate_every=20", "--num_steps=40", "--num_seeds=2")
_TEXTS = ("--dataset=ngrams", "--num_sentences=40", "--embedding_dim=4", "--hidden_units=4", "--num_filters=4")
_SMALL = ("--num_seeds=2", "--num_trials=2", "--final_seeds=2", "--evaluate_every=2", "--batch_size=8")
COMMANDS: dict[str, tuple[str, ...]] = {
    "train": ("train", *_XOR, "--hidden_units=0,4", "--learning_rate=0.1,1", "--predictions", "--export=EXPORT"),
    "keep": ("train", *_XOR, "--hidden_units=0,4", "--learning_rate=1,1e30", "--keep=all", "--tensorboard"),
    "compare": (
        *("compare_optimizers", *_XOR, "--hidden_units=4", "--optimizer=sgd,adam", "--learning_rate=0.1,1"),
        *("--final_seeds=2", "--keep=best"),
    ),
    "texts": (
        *("text_classification", *_TEXTS, *_SMALL, "--model=dan,text_cnn", "--filter_widths=1x2", "--num_steps=4"),
        "--nobaselines",
    ),
    "file": (
        *("train", "--dataset=DATA", "--model=dan", "--embedding_dim=4", "--hidden_units=0,4", "--num_steps=4"),
        *("--evaluate_every=2", "--batch_size=8"),
    ),
    "lecture": ("lecture", "--quick", "--only=building_blocks,linear_collapse"),
}
"""Sweeps of several programs; EXPORT is a file beside the run directory, DATA one beside its folder."""

_OF_TIME = ("seconds", "programs", "command", "time")


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
      status: of the command; -9 after a kill.
      errors: what it printed on the error stream.
      changes: of its files, so far as they were looked at.
    """

    status: int
    errors: str
    changes: int = 0

    @property
    def refusal(self) -> str:
        """The line of a command that was refused; empty if it was not, or not in one clear line."""
        lines = [line for line in self.errors.splitlines() if line.startswith("error: ")]
        clear = self.status == cli.USER_ERROR_STATUS and len(lines) == 1 and "Traceback" not in self.errors
        return lines[0] if clear else ""

    def told(self) -> str:
        """The status and the last of the errors."""
        return f"status {self.status}: {self.errors.strip()[-300:]}"


def words(name: str, directory: Path) -> list[str]:
    """A command in a run directory."""
    given = " ".join(COMMANDS[name]).replace("EXPORT", str(exported(directory))).replace("DATA", str(data(directory)))
    return [*given.split(), f"--output={directory}"]


def data(directory: Path) -> Path:
    """The file of the command `file`."""
    return directory.parents[1] / "texts.tsv"


def write_data(directory: Path) -> None:
    """Writes the file of the command `file`."""
    lines = [f"{label}\tgood film number {n}\n" for n in range(30) for label in ("yes", "no")]
    data(directory).write_text("".join(lines))


def exported(directory: Path) -> Path:
    """The file of `--export`."""
    return directory.parent / "exported.safetensors"


def launched(arguments: Sequence[str], scratch: Path) -> Ended:
    """Runs a command in this process: what it has compiled is there for the next."""
    path = scratch / f"errors-{time.monotonic_ns()}"
    with path.open("w+") as errors, open("/dev/null", "w") as nowhere:
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(nowhere):
            status = cli.main(["run.py", *arguments])
        errors.flush()
        text = path.read_text(errors="replace")
    path.unlink()
    return Ended(status, text)


def content(directory: Path) -> dict[str, Any]:
    """All that a command has found, bit by bit, but for the times it took; by the names of the files."""
    found = {path.relative_to(directory).as_posix(): value for path, value in _files(directory)}
    found |= {f"left over: {path.name}": True for path in directory.parent.rglob(".*")}
    if exported(directory).exists():
        found["exported"] = exported(directory).read_bytes()
    return found


def _files(directory: Path) -> Iterator[tuple[Path, Any]]:
    for path in sorted(directory.rglob("*")):
        if path.suffix == ".parquet":
            yield path, _bits(path)
        elif path.name in ("finding.json", "comparison.json"):
            yield path, _without_times(json.loads(path.read_text()))
        elif path.name == model.CHECKPOINT:
            kept = model.load(path.parent)
            yield path, (dict(kept.about), [leaf.tobytes() for leaf in jax.tree.leaves(kept.params)])
        elif path.suffix in (".safetensors", ".md") or path.name == "models.json":
            yield path, path.read_bytes()


def _bits(path: Path) -> bytes:
    table = pd.read_parquet(path)
    return table.drop(columns=[name for name in table if "seconds" in str(name)]).to_parquet()


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_times(one) for name, one in value.items() if name not in _OF_TIME}
    return [_without_times(one) for one in value] if isinstance(value, list) else value


def different(one: dict[str, Any], other: dict[str, Any]) -> str:
    """The names of what differs; empty if nothing does."""
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return f"not the same: {', '.join(names)}" if names else ""

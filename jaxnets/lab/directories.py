"""Run directories as studies, whoever wrote them, and in what their set-ups differ."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxnets import data
from jaxnets.config import config as configuration
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.config.values import command, unparse
from jaxnets.data.dataset import Dataset
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.table import are_independent
from jaxnets.errors import UserError
from jaxnets.evidence import choosing, study
from jaxnets.evidence.study import TUNING, Protocol, Study, TaskFacts
from jaxnets.lab import comparing, config_files, run_directory

NOT_KNOWN = "–"
_OF_DATA = ("dataset", "split_seed", "data_seed", "num_train", "folds", "num_blocks")


@dataclass(frozen=True)
class Directory:
    """A run directory, read."""

    path: Path
    study: Study
    content: Mapping[str, Any]
    environment: Mapping[str, Any]
    left_out: int = 0

    @property
    def margin(self) -> float:
        """The difference of accuracies below which nobody cares, as it was given, or half a point."""
        given = self.content.get("options", {}).get("margin")
        return float(given) if isinstance(given, int | float) else 0.005

    @property
    def over_examples(self) -> bool:
        """Whether intervals over seeds hold for other test examples as well."""
        return self.content.get("options", {}).get("over_examples") is True

    @property
    def command(self) -> str:
        """What repeats it."""
        return command(f"--config={self.path / 'config.json'}")


def read(path: Path) -> Directory:
    """A run directory."""
    content, environment = run_directory.read_config(path), run_directory.read_environment(path)
    found = study.read(path) if (path / study.FILE).exists() else _plain(path, content, environment)
    ended = found.runs[found.runs["status"] != "interrupted"]
    if ended.empty:
        raise UserError(f"'{path}' holds no run that came to an end.")
    study_of_ended = replace(found, runs=ended)
    return Directory(path, study_of_ended.whole, content, environment, len(found.runs) - len(study_of_ended.whole.runs))


def _plain(path: Path, content: Mapping[str, Any], environment: Mapping[str, Any]) -> Study:
    """The study of a sweep that is no comparison: its runs both tuned and report."""
    runs, curves = (run_directory.read_table(path, name) for name in ("runs", "curves"))
    if runs.empty:
        raise UserError(f"'{path}' holds no run.")
    kept = (path / "predictions.parquet").exists()
    predictions = run_directory.read_table(path, "predictions") if kept else pd.DataFrame()
    config = _config(path, content)
    facts = of_data(environment, config)
    candidates = ("optimizer", "model", *choosing.varying(runs))
    by = next((name for name in candidates if runs[name].nunique() > 1), "optimizer")
    if pd.api.types.is_numeric_dtype(runs[by]):  # a contestant is a name; the number stays a hyperparameter
        names = [f"{by} {value:.4g}" if isinstance(value, float) else f"{by} {value}" for value in runs[by]]
        runs, by = runs.assign(contestant=names), "contestant"
    runs = runs.assign(task=facts.name, phase=TUNING)
    protocol = Protocol(
        search=config.search if config else "grid",
        num_trials=comparing.trials(runs, by),
        num_seeds=int(runs["seed"].nunique()),
        confirm_seeds=0,
        num_blocks=int(runs["block"].nunique()) if "block" in runs else 1,
        spaces=comparing.spaces(config, by) if config else {},
    )
    return Study(runs, curves, predictions, by, (facts,), protocol)


def _config(path: Path, content: Mapping[str, Any]) -> Config | None:
    """The configuration; None if it cannot be had, as when a plug-in of it is not there."""
    file = path / "config.json"
    try:
        # nothing that it names is looked up
        return None if record.unrepeatable(content["config"]) else config_files.configuration(file, content, True)
    except UserError:
        return None


def of_data(environment: Mapping[str, Any], config: Config | None) -> TaskFacts:
    """What is known of the data set: as it was recorded, or else as it is today, or else nothing."""
    known = environment.get("data") or _today(config)
    about: Mapping[str, Any] = known[0] if known else {"name": "the data set", "num_classes": 2, "chance": 0.0}
    sizes: dict[str, Any] = {name: int(about.get(name, 0)) for name in ("num_train", "num_dev", "num_test")}
    independent = config is not None and config.dataset in data.KNOWN and are_independent(config)
    return TaskFacts(about["name"], "", np.nan, about["chance"], about["num_classes"], **sizes, independent=independent)


def _today(config: Config | None) -> list[dict[str, Any]]:
    """What there is to know of a built-in data set; others would be files or code that a stranger may have named."""
    try:
        folds: Sequence[Dataset] = load_folds(config) if config and config.dataset in data.KNOWN else ()
    except UserError:
        return []
    return run_directory.described(folds)


def same_data(one: Directory, other: Directory) -> bool:
    """Whether two directories had the same examples in the same splits, as far as they tell."""
    prints = [_fingerprints(directory) for directory in (one, other)]
    if all(prints):
        return prints[0] == prints[1]
    if [task.name for task in one.study.tasks] != [task.name for task in other.study.tasks]:
        return False
    texts = [_texts(directory.content) for directory in (one, other)]
    names = [name for name in {**texts[0], **texts[1]} if name in _OF_DATA]
    return all(_same(texts[0].get(name), texts[1].get(name), name) for name in names)


def _fingerprints(directory: Directory) -> list[tuple[str, str]]:
    return [(data["name"], data["fingerprint"]) for data in directory.environment.get("data", [])]


def differences(directories: Sequence[Directory]) -> pd.DataFrame:
    """In what the set-ups differ: `part` (configuration, versions, machine, code, data), `what`, and a column each."""
    tables = [_described(directory) for directory in directories]
    rows = []
    for part, name in dict.fromkeys(key for table in tables for key in table):
        values = [table.get((part, name)) for table in tables]
        told = None not in values or part in ("configuration", "code")
        if told and not all(_same(values[0], value, name) for value in values[1:]):
            rows.append({"part": part, "what": name.replace("_", " ")} | dict(enumerate(map(_shown, values))))
    columns = ["part", "what", *range(len(directories))]
    return pd.DataFrame(rows, columns=columns).sort_values("part", kind="stable", ignore_index=True)


def _described(directory: Directory) -> dict[tuple[str, str], str | None]:
    """All that a directory tells of its set-up, as texts; None where it does not tell."""
    environment = directory.environment
    sets, commit = environment.get("data", []), environment.get("git_commit")
    data = {
        f"{name} {place}" if len(sets) > 1 else name: str(one[name]) for place, one in enumerate(sets) for name in one
    }
    parts: dict[str, Mapping[str, str | None]] = {
        "configuration": {"experiment": str(directory.content.get("experiment")), **_texts(directory.content)},
        "versions": environment.get("versions", {}),
        "machine": {"python": environment.get("python"), "machine": environment.get("machine")}
        | {"devices": ", ".join(environment.get("devices", []))},
        "code": {"commit": commit and commit[:12], "version": directory.content.get("version")},
        "data": data,
    }
    return {(part, name): text for part, texts in parts.items() for name, text in texts.items()}


def _texts(content: Mapping[str, Any]) -> dict[str, str | None]:
    """The values of a `config.json` as the texts of their flags."""
    values = {**content["config"], **content.get("options", {})}
    kept = {name: value for name, value in values.items() if name not in record.unrepeatable(values)}
    objects = {name: str(values[name]) for name in record.unrepeatable(values)}
    return {**{name: unparse(value) for name, value in record.from_json(kept).items()}, **objects}


def _same(one: str | None, other: str | None, name: str) -> bool:
    """Whether two texts of a value agree; where one is missing, an older version had the default."""
    defaults = {field.name: unparse(field.default) for field in configuration.fields()}
    one, other = (defaults.get(name) if text is None else text for text in (one, other))
    return one == other or (one is not None and other is not None and _numbers(one) == _numbers(other))


def _numbers(text: str) -> list[float | str]:
    """The parts of a text, numbers as such: 1e-3 is 0.001."""
    return [_number(part) for part in re.split(r"[,:]", text)]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _shown(text: str | None) -> str:
    return text if text else NOT_KNOWN

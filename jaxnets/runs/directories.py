"""Run directories as comparisons, whoever wrote them, and in what their set-ups differ."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from jaxnets import data
from jaxnets.comparison import table as comparison_table
from jaxnets.comparison.table import FINAL, TUNING, Comparison, Protocol, TaskFacts
from jaxnets.config import record
from jaxnets.config.config import Config
from jaxnets.engine.sweep import load_folds
from jaxnets.engine.table import are_independent
from jaxnets.errors import UserError, command
from jaxnets.runs import directory as run_directory
from jaxnets.runs import protocol
from jaxnets.stats import selection
from jaxnets.stats.estimates import LEVEL

NOT_KNOWN = "–"


@dataclass(frozen=True)
class Directory:
    """A run directory, read."""

    path: Path
    comparison: Comparison
    content: Mapping[str, Any]
    environment: Mapping[str, Any]
    left_out: int = 0

    @property
    def margin(self) -> float:
        """The difference of accuracies below which nobody cares, as it was given, or half a point."""
        given = self.content.get("options", {}).get("margin")
        return float(given) if isinstance(given, int | float) else 0.005

    @property
    def level(self) -> float:
        """The confidence level of the intervals, as it was given."""
        given = self.content.get("options", {}).get("level")
        return float(given) if isinstance(given, int | float) and 0 < given < 1 else LEVEL

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
    found = (
        comparison_table.read(path) if (path / comparison_table.FILE).exists() else _plain(path, content, environment)
    )
    ended = found.runs[found.runs["status"] != "interrupted"]
    if ended.empty:
        raise UserError(f"'{path}' holds no run that came to an end.")
    whole = replace(found, runs=ended).whole
    directory = Directory(path, whole, content, environment, len(found.runs) - len(whole.runs))
    return replace(directory, comparison=replace(whole, level=directory.level))


def _plain(path: Path, content: Mapping[str, Any], environment: Mapping[str, Any]) -> Comparison:
    """The comparison of a sweep that is no comparison: its runs both tuned and report."""
    tables = run_directory.read_tables(path)
    runs = tables["runs"]
    if runs.empty:
        raise UserError(f"'{path}' holds no run.")
    config, file = None, path / run_directory.CONFIG
    with contextlib.suppress(UserError):  # a plug-in is not there any more; nothing that the file names is looked up
        if not record.unrepeatable(content["config"]):
            config = run_directory.config_of(file, content, True)
    facts = of_data(environment, config)
    candidates = ("optimizer", "model", *selection.varying(runs))
    by = next((name for name in candidates if runs[name].nunique() > 1), "optimizer")
    if pd.api.types.is_numeric_dtype(runs[by]):  # a method is a name; the number stays a hyperparameter
        names = [f"{by} {value:.4g}" if isinstance(value, float) else f"{by} {value}" for value in runs[by]]
        runs, by = runs.assign(method=names), "method"
    runs = runs.assign(task=facts.name, phase=TUNING)
    about = Protocol(
        search=config.search if config else "grid",
        num_trials=protocol.trials(runs, by),
        num_seeds=int(runs["seed"].nunique()),
        final_seeds=0,
        num_repeats=_num_repeats(runs),
        spaces=protocol.spaces(config, by) if config else {},
    )
    return Comparison(runs, tables["curves"], tables["predictions"], by, (facts,), about)


def _num_repeats(runs: pd.DataFrame) -> int:
    return int(runs["repeat"].nunique()) if "repeat" in runs else 1


def of_data(environment: Mapping[str, Any], config: Config | None) -> TaskFacts:
    """What is known of the data set: as it was recorded, or else as it is today, or else nothing."""
    known = environment.get("data", [])
    built_in = config is not None and config.dataset in data.KNOWN  # others would be files or code that a file names
    if not known and config is not None and built_in:
        with contextlib.suppress(UserError):
            known = run_directory.described(load_folds(config))
    about: Mapping[str, Any] = known[0] if known else {"name": "the data set", "num_classes": 2, "chance": 0.0}
    sizes: dict[str, Any] = {name: int(about.get(name, 0)) for name in ("num_train", "num_dev", "num_test")}
    independent = config is not None and built_in and are_independent(config)
    return TaskFacts(about["name"], "", np.nan, about["chance"], about["num_classes"], **sizes, independent=independent)


def joined(directories: Sequence[Directory], names: Sequence[str]) -> Comparison:
    """One comparison of several directories: each is a method, or each of its methods where it has several.

    Seeds are numbered anew, so that those of other directories make pairs in their order.
    """
    of_each = [{facts.name for facts in directory.comparison.tasks} for directory in directories]
    shared = [facts for facts in directories[0].comparison.tasks if all(facts.name in names for names in of_each)]
    if not shared:
        raise UserError(f"{', '.join(names)}: they have no task in common.")
    tables: dict[str, list[pd.DataFrame]] = {"runs": [], "curves": [], "predictions": []}
    for directory, name in zip(directories, names, strict=True):
        one, before = directory.comparison, max((table["run"].max() + 1 for table in tables["runs"]), default=0)
        for runs in (one.phase(TUNING), one.reporting.assign(phase=FINAL)):
            own = runs[runs["task"].isin([facts.name for facts in shared])]
            method = name if len(one.methods) == 1 else name + ": " + own[one.by].astype(str)
            seeds = own["seed"].rank(method="dense").astype(int) - 1
            tables["runs"].append(own.assign(method=method, seed=seeds, run=own["run"] + before))
        for table in ("curves", "predictions"):
            content = getattr(one, table)
            tables[table] += [content.assign(run=content["run"] + before)] if len(content) else []
    runs = pd.concat(tables["runs"], ignore_index=True)
    own_names = dict.fromkeys(name for table in tables["runs"] for name in selection.hyperparameters(table))
    runs = runs[["run", *own_names, *(name for name in runs if name not in own_names and name != "run")]]
    if "repeat" in runs:
        runs["repeat"] = runs["repeat"].fillna(0).astype(int)
    protocols = [directory.comparison.protocol for directory in directories]
    about = replace(
        min(protocols, key=lambda one: one.final_seeds),
        num_repeats=_num_repeats(runs),
        steps_taken=sum(one.steps_taken for one in protocols),
        steps_saved=sum(one.steps_saved for one in protocols),
    )
    curves, predictions = (
        pd.concat(tables[name], ignore_index=True) if tables[name] else pd.DataFrame()
        for name in ("curves", "predictions")
    )
    level = directories[0].level
    return Comparison(runs, curves, predictions, by="method", tasks=tuple(shared), protocol=about, level=level)


def differences(directories: Sequence[Directory]) -> list[list[str]]:
    """In which values the configurations, versions and machines differ: the name, and the value in each directory."""
    tables = [_flat({**directory.content, **directory.environment}) for directory in directories]
    names = sorted({name for table in tables for name in table} - {"command"})
    rows = [[name, *(table.get(name, NOT_KNOWN) for table in tables)] for name in names]
    return [row for row in rows if len(set(row[1:])) > 1]


def _flat(content: Any, name: str = "") -> dict[str, str]:
    """The values of a JSON file, by the last name that leads to each."""
    if isinstance(content, Mapping):
        return {key: text for part, value in content.items() for key, text in _flat(value, str(part)).items()}
    return {name: json.dumps(content).strip('"') if content is not None else NOT_KNOWN}

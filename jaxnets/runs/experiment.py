"""What an experiment is: a claim that is put to the test, a job that reports, or a command of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pandas as pd
from rich.console import Console

from jaxnets import plugins
from jaxnets.claims.verdicts import Evidence, Rule, fingerprint
from jaxnets.comparison.table import Study
from jaxnets.config import config as configuration
from jaxnets.config.config import Config
from jaxnets.config.values import Field, Kind, Range, choices
from jaxnets.data.dataset import Dataset
from jaxnets.engine.table import chosen
from jaxnets.errors import UserError, command, unknown
from jaxnets.plugins import Trust
from jaxnets.report.figures import Picture
from jaxnets.runs import config_files
from jaxnets.runs.results import Results

Tables = Mapping[str, pd.DataFrame]
_KINDS: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "text", tuple: "sizes"}


@dataclass(frozen=True)
class Option:
    """A flag that an experiment or a command has of its own; `repeated` is one that may be given several times."""

    name: str
    default: Any
    help: str
    least: float | None = None
    most: float = 100_000
    distinct: bool = False
    of_kind: Kind | None = None
    repeated: bool = False

    @property
    def several(self) -> bool:
        """Whether the flag takes a list."""
        return isinstance(self.default, list) and not self.repeated

    @property
    def field(self) -> Field:
        """What its values must be."""
        one = self.default[0] if self.several else self.default
        kind, optional = self.of_kind or _KINDS[type(one)], self.default is None
        return Field(self.name, kind, self.least, self.most, distinct=self.distinct, optional=optional)

    def value(self, value: Any) -> Any:
        """A value of the flag, checked; always a list if it takes several."""
        return list(choices(self.field.axis(value))) if self.several else self.field.value(value)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What can be run from flags: a configuration, and what is made of its results."""

    name: str
    about: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Sequence[Option] = ()
    takes: Literal["", "features", "text"] = ""
    needs: Sequence[str] = ()
    trains: bool = True
    check: Callable[[Config], None] | None = None
    fits: Callable[[Config, Sequence[Dataset]], None] = lambda config, folds: None


@dataclass(frozen=True, kw_only=True)
class Claim(Experiment):
    """A sentence that is put to the test, by rules that are fixed before."""

    trains: bool = False  # most claims train in `measure`, on each task
    lecture: str
    measured: str
    rules: Mapping[str, Rule]
    evidence: Callable[[Tables], Mapping[str, Evidence]]
    summary: Callable[[Tables], Mapping[str, pd.DataFrame]]
    effects: Mapping[str, str] = field(default_factory=dict)
    """The rules whose effects are drawn by task, each with the label of its axis."""
    pictures: Callable[[Tables], Mapping[str, Picture]] = lambda tables: {}
    measure: Callable[[Results], Tables] = lambda results: {}
    quick: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, Any] | None = None
    of_text: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        """A hash of what was fixed before any run: the rules, the data, and what is trained."""
        options = [{name: getattr(one, name) for name in ("name", "default", "help", "least")} for one in self.options]
        return fingerprint(self.rules, self.lecture, self.measured, self.defaults, options)


@dataclass(frozen=True, kw_only=True)
class Job(Experiment):
    """A sweep that reports what was found."""

    report: Callable[[Results, Console], None]


@dataclass(frozen=True, kw_only=True)
class Comparison(Experiment):
    """Contestants that are tuned alike, confirmed on fresh seeds, and told apart only where the data do."""

    by: str
    drawn: Mapping[str, Any] = field(default_factory=dict)
    report: Callable[[Results, Study, Console], None] = lambda results, study, console: None


CONFIRM_SEEDS = Option(
    "confirm_seeds",
    32,
    "Fresh seeds of each chosen setting, in each block; 0 lets the seeds that chose report.",
    least=0,
)
MARGIN = Option(
    "margin",
    0.005,
    "Difference of test accuracies that is too small to matter: a tie if the interval lies within it.",
    least=0,
)
LEVEL = Option("level", 0.95, "Confidence level of intervals; the rules of claims keep theirs.", least=0.5, most=0.99)
OVER_EXAMPLES = Option(
    "over_examples", False, "Whether intervals of differences over seeds hold for other test examples as well."
)
TASKS = Option(
    "tasks", ["own"], "Tasks of the suite: small, all or names; own is the data set and model of the other flags."
)


def of_suite(*names: str, confirm_seeds: int) -> tuple[Option, Option]:
    """The options of a claim that is tested on tasks of the suite; a given data set is its own task."""
    return replace(TASKS, default=list(names)), replace(CONFIRM_SEEDS, default=confirm_seeds)


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with flags of its own; `run` takes their values, and `directory`, as attributes."""

    name: str
    about: str
    run: Callable[[SimpleNamespace], int]
    details: str = ""
    options: Sequence[Option] = ()
    directories: str = ""
    """What its run directories are, for the help; none if it takes none."""


def configure(experiment: Experiment, values: Mapping[str, Any]) -> Config:
    """The configuration of an experiment, with some of its values changed.

    What the experiment gives to plug-ins that are no longer chosen is left out.
    """
    own = {option.name: option for option in experiment.options}
    values = _with_own_task(own, values)
    options = {name: option.value(values.get(name, option.default)) for name, option in own.items()}
    given = {name: value for name, value in values.items() if name not in own}
    config = Config(**inherited(_defaults(experiment, given), given), options=options)
    return checked(experiment, config if "search" in given else _with_something_to_draw(config))


def _with_own_task(options: Mapping[str, Option], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A data set or a net that is given takes the place of the suite's tasks."""
    of_data = "tasks" in options and {"dataset", "model", "hidden_units"} & set(values)
    return {"tasks": ["own"], **values} if of_data else values


def _with_something_to_draw(config: Config) -> Config:
    """A grid in the place of an experiment's own search, where all of its ranges were given values."""
    has_range = any(isinstance(value, Range) for value in config.values().values())
    return config if has_range or config.search == "grid" else config.changed(search="grid")


def _defaults(experiment: Experiment, given: Mapping[str, Any]) -> dict[str, Any]:
    """The experiment's own values; those for drawn settings where the search draws them."""
    drawn = experiment.drawn if isinstance(experiment, Comparison) else {}
    search = {**experiment.defaults, **given}.get("search", "grid")
    return {**experiment.defaults, **(drawn if search != "grid" else {})}


def checked(experiment: Experiment, config: Config) -> Config:
    """The configuration, if the experiment is made for it."""
    for value in choices(config.model) if experiment.needs else ():
        model = plugins.MODEL.find(value)
        missing = [name for name in experiment.needs if name not in model.arguments]
        if missing:
            raise UserError(f"model: '{model.name}' has no '{missing[0]}', which {experiment.name} is about.")
    if experiment.check is not None:
        experiment.check(config)
    return config


def inherited(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, and those defaults that still mean something: another model may lack some arguments."""
    merged = {**defaults, **given}
    fields = {declared.name for declared in configuration.fields()}
    taken = {argument for plugin in chosen(Config(**merged)) for argument in plugin.arguments}
    return {name: value for name, value in merged.items() if name in fields | taken or name in given}


def repeated(experiment: Experiment, path: str | Path, given: Mapping[str, Any], trusted: Trust) -> Config:
    """The configuration of a file with some values changed; nothing comes from the experiment's own values."""
    held = config_files.values(path, config_files.read(path), given, trusted)
    own = {option.name: option for option in experiment.options}
    merged = {**held, **given}
    plain = {name: value for name, value in merged.items() if name not in own}
    known = {field.name for field in configuration.fields()} | set(own)
    known |= {name for plugin in (*chosen(Config(**plain)), *plugins.built_in()) for name in plugin.arguments}
    for name in held:
        if name not in known:
            raise unknown(f"config: '{path}', keyword", name, known)
    options = {name: option.value(merged.get(name, option.default)) for name, option in own.items()}
    before = {name: value for name, value in held.items() if name not in own} | plain
    kept = inherited(before, {name: value for name, value in given.items() if name not in own})
    return checked(experiment, Config(**kept, options=options))


def command_line(experiment: Experiment, config: Config) -> str:
    """The command that repeats a configuration of an experiment."""
    usual = configure(experiment, {})
    before, now = {**usual.values(), **usual.options}, {**config.values(), **config.options}
    changed = {name: value for name, value in now.items() if name != "output" and before.get(name) != value}
    return command(experiment.name, *(f"--{name}={config_files.text_of(value)}" for name, value in changed.items()))


def only(**allowed: str) -> Callable[[Config], None]:
    """A check that fields and arguments have no other value than one.

    >>> only(model="mlp")(Config(model="dan"))
    Traceback (most recent call last):
    ...
    jaxnets.errors.UserError: model: this experiment is made for 'mlp' alone, not for 'dan'.
    """

    def check(config: Config) -> None:
        for name, value in allowed.items():
            for given in choices(config.values().get(name, value)):
                if given != value:
                    raise UserError(f"{name}: this experiment is made for '{value}' alone, not for '{given}'.")

    return check

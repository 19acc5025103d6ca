"""From a configuration to the table of its runs: a row of hyperparameters for each."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from jaxnets import data, models
from jaxnets.basics.errors import UserError, unknown
from jaxnets.config import config as configuration
from jaxnets.config.arguments import Argument, arguments
from jaxnets.config.config import Config
from jaxnets.config.values import Range, Values, parse
from jaxnets.training import heads, initializers, optimizers, schedules

Run = dict[str, Any]
"""A run's hyperparameters by the names of their flags; None where it goes without."""


@dataclass(frozen=True)
class PluginKind:
    """A hyperparameter whose values are names of plug-ins, which bring arguments of their own."""

    name: str
    find: Callable[[str], Callable]
    hyperparameters: Callable[[Any], Mapping[str, Argument]]

    def arguments(self, value: str) -> Mapping[str, Argument]:
        """The arguments of the plug-in of a name."""
        return self.hyperparameters(self.find(value))


PLUGINS = (
    PluginKind("model", models.find, models.hyperparameters),
    PluginKind("optimizer", optimizers.find, optimizers.hyperparameters),
    PluginKind("schedule", schedules.find, schedules.hyperparameters),
)
DROPOUT = "dropout_rate"
DATASET = PluginKind("dataset", data.find, arguments)


def runs(config: Config) -> list[Run]:
    """The runs of a configuration, the seed varying fastest.

    Raises:
      UserError: if a name is unknown, a value out of range, or an argument belongs to no chosen plug-in.
    """
    values = _given(config)
    _check_names(values)
    _check_arguments(config, values)
    table = [run for point in _points(values, config) for run in _with_arguments(point, config)]
    return [{**run, "seed": seed} for run in table for seed in _seeds(config)]


def dataset_arguments(config: Config) -> dict[str, Any]:
    """What the configuration gives to the loader of its data set."""
    chosen = DATASET.arguments(config.dataset)
    given = {name: parse(name, text, chosen[name].kind) for name, text in config.arguments.items() if name in chosen}
    for name, values in given.items():
        if len(_listed(values)) != 1:
            raise UserError(f"{name}: a data set takes one value, not a list.")
    return {name: _listed(values)[0] for name, values in given.items()}


def _given(config: Config) -> dict[str, Values]:
    """The values of the hyperparameters that are fields of the configuration; (None,) where not given."""
    given: dict[str, Values] = {}
    for field in configuration.fields():
        if field.metadata["role"] == "hyperparameter" and field.name != "seed":
            text = getattr(config, field.name)
            # an empty text is a mistake, unless that is what the field is by default
            absent = text == "" and field.default == ""
            given[field.name] = (None,) if absent else parse(field.name, text, field.metadata["kind"])
            _check_range(field.name, given[field.name], field.metadata["least"])
    return given


def _check_range(name: str, values: Values, least: float | None) -> None:
    for value in (values.low, values.high) if isinstance(values, Range) else values:
        if value is not None:
            configuration.in_range(name, value, least)


def _check_below_one(name: str, values: Values) -> None:
    for value in (values.low, values.high) if isinstance(values, Range) else values:
        if value >= 1:
            raise UserError(f"{name}: {value} would drop everything; it must be below 1.")


def _check_names(values: Mapping[str, Values]) -> None:
    finders = {kind.name: kind.find for kind in PLUGINS} | {"initializer": initializers.index, "head": heads.find}
    for name, find in finders.items():
        for value in _listed(values[name]):
            find(value)


def without_strangers(config: Config, wanted: Collection[str]) -> Config:
    """The configuration without the arguments that no chosen plug-in takes, but for the wanted ones.

    Raises:
      UserError: if a plug-in is unknown.
    """
    values = _given(config)
    _check_names(values)
    kept = _takers(_chosen(config, values)) | set(wanted)
    return replace(config, arguments={name: text for name, text in config.arguments.items() if name in kept})


def _chosen(config: Config, values: Mapping[str, Values]) -> dict[PluginKind, tuple[str, ...]]:
    return {kind: _listed(values[kind.name]) for kind in PLUGINS} | {DATASET: (config.dataset,)}


def _takers(chosen: Mapping[PluginKind, tuple[str, ...]]) -> set[str]:
    """The arguments of the chosen plug-ins."""
    return {name for kind, names in chosen.items() for value in names for name in kind.arguments(value)}


def _check_arguments(config: Config, values: Mapping[str, Values]) -> None:
    """Raises the error for an argument that no chosen plug-in takes."""
    chosen = _chosen(config, values)
    takers = _takers(chosen)
    for name in config.arguments:
        if name not in takers:
            raise _misplaced(name, takers, chosen)


def _misplaced(name: str, takers: set[str], chosen: Mapping[PluginKind, tuple[str, ...]]) -> UserError:
    for kind, known in (("optimizer", optimizers.known()), ("schedule", schedules.known()), ("model", models.KNOWN)):
        plugin_kind = next(k for k in PLUGINS if k.name == kind)
        owners = sorted(value for value in known if name in plugin_kind.arguments(value))
        if owners:
            has = ",".join(chosen[plugin_kind])
            return UserError(f"{name}: {kind}={has} has no '{name}'. It belongs to: {', '.join(owners)}.")
    return unknown("flag", name, takers | {field.name for field in configuration.fields()})


def _listed(values: Values) -> tuple[Any, ...]:
    return () if isinstance(values, Range) else values


def _points(values: Mapping[str, Values], config: Config) -> Iterator[Run]:
    """The points of the grid, or of the lists with random draws from the ranges at each."""
    if config.search not in ("grid", "random"):
        raise unknown("search", config.search, ("grid", "random"))
    yield from _crossed(values, config)


def _crossed(values: Mapping[str, Values], config: Config) -> Iterator[Run]:
    """The product of the values of each name."""
    choices = [_choices(name, of_name, config) for name, of_name in values.items()]
    yield from (dict(zip(values, point, strict=True)) for point in itertools.product(*choices))


def _choices(name: str, values: Values, config: Config) -> tuple[Any, ...]:
    """A range is a grid, or for random search one choice: it is drawn from when the run is otherwise known."""
    if not isinstance(values, Range):
        return values
    if config.search == "random":
        return (values,)
    if values.count is None:
        raise UserError(f"{name}: a grid needs the count of a range, as in 'log:1e-4:1:9'; or search=random.")
    return values.grid()


def _with_arguments(point: Run, config: Config) -> Iterator[Run]:
    """A point with the arguments of its plug-ins: crossed where they are lists."""
    columns: dict[str, Values] = {}
    for name, value in point.items():
        columns.setdefault(name, (value,) if not isinstance(value, Range) else value)
        kind = next((kind for kind in PLUGINS if kind.name == name), None)
        for argument in kind.arguments(value).values() if kind else ():
            columns[argument.name] = _argument_values(kind, argument, point, config)  # type: ignore[arg-type]
    for run in _crossed(columns, config):
        yield from _drawn(run, config)


def _argument_values(kind: PluginKind, argument: Argument, point: Run, config: Config) -> Values:
    if argument.name in config.arguments:
        values = parse(argument.name, config.arguments[argument.name], argument.kind)
        # a model may have numbers of any sign; those of optimizers and schedules, and rates, are not negative
        if (kind.name != "model" or argument.name.endswith(DROPOUT)) and argument.kind in ("float", "int"):
            _check_range(argument.name, values, 0)
        if argument.name.endswith(DROPOUT):
            _check_below_one(argument.name, values)
        return values
    # an argument that is a field as well, as AdamW's weight_decay is, follows the field where that is given
    if point.get(argument.name) is not None:
        return (point[argument.name],)
    return (argument.default,)


def _drawn(run: Run, config: Config) -> Iterator[Run]:
    """The run itself, or one for each trial with its ranges drawn from; trial k draws alike at every point."""
    ranges = {name: value for name, value in run.items() if isinstance(value, Range)}
    if config.search == "grid":
        yield run
        return
    if not ranges:
        raise UserError("--search=random: no flag gives a range to draw from, such as learning_rate=log:1e-4:1.")
    for trial in range(config.number("num_trials")):
        # a stream for each trial and name, so that one more range leaves the others' draws as they are
        draws = {
            name: span.draw(np.random.default_rng([config.number("search_seed"), trial, *name.encode()]))
            for name, span in ranges.items()
        }
        yield {**run, **draws}


def _seeds(config: Config) -> tuple[int, ...]:
    if config.seed:
        seeds = parse("seed", config.seed, "int")
        listed = seeds.grid() if isinstance(seeds, Range) else seeds
        return tuple(configuration.in_range("seed", seed, 0) for seed in listed)
    return tuple(range(config.number("num_seeds")))

"""From a configuration to the table of its runs: a row of hyperparameters for each."""

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from jaxnets import plugins
from jaxnets.config import config as configuration
from jaxnets.config.config import SEEDS_OF_BASE, Config
from jaxnets.config.values import Range, choices
from jaxnets.data.splits import SEEDS, made_anew
from jaxnets.errors import UserError, unknown
from jaxnets.io import free_memory
from jaxnets.plugins import DATASET, KINDS, WITH_ARGUMENTS, Argument, Plugin
from jaxnets.training import optimizers

Run = dict[str, Any]
"""A run's hyperparameters by name; a plug-in where the name is that of a kind; None where it goes without."""


MOST_RUNS = 10_000_000
_RUN_BYTES = 4_000  # by estimate: 10,000 runs of xor took 5.5 kB each before their first step
_GIB = 2**30


def runs(config: Config, task: str = "") -> list[Run]:
    """The runs of a configuration, repeat after repeat, the seed varying fastest."""
    axes = _axes(config)
    _check_arguments(config, axes)
    _check_count(config, axes)  # before a list of them is made
    _check_seeds(config)
    points = [run for point in _crossed(axes, config) for run in _with_arguments(point, config)]
    return [run for repeat in range(config.num_repeats) for run in _of_repeat(points, config, repeat, task)]


def _of_repeat(points: Sequence[Run], config: Config, repeat: int, task: str) -> Iterator[Run]:
    """The runs of a repeat: each point, drawn from where it has ranges, with each seed."""
    seeds = _seeds(config, repeat)
    marked = {"repeat": repeat} if config.num_repeats > 1 else {}
    for point in points:
        for run in drawn(point, config, repeat, task):
            yield from ({**run, "seed": seed, **marked} for seed in seeds)


def dataset_number(run: Mapping[str, Any]) -> int:
    """Which of the sweep's Datasets a run learns from: the one of its repeat or its fold; otherwise the only one."""
    return int(run.get("repeat", run.get("fold", 0)))


def distinct(table: Iterable[Run]) -> list[Run]:
    """The runs, of equal ones the first."""
    names: dict[tuple[str, ...], tuple[str, ...]] = {}  # shared by all keys, which are as many as the runs
    found: dict[tuple, Run] = {}
    for run in table:
        found.setdefault((names.setdefault(tuple(run), tuple(run)), *run.values()), run)
    return list(found.values())


def dataset_arguments(config: Config, loader: Plugin) -> dict[str, Any]:
    """What the configuration gives to the loader of its data set."""
    given = {name: value for name, value in config.arguments.items() if name in loader.arguments}
    values = {name: loader.arguments[name].of_values().value(value) for name, value in given.items()}
    return {**values, **_moved_seeds(values, loader, config.first_seed)}


def are_independent(config: Config) -> bool:
    """Whether the repeats of a configuration share no examples."""
    return config.num_repeats > 1 and made_anew(DATASET.find(config.dataset).value)


def _moved_seeds(values: Mapping[str, Any], loader: Plugin, first: int) -> dict[str, int]:
    """The seeds of a loader, as far from their own as the sweep's are from zero."""
    own = {name: loader.arguments[name].default for name in SEEDS if name in loader.arguments} if first else {}
    return {name: values.get(name, default) + first for name, default in own.items()}


def without_strangers(config: Config, wanted: Collection[str]) -> Config:
    """The configuration without the arguments that no chosen plug-in takes, except for the wanted ones."""
    kept = {argument for plugin in chosen(config) for argument in plugin.arguments} | set(wanted)
    return replace_arguments(config, {name: value for name, value in config.arguments.items() if name in kept})


def replace_arguments(config: Config, arguments: Mapping[str, Any]) -> Config:
    """The configuration with other arguments of plug-ins."""
    own = {field.name: getattr(config, field.name) for field in configuration.fields()}
    return Config(**own, **arguments, options=config.options)


def chosen(config: Config) -> list[Plugin]:
    """The plug-ins with arguments that a configuration names."""
    values = [(kind, value) for kind in WITH_ARGUMENTS for value in choices(getattr(config, kind.name))]
    return [kind.find(value) for kind, value in (*values, (DATASET, config.dataset))]


def _axes(config: Config) -> dict[str, Any]:
    """The values of the hyperparameters that are fields, plug-ins looked up: one value, a list or a range each."""
    axes: dict[str, Any] = {}
    for field in configuration.fields():
        if field.metadata["role"] == "hyperparameter" and field.name != "seed":
            value = getattr(config, field.name)
            axes[field.name] = _plugins(field.name, value) if field.name in KINDS else value
    return axes


def _plugins(kind: str, value: Any) -> Any:
    """The plug-ins of the values of a hyperparameter."""
    named: dict[str, Plugin] = {}
    for plugin in (KINDS[kind].find(item) for item in choices(value)):
        if named.setdefault(plugin.name, plugin) != plugin:
            raise UserError(f"{kind}: two that differ are called '{plugin.name}'; give them names of their own.")
    return list(named.values())


def _check_arguments(config: Config, axes: Mapping[str, Any]) -> None:
    """Raises the error for an argument that no chosen plug-in takes."""
    named = [plugin for kind in WITH_ARGUMENTS for plugin in axes[kind.name]] + [DATASET.find(config.dataset)]
    takers = {argument for plugin in named for argument in plugin.arguments}
    for name in config.arguments:
        if name not in takers:
            raise _misplaced(name, takers, named)


def _misplaced(name: str, takers: set[str], named: Sequence[Plugin]) -> UserError:
    for kind, known in plugins.owners(name):
        if known:
            has = ",".join(plugin.name for plugin in named if plugin.kind == kind.name)
            return UserError(f"{name}: {kind.name}={has} has no '{name}'. It belongs to: {', '.join(sorted(known))}.")
    return unknown("keyword", name, takers | {field.name for field in configuration.fields()})


def _check_count(config: Config, axes: Mapping[str, Any]) -> None:
    """Refuses a sweep of more runs than can be listed; an argument that some plug-ins lack counts for all."""
    counts = {name: _count(value) for name, value in {**axes, **config.arguments}.items()}
    counts["num_seeds" if config.seed is None else "seed"] = (
        config.num_seeds if config.seed is None else _count(config.seed)
    )
    counts["num_repeats"] = config.num_repeats
    if config.search != "grid":
        counts["num_trials"] = config.num_trials
    check_runs(counts)


def _check_seeds(config: Config) -> None:
    """Refuses more seeds than a base seed has: the next ones belong to another."""
    final = config.options.get("final_seeds", 0)
    needed = config.num_repeats * ((config.num_seeds if config.seed is None else 0) + final)
    if needed > SEEDS_OF_BASE:
        raise UserError(
            f"num_seeds: {needed:,} seeds of all repeats are more than the {SEEDS_OF_BASE:,} of a base_seed."
        )


def _count(value: Any) -> int:
    """The values of an axis; of a range without a count, one."""
    return (value.count or 1) if isinstance(value, Range) else len(choices(value))


def _crossed(values: Mapping[str, Any], config: Config) -> Iterator[Run]:
    """The product of the values of each name."""
    points = [_points(name, of_name, config) for name, of_name in values.items()]
    yield from (dict(zip(values, point, strict=True)) for point in itertools.product(*points))


def _points(name: str, value: Any, config: Config) -> tuple[Any, ...]:
    """A range is a grid, or in other searches one choice: it is drawn from when the run is otherwise known."""
    if not isinstance(value, Range) or config.search != "grid":
        return choices(value)
    if value.count is None:
        raise UserError(f"{name}: a grid needs the count of a range, as in log_range(1e-4, 1, 9); or search=random.")
    return tuple(value.grid())


def _with_arguments(point: Run, config: Config) -> Iterator[Run]:
    """A point with the arguments of its plug-ins: crossed where they are lists."""
    if point["learning_rate"] is None:
        own = optimizers.own_rate(point["optimizer"].value)
        point = {**point, "learning_rate": optimizers.RATE if own is None else own}
    columns: dict[str, Any] = {}
    for name, value in point.items():
        columns.setdefault(name, value)
        if isinstance(value, Plugin):
            for argument in value.arguments.values():
                columns[argument.name] = _argument_axis(argument, point, config)
    yield from _crossed(columns, config)


def _argument_axis(argument: Argument, point: Run, config: Config) -> Any:
    """The values of a plug-in's argument: those given, those of the field of the same name, or the default."""
    if argument.name in config.arguments:
        value = argument.of_values().axis(config.arguments[argument.name])
    elif point.get(argument.name) is not None:  # one that is a field as well, as AdamW's weight_decay is
        return point[argument.name]
    else:
        value = argument.default
    return _plugins(argument.name, value) if argument.kind == "plugin" else value


def _seeds(config: Config, repeat: int) -> tuple[int, ...]:
    if config.seed is None:
        first = config.first_seed + repeat * config.num_seeds
        return tuple(range(first, first + config.num_seeds))
    if config.num_repeats > 1:
        raise UserError("seed: each repeat has seeds of its own; with num_repeats, give num_seeds.")
    return tuple(config.seed.grid()) if isinstance(config.seed, Range) else choices(config.seed)


def drawn(run: Mapping[str, Any], config: Config, repeat: int, task: str = "") -> Iterator[dict[str, Any]]:
    """The run itself in a grid; otherwise one for each trial, with its ranges drawn from.

    Trial k of a repeat draws alike at every point of the other lists.
    """
    ranges = {name: value for name, value in run.items() if isinstance(value, Range)}
    if config.search == "grid":
        yield dict(run)
        return
    if not ranges:
        raise UserError(f"search: {config.search} has no range to draw from, such as learning_rate=log_range(1e-4, 1).")
    draw = _sobol if config.search == "sobol" else _random
    for trial in range(config.num_trials):
        yield {**run, **draw(ranges, config, trial, repeat, task)}


def _random(ranges: Mapping[str, Range], config: Config, trial: int, repeat: int, task: str) -> dict[str, Any]:
    """Independent draws: a stream for each trial and name, so that one more range leaves the others as they are."""
    # no byte of a name is 256 or more, so that a repeat cannot be taken for one
    own = [*([256 + repeat] if repeat else []), *_others(config, task)]
    return {
        name: span.draw(np.random.default_rng([config.search_seed, trial, *name.encode(), *own]))
        for name, span in ranges.items()
    }


def _others(config: Config, task: str) -> list[int]:
    """What is added to the key of a stream by another base seed, and by a task of several; nothing by neither."""
    # no repeat is as large as its first number
    return [2**31 + config.base_seed, *task.encode()] if config.base_seed or task else []


def _sobol(ranges: Mapping[str, Range], config: Config, trial: int, repeat: int, task: str) -> dict[str, Any]:
    """A point that keeps its distance from those of the other trials; a dimension for each range, by name."""
    key = config.search_seed, repeat, *_others(config, task)
    point = _sobol_points(len(ranges), config.num_trials, key)[trial]
    places = dict(zip(sorted(ranges), point, strict=True))
    return {name: span.number(places[name]) for name, span in ranges.items()}


@lru_cache(maxsize=64)
def _sobol_points(num_ranges: int, num_trials: int, key: tuple[int, ...]) -> np.ndarray:
    """Scrambled Sobol points (Owen 1998), `float64[trials, ranges]` from 0 to 1.

    They are balanced if their number is a power of two: the next one is drawn, and cut.
    """
    from scipy.stats import qmc

    generator = np.random.default_rng(key)
    engine = qmc.Sobol(num_ranges, scramble=True, rng=generator)
    return engine.random_base2(math.ceil(math.log2(num_trials)))[:num_trials]


def check_runs(counts: Mapping[str, int]) -> None:
    """Refuses more runs than can be listed, or than the memory holds.

    >>> check_runs({"seed": 20_000, "learning_rate": 1_000})
    Traceback (most recent call last):
    ...
    jaxnets.errors.UserError: seed: 20,000,000 runs are more than the 10,000,000 that a sweep may have.
    """
    total, longest = math.prod(counts.values()), max(counts, key=counts.__getitem__)
    if total > MOST_RUNS:
        raise UserError(f"{longest}: {total:,} runs are more than the {MOST_RUNS:,} that a sweep may have.")
    check_memory(longest, f"{total:,} runs", total * _RUN_BYTES, free_memory())


def check_memory(field: str, what: str, needed: int, free: int) -> None:
    """Refuses what takes more than the memory that is free."""
    if needed > free:
        sizes = f"about {needed / _GIB:,.1f} GiB, more than the {free / _GIB:,.1f} GiB of memory that are free"
        raise UserError(f"{field}: {what} take {sizes}.")

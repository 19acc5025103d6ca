"""Draws of a search: the numbers that each trial takes from the ranges."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from jaxnets.config.config import Config
from jaxnets.config.values import Range
from jaxnets.errors import UserError


def drawn(run: Mapping[str, Any], config: Config, block: int, task: str = "") -> Iterator[dict[str, Any]]:
    """The run itself in a grid; otherwise one for each trial, with its ranges drawn from.

    Trial k of a block draws alike at every point of the other lists.
    """
    ranges = {name: value for name, value in run.items() if isinstance(value, Range)}
    if config.search == "grid":
        yield dict(run)
        return
    if not ranges:
        raise UserError(f"search: {config.search} has no range to draw from, such as learning_rate=log_range(1e-4, 1).")
    draw = _sobol if config.search == "sobol" else _random
    for trial in range(config.num_trials):
        yield {**run, **draw(ranges, config, trial, block, task)}


def _random(ranges: Mapping[str, Range], config: Config, trial: int, block: int, task: str) -> dict[str, Any]:
    """Independent draws: a stream for each trial and name, so that one more range leaves the others as they are."""
    # no byte of a name is 256 or more, so that a block cannot be taken for one
    own = [*([256 + block] if block else []), *_others(config, task)]
    return {
        name: span.draw(np.random.default_rng([config.search_seed, trial, *name.encode(), *own]))
        for name, span in ranges.items()
    }


def _others(config: Config, task: str) -> list[int]:
    """What is added to the key of a stream by another base seed, and by a task of several; nothing by neither."""
    # no block is as large as its first number
    return [2**31 + config.base_seed, *task.encode()] if config.base_seed or task else []


def _sobol(ranges: Mapping[str, Range], config: Config, trial: int, block: int, task: str) -> dict[str, Any]:
    """A point that keeps its distance from those of the other trials; a dimension for each range, by name."""
    key = config.search_seed, block, *_others(config, task)
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

"""Solutions in pairs: how far apart two ends of training are, and the loss on the straight line between them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from jaxnets.analysis import landscape
from jaxnets.engine.trained import Trained
from jaxnets.models.blocks import is_mlp
from jaxnets.stats import selection

OTHER_METHOD, OTHER_ORDER = "same start, other method", "same start, other batches"
OTHER_START, ALIGNED = "other start", "other start, aligned"

COLUMNS = ["kind", "first", "second", "block", "seed", "distance", "barrier", "share", "loss"]


@dataclass(frozen=True)
class _Pair:
    """Two solutions, with what tells the pair from others, and the run on whose examples the loss is taken."""

    kind: str
    methods: tuple[str, str]
    run: int
    first: Any
    second: Any


def pairs(trained: Trained, by: str, within: str = "", *, starts: bool = True) -> pd.DataFrame:
    """The training losses along the lines between the ends of runs.

    Pairs are made of methods that have one start, as they have one seed; of runs of a method with their batches in
    another order, from `jaxnets.analysis.landscape.in_another_order`; and of starts of a method, each in one pair, as
    they are and with the hidden units of an MLP aligned. Runs that diverged have no end, and no pairs.
    """
    again = landscape.in_another_order(trained)
    runs = selection.finished(trained.runs)
    runs = runs.assign(block=runs.get("block", 0))
    models = runs.groupby(within, sort=False) if within else [("", runs)]
    tables = [
        _lines(trained, again, of_model, by, starts).assign(**_named(within, str(name))) for name, of_model in models
    ]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, *_named(within, "")])


def _named(within: str, name: str) -> dict[str, str]:
    return {within: name} if within else {}


def _lines(trained: Trained, again: Trained, runs: pd.DataFrame, by: str, starts: bool) -> pd.DataFrame:
    """The rows of `pairs` for the runs of one model."""
    made = list(_compared(trained, again, runs, by))
    made += list(_of_starts(trained, runs, by)) if starts else []
    losses = landscape.along_lines(
        trained, [one.run for one in made], [one.first for one in made], [one.second for one in made]
    )
    scale, places = np.log(trained.folds[0].num_classes), runs.set_index("run")
    rows = [
        (
            *(one.kind, *one.methods, places.at[one.run, "block"], places.at[one.run, "seed"]),
            *(landscape.distance(one.first, one.second), landscape.barrier(line) / scale),
        )
        for one, line in zip(made, losses, strict=True)
    ]
    table, points = pd.DataFrame(rows, columns=COLUMNS[:-2]), landscape.POINTS
    shares = np.tile(np.linspace(0, 1, points), len(table))
    return table.loc[table.index.repeat(points)].assign(share=shares, loss=losses.ravel())


def _compared(trained: Trained, again: Trained, runs: pd.DataFrame, by: str) -> Iterator[_Pair]:
    """The pairs of one start: of two methods, and of one method with its batches in another order."""
    repeated = set(selection.finished(again.runs)["run"])
    for _, of_start in runs.groupby(["block", "seed"], sort=False):
        numbers = of_start.drop_duplicates(by).set_index(by)["run"].astype(int).to_dict()
        for first, second in combinations(numbers, 2):
            ends = trained.params(numbers[first]), trained.params(numbers[second])
            yield _Pair(OTHER_METHOD, (str(first), str(second)), numbers[first], *ends)
        for name, run in numbers.items():
            if run not in repeated:
                continue
            yield _Pair(OTHER_ORDER, (str(name), str(name)), run, trained.params(run), again.params(run))


def _of_starts(trained: Trained, runs: pd.DataFrame, by: str) -> Iterator[_Pair]:
    """The pairs of different starts of one method, on the same examples."""
    for (_, name), own in runs.groupby(["block", by], sort=False):
        numbers = own.sort_values("seed")["run"].astype(int).tolist()
        for run, other in zip(numbers[::2], numbers[1::2], strict=False):
            end, far = trained.params(run), trained.params(other)
            yield _Pair(OTHER_START, (str(name), str(name)), run, end, far)
            if is_mlp(far):
                yield _Pair(ALIGNED, (str(name), str(name)), run, end, landscape.aligned(far, end))

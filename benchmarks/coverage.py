"""How often 95% intervals cover the truth: simulated studies of a few seeds each, by kind of data and statistic.

A study without spread has no bounds, and says so; where as few seeds are too few, the output says so as well. Such
studies are counted in columns of their own.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absl import app, flags
from jaxtyping import Float
from scipy import stats

from jaxnets.evidence import intervals, resampling
from jaxnets.evidence.intervals import Estimate

STUDIES = flags.DEFINE_integer("studies", 2000, "Studies that are simulated for each row.", lower_bound=2)
MARKDOWN = flags.DEFINE_string("markdown", "", "File to write the table to as well.")

SIZES = (4, 8, 16)
STUCK, WORKING = 0.1, 0.97
ROUNDING = 1e-12

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def normal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Values with a normal distribution."""
    return generator.normal(size=shape)


def lognormal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Values whose logarithms have a standard deviation of 0.8."""
    return np.exp(0.8 * generator.normal(size=shape))


def accuracy(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Accuracies over 180 examples of nets that are right on 98% of all, give or take 0.4 points."""
    return generator.binomial(180, generator.beta(980, 20, size=shape)) / 180


def bimodal(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Accuracies of 97%, give or take half a point, but of 5% of the seeds, which are stuck at chance."""
    values = generator.normal(WORKING, 0.005, size=shape)
    return np.where(generator.random(shape) < 0.05, STUCK, values)


KINDS: dict[str, Draw] = {"normal": normal, "lognormal": lognormal, "accuracy": accuracy, "bimodal": bimodal}


@dataclass(frozen=True)
class Statistic:
    """A statistic whose interval is put to the test.

    Attributes:
      name: in the table.
      estimate: of one study.
      bounds: of many studies at once, the same numbers.
      value: of very many seeds.
      least: seeds, below which there is no interval.
      paired: whether it is of the differences of two contestants on the same seeds.
    """

    name: str
    estimate: Callable[[np.ndarray], Estimate]
    bounds: Callable[[np.ndarray], resampling.Bounds]
    value: Callable[[np.ndarray], np.floating]
    least: int = 2
    paired: bool = False


def _of_means(samples: np.ndarray) -> resampling.Bounds:
    return (resampling.student if samples.shape[1] < intervals.FEW else resampling.studentized)(samples)


def _of_middles(samples: np.ndarray) -> resampling.Bounds:
    return resampling.interquartile_mean(np.sort(samples, axis=1))


def _middle(values: np.ndarray) -> np.floating:
    return stats.trim_mean(values, 0.25)


STATISTICS = (
    Statistic("mean", intervals.mean, _of_means, np.mean),
    Statistic("paired difference", intervals.mean, _of_means, np.mean, paired=True),
    Statistic("median", intervals.median, resampling.median, np.median, intervals.FEW_FOR_MEDIAN),
    Statistic("interquartile mean", intervals.interquartile_mean, _of_middles, _middle, intervals.FEW_FOR_MIDDLE),
)


@dataclass(frozen=True)
class Row:
    """What became of the studies of one statistic, kind of data and size.

    Attributes:
      statistic: its name.
      kind: of data.
      size: seeds of a study.
      silent: share of the studies without bounds.
      covered: share of the others whose interval holds the truth; NaN if there are none.
      said: what the output says of so few seeds.
    """

    statistic: str
    kind: str
    size: int
    silent: float
    covered: float
    said: str


def samples(
    kind: str, statistic: Statistic, generator: np.random.Generator, shape: tuple[int, int]
) -> Float[np.ndarray, "studies seeds"]:
    """The values of studies.

    Pairs are of two contestants alike; but of bimodal data only the first gets stuck.
    """
    first = KINDS[kind](generator, shape)
    if not statistic.paired:
        return first
    return first - (
        generator.normal(WORKING, 0.005, size=shape) if kind == "bimodal" else KINDS[kind](generator, shape)
    )


def row(kind: str, statistic: Statistic, size: int, studies: int, truth: float, generator: np.random.Generator) -> Row:
    """Simulates the studies of one row, whose intervals should hold the truth."""
    values = samples(kind, statistic, generator, (studies, size))
    said = next((statistic.estimate(of_study).note for of_study in values if np.ptp(of_study)), "")
    if kind == "bimodal" and statistic.least == 2:
        said = "; ".join(filter(None, [said, intervals.unseen_failures(size)]))
    if size < statistic.least:
        return Row(statistic.name, kind, size, 1.0, np.nan, said)
    low, high = statistic.bounds(values)
    known = high - low > ROUNDING
    covered = ((low <= truth + ROUNDING) & (truth - ROUNDING <= high))[known].mean()
    return Row(statistic.name, kind, size, float(1 - known.mean()), float(covered), said)


def rows(studies: int) -> Iterator[Row]:
    """All rows of the table."""
    generator = np.random.default_rng(0)
    for statistic in STATISTICS:
        for kind in KINDS:
            truth = float(statistic.value(samples(kind, statistic, generator, (1, 1_000_000))[0]))
            for size in SIZES:
                yield row(kind, statistic, size, studies, truth, generator)


def cell(found: Row) -> str:
    """The share of intervals that cover; the share of studies without any; and whether the output warns.

    >>> cell(Row("mean", "normal", 4, 0.02, 0.951, "4 are too few if skewed"))
    '95.1%, none in 2% †'
    """
    covered = "none" if np.isnan(found.covered) else f"{found.covered:.1%}"
    silent = f", none in {found.silent:.0%}" if 0.005 <= found.silent < 1 else ""
    return f"{covered}{silent}{' †' if found.said else ''}"


def markdown(table: Iterable[Row], studies: int) -> str:
    """The table, and under it what the output says where there is a mark."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for one in table:
        groups.setdefault((one.statistic, one.kind), []).append(one)
    lines = ["| statistic | data | " + " | ".join(f"n = {size}" for size in SIZES) + " |"]
    lines.append("| --- " * (2 + len(SIZES)) + "|")
    lines += [f"| {name} | {kind} | {' | '.join(map(cell, found))} |" for (name, kind), found in groups.items()]
    said = dict.fromkeys(one.said for found in groups.values() for one in found if one.said)
    error = 2 * np.sqrt(0.95 * 0.05 / studies)
    note = f"{studies:,} studies for each cell, ± {error:.1%}. † The output says so: {' / '.join(said)}."
    return "\n".join([*lines, "", note, ""])


def main(argv: list[str]) -> None:
    """Prints the table, and writes it if asked to."""
    del argv
    text = markdown(rows(STUDIES.value), STUDIES.value)
    print(text)
    if MARKDOWN.value:
        Path(MARKDOWN.value).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app.run(main)

"""How often 95% intervals cover the truth: simulated comparisons of a few seeds each, by kind of data and statistic.

A comparison without spread has no bounds, and says so; where as few seeds are too few, the output says so as well. Such
comparisons are counted in columns of their own.

Beside them stand the intervals of comparisons: over repeats that share examples or do not, and of methods whose
settings were chosen among many on dev.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from absl import app, flags
from jaxtyping import Float
from scipy import stats

from jaxnets.comparison import leaderboard
from jaxnets.comparison.table import FINAL, Comparison, Protocol, TaskFacts
from jaxnets.stats import estimates, hypothesis, selection
from jaxnets.stats.estimates import Estimate

STUDIES = flags.DEFINE_integer("comparisons", 2000, "Comparisons that are simulated for each row.", lower_bound=2)
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
      estimate: of one comparison.
      bounds: of many comparisons at once, the same numbers.
      value: of very many seeds.
      least: seeds, below which there is no interval.
      paired: whether it is of the differences of two methods on the same seeds.
    """

    name: str
    estimate: Callable[[np.ndarray], Estimate]
    bounds: Callable[[np.ndarray], estimates.Bounds]
    value: Callable[[np.ndarray], np.floating]
    least: int = 2
    paired: bool = False


def _of_means(samples: np.ndarray) -> estimates.Bounds:
    return (estimates.student if samples.shape[1] < estimates.FEW else estimates.studentized)(samples)


def _of_middles(samples: np.ndarray) -> estimates.Bounds:
    return estimates.interquartile_bounds(np.sort(samples, axis=1))


def _middle(values: np.ndarray) -> np.floating:
    return stats.trim_mean(values, 0.25)


STATISTICS = (
    Statistic("mean", estimates.mean, _of_means, np.mean),
    Statistic("paired difference", estimates.mean, _of_means, np.mean, paired=True),
    Statistic("median", estimates.median, estimates.median_bounds, np.median, estimates.FEW_FOR_MEDIAN),
    Statistic("interquartile mean", estimates.interquartile_mean, _of_middles, _middle, estimates.FEW_FOR_MIDDLE),
)


@dataclass(frozen=True)
class Row:
    """What became of the comparisons of one statistic, kind of data and size.

    Attributes:
      statistic: its name.
      kind: of data.
      size: seeds of a comparison.
      silent: share of the comparisons without bounds.
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
) -> Float[np.ndarray, "comparisons seeds"]:
    """The values of comparisons.

    Pairs are of two methods alike; but of bimodal data only the first gets stuck.
    """
    first = KINDS[kind](generator, shape)
    if not statistic.paired:
        return first
    return first - (
        generator.normal(WORKING, 0.005, size=shape) if kind == "bimodal" else KINDS[kind](generator, shape)
    )


def row(
    kind: str, statistic: Statistic, size: int, comparisons: int, truth: float, generator: np.random.Generator
) -> Row:
    """Simulates the comparisons of one row, whose intervals should hold the truth."""
    values = samples(kind, statistic, generator, (comparisons, size))
    said = next((statistic.estimate(of_comparison).note for of_comparison in values if np.ptp(of_comparison)), "")
    if kind == "bimodal" and statistic.least == 2:
        said = "; ".join(filter(None, [said, estimates.unseen_failures(size)]))
    if size < statistic.least:
        return Row(statistic.name, kind, size, 1.0, np.nan, said)
    low, high = statistic.bounds(values)
    known = high - low > ROUNDING
    covered = ((low <= truth + ROUNDING) & (truth - ROUNDING <= high))[known].mean()
    return Row(statistic.name, kind, size, float(1 - known.mean()), float(covered), said)


def rows(comparisons: int) -> Iterator[Row]:
    """All rows of the table."""
    generator = np.random.default_rng(0)
    for statistic in STATISTICS:
        for kind in KINDS:
            truth = float(statistic.value(samples(kind, statistic, generator, (1, 1_000_000))[0]))
            for size in SIZES:
                yield row(kind, statistic, size, comparisons, truth, generator)


def cell(found: Row) -> str:
    """The share of intervals that cover; the share of comparisons without any; and whether the output warns.

    >>> cell(Row("mean", "normal", 4, 0.02, 0.951, "4 are too few if skewed"))
    '95.1%, none in 2% †'
    """
    covered = "none" if np.isnan(found.covered) else f"{found.covered:.1%}"
    silent = f", none in {found.silent:.0%}" if 0.005 <= found.silent < 1 else ""
    return f"{covered}{silent}{' †' if found.said else ''}"


def markdown(table: Iterable[Row], comparisons: int) -> str:
    """The table, and under it what the output says where there is a mark."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for one in table:
        groups.setdefault((one.statistic, one.kind), []).append(one)
    lines = ["| statistic | data | " + " | ".join(f"n = {size}" for size in SIZES) + " |"]
    lines.append("| --- " * (2 + len(SIZES)) + "|")
    lines += [f"| {name} | {kind} | {' | '.join(map(cell, found))} |" for (name, kind), found in groups.items()]
    said = dict.fromkeys(one.said for found in groups.values() for one in found if one.said)
    error = 2 * np.sqrt(0.95 * 0.05 / comparisons)
    note = f"{comparisons:,} comparisons for each cell, ± {error:.1%}. † The output says so: {' / '.join(said)}."
    return "\n".join([*lines, "", note, ""])


REPEATS, EXAMPLES = 8, 180
FACTS = TaskFacts("task", "", np.nan, 0.1, 10, 540, 180, EXAMPLES)
SPREAD = 0.006


def repeats(generator: np.random.Generator, test_share: float) -> Estimate:
    """The interval of a mean of 0 over repeats that are correlated as Nadeau and Bengio (2003) assume."""
    correlation = test_share / (1 + test_share)
    values = generator.normal(0, np.sqrt(1 - correlation), REPEATS) + generator.normal(0, np.sqrt(correlation))
    return selection.over_units(pd.Series(values, pd.RangeIndex(REPEATS, name="repeat")), test_share)


def chosen(generator: np.random.Generator, search: str) -> Estimate:
    """The interval of two methods alike, each of which takes the best of 16 settings on dev to fresh seeds."""
    seeds, variance, sides = 8 if search == "grid" else 1, 0.0, []
    for _ in range(2):
        true = np.linspace(0.92, 0.96, 16) if search == "grid" else generator.uniform(0.92, 0.96, 16)
        dev, test = (generator.normal(true[:, None], SPREAD, (16, seeds)) for _ in range(2))
        sides.append(generator.normal(true[dev.mean(axis=1).argmax()], SPREAD, 32))
        variance += selection.choice_variance(dev, test, sides[-1].var(ddof=1), drawn=search != "grid")
    return estimates.corrected_difference(sides[0] - sides[1], 0.0, variance)


def on_examples(generator: np.random.Generator) -> Estimate:
    """The interval of two methods that are alike over all test examples, not on those that were drawn."""
    sides = []
    for _ in range(2):
        ease = 2.0 + 1.5 * generator.normal(size=EXAMPLES) + 0.2 * generator.normal(size=(32, 1))
        sides.append((ease + generator.logistic(size=(32, EXAMPLES)) > 0).astype(float))
    differences = sides[0] - sides[1]
    return estimates.corrected_difference(differences.mean(axis=1), 0.0, estimates.variance_of_examples(differences))


def in_repeats(accuracies: pd.DataFrame, independent: bool = True) -> Comparison:
    """A comparison of one run for each repeat (row) and method (column)."""
    facts = replace(FACTS, independent=independent)
    runs = accuracies.rename_axis(index="repeat").melt(
        var_name="optimizer", value_name="test_accuracy", ignore_index=False
    )
    runs = runs.reset_index().assign(phase=FINAL, status="finished", task=facts.name)
    empty, protocol = pd.DataFrame(), Protocol("grid", 1, 1, 1, len(accuracies))
    return Comparison(runs, empty, empty, "optimizer", (facts,), protocol)


COMPARISONS: dict[str, Callable[[np.random.Generator], Estimate]] = {
    "8 repeats that share a third": lambda generator: repeats(generator, 1 / 3),
    "8 independent repeats": lambda generator: repeats(generator, 0.0),
    "the best of a grid of 16, by 8 seeds": lambda generator: chosen(generator, "grid"),
    "the best of 16 draws, by one seed": lambda generator: chosen(generator, "random"),
    "32 seeds and 180 test examples": on_examples,
}
"""Intervals of comparisons, whose truth is 0."""


def right(generator: np.random.Generator, repeats: int, share: float, examples: int) -> Estimate:
    """The interval of the accuracy of nets that are right on a share of all examples, give or take half a point."""
    size = share * (1 - share) / 0.005**2 - 1
    found = generator.binomial(examples, generator.beta(size * share, size * (1 - share), repeats)) / examples
    return estimates.mean(found, estimates.SHARE)


def losses(generator: np.random.Generator, repeats: int, spread: float) -> Estimate:
    """The interval of the mean of losses whose logarithms have a standard deviation, and whose mean is 1."""
    return estimates.mean(np.exp(spread * generator.normal(size=repeats) - spread**2 / 2), estimates.POSITIVE)


LEAD, VARIED = 0.8, 0.3


def better(generator: np.random.Generator, repeats: int, runs: int) -> Estimate:
    """The interval of a probability of improvement; repeats differ more than runs, and in the lead."""
    of_repeats = 5 * generator.normal(size=(repeats, 1))
    first, second = of_repeats + generator.normal(size=(2, repeats, runs))
    lead = LEAD + VARIED * generator.normal(size=(repeats, 1))
    return hypothesis.probability_of_improvement(list(first + lead), list(second))


TRUE_LEAD = float(stats.norm.cdf(LEAD / np.sqrt(2 + VARIED**2)))

IN_RANGES: dict[str, tuple[float, Callable[[np.random.Generator], Estimate]]] = {
    "accuracy 0.99 of 300 examples, 8 repeats": (0.99, lambda generator: right(generator, 8, 0.99, 300)),
    "accuracy 0.99 of 300 examples, 4 repeats": (0.99, lambda generator: right(generator, 4, 0.99, 300)),
    "accuracy 0.99 of 300 examples, 32 repeats": (0.99, lambda generator: right(generator, 32, 0.99, 300)),
    "accuracy 0.97 of 36 examples, 8 repeats": (0.97, lambda generator: right(generator, 8, 0.97, 36)),
    "loss, spread of 20%, 8 repeats": (1.0, lambda generator: losses(generator, 8, 0.2)),
    "loss, spread of 40%, 4 repeats": (1.0, lambda generator: losses(generator, 4, 0.4)),
    "loss, spread of 40%, 8 repeats": (1.0, lambda generator: losses(generator, 8, 0.4)),
    "loss, spread of 80%, 32 repeats": (1.0, lambda generator: losses(generator, 32, 0.8)),
    "improvement, 8 repeats of 4 runs": (TRUE_LEAD, lambda generator: better(generator, 8, 4)),
    "improvement, 8 repeats of 32 runs": (TRUE_LEAD, lambda generator: better(generator, 8, 32)),
    "improvement, 4 repeats of 8 runs": (TRUE_LEAD, lambda generator: better(generator, 4, 8)),
}
"""Intervals that keep to the range of their kind, with the truth."""


def covered(name: str, comparisons: int) -> float:
    """The share of simulated comparisons whose interval holds the truth, of those that have one."""
    truth, interval = IN_RANGES[name] if name in IN_RANGES else (0.0, COMPARISONS[name])
    generator = np.random.default_rng(0)
    found = [interval(generator) for _ in range(comparisons)]
    return float(np.mean([one.low <= truth <= one.high for one in found if not np.isnan(one.low)]))


def power(comparisons: int) -> float:
    """How often a pair over independent repeats is told apart, at a gap of a standard deviation of its differences."""
    generator, found = np.random.default_rng(0), 0
    for _ in range(comparisons):
        values = pd.DataFrame(0.9 + 0.01 * generator.normal([0.0, 2**0.5], 1.0, (REPEATS, 2)), columns=["a", "b"])
        found += leaderboard.pairs(in_repeats(values), 0.0)["outcome"].iloc[0] == leaderboard.SECOND
    return found / comparisons


def main(argv: list[str]) -> None:
    """Prints the table, and writes it if asked to."""
    del argv
    text = markdown(rows(STUDIES.value), STUDIES.value)
    of_comparisons = [f"| {name} | {covered(name, STUDIES.value):.1%} |" for name in (*COMPARISONS, *IN_RANGES)]
    text += "\n".join(["", "| interval of | covered |", "| --- | --- |", *of_comparisons, ""])
    text += (
        f"\nA gap of a standard deviation over {REPEATS} independent repeats is found in {power(STUDIES.value):.0%}.\n"
    )
    print(text)
    if MARKDOWN.value:
        Path(MARKDOWN.value).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    app.run(main)

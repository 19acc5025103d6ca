"""Every fault that a sweep must survive, tried: `python -m benchmarks.reliability.faults` counts what came of each.

A fault is survived if the same command, given again, ends with the same results bit by bit, but for the times it took;
or if it is refused in one clear line with status 2, and nothing that was finished is lost.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from absl import app, flags, logging

from benchmarks.reliability import commands, damaging, interrupting
from benchmarks.reliability.bench import Bench
from benchmarks.reliability.interrupting import RefusedError
from jaxnets.engine import devices

PAGE = Path(__file__).parents[2] / "docs" / "large_runs.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


class Row(NamedTuple):
    """A fault.

    Attributes:
      name: of the fault, in words.
      tried: yields for each try what is wrong, empty if it was survived.
      shares: the commands that it befalls, with the share of its places that are tried for each.
      survived: what that means.
    """

    name: str
    tried: Callable[[Bench], Iterator[str]]
    shares: dict[str, float]
    survived: str


class Counts(NamedTuple):
    """What came of a fault; `skipped` says why it could not be tried."""

    tried: int = 0
    survived: int = 0
    skipped: str = ""


_EQUAL = "the same command ends with the same results"
_LINE = "status 2 and one line; then the same command ends with the same results"
ROWS = [
    Row(
        "`kill -9` before a change of a file, at each one",
        interrupting.killed_at_each_change,
        {"train": 1.0, "keep": 0.5, "compare": 0.3, "texts": 0.15, "lecture": 0.03},
        _EQUAL,
    ),
    Row(
        "`kill -9` of a process at random moments",
        interrupting.killed_at_random,
        {"train": 1.0, "keep": 1.0, "compare": 1.0, "texts": 1.0, "file": 1.0},
        _EQUAL,
    ),
    Row(
        "no room for a new file, from each one on",
        interrupting.full_at_each_write,
        {"train": 1.0, "keep": 0.5, "compare": 0.3, "texts": 0.15},
        _LINE,
    ),
    Row("a small disk, of many sizes", interrupting.small_disk, {"train": 1.0, "keep": 0.5, "compare": 0.3}, _LINE),
    Row(
        "a folder in which nothing can be changed, from each change on",
        interrupting.read_only_at_each_change,
        {"train": 0.3, "keep": 0.3},
        _LINE,
    ),
    Row(
        "a file of an unfinished run cut short, emptied, or with a bit flipped",
        damaging.unfinished_damaged,
        {"train": 0.5, "keep": 0.5},
        "the same command ends with the same results, or says which file is damaged and does so when it is mended",
    ),
    Row(
        "a file of a finished run cut short, emptied, or with a bit flipped",
        damaging.finished_damaged,
        {"train": 1.0, "keep": 1.0, "compare": 1.0},
        "what reads it gives what was written, or says in one line which file is damaged",
    ),
    Row(
        "a second process in the same directory",
        interrupting.two_at_once,
        {"train": 1.0, "keep": 1.0, "file": 1.0},
        "it is refused with the name of the first, which ends well; after a kill nobody is refused",
    ),
    Row("a clock set back by ten years", damaging.clock_set_back, {"keep": 0.15, "file": 0.15}, _EQUAL),
    Row("the directory moved elsewhere", damaging.moved, {"keep": 0.15}, _EQUAL),
    Row(
        "a file of data changed between start and resumption",
        damaging.other_data,
        {"file": 1.0},
        "it is refused in one line; with the data of before the same command ends with the same results",
    ),
]


@contextlib.contextmanager
def prepared(name: str, seed: int = 0) -> Iterator[Bench]:
    """A command on the bench, that has come to its end once when nothing went wrong."""
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        scratch = Path(folder, "work")
        scratch.mkdir()
        bench = Bench(name, scratch, seed=seed)
        bench.whole  # noqa: B018 - it is computed here
        yield bench


def attempt(row: Row, bench: Bench, share: float) -> Counts:
    """Tries a fault on a command, at a share of its places; what is not survived is printed on the error stream."""
    bench.share, count, survived = share * row.shares[bench.name], 0, 0
    try:
        for problem in row.tried(bench):
            count, survived = count + 1, survived + (not problem)
            if problem:
                print(f"{row.name}, {bench.name}: {problem}", file=sys.stderr)
    except RefusedError as reason:
        return Counts(skipped=str(reason))
    return Counts(count, survived)


def line(row: Row, counts: Counts) -> str:
    """A row of the table."""
    if counts.skipped:
        return f"| {row.name} | 0 | – | – | not tried: {counts.skipped} |"
    lost = counts.tried - counts.survived
    return f"| {row.name} | {counts.tried:,} | {counts.survived:,} | {lost} | {row.survived} |"


def table(counts: dict[str, Counts]) -> str:
    """The table of all faults, by their names."""
    header = "| fault | tried | survived | lost | survived means |\n| --- | ---: | ---: | ---: | --- |"
    return "\n".join([header, *(line(row, counts[row.name]) for row in ROWS if row.name in counts)])


def with_table(text: str, made: str) -> str:
    """The page with the table between its two marks."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{rest.split(END)[1]}"


def total(each: Sequence[Counts]) -> Counts:
    """The counts of several commands together."""
    skipped = next((one.skipped for one in each if one.skipped), "")
    return Counts(sum(one.tried for one in each), sum(one.survived for one in each), skipped)


def main(argv: Sequence[str]) -> None:
    """Tries the faults, prints the table, and ends with 1 if something was lost."""
    logging.set_verbosity(logging.WARNING)
    devices.configure("cpu", 2)
    rows = [row for row in ROWS if ONLY.value in row.name]
    each: dict[str, list[Counts]] = {row.name: [] for row in rows}
    for name in COMMANDS.value or commands.COMMANDS:
        with prepared(name, SEED.value) as bench:
            for row in [row for row in rows if name in row.shares]:
                begin = time.monotonic()
                each[row.name].append(attempt(row, bench, SHARE.value))
                told = f"{name}, {row.name}: {each[row.name][-1]}, {time.monotonic() - begin:.0f} s"
                print(told, file=sys.stderr, flush=True)
    counts = {name: total(of_row) for name, of_row in each.items()}
    print(table(counts))
    if WRITE.value:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table(counts)), encoding="utf-8")
    lost = any(one.tried != one.survived for one in counts.values())
    sys.stdout.flush()
    sys.exit(int(lost))


if __name__ == "__main__":
    WRITE = flags.DEFINE_boolean("write", False, "Puts the table into docs/large_runs.md; all rows must be tried.")
    SEED = flags.DEFINE_integer("seed", 0, "Of the moments of kills and the places of damage.")
    SHARE = flags.DEFINE_float("share", 1.0, "Of the places that are tried.")
    COMMANDS = flags.DEFINE_list("commands", [], "Only these commands.")
    ONLY = flags.DEFINE_string("only", "", "Only the faults with these words in their names.")
    app.run(main)

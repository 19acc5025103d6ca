"""A few places of each fault that `python -m tests.faults` tries, in this process; and the page that shows its table."""

import re

import pytest

from jaxnets.basics import checksums, files
from tests import faults
from tests.breaking import damaging, interrupting
from tests.docs.pages import PAGES

TEXT = PAGES["docs/reliability.md"]
OF_PROCESSES = (interrupting.killed_at_random, interrupting.two_at_once, interrupting.small_disk)
ROWS = {row.tried.__name__: row for row in faults.ROWS}
HERE = [name for name, row in ROWS.items() if row.tried not in OF_PROCESSES]
FEW = 0.02


@pytest.fixture(scope="module")
def benches():
    """The two commands between which all faults are: `keep`, and one on a file of data."""
    with faults.prepared("keep") as keep, faults.prepared("file") as file:
        yield {"keep": keep, "file": file}


def tried(row, benches):
    bench = benches["keep" if "keep" in row.shares else "file"]
    bench.share = FEW
    return list(row.tried(bench))


@pytest.mark.parametrize("name", HERE)
def test_a_fault_is_survived(name, benches):
    problems = tried(ROWS[name], benches)
    assert problems
    assert not any(problems)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ROWS if name not in HERE])
def test_a_fault_of_processes_is_survived(name, benches):
    try:
        assert not any(tried(ROWS[name], benches))
    except interrupting.RefusedError as reason:
        pytest.skip(str(reason))


def test_what_is_lost_would_be_noticed(benches, monkeypatch):
    monkeypatch.setattr(files, "clear_temporaries", lambda *_: None)
    monkeypatch.setattr(checksums, "check", lambda *_: None)
    bench = benches["keep"]
    bench.share = 0.2
    assert any("left over" in problem for problem in interrupting.killed_at_each_change(bench))
    bench.share = 1.0
    assert any("flipped" in problem for problem in damaging.finished_damaged(bench))


def test_the_page_has_the_rows_of_the_command():
    rows = [
        line for line in TEXT.partition(faults.BEGIN)[2].partition(faults.END)[0].splitlines() if "| --" not in line
    ]
    shown = [re.split(r" \| ", line.strip("| ")) for line in rows if line.startswith("|")][1:]
    assert [cells[0] for cells in shown] == [row.name for row in faults.ROWS]
    for cells, row in zip(shown, faults.ROWS, strict=True):
        assert cells[3] == "0"
        assert cells[1] == cells[2]
        assert cells[4] == row.survived


def test_the_table_is_put_between_the_marks():
    counts = {row.name: faults.Counts(3, 2) for row in faults.ROWS[:-1]} | {
        faults.ROWS[-1].name: faults.Counts(skipped="no")
    }
    page = faults.with_table(TEXT, faults.table(counts))
    assert f"| {faults.ROWS[0].name} | 3 | 2 | 1 | {faults.ROWS[0].survived} |" in page
    assert f"| {faults.ROWS[-1].name} | 0 | – | – | not tried: no |" in page
    assert faults.with_table(page, "table") == faults.with_table(TEXT, "table")

"""A few places of each fault of `python -m benchmarks.reliability.faults`; and the page with its table."""

import pytest

from benchmarks.reliability import damaging, faults, interrupting
from jaxnets import io
from tests.docs.pages import PAGES

TEXT = PAGES["docs/large_runs.md"]
ELSEWHERE = (
    *(interrupting.killed_at_random, interrupting.two_at_once, interrupting.small_disk),
    *(damaging.other_data, damaging.clock_set_back),
)
ROWS = {row.tried.__name__: row for row in faults.ROWS}
HERE = [name for name, row in ROWS.items() if row.tried not in ELSEWHERE]
FEW = 0.02


@pytest.fixture(scope="module")
def bench():
    """The parameters of all runs, TensorBoard, and runs that diverge."""
    with faults.prepared("keep") as made:
        yield made


def tried(row, bench):
    bench.share = FEW
    return list(row.tried(bench))


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
def test_a_fault_is_survived(name, bench):
    problems = tried(ROWS[name], bench)
    assert problems
    assert not any(problems)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ROWS if name not in HERE])
def test_a_fault_of_processes_disks_and_data_is_survived(name, monkeypatch):
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # other processes compile as this one does
    with faults.prepared("file" if "file" in ROWS[name].shares else "keep") as bench:
        try:
            assert not any(tried(ROWS[name], bench))
        except interrupting.RefusedError as reason:
            pytest.skip(str(reason))


@pytest.mark.slow
def test_what_is_lost_would_be_noticed(bench, monkeypatch):
    monkeypatch.setattr(io, "clear_temporaries", lambda *_: None)
    monkeypatch.setattr(io, "check_checksums", lambda *_: None)
    bench.share = 0.2
    assert any("left over" in problem for problem in interrupting.killed_at_each_change(bench))
    bench.share = 1.0
    assert any("flipped" in problem for problem in damaging.finished_damaged(bench))


def test_the_page_has_the_rows_of_the_command():
    lines = TEXT.partition(faults.BEGIN)[2].partition(faults.END)[0].splitlines()
    shown = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")][2:]
    assert [cells[0] for cells in shown] == [row.name for row in faults.ROWS]
    for cells, row in zip(shown, faults.ROWS, strict=True):
        assert cells[3] == "0"
        assert cells[1] == cells[2]
        assert cells[4] == row.survived


def test_the_table_is_put_between_the_marks():
    *others, last = faults.ROWS
    counts = {row.name: faults.Counts(3, 2) for row in others} | {last.name: faults.Counts(skipped="no")}
    page = faults.with_table(TEXT, faults.table(counts))
    assert f"| {faults.ROWS[0].name} | 3 | 2 | 1 | {faults.ROWS[0].survived} |" in page
    assert f"| {last.name} | 0 | – | – | not tried: no |" in page
    assert faults.with_table(page, "table") == faults.with_table(TEXT, "table")

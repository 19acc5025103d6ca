import io
import time

import pytest
from rich.console import Console

from jaxnets.report import progress
from jaxnets.report.progress import Count, display, patience


@pytest.fixture
def console(monkeypatch):
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.05)
    return Console(file=io.StringIO(), width=200)


def lines(console):
    return console.file.getvalue().splitlines()


def test_a_long_compilation_says_so_again_and_again(console):
    with display(console, 1, 10) as shown:
        shown.compiling("adam")
        time.sleep(0.3)
        compiling = len(lines(console))
    assert compiling >= 3
    assert all(line.startswith("compiling adam") for line in lines(console)[:compiling])
    over = lines(console)
    time.sleep(0.1)
    assert lines(console) == over


def test_the_seconds_of_a_compilation_are_told():
    seconds = iter([0.0, 10.0, 33.0])
    count = Count(1, 10, clock=lambda: next(seconds))
    count.compiling("adam")
    assert count.text().startswith("compiling adam (23 s): 0/1 runs")


def test_work_without_progress_is_not_silent(console):
    with patience(console, "preparing"):
        time.sleep(0.2)
    assert len(lines(console)) >= 2
    assert all(line.startswith("preparing: ") for line in lines(console))
    with patience(None, "preparing"):
        time.sleep(0.1)


def test_steps_that_are_saved_count_as_done():
    seconds = iter([0.0, 0.0, 10.0])
    count = Count(total_runs=4, total_steps=400, clock=lambda: next(seconds))
    count.compiled()
    count.advance("sgd", 100, 200, 6400, 3, 1, 0.5, "sgd at 0.1")
    assert count.text() == (
        "sgd: 3/4 runs | 100/400 steps, 200 saved (75%) | 640 examples·runs/s | 3 s left | 1 diverged"
        " | best dev 50.0% (sgd at 0.1)"
    )
    assert (count.numbers()["steps"], count.numbers()["steps_saved"]) == (100, 200)

import io
import time

import pytest
from rich.console import Console

from jaxnets.report import progress
from jaxnets.report.progress import Display, patience


@pytest.fixture
def console(monkeypatch):
    monkeypatch.setattr(progress, "SILENT_SECONDS", 0.05)
    return Console(file=io.StringIO(), width=200)


def lines(console):
    return console.file.getvalue().splitlines()


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def advance(display, clock, seconds, ended=0, diverged=0, saved=0):
    clock.now += seconds
    display.advance("adam", 50, saved, 3200, ended, diverged, 0.5, "adam at 0.1")


def test_work_without_progress_is_not_silent(console):
    with patience(console, "preparing"):
        time.sleep(0.2)
    assert len(lines(console)) >= 2
    assert all(line.startswith("preparing: ") for line in lines(console))
    with Display(console, 1, 10) as shown:
        shown.compiling("adam")
        time.sleep(0.2)
        shown.compiled()
        count = len(lines(console))
        time.sleep(0.1)
        assert len(lines(console)) == count
    assert sum(line.startswith("compiling adam: ") for line in lines(console)) >= 2
    with patience(None, "preparing"):
        time.sleep(0.1)


def test_only_the_time_of_training_counts():
    clock = Clock()
    with Display(None, 2, 200, clock) as display:
        display.compiling("adam")
        clock.now += 60
        display.compiled()
        advance(display, clock, 2)
        advance(display, clock, 2, ended=1, diverged=1)
        assert display.text() == (
            "adam: 1/2 runs | 100/200 steps (50%) | 1,600 examples·runs/s | 4 s left | 1 diverged"
            " | best dev 50.0% (adam at 0.1)"
        )
        advance(display, clock, 2, ended=1, saved=50)
        assert "2/2 runs | 150/200 steps, 50 saved (100%) | 1 diverged" in display.text()


def test_a_line_for_each_tenth_where_there_is_no_terminal(console):
    clock = Clock()
    with Display(console, 2, 5_000, clock) as display:
        for _ in range(99):
            advance(display, clock, 0.1)
    assert len(lines(console)) == 10
    assert "(10%)" in lines(console)[0]
    assert "(99%)" in lines(console)[-1]
    assert "\x1b" not in console.file.getvalue()


def test_a_terminal_gets_a_bar_that_changes():
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    with Display(console, 2, 100, clock := Clock()) as display:
        advance(display, clock, 1)
    assert "\x1b" in console.file.getvalue()
    assert "50/100 steps (50%)" in console.file.getvalue()

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from jaxnets.report import comparison_page, study_rows
from tests.report import studies

VOID = ("meta", "input", "br", "link", "img")
HOSTILE = "</script><img src=x onerror=alert(1)>&amp;'\""


class Reader(HTMLParser):
    """The texts and ids of a page, its scripts, its references, and whether each tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.tags, self.scripts, self.text = [], [], [], [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert not [name for name in given if name.startswith("on")]
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        names = ("src", "srcset", "href", "aria-labelledby", "for", "aria-controls", "aria-describedby")
        self.references += [given[name] for name in names if name in given]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text += data


def page(study, answer, command="python run.py compare_optimizers", environment=studies.ENVIRONMENT):
    return comparison_page.html(study, answer, command=command, environment=environment)


@pytest.fixture(scope="module")
def grid():
    return studies.make(confirm=4)


@pytest.fixture(scope="module")
def text(grid):
    return page(*grid)


def content(reader):
    return json.loads(next(script for script in reader.scripts if script.startswith("{")))


def test_the_page_says_what_was_asked_done_and_found(text, grid):
    reader = Reader(text)
    words = " ".join(reader.text.split())
    assert "Which optimizer is better on digits: sgd, momentum or adam?" in words
    assert all(sentence in words for sentence in (*grid[1].sentences, *grid[1].cautions))
    assert "grid, 9 settings × 8 seeds for each, the same for all." in words
    assert "4 fresh seeds" in words
    assert "python run.py compare_optimizers" in words
    assert "jaxnets 0.4.0, jax 0.10.2" in words
    assert "model mlp, weight decay 0.0001, batch size 64, num steps 690." in words
    assert "sgd ahead" in words
    assert "tie" in words


def test_it_is_one_file(text):
    reader = Reader(text)
    assert len(text.encode()) < 2_000_000
    assert len(set(reader.ids)) == len(reader.ids)
    assert all(one.removeprefix("#") in reader.ids for one in reader.references)
    assert "default-src 'none'" in text
    assert text.count("window.vegaEmbed = ") + text.count("window.vegaEmbed=") == 1


def test_figures_read_data_that_the_page_holds(text, grid):
    found = content(Reader(text))
    names = [chart["name"] for chart in found["charts"]]
    lines = ["rates", "dev_accuracy", "train_loss", "tuning", "profiles"]
    assert names == ["standings", "pairs", *lines, "heat_map", "parallel"]
    wanted = set(re.findall(r'"data":\{"name":"(\w+)"\}', json.dumps(found["charts"], separators=(",", ":"))))
    assert wanted <= set(found["data"])
    assert len(found["data"]["runs"]["run"]) == len(grid[0].runs)
    assert found["data"]["runs"]["test_accuracy"].count(None) == (grid[0].runs["status"] == "diverged").sum()
    assert [label for label, _ in found["charts"][3]["variants"]] == ["steps", "examples", "seconds"]


def test_what_comes_from_outside_is_text():
    study, answer = studies.make((HOSTILE, "adam"), trials=3, seeds=2, confirm=2)
    said = dataclasses.replace(answer, sentences=(HOSTILE,), cautions=(HOSTILE,))
    environment = {HOSTILE: HOSTILE, "versions": {HOSTILE: HOSTILE}}
    reader = Reader(page(study, said, command=f"python run.py '{HOSTILE}'", environment=environment))
    assert "img" not in reader.tags
    assert reader.tags.count("script") == 3
    assert HOSTILE in reader.text
    assert HOSTILE in content(reader)["data"]["runs"]["contestant"]["texts"]


def test_bounds_that_cannot_be_given_tell_why(grid):
    study, answer = grid
    runs = study.runs.copy()
    runs.loc[(runs["optimizer"] == "adam") & (runs["phase"] == "confirmation"), "test_accuracy"] = 1.0
    cells = {row[0]: row for row in study_rows.standings(dataclasses.replace(study, runs=runs), answer).rows}
    assert "(–: all\N{NO-BREAK SPACE}4\N{NO-BREAK SPACE}equal)" in cells["adam"][1]
    assert re.fullmatch(r"\d\d\.\d% \(\d\d\.\d\sto\s\d\d\.\d\)", cells["sgd"][1])
    open_pair = next(pair for pair in study_rows.pairs(answer) if pair["outcome"] == "open")
    assert "–: all\N{NO-BREAK SPACE}8\N{NO-BREAK SPACE}equal" in open_pair["cells"][0]


def test_never_and_on_the_edge(grid):
    row = study_rows.tuning(*grid).rows[-1]
    assert row[-3:] == ["never"] * 3
    assert "on the edge" in row[3]


def test_several_tasks_and_blocks():
    study, answer = studies.make(tasks=2, blocks=2, seeds=1, confirm=2)
    reader = Reader(page(study, answer))
    words = " ".join(reader.text.split())
    assert "Which optimizer is better on 2 tasks" in words
    assert "The block is the unit of inference." in words
    assert "ranks" in [chart["name"] for chart in content(reader)["charts"]]
    assert "task" in reader.ids


def test_without_confirmation_the_page_says_so(grid):
    study = grid[0]
    protocol = dataclasses.replace(study.protocol, confirm_seeds=0)
    alone = dataclasses.replace(study, runs=study.phase("tuning"), protocol=protocol)
    assert "flatters them" in Reader(page(alone, grid[1])).text


def test_nothing_came_of_any_run(grid):
    values = ["dev_accuracy", "test_accuracy", "dev_loss", "test_loss", "train_loss"]
    study = grid[0]
    runs = study.runs.assign(status="diverged", **dict.fromkeys(values, np.nan))
    lost = dataclasses.replace(study, runs=runs, curves=study.curves[:0])
    bare = {name: getattr(grid[1], name)[:0] for name in ("pairs", "sensitivity", "tuning", "profiles")}
    answer = dataclasses.replace(grid[1], contestants=grid[1].contestants.assign(accuracy=np.nan), **bare)
    Reader(page(lost, answer))


def test_a_large_study_keeps_the_runs_that_report(grid, monkeypatch):
    monkeypatch.setattr(comparison_page, "MOST_RUNS", 20)
    reader = Reader(page(*grid))
    data = content(reader)["data"]["runs"]
    assert len(data["run"]) == 20
    assert sum(data["reports"]) == 12
    assert "20 of 228 runs" in " ".join(reader.text.split())

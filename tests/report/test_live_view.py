"""What is shown of a sweep while it runs, from tables."""

import base64
import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from jaxnets.report import live_view
from jaxnets.report.live_view import FINISHED, GONE, RUNNING, WAITING, View

RUNS = pd.DataFrame(
    {
        "run": range(4),
        "optimizer": ["sgd", "sgd", "adam", "adam"],
        "learning_rate": [0.1, 0.01, 0.1, 0.01],
        "seed": 0,
        "status": ["finished", "interrupted", "diverged", "interrupted"],
    }
)
CURVES = pd.DataFrame(
    {
        "run": [0, 0, 1, 2],
        "step": [5, 10, 5, 5],
        "dev_accuracy": [0.5, 0.75, 0.875, np.nan],
        "train_loss": [1.0, 0.5, 0.25, 2.0],
    }
)
PROGRESS = {
    "stage": "digits, tuning",
    "label": "sgd",
    "runs": 4,
    "runs_ended": 1,
    "diverged": 1,
    "steps": 16,
    "steps_saved": 4,
    "total_steps": 40,
    "seconds": 12.3,
    "best_dev_accuracy": 0.875,
    "leader": "sgd at 0.01",
}
NOW = View("results/[one]", RUNNING, PROGRESS, RUNS, CURVES)
NONE = pd.DataFrame()


def printed(renderable, width=80):
    console = Console(width=width)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def test_a_line_says_how_far_it_is():
    assert live_view.line(NOW) == (
        "results/[one]: Running. | digits, tuning | sgd | 1 of 4 runs ended | 16 of 40 steps, 4 saved (50%)"
        " | 1 diverged | 12 s of training | best on dev 87.5% (sgd at 0.01)"
    )
    assert live_view.line(View("d", WAITING, {}, NONE, NONE)) == "d: Nothing is there yet."
    assert live_view.line(View("d", FINISHED, {}, RUNS, CURVES)) == "d: Finished. | 4 runs"
    staged = View("d", FINISHED, PROGRESS | {"runs": 2}, RUNS, CURVES)
    assert live_view.line(staged) == "d: Finished. | 4 runs, in several stages"
    assert "ended without finishing" in live_view.line(View("d", GONE, PROGRESS, RUNS, CURVES))


def test_the_runs_stand_in_the_order_of_their_dev_accuracy():
    table = live_view.standing(NOW)
    assert table["run"].tolist() == [1, 0, 2, 3]
    assert table["status"].tolist() == ["running", "finished", "diverged", "waiting"]
    assert table["step"].tolist()[:3] == [5, 10, 5]
    assert set(live_view.standing(View("d", "interrupted", PROGRESS, RUNS, CURVES))["status"]) == set(RUNS["status"])
    assert live_view.standing(View("d", WAITING, {}, NONE, NONE)).empty


def test_the_screen_keeps_to_its_height_and_width():
    text = printed(live_view.screen(NOW, 20))
    lines = text.rstrip().splitlines()
    assert len(lines) <= 20
    assert "results/[one]" in lines[0]
    assert all(word in text for word in ("learning", "87.5%", "waiting", "diverged"))
    many = pd.concat([RUNS.assign(run=RUNS["run"] + 4 * place, seed=place) for place in range(50)], ignore_index=True)
    assert len(printed(live_view.screen(View("d", RUNNING, PROGRESS, many, CURVES), 24)).rstrip().splitlines()) <= 24
    assert printed(live_view.screen(View("d", WAITING, {}, NONE, NONE), 24)).strip() == "d  Nothing is there yet."


def test_the_page_is_told_the_same():
    told = json.loads(json.dumps(live_view.as_json(NOW)))
    assert (told["state"], told["share"], told["num_runs"]) == ("running", 0.5, 4)
    assert told["columns"] == ["run", "optimizer", "learning rate", "status", "step", "dev accuracy", "train loss"]
    assert told["rows"][0] == ["1", "sgd", "0.01", "running", "5", "87.5%", "0.25"]
    assert told["rows"][3] == ["3", "adam", "0.01", "waiting", "–", "–", "–"]
    assert live_view.as_json(View("d", WAITING, {}, NONE, NONE))["rows"] == []


def test_the_pictures_draw_each_run():
    pictures = live_view.pictures(NOW)
    assert [picture["caption"] for picture in pictures] == [
        "Accuracy on dev. A line for each run.",
        "Training loss. A line for each run.",
    ]
    for picture in pictures:
        kind, _, content = picture["source"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        drawing = ET.fromstring(base64.b64decode(content))
        texts = ["".join(text.itertext()) for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
        assert {"sgd", "adam", "step"} <= set(texts)
    assert live_view.pictures(View("d", WAITING, {}, NONE, NONE)) == []


def test_a_large_sweep_is_thinned():
    runs = pd.concat([RUNS.assign(run=RUNS["run"] + 4 * place) for place in range(400)], ignore_index=True)
    steps = np.arange(1, 201)
    curves = pd.DataFrame({"run": np.repeat(runs["run"], len(steps)), "step": np.tile(steps, len(runs))})
    curves = curves.assign(dev_accuracy=0.5, train_loss=1.0)
    pictures = live_view.pictures(View("d", RUNNING, PROGRESS, runs, curves))
    assert "A line for each of 229 runs." in pictures[0]["caption"]
    assert sum(len(picture["source"]) for picture in pictures) < 2_000_000
    assert len(live_view.as_json(View("d", RUNNING, PROGRESS, runs, curves))["rows"]) == 500


@pytest.mark.parametrize(("values", "text"), [([1.0], "█"), ([], ""), (float("nan"), ""), ([float("nan"), 2.0], "▁█")])
def test_a_curve_in_blocks(values, text):
    assert live_view.spark(values) == text

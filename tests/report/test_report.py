import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from jaxnets.errors import UserError
from jaxnets.report import figures
from jaxnets.stats import selection


@pytest.fixture(scope="module")
def results():
    """Runs and curves of a sweep that never was; all runs of sgd at rate 1 diverged."""
    generator, rows, curves = np.random.default_rng(0), [], []
    for optimizer in ("sgd", "adam"):
        for rate in (0.01, 0.1, 1.0):
            for seed in range(3):
                accuracy, lost = generator.uniform(0.5, 0.9), optimizer == "sgd" and rate == 1.0
                values = [np.nan] * 3 if lost else [accuracy, 1 - accuracy, accuracy]
                rows.append((len(rows), optimizer, rate, seed, "diverged" if lost else "finished", *values))
                curves += [(len(rows) - 1, step, 1 / step, accuracy) for step in (10, 20)]
    columns = ["run", "optimizer", "learning_rate", "seed", "status", "dev_accuracy", "dev_loss", "test_accuracy"]
    return pd.DataFrame(rows, columns=columns), pd.DataFrame(
        curves, columns=["run", "step", "train_loss", "dev_accuracy"]
    )


def printed(renderable, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


def test_learning_curves_are_those_of_the_best_runs(results):
    runs, curves = results
    best = selection.best_configurations(runs)
    loss = figures.learning_curves(runs, curves).to_dict()["hconcat"][0]
    assert loss["layer"][1]["encoding"]["y"]["scale"]["type"] == "log"
    drawn = pd.DataFrame(values_of(figures.learning_curves(runs, curves).hconcat[1]))
    for _, row in best.iterrows():
        expected = curves[curves["run"].isin(row["members"])].groupby("step")["dev_accuracy"].mean()
        own = drawn[drawn["series"].str.startswith(row["optimizer"])]
        np.testing.assert_allclose(own["value"], expected.to_numpy())


def values_of(figure):
    """The rows of the first layer."""
    content = figure.to_dict()
    return content["datasets"][content["data"]["name"]]


def test_a_sweep_in_which_nothing_came_of_any_run_is_drawn(results, tmp_path):
    runs = results[0].assign(status="diverged", dev_accuracy=np.nan, dev_loss=np.nan, test_accuracy=np.nan)
    assert figures.save(figures.learning_curves(runs, results[1][:0]), tmp_path, "figure")


def test_figures_are_the_same_files_each_time(results, tmp_path):
    contents = []
    for folder in ("one", "two"):
        paths = figures.save(figures.learning_curves(*results), tmp_path / folder, "figure", ["png", "svg"])
        assert [path.name for path in paths] == ["figure.png", "figure.svg"]
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG")
    text = "".join(ElementTree.fromstring(contents[0][1]).itertext())
    assert "dev accuracy" in text
    assert "adam" in text
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"figure.png", "figure.svg"}


def test_a_figure_that_cannot_be_written_leaves_the_old_one(results, tmp_path, monkeypatch):
    figure = figures.learning_curves(*results)
    figures.save(figure, tmp_path, "figure")
    before = (tmp_path / "figure.png").read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match="no space left"):
        figures.save(figure, tmp_path, "figure")
    assert (tmp_path / "figure.png").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1

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


def test_lines_are_the_means_over_seeds(results):
    axes = figures.accuracy_over_learning_rate(results[0]).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    for optimizer in ("sgd", "adam"):
        expected = results[0][results[0]["optimizer"] == optimizer].groupby("learning_rate")["test_accuracy"].mean()
        np.testing.assert_allclose(lines[optimizer].get_ydata(), expected.to_numpy(), rtol=1e-12)
        np.testing.assert_allclose(lines[optimizer].get_xdata(), expected.index, rtol=1e-12)
    crosses = [line for line in axes.lines if line.get_marker() == "x" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in crosses] == [[1.0]]
    assert axes.get_xlabel() == "learning rate"
    assert axes.get_ylabel() == "test accuracy"
    assert axes.get_xscale() == "log"


def test_learning_curves_are_those_of_the_best_runs(results):
    runs, curves = results
    best = selection.best_configurations(runs)
    loss, accuracy = figures.learning_curves(runs, curves).axes
    assert loss.get_yscale() == "log"
    for line, (_, row) in zip(accuracy.lines, best.iterrows(), strict=True):
        expected = curves[curves["run"].isin(row["members"])].groupby("step")["dev_accuracy"].mean()
        np.testing.assert_allclose(line.get_ydata(), expected.to_numpy())


def test_figures_of_a_sweep_in_which_nothing_came_of_any_run(results, tmp_path):
    runs = results[0].assign(status="diverged", dev_accuracy=np.nan, dev_loss=np.nan, test_accuracy=np.nan)
    for figure in (figures.accuracy_over_learning_rate(runs), figures.learning_curves(runs, results[1][:0])):
        assert len(figures.save(figure, tmp_path, "figure")) == 2


def test_figures_are_written_as_png_and_svg_the_same_each_time(results, tmp_path):
    contents = []
    for folder in ("one", "two"):
        paths = figures.save(figures.accuracy_over_learning_rate(results[0]), tmp_path / folder, "figure")
        assert [path.name for path in paths] == ["figure.png", "figure.svg"]
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]
    assert contents[0][0].startswith(b"\x89PNG")
    text = "".join(ElementTree.fromstring(contents[0][1]).itertext())
    assert "learning rate" in text
    assert "adam" in text
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"figure.png", "figure.svg"}


def test_a_figure_that_cannot_be_written_leaves_the_old_one(results, tmp_path, monkeypatch):
    figure = figures.accuracy_over_learning_rate(results[0])
    figures.save(figure, tmp_path, "figure")
    before = (tmp_path / "figure.png").read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(UserError, match="no space left"):
        figures.save(figure, tmp_path, "figure")
    assert (tmp_path / "figure.png").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2

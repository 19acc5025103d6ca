import dataclasses

import numpy as np
import pandas as pd
import pytest

from jaxnets.report import figures, study_figures
from tests.report import studies

ONE = ["accuracy_over_learning_rate", "learning_curves", "tuning_curves", "profiles"]


@pytest.fixture(scope="module")
def grid():
    return studies.make(confirm=4)


def test_each_figure_in_three_forms_with_its_table(grid, tmp_path):
    paths = study_figures.save(*grid, tmp_path)
    assert [path.name for path in paths] == [f"{name}.{kind}" for name in ONE for kind in ("png", "svg", "pdf", "csv")]
    first = {path.name: path.read_bytes() for path in paths}
    assert all(first[f"{name}.pdf"].startswith(b"%PDF") for name in ONE)
    with figures.style():
        figure, _ = study_figures.profiles(*grid)
    again = figures.save(figure, tmp_path, "profiles", ("png", "svg", "pdf"))
    assert all(path.read_bytes() == first[path.name] for path in again)
    table = pd.read_csv(tmp_path / "accuracy_over_learning_rate.csv")
    np.testing.assert_allclose(table["accuracy"], grid[1].sensitivity["accuracy"])
    assert set(tmp_path.iterdir()) == set(paths)


def test_lines_are_those_of_the_answer(grid):
    figure, table = study_figures.accuracy_over_learning_rate(*grid)
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.lines}
    for name in grid[0].contestants:
        own = table[table["contestant"] == name]
        np.testing.assert_allclose(lines[name].get_xdata(), own["learning_rate"])
        np.testing.assert_allclose(lines[name].get_ydata(), own["accuracy"])
    rings = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert [ring.get_xdata()[0] for ring in rings] == pytest.approx([10**-1.5] * 3)


def test_a_panel_for_each_task_and_ranks():
    study, answer = studies.make(tasks=4, seeds=1, confirm=2)
    figure, _ = study_figures.tuning_curves(study, answer)
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == [t.name for t in study.tasks]
    figure, table = study_figures.critical_difference(study, answer)
    assert list(table["contestant"]) == ["sgd", "momentum", "adam"]
    shown = [float(line.get_xdata()[0]) for line in figure.axes[0].lines[:3]]
    np.testing.assert_allclose(shown, table["rank"])
    assert "1.30" in figure.axes[0].get_title(loc="left")


def test_nothing_came_of_any_run(grid, tmp_path):
    study, answer = grid
    values = ["dev_accuracy", "test_accuracy", "dev_loss", "test_loss", "train_loss"]
    runs = study.runs.assign(status="diverged", **dict.fromkeys(values, np.nan))
    lost = dataclasses.replace(study, runs=runs, curves=study.curves[:0])
    said = dataclasses.replace(answer, profiles=answer.profiles[:0])
    names = {path.stem for path in study_figures.save(lost, said, tmp_path)}
    assert names == {"accuracy_over_learning_rate", "tuning_curves"}

"""One list of metrics, and one level of confidence: both reach whatever is shown."""

import dataclasses
import io
import json
import subprocess
import sys

import numpy as np
import pytest

from jaxnets import metrics
from jaxnets.comparison import leaderboard
from jaxnets.comparison.answer import answer
from jaxnets.report import comparison_page, tables
from jaxnets.report.console import Terminal
from jaxnets.stats import estimates, selection
from tests.report import comparisons


def test_a_metric_that_is_added_in_one_place_is_in_tables_report_and_leaderboard(monkeypatch):
    f1 = metrics.Metric("f1", "share", True, "{:.2%}", "f1", lambda chance, classes: 1 / classes)
    monkeypatch.setitem(metrics.METRICS, "f1", f1)
    comparison = comparisons.comparison(("sgd", "adam"), trials=3, seeds=2, confirm=4)
    made = comparison.runs.assign(
        dev_f1=comparison.runs["dev_accuracy"] - 0.1, test_f1=comparison.runs["test_accuracy"] - 0.1
    )
    comparison = dataclasses.replace(comparison, runs=made)
    said = answer(comparison)
    row = said.methods.iloc[0]
    assert row["f1"] == pytest.approx(row["accuracy"] - 0.1)
    assert 0 < row["f1_low"] < row["f1"] < row["f1_high"] < 1
    (scores, *_) = tables.of_methods(comparison, said)
    assert "test f1" in scores.columns
    assert scores.rows[0][list(scores.columns).index("test f1")].startswith(f"{100 * row['f1']:.2f}% (")
    assert (estimates.kind_of("test_f1"), leaderboard.failed(comparison.tasks[0], "test_f1")) == ("share", 0.1)
    lost = made[:2].assign(status=["finished", "diverged"])
    assert selection.counted(lost, "test_f1").iloc[1] == 0
    shown = json.loads(comparisons.page(comparison, said).partition('id="content">')[2].partition("</script>")[0])
    assert ["test_f1", "test f1", "number share"] in shown["table"]
    assert "test_f1" in metrics.columns(["test"])


def test_what_needs_no_jax_imports_none():
    code = (
        "import sys, jaxnets.comparison.answer, jaxnets.stats.ensembles, jaxnets.report.figures, jaxnets.metrics;"
        "import jaxnets.report.tables, jaxnets.report.progress;"
        "sys.exit('jax' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- the confidence level ---------------------------------------------------------------------------------------


def test_a_level_reaches_every_interval_table_figure_and_sentence():
    usual = comparisons.comparison(("sgd", "momentum", "adam"), trials=3, seeds=2, confirm=9)
    at_90 = dataclasses.replace(usual, level=0.9)
    said, lower = answer(usual), answer(at_90)
    assert (said.percent, lower.percent) == ("95%", "90%")
    for table, low, high in (
        ("methods", "accuracy_low", "accuracy_high"),
        ("methods", "median_low", "median_high"),
        ("methods", "loss_low", "loss_high"),
        ("pairs", "low", "high"),
        ("pairs", "bound_low", "bound_high"),
        ("pairs", "improvement_low", "improvement_high"),
        ("sensitivity", "low", "high"),
        ("profiles", "low", "high"),
    ):
        wide, narrow = (getattr(one, table)[high] - getattr(one, table)[low] for one in (said, lower))
        known = wide.notna()
        assert (narrow[known] <= wide[known]).all(), (table, low)
        assert (narrow[known] < wide[known]).any(), (table, low)
    assert lower.pairs["level"].tolist() == pytest.approx([1 - 0.1 / 3] * 3)
    console = Terminal(file=io.StringIO(), width=200)
    tables.print_answer(console, lower)
    text = console.file.getvalue() + "".join(chart.caption for chart in comparison_page.charts(at_90, lower))
    text += "".join(table.note for table in tables.of_methods(at_90, lower)) + comparisons.page(at_90, lower)
    text = text.replace("one-sided, with 95% confidence", "")  # each of two bounds, 90% together
    assert "95%" not in text.partition("window.vegaEmbed")[0]
    assert "test accuracy (90% CI)" in text
    assert "In parentheses: 90% CIs over seeds." in text
    assert "bands: 90% intervals" in text
    assert "(90% upper bound)" in text
    assert "at 90% together" in text
    two = answer(dataclasses.replace(comparisons.comparison(("sgd", "adam"), trials=3, seeds=2, confirm=9), level=0.9))
    assert "(90% CI" in two.sentences[0]


STATISTICS = {
    "mean": lambda draw, level: estimates.mean(draw(9), level=level),
    "skewed mean": lambda draw, level: estimates.mean(draw(20), level=level),
    "median": lambda draw, level: estimates.median(draw(12), level),
    "interquartile mean": lambda draw, level: estimates.interquartile_mean(draw(24), level=level),
    "paired": lambda draw, level: estimates.paired_difference(draw(8), draw(8), level=level),
    "corrected": lambda draw, level: estimates.corrected_difference(draw(8), 0.0, level=level),
    "difference": lambda draw, level: estimates.difference(draw(7), draw(9), level=level),
    "slope": lambda draw, level: estimates.slope(range(10), draw(10), level),
    "ratio": lambda draw, level: estimates.ratio(np.exp(draw(8)), np.exp(draw(8)), level=level),
    "widened": lambda draw, level: estimates.mean(draw(9), level=level).widened(0.0, 8),
}


@pytest.mark.parametrize("name", STATISTICS)
@pytest.mark.parametrize("level", [0.8, 0.9])
def test_an_interval_covers_as_often_as_its_level_says(name, level):
    generator, truth, covered, times = np.random.default_rng(0), float(name == "ratio"), 0, 500
    for _ in range(times):
        found = STATISTICS[name](lambda size: generator.normal(size=size), level)
        covered += found.low <= truth <= found.high
        assert f"{estimates.percent(level)} CI" in str(found)
    # the bootstrap-t only widens
    allowed = 0.06 if "skewed" in name or "interquartile" in name else 0.045
    assert abs(covered / times - level) < allowed


def test_a_share_has_wilsons_interval_at_its_level():
    wide, narrow = estimates.share(3, 10), estimates.share(3, 10, 0.9)
    assert wide.low < narrow.low < 0.3 < narrow.high < wide.high
    assert narrow.level == 0.9
    assert estimates.median(np.arange(6.0), 0.99).note == "6 are too few"

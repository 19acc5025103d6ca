"""The interactive charts of how contestants stand: at their chosen settings, and by their ranks."""

from collections.abc import Sequence
from typing import Any

from jaxnets.report.study_charts import ROW, colour, data_set, run_tips, shape, specification, tips


def standings(contestants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Test accuracy at the chosen settings: a row for each contestant, its runs, its mean and interval."""
    import altair as alt

    y = alt.Y("contestant:N").scale(domain=list(contestants)).title(None)
    x = (
        alt.X(field="test_accuracy", type="quantitative")
        .scale(zero=False, padding=10, nice=False)
        .title("test accuracy")
        .axis(format="~%", tickCount=6)
    )
    look = colour(contestants, legend=False)
    runs = data_set("runs").transform_filter("datum.reports")
    runs = runs.mark_tick(thickness=1.5, size=ROW * 0.6, opacity=0.5)
    runs = runs.encode(x=x, y=y, color=look, tooltip=run_tips())
    about = tips("contestant:N", "setting:N", "accuracy:Q:.2%", "accuracy_low:Q:.2%", "accuracy_high:Q:.2%")
    means = data_set("standings").encode(y=y, tooltip=about)
    bars = means.mark_rule(strokeWidth=3).encode(x=x.field("accuracy_low"), x2="accuracy_high:Q", color=look)
    spots = means.mark_point(filled=True, size=110, opacity=1)
    spots = spots.encode(x=x.field("accuracy"), color=look, shape=shape(contestants).legend(None))
    description = "Test accuracy of each contestant at its chosen setting: runs, mean and interval."
    return {"": specification([runs, bars, spots], description, ROW * len(contestants) + 10)}


def pairs(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Differences of test accuracy: a row for each pair, with its interval, and a line at zero."""
    import altair as alt

    y = alt.Y("pair:N").scale(domain=list(names)).title(None).axis(labelLimit=190)
    x = alt.X(field="difference", type="quantitative").scale(padding=10, nice=False)
    x = x.title("difference of test accuracy").axis(format="+.1%", tickCount=4)
    form = alt.Shape("outcome:N").scale(domain=["ahead", "tie", "open"], range=["circle", "square", "cross"])
    base = data_set("pairs").encode(
        y=y, tooltip=tips("pair:N", "difference:Q:+.2%", "low:Q:+.2%", "high:Q:+.2%", "outcome:N")
    )
    bars = base.mark_rule(strokeWidth=2.5, style="ink").encode(x=x.field("low"), x2="high:Q")
    spots = base.mark_point(filled=True, size=110, opacity=1, style="ink").encode(x=x, shape=form.title(None))
    zero = data_set("pairs").mark_rule(strokeDash=[4, 3]).encode(x=alt.datum(0))
    return {
        "": specification(
            [zero, bars, spots],
            "Differences of test accuracy, pair by pair.",
            (ROW if len(names) < 11 else 20) * len(names) + 10,
        )
    }


def ranks(rows: Sequence[str], contestants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """A critical-difference diagram: mean ranks, and bars over those that cannot be told apart."""
    import altair as alt

    y = alt.Y("row:N").scale(domain=list(rows)).title(None)
    x = (
        alt.X(field="rank", type="quantitative")
        .scale(zero=False, padding=12)
        .title("mean rank (1 is best)")
        .axis(tickMinStep=1, format="~g")
    )
    look = colour(contestants, legend=False)
    spots = data_set("ranks").mark_point(filled=True, size=110, opacity=1)
    spots = spots.encode(x=x, y=y, color=look, shape=shape(contestants).legend(None))
    spots = spots.encode(tooltip=tips("contestant:N", "rank:Q:.2f"))
    bars = data_set("groups").mark_rule(strokeWidth=5, strokeCap="round").encode(x=x.field("low"), x2="high:Q", y=y)
    bars = bars.encode(tooltip=tips("members:N"))
    return {"": specification([bars, spots], "Mean ranks with bars over groups.", ROW * len(rows) + 10)}

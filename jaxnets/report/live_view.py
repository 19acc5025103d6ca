"""A sweep while it runs, from its tables alone: for the terminal and for the browser."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import vl_convert
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jaxnets.evidence import choosing
from jaxnets.report import figures, tables

WAITING, RUNNING, FINISHED, INTERRUPTED, GONE = "waiting", "running", "finished", "interrupted", "gone"
ENDED = (FINISHED, INTERRUPTED, GONE)
WORDS = {
    WAITING: "Nothing is there yet.",
    RUNNING: "Running.",
    FINISHED: "Finished.",
    INTERRUPTED: "Interrupted by the user; what was finished is kept.",
    GONE: "Its process has ended without finishing; the tables hold what was written last.",
}
_BLOCKS = "▁▂▃▄▅▆▇█"
_SPARK_WIDTH, _MOST_ROWS, _MOST_LINES, _MOST_POINTS = 8, 500, 240, 80


@dataclass(frozen=True)
class View:
    """What is known of a run directory at a moment."""

    name: str
    state: str
    progress: Mapping[str, Any]
    runs: pd.DataFrame
    curves: pd.DataFrame
    version: Any = None

    @property
    def share(self) -> float:
        """Of the steps, those taken and those saved."""
        if not self.progress:
            return float(self.state == FINISHED)
        done = self.progress["steps"] + self.progress["steps_saved"]
        return min(1.0, done / max(1, self.progress["total_steps"]))


def facts(view: View) -> list[str]:
    """How far the sweep is, a few words each."""
    if not (progress := view.progress):
        return [f"{len(view.runs)} runs"] if len(view.runs) else []
    if view.state == FINISHED and len(view.runs) > progress["runs"]:  # it tells of the last stage alone
        return [f"{len(view.runs):,} runs, in several stages"]
    saved = f", {progress['steps_saved']:,} saved" if progress["steps_saved"] else ""
    words = [
        f"{progress['runs_ended']:,} of {progress['runs']:,} runs ended",
        f"{progress['steps']:,} of {progress['total_steps']:,} steps{saved} ({view.share:.0%})",
        f"{progress['diverged']:,} diverged",
        f"{progress['seconds']:.0f} s of training",
    ]
    if view.state == RUNNING:
        words[:0] = [progress["stage"], progress["label"]]
    if progress["best_dev_accuracy"] is not None:
        words.append(f"best on dev {progress['best_dev_accuracy']:.1%} ({progress['leader']})")
    return [word for word in words if word]


def line(view: View) -> str:
    """The state in a line."""
    return " | ".join([f"{view.name}: {WORDS[view.state]}", *facts(view)])


def standing(view: View) -> pd.DataFrame:
    """A row for each run that has been evaluated, the best on dev first.

    Columns: `run`, the hyperparameters that vary, `status` (`running` and `waiting` among them), `step`, `dev_accuracy`
    and `train_loss` at the last evaluation, and `curve`, the dev accuracies so far.
    """
    if view.runs.empty:
        return pd.DataFrame()
    groups = view.curves.groupby("run")
    last = groups[["step", "dev_accuracy", "train_loss"]].last()
    curves = groups["dev_accuracy"].apply(list).rename("curve")
    names = _telling(view.runs)
    table = view.runs[["run", *names, "status"]].merge(last, on="run", how="left").merge(curves, on="run", how="left")
    if view.state == RUNNING:
        open_ones = table["status"] == "interrupted"
        table["status"] = table["status"].mask(open_ones, np.where(table["step"].isna(), "waiting", "running"))
    return table.sort_values("dev_accuracy", ascending=False, na_position="last", kind="stable", ignore_index=True)


def _telling(runs: pd.DataFrame) -> list[str]:
    """What tells the runs apart."""
    names = ["task", "phase", *choosing.hyperparameters(runs)]
    return [name for name in names if name in runs and runs[name].nunique() > 1] or ["optimizer", "learning_rate"]


def screen(view: View, height: int) -> RenderableType:
    """The picture for a terminal of so many lines; of any length if 0."""
    head: list[RenderableType] = [Text(f"{view.name}  {WORDS[view.state]}", style="bold")]
    if view.progress or len(view.runs):
        bar = Padding(ProgressBar(total=1.0, completed=view.share, width=60), (0, 0))
        head += [bar, *(Text(f"  {fact}") for fact in facts(view))]
    if view.runs.empty:
        return Group(*head)
    return Group(*head, runs_table(view, max(3, height - len(head) - 7) if height else 20))


def runs_table(view: View, most: int = 20) -> Table:
    """The runs that are best on dev."""
    table = standing(view)
    names = [name for name in table if name not in ("run", "status", "step", "dev_accuracy", "train_loss", "curve")]
    rows = [
        [
            *(tables.cell(row[name]) for name in ("run", *names)),
            row["status"],
            *(_whole(row["step"]), _percent(row["dev_accuracy"]), tables.cell(row["train_loss"]), spark(row["curve"])),
        ]
        for row in table.head(most).to_dict("records")
    ]
    header = ["run", *map(str, names), "status", "step", "dev", "train_loss", "dev_so far"]
    title = f"The best {len(rows)} of {len(table)} runs on dev"
    shown = tables.table(title, [name.replace("_", "\n") for name in header], rows)
    shown.pad_edge, shown.collapse_padding = False, True
    for column in shown.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    return shown


def _whole(number: float) -> str:
    return "–" if pd.isna(number) else f"{number:.0f}"


def _percent(share: float) -> str:
    return "–" if pd.isna(share) else f"{share:.1%}"


def spark(values: Sequence[float] | float) -> str:
    """Accuracies as blocks, from 0 to 1, the last ones of as many as fit evenly.

    >>> spark([0.0, 0.5, 1.0])
    '▁▅█'
    """
    if not isinstance(values, list):  # a run without an evaluation
        return ""
    places = np.linspace(0, len(values) - 1, min(_SPARK_WIDTH, len(values))).round().astype(int)
    chosen = np.nan_to_num(np.asarray(values, float)[places])
    return "".join(_BLOCKS[round(min(max(value, 0.0), 1.0) * (len(_BLOCKS) - 1))] for value in chosen)


def as_json(view: View) -> dict[str, Any]:
    """What the page shows of a view, but for the figure."""
    table = standing(view)
    names = [str(name) for name in table if name != "curve"]
    rows = [
        [_percent(row[name]) if name == "dev_accuracy" else tables.cell(row[name]) for name in names]
        for row in table.astype({"step": "Int64"} if len(table) else {}).head(_MOST_ROWS).to_dict("records")
    ]
    return {
        "name": view.name,
        "state": view.state,
        "words": WORDS[view.state],
        "share": view.share,
        "facts": facts(view),
        "columns": [name.replace("_", " ") for name in names],
        "rows": rows,
        "num_runs": len(table),
    }


def pictures(view: View) -> list[dict[str, str]]:
    """Accuracy on dev and training loss over the steps, a line for each run: `caption`, and `source`, an SVG."""
    if view.curves.empty:
        return []
    some = _some(view.runs)
    shown = "A line for each run" if len(some) == len(view.runs) else f"A line for each of {len(some)} runs"
    return [
        {"caption": f"{caption}. {shown}.", "source": _drawn(some, view.curves, column)}
        for column, caption in (("dev_accuracy", "Accuracy on dev"), ("train_loss", "Training loss"))
    ]


def _drawn(runs: pd.DataFrame, curves: pd.DataFrame, column: str) -> str:
    by, shares = _coloured_by(runs), column.endswith("accuracy")
    shown = curves.merge(runs[["run", by]], on="run").dropna(subset=[column])
    shown = shown if shares or not (shown[column] > 0).any() else shown[shown[column] > 0]
    names = [tables.cell(name) for name in runs[by].unique()]
    table = shown.assign(x=shown["step"], value=shown[column], series=shown[by].map(tables.cell))
    label = "dev accuracy" if shares else "training loss (nats)"
    scale = "linear" if shares or not (shown[column] > 0).any() else "log"
    up = figures.axis("value", table["value"], label, scale, percent=shares)
    drawn = figures.rows(table[["run", "x", "value", "series"]]).mark_line(opacity=0.4, strokeWidth=0.9)
    drawn = drawn.encode(x=figures.axis("x", table["x"], "step"), y=up, detail="run:N")
    figure = figures.figure(drawn.encode(color=figures.colour(names, legend=len(names) <= len(figures.COLOURS))))
    content = figures.adapting(vl_convert.vegalite_to_svg(figures.specification(figure)).encode())
    return f"data:image/svg+xml;base64,{base64.b64encode(content).decode()}"


def _coloured_by(runs: pd.DataFrame) -> str:
    return next((name for name in ("optimizer", "model", *_telling(runs)) if runs[name].nunique() > 1), "optimizer")


def _some(runs: pd.DataFrame) -> pd.DataFrame:
    """As many runs as a figure can show, evenly from all."""
    return runs.iloc[:: -(-len(runs) // _MOST_LINES)]

"""From the records of a sweep to its two tables: a row for each run, and a row for each run and evaluation."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from jaxnets import schema
from jaxnets.config.values import show
from jaxnets.data.dataset import Dataset
from jaxnets.engine.events import Record
from jaxnets.engine.table import Run, dataset_number

FINISHED, DIVERGED, STOPPED, INTERRUPTED = "finished", "diverged", "stopped", "interrupted"

_CURVES = ("train_loss", "train_accuracy", "dev_loss", "dev_accuracy")
_FINAL = {"train_loss": "final_train_loss", "train_accuracy": "final_train_accuracy"}
_JUDGED = ("dev_loss", "dev_accuracy", "test_loss", "test_accuracy")


def curves_table(records: Iterable[Record]) -> pd.DataFrame:
    """A row for each run and evaluation, ordered by run and step.

    Columns: `run`, `step`, `epoch`; `train_loss` and `train_accuracy`, means over the examples since the evaluation
    before, each as it was met; `dev_loss` and `dev_accuracy`, float32. A diverged run's rows end before it diverged.
    """
    parts = [_curve_rows(record) for record in records]
    if not parts:
        return pd.DataFrame({name: [] for name in ("run", "step", "epoch", *_CURVES)})
    return pd.concat(parts).sort_values(["run", "step"], ignore_index=True)


def _curve_rows(record: Record) -> pd.DataFrame:
    outcome = record.outcome
    rows = pd.DataFrame(
        {
            "run": record.runs,
            "step": record.step,
            "epoch": record.step / record.program.task.steps_per_epoch,
            **{name: getattr(outcome, name) for name in _CURVES},
        }
    )
    return rows[(outcome.diverged_step < 0) | (outcome.diverged_step > record.step)]


def hyperparameters(runs: Sequence[Run]) -> pd.DataFrame:
    """A row for each run: its number `run`, and its hyperparameters, named as their flags."""
    names = dict.fromkeys(name for run in runs for name in run)
    # column by column, as the values of all runs at a time would be many objects
    columns = {name: schema.column([show(run.get(name)) for run in runs]) for name in names}
    return pd.DataFrame({"run": np.arange(len(runs)), **columns})


def runs_table(hyperparameters: pd.DataFrame, records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run.

    Columns: `run`; its hyperparameters, named as their flags; `status` (`finished`, `diverged`, `stopped` by
    successive halving, or `interrupted`); `diverged_step`; `judged_step`, the step of the evaluation by which it
    is judged; loss and accuracy on the training examples after the last step, and on dev and test where it is judged
    (NaN for a run that did not end); the best accuracy on dev over the evaluations and the first step at which it was
    reached; `seconds`, the run's share of the time that its program took.
    """
    table = hyperparameters.merge(_endings(len(hyperparameters), records), on="run")
    return table.merge(_best(curves_table(records)), on="run", how="left").merge(
        _seconds(records), on="run", how="left"
    )


def _endings(num_runs: int, records: Sequence[Record]) -> pd.DataFrame:
    """Status, and the metrics at the evaluation by which a run is judged."""
    diverged_step = np.full(num_runs, -1)
    final = {name: np.full(num_runs, np.nan, np.float32) for name in (*_JUDGED, *_FINAL)}
    judged_step = np.zeros(num_runs, int)
    at_end, dropped = np.zeros(num_runs, bool), np.zeros(num_runs, bool)
    for record in records:
        diverged_step[record.runs] = record.outcome.diverged_step
        dropped[record.runs] |= record.dropped
        judged = judged_places(record)
        judged_step[record.runs[judged]] = record.step
        for name in _JUDGED:
            final[name][record.runs[judged]] = getattr(record.outcome, name)[judged]
        if record.step == record.program.task.num_steps:
            at_end[record.runs] = True
            for name, source in _FINAL.items():
                final[name][record.runs] = getattr(record.outcome, source)
    diverged = diverged_step >= 0
    for values in final.values():
        values[diverged | ~at_end] = np.nan
    status = np.select([diverged, dropped, at_end], [DIVERGED, STOPPED, FINISHED], INTERRUPTED)
    steps = pd.array(np.where(diverged, diverged_step, 0), "Int64")
    steps[~diverged] = pd.NA
    judged_steps = pd.array(judged_step, "Int64")
    judged_steps[diverged | ~at_end] = pd.NA
    columns = {"status": status, "diverged_step": steps, "judged_step": judged_steps, **final}
    return pd.DataFrame({"run": np.arange(num_runs), **columns})


def judged_places(record: Record) -> np.ndarray:
    """Which runs of a record were judged at its step: the places in `record.runs`."""
    if record.program.task.select_best:
        return np.flatnonzero(~np.isnan(record.outcome.test_loss))
    return np.arange(len(record.runs) if record.step == record.program.task.num_steps else 0)


def predictions_table(runs: Sequence[Run], records: Sequence[Record], folds: Sequence[Dataset]) -> pd.DataFrame:
    """A row for each run and test example.

    Columns: `run`; `fold`, or the block; `example`, its place in the test split of the fold; `label`; `prediction`; and
    `probability_K` for each class K. Only of runs that ended and did not diverge.
    """
    last: dict[int, np.ndarray] = {}
    ended: set[int] = set()
    for record in records:
        at_end = record.step == record.program.task.num_steps
        ended.update(record.runs[(record.outcome.diverged_step < 0) & at_end].tolist())
        for place in judged_places(record):
            last[int(record.runs[place])] = np.asarray(record.outcome.test_probabilities[place])
    parts = [_run_predictions(run, dataset_number(runs[run]), last[run], folds) for run in sorted(ended)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _run_predictions(run: int, fold: int, probabilities: np.ndarray, folds: Sequence[Dataset]) -> pd.DataFrame:
    labels = folds[fold].test.labels
    probabilities = probabilities[: len(labels)]
    columns = {f"probability_{k}": probabilities[:, k] for k in range(probabilities.shape[1])}
    fixed = {"run": run, "fold": fold, "example": np.arange(len(labels)), "label": labels}
    return pd.DataFrame(fixed | {"prediction": probabilities.argmax(axis=1)} | columns)


def _best(curves: pd.DataFrame) -> pd.DataFrame:
    if curves.empty:
        return pd.DataFrame({"run": [], "best_dev_accuracy": [], "best_step": []}).astype({"run": int})
    best = curves.loc[curves.groupby("run")["dev_accuracy"].idxmax(), ["run", "dev_accuracy", "step"]]
    best = best.rename(columns={"dev_accuracy": "best_dev_accuracy", "step": "best_step"})
    return best.astype({"best_step": "Int64"})


def _seconds(records: Iterable[Record]) -> pd.DataFrame:
    parts = [pd.DataFrame({"run": record.runs, "seconds": record.seconds}) for record in records]
    if not parts:
        return pd.DataFrame({"run": [], "seconds": []}).astype({"run": int})
    return pd.concat(parts).groupby("run")[["seconds"]].sum().reset_index()

"""What a sweep gives: its tables, and the parameters that were kept."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from flax import linen as nn
from jaxtyping import Array

from jaxnets import jax_settings, metrics, schema, statuses, training
from jaxnets.config.config import Config
from jaxnets.config.values import brief, show
from jaxnets.data.dataset import Dataset
from jaxnets.engine.keep import Compiled, Event, KeepAll, KeepBest, Leader, Record
from jaxnets.engine.plan import Program
from jaxnets.engine.sweep import Sweep
from jaxnets.engine.table import Run, are_independent, dataset_number
from jaxnets.errors import UserError
from jaxnets.inference import predict
from jaxnets.inference.model import Model
from jaxnets.models.blocks import TextBatch
from jaxnets.plugins import Plugin
from jaxnets.statuses import ACTIVE, are_finished
from jaxnets.training.state import TrainState, variables, widened
from jaxnets.training.word_rows import GivenVectors

_CURVES = metrics.columns(["train", "dev"])
_FINAL = dict(zip(metrics.columns(["train"]), metrics.columns(["final_train"]), strict=True))
_JUDGED = metrics.columns(["dev", "test"])


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

    Columns: `run`; its hyperparameters, named as their flags; `status`, one of `jaxnets.statuses`; `diverged_step`;
    `judged_step`, the step of the evaluation by which it is judged; loss and accuracy on the training examples after
    the last step, and on dev and test where it is judged (NaN for a run that did not finish); the best accuracy on dev
    over the evaluations and the first step at which it was reached; `seconds`, the run's share of the time that its
    program took.
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
    reasons = np.full(num_runs, ACTIVE)
    for record in records:
        diverged_step[record.runs] = record.outcome.diverged_step
        reasons[record.runs] = record.status
        judged = judged_places(record)
        judged_step[record.runs[judged]] = record.step
        for name in _JUDGED:
            final[name][record.runs[judged]] = getattr(record.outcome, name)[judged]
        if record.step == record.program.task.num_steps:
            for name, source in _FINAL.items():
                final[name][record.runs] = getattr(record.outcome, source)
    diverged, finished = diverged_step >= 0, are_finished(reasons)
    for values in final.values():
        values[~finished] = np.nan
    status = np.array([one.name for one in statuses.STATUSES])[reasons]
    steps = pd.array(np.where(diverged, diverged_step, 0), "Int64")
    steps[~diverged] = pd.NA
    judged_steps = pd.array(judged_step, "Int64")
    judged_steps[~finished] = pd.NA
    columns = {"status": status, "diverged_step": steps, "judged_step": judged_steps, **final}
    return pd.DataFrame({"run": np.arange(num_runs), **columns})


def judged_places(record: Record) -> np.ndarray:
    """Which runs of a record were judged at its step: the places in `record.runs`."""
    if record.program.task.select_best:
        return np.flatnonzero(~np.isnan(record.outcome.test_loss))
    return np.arange(len(record.runs) if record.step == record.program.task.num_steps else 0)


def predictions_table(runs: Sequence[Run], records: Sequence[Record], folds: Sequence[Dataset]) -> pd.DataFrame:
    """A row for each run and test example.

    Columns: `run`; `fold`, or the repeat; `example`, its place in the test split of the fold; `label`; `prediction`;
    `probability_K` for each class K. Only of runs that ended and did not diverge.
    """
    last: dict[int, np.ndarray] = {}
    ended: set[int] = set()
    for record in records:
        ended.update(record.runs[are_finished(record.status)].tolist())
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


@dataclass(frozen=True, repr=False)
class Trained:
    """The runs of a configuration, and what became of them.

    Attributes:
      config: what was asked for.
      runs: a row for each run; see `jaxnets.engine.results.runs_table`.
      curves: a row for each run and evaluation; see `jaxnets.engine.results.curves_table`.
      predictions: with `predictions`, what the runs say of the test examples; see
        `jaxnets.engine.results.predictions_table`.
      table: the runs' hyperparameters as typed values, plug-ins looked up.
      folds: the data set; one, unless it was cross-validated or has repeats.
      programs: that trained the runs.
      kept: the parameters by run and step, where `keep` is seeds, last or all: nested dictionaries of arrays.
      kept_model: the model that is best on dev, where `keep` is best.
      notes: what the user should know of the data and the runs, a sentence each.
      devices: that the runs were trained on, in words.
      interrupted: whether the user ended the sweep before its time.
      num_programs: how many programs were compiled.
      seconds: from the first compilation to the last record.
      steps_taken: of all runs together.
      steps_saved: those that runs were spared as they had diverged, or were dropped by successive halving.
    """

    config: Config
    runs: pd.DataFrame
    curves: pd.DataFrame
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    table: Sequence[Run] = ()
    folds: tuple[Dataset, ...] = ()
    programs: tuple[Program, ...] = ()
    kept: Mapping[tuple[int, int], Any] = field(default_factory=dict)
    kept_model: Model | None = None
    notes: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    interrupted: bool = False
    num_programs: int = 0
    seconds: float = 0.0
    steps_taken: int = 0
    steps_saved: int = 0
    _init: dict[int, Any] = field(default_factory=dict, repr=False, compare=False)

    def __repr__(self) -> str:
        """What it holds, in a line."""
        states = self.runs["status"].value_counts().items() if "status" in self.runs else ()
        counts = ", ".join(f"{count:,} {status}" for status, count in states)
        return f"<{type(self).__name__}: {len(self.runs):,} runs ({counts or 'none'}), {self.seconds:.1f} s>"

    @property
    def test_share(self) -> float:
        """By what folds and repeats are correlated; see `jaxnets.comparison.table.TaskFacts.test_share`."""
        if not self.folds:
            return np.nan
        return 0.0 if are_independent(self.config) else len(self.folds[0].test) / len(self.folds[0].train)

    def program(self, run: int) -> tuple[Program, int]:
        """The program of a run, and the run's place in it.

        Raises:
          UserError: if there is no such run.
        """
        self.check_run(run)
        for program in self.programs:
            places = np.flatnonzero(program.runs == run)
            if len(places):
                return program, int(places[0])
        raise UserError(f"run: of run {run} there are the tables alone, as read from a directory; `train` trains anew.")

    def check_run(self, run: Any) -> None:
        """Refuses what is not the number of a run.

        Raises:
          UserError: if it is none.
        """
        if isinstance(run, bool) or not isinstance(run, Integral) or run not in range(len(self.runs)):
            known = f"the runs are 0 to {len(self.runs) - 1}" if len(self.runs) else "there are none"
            raise UserError(f"run: there is no run {brief(run)}; {known}.")

    @jax_settings.pinned()
    def numbers(self, run: int) -> dict[str, Array]:
        """The traced hyperparameters of a run."""
        program, place = self.program(run)
        return {name: jnp.asarray(values[place]) for name, values in program.hyperparameters.items()}

    def dataset(self, run: int) -> Dataset:
        """The data set, or the fold or repeat, of a run."""
        return self.folds[int(self.numbers(run).get("fold", 0))]

    def values(self, run: int, *names: str) -> dict[str, Any]:
        """Some of the hyperparameters of a run, as `Config` takes them."""
        self.program(run)
        chosen = {name: self.table[run][name] for name in names if name in self.table[run]}
        return {name: value.reference if isinstance(value, Plugin) else value for name, value in chosen.items()}

    def module(self, run: int) -> nn.Module:
        """The Flax module of a run: `module(run).apply(variables(params(run)), inputs)` gives its logits."""
        program, place = self.program(run)
        # numbers of Python, so that the module has a hash
        numbers = {name: float(program.hyperparameters[name][place]) for name in program.task.model.traced}
        return program.task.model(numbers)

    @jax_settings.pinned()
    def logits(self, run: int, inputs: Any, step: int | None = None) -> np.ndarray:
        """What the model of a run gives for features `[examples, features]` or a `TextBatch`, without dropout."""
        params = jax.tree.map(jnp.asarray, self.params(run, step))
        if not isinstance(inputs, TextBatch):
            inputs = predict.features(self.model(run), inputs)
        logits = self.module(run).apply(variables(params), jax.tree.map(jnp.asarray, inputs))
        return np.asarray(widened(logits))

    def model(self, run: int) -> Model:
        """The model of a run where it is judged, as `train` keeps one: it can be asked by itself.

        Raises:
          UserError: if its parameters were not kept.
        """
        return model_of(self.table[run], self.program(run)[0], run, self.dataset(run), self.params(run))

    def predict(self, run: int, inputs: Any) -> np.ndarray:
        """What a run says of new inputs: the most probable class of each, as its label was given.

        Args:
          run: its number in the table.
          inputs: features `[examples, features]`, in the form of those that the run learned from; or texts.

        Raises:
          UserError: if its parameters were not kept, or the inputs are not what its model takes.

        >>> import jaxnets
        >>> xor = jaxnets.sweep(dataset="xor", learning_rate=0.03, batch_size=0, num_steps=100, progress=False)
        >>> xor.predict(0, [[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
        ['same', 'different', 'different', 'same']
        """
        return predict.labels(self.model(run), inputs)

    def probabilities(self, run: int, inputs: Any) -> np.ndarray:
        """The probability that a run gives to each class, `float32[examples, classes]`; see `predict`."""
        return predict.probabilities(self.model(run), inputs)

    @jax_settings.pinned()
    def start(self, run: int) -> TrainState:
        """The state of a run before its first step: the same bits as in the sweep, on a CPU."""
        program, place = self.program(run)
        vectors = self.dataset(run).word_vectors
        given = vectors and GivenVectors(
            jnp.asarray(vectors.vectors), jnp.asarray(vectors.given), jnp.float32(vectors.deviation)
        )
        if id(program) not in self._init:
            self._init[id(program)] = jax.jit(partial(training.init, program.task))
        return self._init[id(program)](self.numbers(run), jnp.asarray(program.seeds[place]), given)

    def params(self, run: int, step: int | None = None) -> Any:
        """The parameters of a run after a step; otherwise those by which it is judged. Step 0 is the start.

        Of a run that is not judged, as it did not finish, they are those after the last step at which they were kept.

        Raises:
          UserError: if they were not kept.
        """
        self.check_run(run)
        if step == 0:
            return self.start(run).kept
        num_steps = self._num_steps(run)
        last = judged_step(self.runs, self.kept, run, num_steps) if step is None else step
        if (run, last) not in self.kept:
            keeps = "keep=last keeps" if step is None else "keep=all keeps"
            kept = f"; kept are those after {', '.join(map(str, steps))}" if (steps := self.steps(run)) else ""
            raise UserError(
                f"step: the parameters of run {run} after step {brief(last)} were not kept{kept}; {keeps} them."
            )
        return self.kept[run, last]

    def _num_steps(self, run: int) -> int:
        return int(self.runs["num_steps"].iloc[run])

    def steps(self, run: int) -> list[int]:
        """The steps at which the parameters of a run were kept, ascending; not the start."""
        self.check_run(run)
        return sorted(step for number, step in self.kept if number == run)


def judged_step(runs: pd.DataFrame, kept: Collection[tuple[int, int]], run: int, default: int = 0) -> int:
    """The step of the parameters that answer for a run: the judged one, else the last that was kept."""
    judged = runs.loc[runs["run"] == run, "judged_step"].dropna() if "judged_step" in runs else pd.Series(dtype=int)
    return int(judged.iloc[0]) if len(judged) else max((step for one, step in kept if one == run), default=default)


def model_of(run: Run, program: Program, number: int, dataset: Dataset, params: Any) -> Model:
    """The model of a run."""
    bound = program.task.model
    place = int(np.flatnonzero(program.runs == number)[0])
    traced = {name: float(program.hyperparameters[name][place]) for name in bound.traced}
    # plug-ins among the arguments keep their names
    static = {name: run[name] if name in run["model"].arguments else value for name, value in bound.static}
    about = {"run": number, "dataset": dataset.name, **{name: show(value) for name, value in run.items()}}
    if not dataset.is_text:
        about["num_features"] = np.asarray(dataset.train.inputs).shape[1]
    return Model(
        plugin=run["model"],
        head=run["head"],
        arguments=static | traced,
        class_names=dataset.class_names,
        vocabulary=dataset.vocabulary,
        tokenizer=dataset.tokenizer,
        about=about,
        params=params,
        label_type=dataset.label_type,
        max_length=dataset.max_length,
    )


_NO_PROBABILITIES: Any = np.zeros((0, 0, 0), np.float32)


@dataclass
class Recorder:
    """The records of a sweep so far."""

    sweep: Sweep
    records: list[Record] = field(default_factory=list)
    params: dict[tuple[int, int], Any] = field(default_factory=dict)
    kept_model: Model | None = None
    num_compiled: int = 0
    compile_seconds: float = 0.0
    best: float = -np.inf
    untold: list[str] = field(default_factory=list)
    leader: str = ""
    _kept: Leader = field(default_factory=Leader)

    def take(self, event: Event) -> None:
        """Adds what an event tells."""
        if isinstance(event, Compiled):
            self.num_compiled += event.anew
            self.compile_seconds += event.seconds
            self.untold += [] if event.kept else [event.program.label]
        elif isinstance(event, Record):
            self.records.append(self._lean(event))
            self._follow(event)
            self._keep(event)

    def _lean(self, record: Record) -> Record:
        """The record without parameters, and without probabilities that nobody asks for."""
        asked = self.sweep.config.predictions and len(judged_places(record))
        outcome = record.outcome if asked else record.outcome._replace(test_probabilities=_NO_PROBABILITIES)
        return replace(record, params={}, outcome=outcome)

    def _follow(self, record: Record) -> None:
        accuracy = np.where(record.outcome.diverged_step < 0, record.outcome.dev_accuracy, -np.inf)
        place = int(np.argmax(accuracy))
        if accuracy[place] > self.best:
            self.best = float(accuracy[place])
            rate = self.sweep.table[record.runs[place]]["learning_rate"]
            self.leader = f"{record.program.label} at {rate:.3g}"

    def _keep(self, record: Record) -> None:
        policy = self.sweep.options.keeping
        if record.params and not isinstance(policy, KeepAll):
            self.params = {key: params for key, params in self.params.items() if key[0] not in record.params}
        self.params.update({(run, record.step): params for run, params in record.params.items()})
        if isinstance(policy, KeepBest):
            before = self._kept.best
            self._kept.follow(record)
            self.params = {key: params for key, params in self.params.items() if key[0] in self._kept.runs}
            if self._kept.best != before:
                self.kept_model = self._best_model()

    def _best_model(self) -> Model | None:
        if self._kept.best is None:
            return None
        program, run, step = self._kept.best
        values = self.sweep.table[run]
        return model_of(values, program, run, self.sweep.folds[dataset_number(values)], self.params[run, step])

    @cached_property
    def hyperparameters(self) -> pd.DataFrame:
        """The table of runs before their first step."""
        return hyperparameters(self.sweep.table)

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The runs and the curves."""
        return runs_table(self.hyperparameters, self.records), curves_table(self.records)

    def trained(self, *, interrupted: bool, seconds: float) -> Trained:
        """All of it."""
        runs, curves = self.tables()
        predictions = pd.DataFrame()
        if self.sweep.config.predictions:
            predictions = predictions_table(self.sweep.table, self.records, self.sweep.folds)
        return Trained(
            config=self.sweep.config,
            runs=runs,
            curves=curves,
            predictions=predictions,
            table=self.sweep.table,
            folds=self.sweep.folds,
            programs=tuple(self.sweep.programs),
            kept={} if isinstance(self.sweep.options.keeping, KeepBest) else self.params,
            kept_model=self.kept_model,
            notes=(*self.sweep.notes, *self.not_told(), *self._saved()),
            devices=tuple(self.sweep.devices),
            interrupted=interrupted,
            num_programs=self.num_compiled,
            seconds=seconds,
            steps_taken=sum(record.steps_taken for record in self.records),
            steps_saved=sum(record.steps_saved for record in self.records),
        )

    def not_told(self) -> tuple[str, ...]:
        """What is trained anew each time, in a sentence."""
        labels = ", ".join(dict.fromkeys(self.untold))
        again = "is compiled anew by each sweep, and its runs are trained anew by one that is resumed"
        return (f"{labels}: calls the host with what cannot be compared, so it {again}.",) if labels else ()

    def _saved(self) -> tuple[str, ...]:
        """The steps that runs were spared, in a sentence."""
        share = sum(record.steps_saved for record in self.records) / max(1, self.sweep.num_steps)
        causes = "Halving and divergence" if self.sweep.options.halving else "Divergence"
        return (f"{causes} saved {share:.0%} of the steps.",) if share >= 0.005 else ()

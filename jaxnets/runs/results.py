"""The results of a sweep: its tables, what can be asked of its runs, and on disk."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

import pandas as pd
from rich.console import Console

from jaxnets import io
from jaxnets.config.keywords import Keywords
from jaxnets.config.values import brief
from jaxnets.engine.results import Trained, judged_step
from jaxnets.errors import UserError, printable, unknown
from jaxnets.inference import model as models
from jaxnets.inference.model import Model
from jaxnets.inference.predict import Ensemble
from jaxnets.plugins import Trust
from jaxnets.runs import directories, protocol, train
from jaxnets.runs import directory as run_directory
from jaxnets.runs.protocol import Changes, Contest, Studied
from jaxnets.stats import selection

MODELS, PARAMETERS = "models.json", "parameters.safetensors"
_SHARED = ("form", "class_names", "vocabulary", "tokenizer", "label_type")
"""What the models of a sweep have in common is written once."""
_SHAPE = {name: shape for name, shape in models.SHAPE.items() if str(name).rstrip("?") in _SHARED}
_SHAPE["runs"] = {...: {name: shape for name, shape in models.SHAPE.items() if name not in _SHAPE}}
_NAME = re.compile(r"run_(?P<run>\d{1,9})\.step_(?P<step>\d{1,15})\.(?P<rest>.+)")


@dataclass(frozen=True, repr=False)
class Results(Trained):
    """The runs of a sweep, and what became of them; see `Trained` for what else it holds.

    Attributes:
      directory: the run directory; None if nothing was written.
      console: where the progress of `train` is shown; nowhere if None.
      further: what `train` was asked for since.
      models: of the runs, where the results were read from a directory.
    """

    directory: Path | None = None
    console: Console | None = None
    further: list[Trained] = field(default_factory=list)
    models: Mapping[int, Model] = field(default_factory=dict)

    @property
    def options(self) -> Mapping[str, Any]:
        """The values of the experiment's own flags."""
        return self.config.options

    @property
    def test_share(self) -> float:
        """By what folds and repeats are correlated; see `jaxnets.comparison.table.TaskFacts.test_share`."""
        if self.folds or self.directory is None or selection.unit(self.runs) == "seed":
            return super().test_share
        return directories.of_data(run_directory.read_environment(self.directory), self.config).test_share

    @property
    def num_runs(self) -> int:
        """The runs that were trained, those of `train` among them."""
        return len(self.runs) + sum(len(trained.runs) for trained in self.further)

    def train(self, /, arguments: Mapping[str, Any] | None = None, **values: Unpack[Keywords]) -> Trained:
        """Trains the configuration with some values changed; nothing of it is written.

        Arguments of plug-ins that are no longer chosen are left out.

        Raises:
          UserError: for anything in the configuration that cannot be done.
          KeyboardInterrupt: if the user ends it.

        >>> import jaxnets
        >>> results = jaxnets.sweep(dataset="xor", batch_size=0, num_steps=5, progress=False)
        >>> results.train(num_steps=7).runs["num_steps"].tolist()
        [7]
        """
        trained = train.retrain(self.config, self.folds, self.console, **values, **(arguments or {}))
        self.further.append(trained)
        return trained

    def comparison(
        self,
        by: str | Callable[[pd.DataFrame], pd.Series],
        *,
        score: str = "dev_accuracy",
        takes: str = "",
        changes: Changes = lambda task: {},
        **values: Any,
    ) -> Studied:
        """Tunes methods alike on each task and in each repeat, and confirms them on fresh seeds; nothing is written.

        The options `tasks` and `final_seeds` say on which tasks, and on how many seeds. `by` is the hyperparameter
        whose values are the methods, or a function that names the method of each run of the table: the column
        `method`. `score` chooses a setting, `takes` restricts the data to `features` or `text`, and `values` change
        the configuration, on each task.
        """
        if isinstance(by, str) and by not in self.config.values():
            raise unknown("by", by, [name for name, value in self.config.values().items() if isinstance(value, list)])
        if not isinstance(by, str) and not callable(by):
            raise UserError(f"by: {brief(by)} is neither the name of a hyperparameter nor a function of the runs.")
        column, label = (by, None) if isinstance(by, str) else ("method", by)
        contest = Contest(column, self.options.get("final_seeds", 0), score, label)
        wanted = protocol.parts(
            self.config,
            self.options.get("tasks", ["own"]),
            takes,
            lambda task: {**values, **changes(task)},
        )
        studied = protocol.carry_out(self.config, contest, wanted, self.console, self.directory)
        self.further.extend(studied.trained)
        return studied

    def best(self, by: str | Sequence[str] = "optimizer") -> pd.DataFrame:
        """For each value of a hyperparameter the configuration with the best mean accuracy on dev.

        Args:
          by: the hyperparameter, or several.

        Returns:
          A row for each; see `jaxnets.stats.selection.best_configurations`. `members` are the numbers of the runs.

        Raises:
          UserError: if there is no such hyperparameter, or the sweep was interrupted.

        >>> import jaxnets
        >>> axes = {"hidden_units": [0, 8], "learning_rate": [0.001, 0.03], "num_seeds": 2}
        >>> results = jaxnets.sweep(dataset="xor", batch_size=0, num_steps=300, progress=False, **axes)
        >>> results.best("hidden_units")["learning_rate"].tolist()
        [0.03, 0.03]
        """
        known = selection.hyperparameters(self.runs) if len(self.runs) else []
        names = _listed("by", by, "name a hyperparameter, or a list of several")
        for name in names:
            if name not in known:
                raise unknown("by", str(name), known)
        if lost := int((self.runs["status"] == "interrupted").sum()):
            raise UserError(
                f"best: the sweep was interrupted before {lost} of its {len(self.runs)} runs had ended, so that those "
                "that ended may be any; with output=, the same sweep goes on where it stopped."
            )
        return selection.best_configurations(self.runs, names, test_share=self.test_share)

    def model(self, run: int) -> Model:
        """The model of a run where it is judged."""
        self.check_run(run)
        if self.kept_model is not None and self.kept_model.about["run"] == run:
            return self.kept_model
        if self.programs:
            return super().model(run)
        if run not in self.models:
            known = ", ".join(map(str, self.models)) if len(self.models) <= 10 else f"{len(self.models)} runs"
            raise UserError(f"run: the directory holds no model of a run {run!r}; it holds those of {known or 'none'}.")
        return self.models[run]

    def ensemble(self, runs: Sequence[int] | None = None) -> Ensemble:
        """Models that answer with the mean of their probabilities: of some runs, or of those that `keep=seeds` kept.

        >>> import jaxnets
        >>> axes = {"learning_rate": 0.03, "batch_size": 0, "num_steps": 100, "num_seeds": 3}
        >>> xor = jaxnets.sweep(dataset="xor", **axes, progress=False)
        >>> xor.ensemble([0, 1, 2]).predict([[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
        ['same', 'different', 'different', 'same']
        """
        if runs is None and self.config.keep != "seeds":
            raise UserError("keep: the seeds of one setting were not kept; keep=seeds keeps them.")
        members = sorted({run for run, _ in self.kept}) if runs is None else _listed("runs", runs, "give run numbers")
        return Ensemble(tuple(map(self.model, members)))

    def save(self, directory: str | Path) -> Path:
        """Writes a run directory, which `jaxnets.load` reads.

        Raises:
          UserError: if it cannot be written, or holds results already.
        """
        folder = run_directory.create(run_directory.path_of("directory", directory))
        io.write_json(folder / run_directory.CONFIG, run_directory.configuration("sweep", self.config))
        environment = run_directory.environment(self.devices, self.notes, self.folds)
        io.write_json(folder / run_directory.ENVIRONMENT, environment)
        if self.config.predictions:
            io.write_table(folder / "predictions.parquet", self.predictions)
        self.write_models(folder)
        if self.kept_model is not None:
            models.save(folder, self.kept_model)
        run_directory.write_tables(folder, self.runs, self.curves)
        run_directory.finish(folder)
        return folder

    def write_models(self, folder: Path, first: int = 0) -> None:
        """Writes what was kept, and of what models, so that they can be asked without the data set.

        `first` is the number of the first run in the tables of the folder, if they hold other runs before it.
        """
        if not self.kept:
            return
        by_run: dict[str, dict[str, Any]] = {}
        for (run, step), params in self.kept.items():
            by_run.setdefault(f"run_{run + first}", {})[f"step_{step}"] = params
        models.export(folder / PARAMETERS, by_run)
        content: dict[str, Any] = {"runs": {}}
        for run in sorted({run for run, _ in self.kept}):
            described = self.model(run).described()
            described["about"] = {**described["about"], "run": run + first}
            content |= {name: described.pop(name) for name in _SHARED}
            content["runs"][run + first] = described
        io.write_json(folder / MODELS, content)

    def _repr_html_(self) -> str:
        """The best configurations and the main figure, for a notebook."""
        from jaxnets.report import figures, tables

        finished = selection.finished(self.runs) if len(self.runs) else self.runs
        if finished.empty:
            return f"<p>None of the {self.num_runs:,} runs finished.</p>"
        best = selection.best_configurations(self.runs, test_share=self.test_share)
        shown = best[best.columns[: list(best.columns).index("num_seeds")]].map(tables.cell)
        for name in ("test_accuracy", "dev_accuracy"):
            ends = best[[name, f"{name}_low", f"{name}_high", f"{name}_note"]].itertuples(index=False)
            shown[name] = [tables.with_interval(*row) for row in ends]
        shown = shown.assign(diverged=best["diverged_share"].map(tables.percent))
        table = shown.rename(columns=lambda name: name.replace("_", " ")).map(printable).to_html(index=False, border=0)
        figure = figures.learning_curves(self.runs, self.curves, self.test_share)
        if self.runs["learning_rate"].nunique() > 1:
            rates = selection.best_configurations(self.runs, ["optimizer", "learning_rate"])
            own = finished[finished["run"].isin(rates["members"].explode())]
            figure = figures.lines(own, "learning_rate", "test_accuracy", "optimizer", percent=True, xscale="log")
        return f"<p>{self.num_runs:,} runs; chosen by mean dev accuracy.</p>{table}{figures.svg(figure)}"


def _listed(name: str, values: Any, what: str) -> list[Any]:
    """Distinct values, one at least; a text is a value."""
    items = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    if not items:
        raise UserError(f"{name}: the list is empty; {what}.")
    if len(set(map(repr, items))) < len(items):
        raise UserError(f"{name}: {brief(items)} has a value twice.")
    return items


def load(directory: str | Path, *, trust: Trust = False) -> Results:
    """The results that a run directory holds.

    Args:
      directory: written by an experiment, by `jaxnets.sweep(output=...)`, or by `Results.save`.
      trust: whether the import paths may be imported that stand in it, or which of them: their code runs.

    Raises:
      UserError: if it is none, a file of it cannot be read, or it names what is not trusted.

    >>> import tempfile
    >>> import jaxnets
    >>> folder = Path(tempfile.mkdtemp()) / "xor"
    >>> results = jaxnets.sweep(dataset="xor", batch_size=0, num_steps=5, progress=False)
    >>> load(results.save(folder)).runs.equals(results.runs)
    True
    """
    folder = run_directory.path_of("directory", directory)
    content = run_directory.read_config(folder)
    config = run_directory.config_of(folder / run_directory.CONFIG, content, trust)
    kept = _kept(folder)
    tables = run_directory.read_tables(folder)
    return Results(
        config=config,
        **tables,
        kept=kept,
        kept_model=models.load(folder, trust) if models.is_kept(folder) else None,
        directory=folder,
        models=_models(folder, tables["runs"], kept, trust),
    )


def _kept(folder: Path) -> dict[tuple[int, int], Any]:
    """The parameters by run and step."""
    path = folder / PARAMETERS
    if not path.exists():
        return {}
    kept: dict[tuple[int, int], dict[str, Any]] = {}
    for name, array in models.read_export(path).items():
        if not (found := _NAME.fullmatch(name)):
            raise UserError(f"{path}: cannot be read: {name[:40]!r} is not the name of a run's parameter.")
        kept.setdefault((int(found["run"]), int(found["step"])), {})[found["rest"]] = array
    return {key: models.nested(path, flat) for key, flat in kept.items()}


def _models(folder: Path, runs: pd.DataFrame, kept: Mapping[tuple[int, int], Any], trust: Trust) -> dict[int, Model]:
    """The models of the runs, where they are judged."""
    if not kept or not (folder / MODELS).exists():
        return {}
    path = folder / MODELS
    content = run_directory.read_json(folder, MODELS, _SHAPE)
    shared = {name: content[name] for name in _SHARED if name in content}
    if strangers := content["runs"].keys() - {str(run) for run, _ in kept}:
        raise UserError(f"{path}: cannot be read: there are no parameters of its run '{min(strangers)[:40]}'.")
    described = {int(run): {**shared, **own} for run, own in content["runs"].items()}
    judged = {run: (run, judged_step(runs, kept, run)) for run in described}
    return {
        run: models.from_description(path, one, kept[judged[run]], trust)
        for run, one in described.items()
        if judged[run] in kept  # not so where others were kept than the table judged
    }

"""What can be run from flags: a claim put to the test, a comparison, a job that reports, a command; and how it runs."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pandas as pd
from rich.console import Console

from jaxnets import io, jax_settings, plugins
from jaxnets.claims import verdicts
from jaxnets.claims.verdicts import EMPIRICAL, Evidence, Rule, fingerprint
from jaxnets.comparison.answer import answer
from jaxnets.comparison.table import Comparison
from jaxnets.config import config as configuration
from jaxnets.config.config import Config
from jaxnets.config.values import Field, Kind, Range, choices, unparse
from jaxnets.data.dataset import Dataset
from jaxnets.engine.results import Trained
from jaxnets.engine.sweep import load_folds, prepare
from jaxnets.engine.table import chosen
from jaxnets.errors import UserError, command, unknown
from jaxnets.inference import model
from jaxnets.plugins import Trust
from jaxnets.report import claims_page, comparison_page, figures, tables
from jaxnets.report.claims_page import Finding
from jaxnets.report.figures import Picture
from jaxnets.report.progress import patience
from jaxnets.runs import directory as run_directory
from jaxnets.runs import observe, protocol, train
from jaxnets.runs.protocol import Changes, Contest
from jaxnets.runs.results import Results
from jaxnets.tasks import BenchmarkTask

Tables = Mapping[str, pd.DataFrame]
_KINDS: dict[type, Kind] = {bool: "bool", int: "int", float: "float", str: "text", tuple: "sizes"}


@dataclass(frozen=True)
class Option:
    """A flag that an experiment or a command has of its own; `repeated` is one that may be given several times."""

    name: str
    default: Any
    help: str
    least: float | None = None
    most: float = 100_000
    distinct: bool = False
    of_kind: Kind | None = None
    repeated: bool = False

    @property
    def several(self) -> bool:
        """Whether the flag takes a list."""
        return isinstance(self.default, list) and not self.repeated

    @property
    def field(self) -> Field:
        """What its values must be."""
        one = self.default[0] if self.several else self.default
        kind, optional = self.of_kind or _KINDS[type(one)], self.default is None
        return Field(self.name, kind, self.least, self.most, distinct=self.distinct, optional=optional)

    def value(self, value: Any) -> Any:
        """A value of the flag, checked; always a list if it takes several."""
        return list(choices(self.field.axis(value))) if self.several else self.field.value(value)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What can be run from flags: a configuration, and what is made of its results."""

    name: str
    about: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    options: Sequence[Option] = ()
    takes: Literal["", "features", "text"] = ""
    needs: Sequence[str] = ()
    trains: bool = True
    check: Callable[[Config], None] | None = None
    fits: Callable[[Config, Sequence[Dataset]], None] = lambda config, folds: None


@dataclass(frozen=True, kw_only=True)
class Claim(Experiment):
    """A sentence that is put to the test, by rules that are fixed before."""

    trains: bool = False  # most claims train in `measure`, on each task
    lecture: str
    measured: str
    rules: Mapping[str, Rule]
    evidence: Callable[[Tables], Mapping[str, Evidence]]
    summary: Callable[[Tables], Mapping[str, pd.DataFrame]]
    effects: Mapping[str, str] = field(default_factory=dict)
    """The rules whose effects are drawn by task, each with the label of its axis."""
    pictures: Callable[[Tables], Mapping[str, Picture]] = lambda tables: {}
    measure: Callable[[Results], Tables] = lambda results: {}
    quick: Mapping[str, Any] = field(default_factory=dict)
    text: Mapping[str, Any] | None = None
    of_text: Sequence[str] = ()

    @property
    def fingerprint(self) -> str:
        """A hash of what was fixed before any run: the rules, the data, and what is trained."""
        options = [{name: getattr(one, name) for name in ("name", "default", "help", "least")} for one in self.options]
        return fingerprint(self.rules, self.lecture, self.measured, self.defaults, options)


@dataclass(frozen=True, kw_only=True)
class Job(Experiment):
    """A sweep that reports what was found."""

    report: Callable[[Results, Console], None]


@dataclass(frozen=True, kw_only=True)
class MethodComparison(Experiment):
    """Methods that are tuned alike, confirmed on fresh seeds, and told apart only where the data do."""

    by: str
    drawn: Mapping[str, Any] = field(default_factory=dict)
    report: Callable[[Results, Comparison, Console], None] = lambda results, comparison, console: None


FINAL_SEEDS = Option(
    "final_seeds",
    32,
    "Fresh seeds of each chosen setting, in each repeat; 0 lets the seeds that chose report.",
    least=0,
)
MARGIN = Option(
    "margin",
    0.005,
    "Difference of test accuracies that is too small to matter: a tie if the interval lies within it.",
    least=0,
)
LEVEL = Option("level", 0.95, "Confidence level of intervals; the rules of claims keep theirs.", least=0.5, most=0.99)
OVER_EXAMPLES = Option(
    "over_examples", False, "Whether intervals of differences over seeds hold for other test examples as well."
)
TASKS = Option(
    "tasks", ["own"], "Tasks of the suite: small, all or names; own is the data set and model of the other flags."
)


def of_suite(*names: str, final_seeds: int) -> tuple[Option, Option]:
    """The options of a claim that is tested on tasks of the suite; a given data set is its own task."""
    return replace(TASKS, default=list(names)), replace(FINAL_SEEDS, default=final_seeds)


SHORT_TASKS = (
    *("digits", "digits_noise", "deep_narrow_digits", "wine"),
    *("mnist1d", "spirals", "parity", "teacher_student"),
)
DEEP_TASK, WIDTH = "digits", 32


def of_depths(*layers: int, final_seeds: int) -> tuple[Option, ...]:
    """The options of a comparison on tasks that are short, and on one of them of nets of several depths."""
    return (
        *of_suite(*SHORT_TASKS, final_seeds=final_seeds),
        Option("layers", list(layers), f"Hidden layers of the nets for {DEEP_TASK}.", least=1, most=100),
        Option("most_steps", 405, "No task takes more steps than these.", least=1),
    )


def short_and_deep(options: Mapping[str, Any]) -> Changes:
    """The changes by the options of `of_depths`; data that are no task of the suite are taken as they are.

    Only the end of each training is evaluated.

    >>> from jaxnets import tasks
    >>> short_and_deep({"layers": [1, 2], "most_steps": 50})(tasks.KNOWN["digits"])
    {'num_steps': 50, 'evaluate_every': 50, 'hidden_units': [(32,), (32, 32)]}
    """

    def changes(task: BenchmarkTask | None) -> dict[str, Any]:
        if task is None:
            return {}
        steps = min(task.values["num_steps"], options["most_steps"])
        nets = {"hidden_units": [(WIDTH,) * layers for layers in options["layers"]]} if task.name == DEEP_TASK else {}
        return {"num_steps": steps, "evaluate_every": steps, **nets}

    return changes


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command with flags of its own; `run` takes their values, and `directory`, as attributes."""

    name: str
    about: str
    run: Callable[[SimpleNamespace], int]
    details: str = ""
    options: Sequence[Option] = ()
    directories: str = ""
    """What its run directories are, for the help; none if it takes none."""


def configure(experiment: Experiment, values: Mapping[str, Any]) -> Config:
    """The configuration of an experiment, with some of its values changed.

    What the experiment gives to plug-ins that are no longer chosen is left out.
    """
    own = {option.name: option for option in experiment.options}
    if "tasks" in own and {"dataset", "model", "hidden_units"} & set(values):  # they take the place of the suite's
        values = {"tasks": ["own"], **values}
    options = {name: option.value(values.get(name, option.default)) for name, option in own.items()}
    given = {name: value for name, value in values.items() if name not in own}
    defaults = {**experiment.defaults}
    if isinstance(experiment, MethodComparison) and {**defaults, **given}.get("search", "grid") != "grid":
        defaults |= experiment.drawn
    config = Config(**inherited(defaults, given), options=options)
    if "search" not in given and not any(isinstance(value, Range) for value in config.values().values()):
        config = config.changed(search="grid")  # nothing is left to draw
    return _checked(experiment, config)


def repeated(experiment: Experiment, path: str | Path, given: Mapping[str, Any], trusted: Trust) -> Config:
    """The configuration of a file with some values changed; nothing comes from the experiment's own values."""
    held = run_directory.values_of(path, run_directory.read_config_file(path), given, trusted)
    own = {option.name: option for option in experiment.options}
    merged = {**held, **given}
    plain = {name: value for name, value in merged.items() if name not in own}
    known = {field.name for field in configuration.fields()} | set(own)
    known |= {name for plugin in (*chosen(Config(**plain)), *plugins.built_in()) for name in plugin.arguments}
    for name in held:
        if name not in known:
            raise unknown(f"config: '{path}', keyword", name, known)
    options = {name: option.value(merged.get(name, option.default)) for name, option in own.items()}
    before = {name: value for name, value in held.items() if name not in own} | plain
    kept = inherited(before, {name: value for name, value in given.items() if name not in own})
    return _checked(experiment, Config(**kept, options=options))


def _checked(experiment: Experiment, config: Config) -> Config:
    """The configuration, if the experiment is made for it."""
    for value in choices(config.model) if experiment.needs else ():
        found = plugins.MODEL.find(value)
        if missing := [name for name in experiment.needs if name not in found.arguments]:
            raise UserError(f"model: '{found.name}' has no '{missing[0]}', which {experiment.name} is about.")
    if experiment.check is not None:
        experiment.check(config)
    return config


def inherited(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given values, and those defaults that still mean something: another model may lack some arguments."""
    merged = {**defaults, **given}
    known = {declared.name for declared in configuration.fields()}
    known |= {argument for plugin in chosen(Config(**merged)) for argument in plugin.arguments}
    return {name: value for name, value in merged.items() if name in known or name in given}


def command_line(experiment: Experiment, config: Config) -> str:
    """The command that repeats a configuration of an experiment."""
    usual = configure(experiment, {})
    before, now = {**usual.values(), **usual.options}, {**config.values(), **config.options}
    changed = {name: value for name, value in now.items() if name != "output" and before.get(name) != value}
    return command(experiment.name, *(f"--{name}={unparse(value)}" for name, value in changed.items()))


def only(**allowed: str) -> Callable[[Config], None]:
    """A check that fields and arguments have no other value than one.

    >>> only(model="mlp")(Config(model="dan"))
    Traceback (most recent call last):
    ...
    jaxnets.errors.UserError: model: this experiment is made for 'mlp' alone, not for 'dan'.
    """

    def check(config: Config) -> None:
        for name, value in allowed.items():
            for given in choices(config.values().get(name, value)):
                if given != value:
                    raise UserError(f"{name}: this experiment is made for '{value}' alone, not for '{given}'.")

    return check


def run(experiment: Experiment, config: Config, console: Console, progress: Console | None) -> tuple[Results, Any]:
    """Trains what an experiment asks for, and concludes: its results, and the finding of a claim."""
    with contextlib.ExitStack() as held:
        finding = None
        if isinstance(experiment, MethodComparison):
            results = compare(experiment, config, console, progress, held)
        else:
            results = _trained(experiment, config, console, progress, held)
            try:
                with io.file_errors(_directory(results)):
                    if isinstance(experiment, Job):
                        experiment.report(results, console)
                    elif isinstance(experiment, Claim) and not results.interrupted:
                        finding = conclude(experiment, results, console)
            except UserError:
                if isinstance(experiment, Claim) and not results.num_runs:  # a mistake that shows where a claim trains
                    run_directory.remove(_directory(results))
                raise
        if not results.interrupted:
            run_directory.finish(_directory(results))
        return results, finding


def _trained(
    experiment: Experiment, config: Config, console: Console, progress: Console | None, held: contextlib.ExitStack
) -> Results:
    """The results of an experiment's sweep, in its run directory."""
    if experiment.trains:
        with patience(progress, "preparing the sweep"):
            sweep = prepare(config, experiment.takes)
        folds, notes = sweep.folds, sweep.notes
    else:
        folds, notes = load_folds(config, experiment.takes), ()
    experiment.fits(config, folds)
    directory = run_directory.begin(experiment.name, config, held, notes, folds)
    if config.profile:
        held.enter_context(observe.profiled(directory, console))
    none = pd.DataFrame({"run": []})
    trained = (
        train.carry_out(sweep, directory, progress) if experiment.trains else Trained(config, none, none, folds=folds)
    )
    results = Results(**vars(trained), directory=directory, console=progress)
    results.write_models(directory)
    return results


def compare(
    experiment: MethodComparison, config: Config, console: Console, progress: Console | None, held: contextlib.ExitStack
) -> Results:
    """Tunes and confirms the methods of a comparison, and answers."""
    if config.options.get("over_examples") and not config.predictions:
        raise UserError("over_examples: it takes the predictions of the test examples; give --predictions as well.")
    with patience(progress, "preparing the sweeps"):
        parts = list(protocol.parts(config, config.options.get("tasks", ["own"]), experiment.takes))
    notes = tuple(dict.fromkeys(note for part in parts for note in part.sweep.notes))
    datasets = [fold for part in parts for fold in part.sweep.folds]
    directory = run_directory.begin(experiment.name, config, held, notes, datasets)
    if config.profile:
        held.enter_context(observe.profiled(directory, console))
    contest = Contest(experiment.by, config.options["final_seeds"])
    studied = protocol.carry_out(config, contest, parts, progress, directory, writes=True)
    found, last = studied.comparison, studied.stages[-1].trained
    results = Results(**vars(last), directory=directory, console=progress)
    with io.file_errors(directory):
        first = len(found.runs) - len(last.runs)
        results.write_models(directory, first)
        if (kept := results.kept_model) is not None:
            model.save(directory, replace(kept, about={**kept.about, "run": kept.about["run"] + first}))
        if found.tasks:
            show(experiment, config, found.whole, console, directory)
        if not last.interrupted:
            experiment.report(results, found, console)
    return results


def show(experiment: MethodComparison, config: Config, found: Comparison, console: Console, directory: Path) -> None:
    """The answer of a comparison: on the console, as figures, and as a page."""
    found = replace(found, level=config.options["level"])
    said = answer(found, config.options["margin"], config.options.get("over_examples", False))
    tables.print_answer(console, said)
    environment = run_directory.read_environment(directory)
    page, *drawn = comparison_page.write(
        directory, found, said, command_line(experiment, config), environment, config.figures
    )
    for path in drawn:
        console.print(f"Figure: {path}", soft_wrap=True)
    console.print(f"Report: {page}", soft_wrap=True)


@jax_settings.pinned()
def conclude(claim: Claim, results: Results, console: Console) -> Finding:
    """Measures, judges, draws, writes, and shows."""
    start, directory = time.perf_counter(), _directory(results)
    measured = claim.measure(results)
    for name, content in measured.items():
        io.write_table(directory / f"{name}.parquet", content)
    shown = {"runs": results.runs, "curves": results.curves, **measured}
    found = claim.evidence(shown)
    caption = "By task, over repeats. Bars: 95% intervals."
    pictures = {
        name: Picture(figures.on_tasks(table, claim.rules[name], label), f"{claim.rules[name].statement} {caption}")
        for name, label in claim.effects.items()
        if isinstance(table := found[name], pd.DataFrame) and "task" in table and len(table)
    }
    pictures |= claim.pictures(shown)
    for name, picture in pictures.items():  # the page of all claims shows the SVG
        figures.save(picture.figure, directory / "figures", name, ("svg", *results.config.figures.split(",")))
    finding = Finding(
        name=claim.name,
        claim=claim.about,
        verdict=verdicts.judge(rules_for(claim, results.config), found),
        lecture=claim.lecture,
        measured=claim.measured,
        rules=claim.fingerprint,
        setting=setting(results),
        command=command_line(claim, results.config),
        programs=results.num_programs + sum(trained.num_programs for trained in results.further),
        seconds=results.seconds + time.perf_counter() - start,
        tables=claim.summary(shown),
        pictures={name: picture.caption for name, picture in pictures.items()},
    )
    io.write_json(directory / claims_page.FILE, finding.as_json())
    claims_page.show(console, finding, directory)
    return finding


def rules_for(claim: Claim, config: Config) -> dict[str, Rule]:
    """The rules of a claim; those that texts decide are empirical where the texts were not made for it."""
    given = config.dataset != claim.defaults.get("dataset")
    of_given = set(claim.of_text) if given else set()
    return {name: replace(rule, kind=EMPIRICAL) if name in of_given else rule for name, rule in claim.rules.items()}


def setting(results: Results) -> str:
    """What a finding holds for: the data, their sizes, how many runs, and what is to be known of the data."""
    if not results.num_runs:
        return "No training."
    datasets = {fold.name: fold for trained in (*results.further, results) for fold in trained.folds[:1]}
    sizes = [
        f"{fold.name} ({len(fold.train):,} examples to train on, {len(fold.dev):,} dev, {len(fold.test):,} test)"
        for fold in datasets.values()
    ]
    return " ".join([f"{'; '.join(sizes)}. {results.num_runs:,} runs.", *results.notes])


def _directory(results: Results) -> Path:
    assert results.directory is not None  # an experiment always has one
    return results.directory

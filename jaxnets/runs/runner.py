"""Runs an experiment: from its configuration to its finding or its report, in a run directory."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console

from jaxnets import io, jax_settings
from jaxnets.claims import verdicts
from jaxnets.claims.verdicts import EMPIRICAL, Evidence, Rule
from jaxnets.comparison.answer import answer
from jaxnets.comparison.table import Study
from jaxnets.config.config import Config
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError
from jaxnets.inference import model
from jaxnets.report import claims_page, comparison_page, figures, tables
from jaxnets.report.claims_page import Finding
from jaxnets.report.figures import Picture
from jaxnets.report.progress import patience
from jaxnets.runs import observe, run_directory, session
from jaxnets.runs.experiment import Claim, Comparison, Experiment, Job, command_line
from jaxnets.runs.results import Results


def run(experiment: Experiment, config: Config, console: Console, progress: Console | None) -> tuple[Results, Any]:
    """Trains what an experiment asks for, and concludes."""
    with contextlib.ExitStack() as held:
        results, found = _run(experiment, config, console, progress, held)
        if not results.interrupted:
            run_directory.finish(_directory(results))
        return results, found


def _run(
    experiment: Experiment, config: Config, console: Console, progress: Console | None, held: contextlib.ExitStack
) -> tuple[Results, Any]:
    if isinstance(experiment, Comparison):
        return compare(experiment, config, console, progress, held), None
    results = train(experiment, config, console, progress, held)
    if isinstance(experiment, Job):
        with io.file_errors(_directory(results)):
            experiment.report(results, console)
        return results, None
    if results.interrupted or not isinstance(experiment, Claim):
        return results, None
    try:
        with io.file_errors(_directory(results)):
            return results, conclude(experiment, results, console)
    except UserError:
        if not results.num_runs:  # a mistake that only shows where the claim trains
            session.unmake_directory(_directory(results))
        raise


def compare(
    experiment: Comparison, config: Config, console: Console, progress: Console | None, held: contextlib.ExitStack
) -> Results:
    """Tunes and confirms the contestants of a comparison, and answers."""
    from jaxnets.runs import comparing

    if config.options.get("over_examples") and not config.predictions:
        raise UserError("over_examples: it takes the predictions of the test examples; give --predictions as well.")
    with patience(progress, "preparing the sweeps"):
        parts = list(comparing.parts(config, config.options.get("tasks", ["own"]), experiment.takes))
    notes = tuple(dict.fromkeys(note for part in parts for note in part.sweep.notes))
    datasets = [fold for part in parts for fold in part.sweep.folds]
    directory = session.make_directory(experiment.name, config, held, notes, datasets)
    if config.profile:
        held.enter_context(observe.profiled(directory, console))
    found, last = comparing.carry_out(config, experiment.by, parts, directory, progress)
    results = Results(**vars(last), directory=directory, console=progress)
    with io.file_errors(directory):
        _write_models(directory, results, first=len(found.runs) - len(last.runs))
        if found.tasks:
            show(experiment, config, found.whole, console, directory)
        if not last.interrupted:
            experiment.report(results, found, console)
    return results


def _write_models(directory: Path, results: Results, first: int) -> None:
    """Writes what was kept of the runs that came last in a comparison."""
    results.write_models(directory, first)
    if results.kept_model is not None:
        about = results.kept_model.about
        model.save(directory, replace(results.kept_model, about={**about, "run": about["run"] + first}))


def show(experiment: Comparison, config: Config, found: Study, console: Console, directory: Path) -> None:
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


def train(
    experiment: Experiment, config: Config, console: Console, progress: Console | None, held: contextlib.ExitStack
) -> Results:
    """The results of an experiment's sweep, in its run directory."""
    if experiment.trains:
        with patience(progress, "preparing the sweep"):
            sweep = prepare(config, experiment.takes)
        experiment.fits(config, sweep.folds)
        directory = session.make_directory(experiment.name, config, held, sweep.notes, sweep.folds)
        if config.profile:
            held.enter_context(observe.profiled(directory, console))
        trained = session.carry_out(sweep, directory, progress, progress)
    else:
        trained = session.untrained(config, experiment.takes)
        experiment.fits(config, trained.folds)
        directory = session.make_directory(experiment.name, config, held, datasets=trained.folds)
        if config.profile:
            held.enter_context(observe.profiled(directory, console))
    results = Results(**vars(trained), directory=directory, console=progress)
    results.write_models(directory)
    return results


@jax_settings.pinned()
def conclude(claim: Claim, results: Results, console: Console) -> Finding:
    """Measures, judges, draws, writes, and shows."""
    start, directory = time.perf_counter(), _directory(results)
    measured = claim.measure(results)
    for name, table in measured.items():
        io.write_table(directory / f"{name}.parquet", table)
    shown = {"runs": results.runs, "curves": results.curves, **measured}
    found = claim.evidence(shown)
    pictures = {**_effect_pictures(claim, found), **claim.pictures(shown)}
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


def _effect_pictures(claim: Claim, found: Mapping[str, Evidence]) -> dict[str, Picture]:
    """The effect of each rule on each task, where there are tasks."""
    caption = "By task, over blocks. Bars: 95% intervals."
    return {
        name: Picture(figures.on_tasks(table, claim.rules[name], label), f"{claim.rules[name].statement} {caption}")
        for name, label in claim.effects.items()
        if isinstance(table := found[name], pd.DataFrame) and "task" in table and len(table)
    }


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

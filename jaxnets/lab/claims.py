"""From the results of an experiment to its finding: measured tables, a verdict, pictures, and all of it on disk."""

import time
from collections.abc import Mapping
from typing import Protocol

import pandas as pd
from rich.console import Console

from jaxnets.basics import files
from jaxnets.evidence.verdicts import Verdict
from jaxnets.lab.session import Results
from jaxnets.report import figures, findings
from jaxnets.report.figures import Picture
from jaxnets.report.findings import Finding

Tables = Mapping[str, pd.DataFrame]


class Claim(Protocol):
    """What a module of `experiments/` holds that puts a claim to the test.

    It may also have `FLAGS`, its own flags by name, each a default and a help text; `SWEEP = False` if its
    configuration is not trained as it stands; `TAKES`, `features` or `texts`, if it is made for data of one kind;
    `check(config)`, which raises a UserError for what else it is not made for; and `measure(results)`, which gives more
    tables than those of the runs.
    """

    CLAIM: str
    DEFAULTS: Mapping[str, str]

    def summary(self, tables: Tables) -> Mapping[str, pd.DataFrame]:
        """What is shown, by title; from tables alone, as the two below."""

    def verdict(self, tables: Tables) -> Verdict:
        """What the tables say of the claim."""

    def pictures(self, tables: Tables) -> Mapping[str, Picture]:
        """What explains it to the eye, by the name of the file."""


def conclude(name: str, claim: Claim, results: Results, console: Console) -> Finding:
    """Measures, judges, draws, writes, and shows.

    Args:
      name: of the experiment.
      claim: its module.
      results: of its sweep, in a run directory.
      console: where the finding is shown.
    """
    start = time.perf_counter()
    measured = claim.measure(results) if hasattr(claim, "measure") else {}
    for table_name, table in measured.items():
        files.write_table(results.directory / f"{table_name}.parquet", table)
    tables = {"runs": results.runs, "curves": results.curves, **measured}
    with figures.style():
        pictures = claim.pictures(tables)
    for picture_name, picture in pictures.items():
        figures.save(picture.figure, results.directory / "figures", picture_name)
    finding = Finding(
        name=name,
        claim=claim.CLAIM,
        verdict=claim.verdict(tables),
        setting=setting(results),
        command=command(name, claim, results),
        seconds=results.seconds + time.perf_counter() - start,
        tables=claim.summary(tables),
        pictures={picture_name: picture.caption for picture_name, picture in pictures.items()},
    )
    files.write_json(results.directory / findings.FILE, finding.as_json())
    findings.print_finding(console, finding, results.directory)
    return finding


def setting(results: Results) -> str:
    """What the finding holds for: the data, their sizes, and how many runs."""
    if not results.num_runs:
        return "No training."
    datasets = {fold.name: fold for trained in (*results.further, results) for fold in trained.folds[:1]}
    told = [
        f"{fold.name} ({len(fold.train):,} examples to train on, {len(fold.dev):,} dev, {len(fold.test):,} test)"
        for fold in datasets.values()
    ]
    return f"{'; '.join(told)}. {results.num_runs:,} runs."


def command(name: str, claim: Claim, results: Results) -> str:
    """The command line that repeats the experiment."""
    texts = {flag: text for flag, text in results.config.texts().items() if flag != "output"}
    own = {**claim.DEFAULTS, **{flag: default for flag, (default, _) in getattr(claim, "FLAGS", {}).items()}}
    changed = [f"--{flag}={text}" for flag, text in texts.items() if own.get(flag) != text]
    return " ".join(["python run.py", name, *changed])

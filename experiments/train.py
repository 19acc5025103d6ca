"""Trains one configuration, and shows what became of each of its seeds."""

from jaxnets import metrics
from jaxnets.inference import predict
from jaxnets.report import figures, tables
from jaxnets.report.console import Table
from jaxnets.runs.experiment import Job
from jaxnets.stats import selection

CLAIM = "Trains one configuration and shows its losses and accuracies."

COLUMNS = metrics.columns(["train", "dev", "test"])


def report(results, console):
    """A table with a row for each run, and the learning curves."""
    varying = [*selection.varying(results.runs), "seed"]
    rows = [
        [*(str(run[name]) for name in varying), run["status"], *(f"{run[name]:.4f}" for name in COLUMNS)]
        for _, run in results.runs.iterrows()
    ]
    header = [*varying, "status", *(name.replace("_", " ") for name in COLUMNS)]
    console.print(Table("Runs, after the last step", header, rows, optional=["train accuracy", "train loss"]))
    for sentence in balance(results):
        console.print(sentence)
    kinds = results.config.figures.split(",")
    figure = figures.learning_curves(results.runs, results.curves, results.test_share)
    for path in figures.save(figure, results.directory / "figures", "learning_curves", kinds):
        console.print(f"Figure: {path}", soft_wrap=True)


def balance(results):
    """What the accuracy of the kept model hides, in sentences; of the test examples alone if there is none."""
    kept = results.kept_model
    if kept is None and not results.folds:
        return []
    test = (results.folds[0] if kept is None else results.dataset(kept.about["run"])).test
    predictions = [] if kept is None else predict.of_split(kept, test)
    return tables.balance(test.labels, results.folds[0].class_names, predictions)


EXPERIMENT = Job(
    name="train",
    about=CLAIM,
    defaults={
        "dataset": "digits",
        "model": "mlp",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "num_epochs": 30,
        "keep": "best",
    },
    report=report,
)

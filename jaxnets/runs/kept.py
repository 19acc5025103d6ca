"""Models that can only be chosen when a sweep is over, of those that all runs had where they are judged."""

from dataclasses import replace

from jaxnets.engine.results import Trained
from jaxnets.stats import selection


def chosen(trained: Trained) -> Trained:
    """The results of a sweep that is over, with the models that `keep` asks for.

    With `seeds` they are those of the setting that is best on dev, at the evaluation by which each is judged; where
    there are blocks, of its seeds in one block. A run that did not finish has no model.
    """
    if trained.config.keep != "seeds":
        return trained
    best = set() if trained.interrupted else set(_best_seeds(trained))
    return replace(trained, kept={key: params for key, params in trained.kept.items() if key[0] in best})


def _best_seeds(trained: Trained) -> list[int]:
    """The runs that finished of the setting that is best on dev; see `selection.best_configurations`."""
    if selection.finished(trained.runs).empty:
        return []
    groups = [name for name in ("optimizer", "block") if name in trained.runs]
    ranked = selection.best_configurations(trained.runs, groups).sort_values(
        ["dev_score", "dev_loss", "learning_rate"], ascending=[False, True, True], kind="stable"
    )
    members = trained.runs[trained.runs["run"].isin(ranked["members"].iloc[0])]
    return [int(run) for run in selection.finished(members)["run"]]

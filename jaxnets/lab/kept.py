"""Models that can only be chosen when a sweep is over: their runs are trained again, on a CPU with the same bits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from jaxnets.engine.execute import execute
from jaxnets.engine.interrupts import until_interrupted
from jaxnets.engine.keeping import KeepJudged
from jaxnets.engine.recorder import Recorder
from jaxnets.engine.sweep import Sweep, again
from jaxnets.engine.trained import Trained, model_of
from jaxnets.evidence import choosing


def completed(sweep: Sweep, trained: Trained) -> Trained:
    """The results of a sweep that is over, with the models that `keep` asks for.

    With `seeds` they are those of the setting that is best on dev, at the evaluation by which each is judged; where
    there are blocks, of its seeds in one block. With `best` the model is there, unless its run went on and diverged or
    was dropped: then the best one of those that finished takes its place. A run that did not finish has no model.

    Args:
      sweep: that was carried out.
      trained: what it gave.
    """
    finished = choosing.finished(trained.runs)
    try:
        if trained.interrupted:
            return trained
        if sweep.config.keep == "seeds" and len(finished):
            return replace(trained, kept=_params(sweep, _best_seeds(trained)))
        model = trained.kept_model
        if model is None or model.about["run"] in set(finished["run"]):
            return trained
        return _with_best(
            sweep, trained, list(finished["run"][finished["dev_accuracy"] == finished["dev_accuracy"].max()])
        )
    except KeyboardInterrupt:
        return replace(trained, interrupted=True)


def _best_seeds(trained: Trained) -> list[int]:
    """The runs that finished of the setting that is best on dev; see `choosing.best_configurations`."""
    groups = [name for name in ("optimizer", "block") if name in trained.runs]
    ranked = choosing.best_configurations(trained.runs, groups).sort_values(
        ["dev_score", "dev_loss", "learning_rate"], ascending=[False, True, True], kind="stable"
    )
    members = trained.runs[trained.runs["run"].isin(ranked["members"].iloc[0])]
    return [int(run) for run in choosing.finished(members)["run"]]


def _with_best(sweep: Sweep, trained: Trained, best: Sequence[int]) -> Trained:
    """The results with the model of the first of the best runs, if there is one."""
    if not best:
        return replace(trained, kept_model=None)
    run = int(best[0])
    ((_, params),) = _params(sweep, [run]).items()
    return replace(
        trained, kept_model=model_of(sweep.table[run], trained.program(run)[0], run, trained.dataset(run), params)
    )


def _params(sweep: Sweep, runs: Sequence[int]) -> dict[tuple[int, int], Any]:
    """The parameters of some runs at the evaluation by which each is judged, by run and step."""
    repeated = again(sweep, [(run, sweep.table[run]["seed"]) for run in runs])
    recorder = Recorder(replace(repeated, options=repeated.options._replace(keeping=KeepJudged())))
    options = recorder.sweep.options
    for event in until_interrupted(execute(repeated.programs, repeated.folds, repeated.placement, options)):
        recorder.take(event)
    return {(runs[number], step): params for (number, step), params in recorder.params.items()}

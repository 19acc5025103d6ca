"""A sweep before its first step: all that is decided and checked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxnets import data
from jaxnets.basics.errors import UserError
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, with_train_examples
from jaxnets.engine import devices
from jaxnets.engine.devices import Placement
from jaxnets.engine.execute import Options
from jaxnets.engine.keeping import POLICIES
from jaxnets.engine.plan import Program, plan, resolve, with_folds
from jaxnets.engine.runs import Run, dataset_arguments, distinct, runs
from jaxnets.plugins import DATASET


@dataclass(frozen=True)
class Sweep:
    """All that is decided before the first step.

    Attributes:
      config: what was asked for.
      table: the runs, resolved for the data set.
      folds: the data set; one, unless it is cross-validated.
      programs: the runs by their static part.
      placement: the devices.
      options: how the programs are carried out.
      notes: what the user should know, a sentence each.
    """

    config: Config
    table: Sequence[Run]
    folds: tuple[Dataset, ...]
    programs: Sequence[Program]
    placement: Placement
    options: Options
    notes: tuple[str, ...]

    @property
    def num_steps(self) -> int:
        """The steps of all runs together."""
        return sum(len(program.runs) * program.task.num_steps for program in self.programs)


def prepare(config: Config, takes: str = "") -> Sweep:
    """What a configuration asks for, checked.

    Args:
      config: what to train; `jaxnets.engine.devices.configure` must have been called for its platform.
      takes: `features` or `text`, if only data of that kind will do.

    Raises:
      UserError: for anything in the configuration that cannot be done.
    """
    table = runs(config)
    options = _options(config)
    folds = load_folds(config, takes)
    resolved = [resolve(run, folds[0]) for run in table]
    once = distinct(resolved)
    programs = plan(with_folds(once, len(folds)), folds[0], select_best=config.select == "best")
    for program in programs:
        program.check(folds[0])  # traces the model: its mistakes show before anything is written
    return Sweep(
        config,
        with_folds(once, len(folds)),
        folds,
        programs,
        devices.placement(config.num_devices),
        options,
        (*folds[0].notes, *_repeated(len(resolved) - len(once))),
    )


def load_folds(config: Config, takes: str = "") -> tuple[Dataset, ...]:
    """The data set of a configuration; the folds of a cross-validation if it has several.

    Raises:
      UserError: if it cannot be had, or is not of the kind that is taken.
    """
    loader = DATASET.find(config.dataset)
    folds = data.load_folds(loader.value, **dataset_arguments(config, loader))
    if takes not in ("", folds[0].kind):
        raise UserError(f"dataset: '{folds[0].name}' has {folds[0].kind}; this experiment takes {takes}.")
    return tuple(with_train_examples(fold, config.num_train) for fold in folds) if config.num_train else folds


def _repeated(count: int) -> tuple[str, ...]:
    return (f"{count} runs were equal to others, and are left out.",) if count else ()


def _options(config: Config) -> Options:
    """How to carry the sweep out.

    Raises:
      UserError: if the settings of what is kept do not fit each other.
    """
    if config.export is not None:
        _check_export(Path(config.export), config.keep)
    return Options(
        config.evaluate_every,
        config.memory_limit,
        predictions=config.predictions,
        keeping=POLICIES["best" if config.export else config.keep](),
    )


def _check_export(export: Path, keep: Any) -> None:
    if export.suffix != ".safetensors":
        raise UserError(f"export: '{export}' must end in .safetensors.")
    if not export.absolute().parent.is_dir():
        raise UserError(f"export: there is no folder '{export.parent}'.")
    if keep in ("last", "all"):
        raise UserError(f"export: it writes the best model; keep={keep} writes all of them.")

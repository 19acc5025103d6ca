"""A sweep before its first step: all that is decided and checked."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jaxnets import data, io, jax_settings
from jaxnets.config.config import Config
from jaxnets.data.dataset import Dataset, in_memory, owned, with_test_examples, with_train_examples
from jaxnets.engine import devices, layout, ray_cluster, stream
from jaxnets.engine.devices import Placement
from jaxnets.engine.keep import POLICIES, Options
from jaxnets.engine.plan import Program, longest, numbers_of, plan, resolve, with_folds
from jaxnets.engine.ray_cluster import Workers
from jaxnets.engine.table import Run, check_runs, dataset_arguments, distinct, runs
from jaxnets.errors import UserError
from jaxnets.plugins import DATASET
from jaxnets.training import optimizers, probes
from jaxnets.user_code import calling, is_foreign

_OF_DATA = ("num_repeats", "base_seed", "num_train", "num_test", "data", "memory_limit")


@dataclass(frozen=True)
class Sweep:
    """All that is decided before the first step."""

    config: Config
    table: Sequence[Run]
    folds: tuple[Dataset, ...]
    programs: Sequence[Program]
    placement: Placement
    options: Options
    notes: tuple[str, ...]
    workers: Workers | None = None

    @property
    def platform(self) -> str:
        """Of the devices that train the runs: `cpu`, `gpu` or `tpu`."""
        return self.workers.platform if self.workers else self.placement.platform

    @property
    def devices(self) -> list[str]:
        """What trains the runs, in words."""
        return (self.workers or self.placement).described()

    @property
    def num_steps(self) -> int:
        """The steps of all runs together."""
        return sum(len(program.runs) * program.task.num_steps for program in self.programs)


def configure(config: Config) -> None:
    """Sets JAX up for a configuration; where a cluster trains, this process leaves its accelerators to the workers."""
    devices.configure("cpu" if config.cluster else config.platform, config.num_devices, config.compilation_cache)


def devices_of(config: Config) -> list[str]:
    """What trains the runs of a configuration, in words."""
    return (ray_cluster.workers(config) or devices.placement(config.num_devices)).described()


def prepare(config: Config, takes: str = "", task: str = "", folds: Sequence[Dataset] = ()) -> Sweep:
    """What a configuration asks for, checked."""
    workers = ray_cluster.workers(config)
    asked = runs(config, task)
    options = _options(config)
    folds = tuple(folds) or load_folds(config, takes)
    num_asked = len(asked)
    once = distinct(resolve(run, folds[0]) for run in asked)
    del asked  # as large as all runs
    if config.num_repeats == 1:
        check_runs({"runs": len(once), "folds": len(folds)})
    table = once if config.num_repeats > 1 else with_folds(once, len(folds))
    placement, set_aside = devices.placement(config.num_devices), jax_settings.set_aside()
    with jax_settings.pinned():
        programs = _planned(table, folds, config)
        # traces the models: their mistakes show before anything is written
        of_programs = dict.fromkeys(note for program in programs for note in program.check(folds[0]))
        about_optimizers = dict.fromkeys(_about_optimizers(config, table, programs))
        streamed = stream.is_streamed(config, folds, programs, placement)
        folds = folds if streamed else tuple(map(in_memory, folds))
        layout.check_nets(programs, placement)
        if options.halving and workers is None:
            layout.check_waiting(programs, placement, config.memory_limit)
        layout.check_results(programs, folds, config)
    return Sweep(
        config,
        table,
        folds,
        programs,
        placement,
        options._replace(stream=streamed),
        (
            *folds[0].notes,
            *_repeated(num_asked - len(once)),
            *of_programs,
            *about_optimizers,
            *set_aside,
            *_streamed(streamed),
        ),
        workers,
    )


def again(sweep: Sweep, rows: Sequence[tuple[int, int]]) -> Sweep:
    """Some runs of a sweep with other seeds, on the same data: none is dropped.

    Right after the sweep, in the same process, nothing is compiled on a CPU: there is room in its programs.
    """
    table = distinct({**sweep.table[run], "seed": seed} for run, seed in rows)
    options = sweep.options._replace(halving=False)
    return replace(sweep, table=table, programs=_planned(table, sweep.folds, sweep.config), options=options)


@jax_settings.pinned()
def _planned(table: Sequence[Run], folds: Sequence[Dataset], config: Config) -> list[Program]:
    return plan(table, folds[0], select_best=config.select == "best", lengths=longest(folds))


def load_folds(config: Config, takes: str = "") -> tuple[Dataset, ...]:
    """The data set of a configuration; its repeats, or the folds of a cross-validation, if it has several."""
    loader = DATASET.find(config.dataset)
    arguments = dataset_arguments(config, loader)
    with calling(f"dataset: '{loader.name}'") if is_foreign(loader.value) else contextlib.nullcontext():
        if config.num_repeats > 1:
            folds = data.load_repeats(loader.value, config.num_repeats, first=config.first_seed, **arguments)
        else:
            folds = data.load_folds(loader.value, **arguments)
    if not is_built_in(config):
        folds = tuple(map(owned, folds))
    if takes not in ("", folds[0].kind):
        raise UserError(f"dataset: '{folds[0].name}' has {folds[0].kind}; this experiment takes {takes}.")
    if config.num_test:
        folds = tuple(with_test_examples(fold, config.num_test, config.first_seed) for fold in folds)
    if config.num_train:
        folds = tuple(with_train_examples(fold, config.num_train, config.first_seed) for fold in folds)
    return folds


def is_built_in(config: Config) -> bool:
    """Whether the data set is one of jaxnets' own, which nobody changes."""
    return isinstance(config.dataset, str) and config.dataset in DATASET.known()


def data_of(config: Config) -> tuple:
    """All that decides what data a configuration has; equal where `load_folds` is to give the same."""
    given = dataset_arguments(config, DATASET.find(config.dataset))
    dataset = config.dataset if isinstance(config.dataset, str) else id(config.dataset)
    return dataset, given, *(getattr(config, name) for name in _OF_DATA)


def _repeated(count: int) -> tuple[str, ...]:
    return (f"{count} runs were equal to others, and are left out.",) if count else ()


def _streamed(streamed: bool) -> tuple[str, ...]:
    return ("The training examples are streamed: they are read as they are needed.",) if streamed else ()


def _about_optimizers(config: Config, table: Sequence[Run], programs: Sequence[Program]) -> Iterator[str]:
    """What was decided for an optimizer, or differs from what its name says."""
    given = {run["optimizer"].name: run["optimizer"].value for run in table if config.learning_rate is None}
    for name, factory in given.items():
        if optimizers.names_no_rate(factory):
            yield f"optimizer={name} names no learning rate of its own, so it is {optimizers.RATE:g}."
    for program in programs:
        run = table[program.runs[0]]
        asked = program.task.word_rows and run["word_vector_updates"] == "rows"
        if asked and not probes.rows_fit(program.task, numbers_of(run)):
            yield (
                f"word_vector_updates=rows: what {run['optimizer'].name} does to a word depends on more than its "
                "batches, so this is not the training that dense is."
            )


def _options(config: Config) -> Options:
    """How to carry the sweep out."""
    if config.export is not None:
        _check_export(Path(config.export), config.keep)
    return Options(
        config.evaluate_every,
        config.memory_limit,
        predictions=config.predictions,
        keeping=POLICIES["best" if config.export else config.keep](),
        halving=config.search == "halving",
        checkpoint_every=config.checkpoint_every,
    )


def _check_export(export: Path, keep: Any) -> None:
    if export.suffix != ".safetensors":
        raise UserError(f"export: '{export}' must end in .safetensors.")
    if not io.exists(export.parent) or not export.parent.is_dir():
        raise UserError(f"export: there is no folder '{io.shown(export.parent)}'.")
    if io.exists(export) and not export.is_file():
        raise UserError(f"export: '{export}' is not a file.")
    io.check_writable(export.parent, "export")
    if keep in ("seeds", "last", "all"):
        raise UserError(f"export: it writes the best model; keep={keep} writes several.")

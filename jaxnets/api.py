"""The Python door: a sweep from values, in a notebook or a script."""

import contextlib
import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

from jaxnets.config import config as configuration
from jaxnets.config.config import Config
from jaxnets.config.keywords import Keywords
from jaxnets.config.values import brief
from jaxnets.engine import interrupts
from jaxnets.engine.keep import KeepLast
from jaxnets.engine.sweep import Sweep, configure, prepare
from jaxnets.errors import UserError
from jaxnets.report.console import Terminal
from jaxnets.report.progress import patience
from jaxnets.runs import directory as run_directory
from jaxnets.runs import observe, train
from jaxnets.runs.results import Results

KEPT_BYTES = 2**30
"""What the parameters of all runs may take, for `sweep` to keep them if it is not told what to keep."""


def sweep(
    config: Config | None = None,
    *,
    output: str | Path | None = None,
    progress: bool = True,
    arguments: Mapping[str, Any] | None = None,
    **values: Unpack[Keywords],
) -> Results:
    """Trains every combination of the given values, in as few compiled programs as will do.

    A keyword is the flag of the same name: a list is an axis of the sweep, a tuple is one value. Keywords that are no
    fields of `Config` are arguments of the model, the optimizer, the schedule or the data set.

    Args:
      config: to start from; the default configuration if None.
      output: a folder to write the results into; nothing is written if None.
      progress: whether the progress is shown: a bar in a notebook, lines elsewhere.
      arguments: those of plug-ins of one's own by name, as `{"width": 3}`; keywords do as well, but type checkers
        refuse what they do not know.
      **values: what to change; see `Config`. `keep` is `last` if it is not given and the parameters of all runs take
        at most 1 GiB.

    Returns:
      The results. A sweep that is interrupted by Ctrl-C gives what was finished; after SIGTERM or SIGHUP that is
      written, and the signal then ends the process.

    Raises:
      UserError: for anything that cannot be done; then nothing was trained and nothing written.

    >>> results = sweep(dataset="xor", hidden_units=[2, 4], num_steps=5, batch_size=0, progress=False)
    >>> len(results.runs), sorted(results.runs["hidden_units"])
    (2, ['2', '4'])
    """
    if config is not None and not isinstance(config, Config):
        raise UserError(f"config: {brief(config)} is not a Config; data and values are keywords, as dataset=.")
    if "options" in values:
        raise UserError("options: it is not known; the flags of an experiment are not taken here.")
    asked = (config or Config()).changed(arguments, **values)
    for name in ("tensorboard", "profile"):
        if getattr(asked, name) and output is None:
            raise UserError(f"{name}: it is written into the run directory; name one by output.")
    asked = asked.changed(output=None if output is None else str(run_directory.path_of("output", output)))
    configure(asked)
    console = Terminal(stderr=True) if progress else None
    results = _swept(asked, console, keeps_last=config is None and "keep" not in values and not asked.export)
    if results.interrupted:
        interrupts.pass_on()
    return results


def _swept(asked: Config, console: Terminal | None, keeps_last: bool) -> Results:
    """The results of a sweep, written where the configuration says."""
    with patience(console, "preparing the sweep"):
        prepared = prepare(asked)
    if keeps_last and _bytes(prepared) <= KEPT_BYTES:
        options = prepared.options._replace(keeping=KeepLast())
        prepared = dataclasses.replace(prepared, config=asked.changed(keep="last"), options=options)
    with contextlib.ExitStack() as held:
        directory = None
        if asked.output is not None:
            directory = run_directory.begin("sweep", prepared.config, held, prepared.notes, prepared.folds)
            if asked.profile:
                held.enter_context(observe.profiled(directory, console))
        trained = train.carry_out(prepared, directory, console)
        results = Results(**vars(trained), directory=directory, console=console)
        if directory is not None:
            results.write_models(directory)
            if not results.interrupted:
                run_directory.finish(directory)
    return results


def _bytes(prepared: Sweep) -> int:
    """What the parameters of all runs take."""
    import jax

    return sum(
        len(program.runs) * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(program.state.params))
        for program in prepared.programs
    )


def _signature() -> inspect.Signature:
    """That of `sweep` with all fields of `Config`, for whoever asks an editor or `help`."""
    declared = inspect.signature(sweep)
    fields = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in configuration.fields()
        if field.name != "output"
    ]
    *first, rest = declared.parameters.values()
    return declared.replace(parameters=[*first, *fields, rest])


sweep.__signature__ = _signature()  # type: ignore[attr-defined]

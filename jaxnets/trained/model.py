"""A trained model on disk: parameters by Orbax, all else as JSON; and back."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax import traverse_util

from jaxnets import models
from jaxnets.basics import files
from jaxnets.basics.errors import UserError
from jaxnets.config.values import show
from jaxnets.data.dataset import Dataset
from jaxnets.data.tokenizer import Tokenizer
from jaxnets.engine.plan import Program
from jaxnets.engine.runs import Run
from jaxnets.training import heads
from jaxnets.training.run import Plugin

CHECKPOINT, DESCRIPTION = "checkpoint", "model.json"
_FORM = 1


@dataclass(frozen=True)
class Model:
    """A trained model, with all that it takes to use it.

    Attributes:
      name: of the model, as `--model` takes it.
      head: as `--head` takes it.
      arguments: what the module is made with.
      class_names: a name for each class.
      vocabulary: the words by their ids; empty for a model of features.
      tokenizer: as JSON; empty for a model of features, or of texts that come as word ids.
      about: which run it is of, for the reader.
      params: arrays, in nested dictionaries.
    """

    name: str
    head: str
    arguments: Mapping[str, Any]
    class_names: tuple[str, ...]
    vocabulary: tuple[str, ...]
    tokenizer: str
    about: Mapping[str, Any]
    params: Any

    @property
    def module(self) -> nn.Module:
        """The Flax module."""
        return models.find(self.name)(**self.arguments)

    def logits(self, inputs: Any, **options: Any) -> Any:
        """The module applied to a batch; `options` go to Flax's `apply`."""
        return self.module.apply({"params": self.params}, inputs, **options)

    def probabilities(self, inputs: Any) -> np.ndarray:
        """The probability of each class, `float32[examples, classes]`."""
        return np.asarray(heads.find(self.head).probabilities(self.logits(inputs)))


def model(run: Run, program: Program, number: int, dataset: Dataset, params: Any) -> Model:
    """The model of a run.

    Args:
      run: its hyperparameters.
      program: that it belongs to.
      number: its number in the table.
      dataset: that it was trained on.
      params: its parameters.
    """
    plugin: Plugin = program.task.model
    place = int(np.flatnonzero(program.runs == number)[0])
    traced = {name: float(program.hyperparameters[name][place]) for name in plugin.traced}
    about = {"run": number, "dataset": dataset.name, **{name: show(value) for name, value in run.items()}}
    return Model(
        run["model"],
        run["head"],
        {**plugin.static, **traced},
        dataset.class_names,
        dataset.vocabulary,
        dataset.tokenizer,
        about,
        params,
    )


def save(directory: Path, kept: Model) -> None:
    """Writes a model into a run directory, in place of the one before.

    Raises:
      UserError: if it cannot be written.
    """
    import orbax.checkpoint as ocp

    content = {
        "form": _FORM,
        "model": kept.name,
        "head": kept.head,
        "arguments": kept.arguments,
        "class_names": kept.class_names,
        "tokenizer": kept.tokenizer,
        "vocabulary": kept.vocabulary,
        "about": kept.about,
    }
    target = (directory / CHECKPOINT).absolute()
    new = target.with_name(f".{CHECKPOINT}.new")
    with files.file_errors(directory):
        shutil.rmtree(new, ignore_errors=True)
        with ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(new / "params", kept.params)
        files.write_json(new / DESCRIPTION, content)
        # parameters and vocabulary change places together
        old = target.with_name(f".{CHECKPOINT}.old")
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def load(directory: Path) -> Model:
    """Reads the model of a run directory.

    Raises:
      UserError: if there is none, or its parts do not fit each other.
    """
    folder = directory / CHECKPOINT
    path = folder / DESCRIPTION
    if not directory.is_dir():
        raise UserError(f"there is no run directory '{directory}'.")
    if not path.exists():
        raise UserError(f"'{directory}' holds no model; 'train' keeps one, and so does keep=best.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = _described(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: cannot be read: {error}.") from None
    return _with_params(found, folder / "params")


def _described(content: Mapping[str, Any]) -> Model:
    """The model without its parameters."""
    if content["form"] != _FORM:
        raise ValueError(f"it is of form {content['form']}, not {_FORM}")
    arguments = {name: tuple(v) if isinstance(v, list) else v for name, v in content["arguments"].items()}
    return Model(
        content["model"],
        content["head"],
        arguments,
        tuple(content["class_names"]),
        tuple(content["vocabulary"]),
        content["tokenizer"],
        content["about"],
        None,
    )


def _with_params(found: Model, folder: Path) -> Model:
    """The model with the parameters of a checkpoint."""
    import orbax.checkpoint as ocp

    if found.tokenizer:
        Tokenizer.from_json(found.tokenizer)
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            metadata = checkpointer.metadata(folder.absolute()).item_metadata
            like = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), dict(metadata.tree))
            params = checkpointer.restore(folder.absolute(), like)
    except Exception as error:  # Orbax raises many kinds for what is missing or damaged
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{folder}: the checkpoint cannot be read: {reason}") from None
    for path, leaf in traverse_util.flatten_dict(params).items():
        if path[-1] == "vectors" and len(leaf) != len(found.vocabulary):
            raise UserError(
                f"{folder}: there are {len(leaf)} word vectors, but the vocabulary in {DESCRIPTION} has "
                f"{len(found.vocabulary)} words; they belong to different models."
            )
    return Model(**{**vars(found), "params": params})


def export(path: Path, params: Any) -> None:
    """Writes parameters as a .safetensors file, named `layer.kernel` and so on.

    Raises:
      UserError: if it cannot be written.
    """
    from safetensors.numpy import save_file

    flat = {".".join(names): np.ascontiguousarray(leaf) for names, leaf in traverse_util.flatten_dict(params).items()}
    files.write(path, lambda temporary: save_file(flat, temporary))

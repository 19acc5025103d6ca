"""A trained model on disk: parameters by Orbax, all else as JSON; and back."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import linen as nn
from flax import traverse_util

from jaxnets import plugins
from jaxnets.basics import files
from jaxnets.basics.errors import UserError
from jaxnets.data.tokenizer import Tokenizer
from jaxnets.models.layers import VECTORS
from jaxnets.plugins import Plugin

CHECKPOINT, DESCRIPTION = "checkpoint", "model.json"
_FORM = 1


@dataclass(frozen=True)
class Model:
    """A trained model, with all that it takes to use it.

    Attributes:
      plugin: the class of its module.
      head: what its logits mean.
      arguments: what the module is made with.
      class_names: a name for each class.
      vocabulary: the words by their ids; empty for a model of features.
      tokenizer: as JSON; empty for a model of features, or of texts that come as word ids.
      about: which run it is of, for the reader.
      params: arrays, in nested dictionaries.
    """

    plugin: Plugin
    head: Plugin
    arguments: Mapping[str, Any]
    class_names: tuple[str, ...]
    vocabulary: tuple[str, ...]
    tokenizer: str
    about: Mapping[str, Any]
    params: Any

    @property
    def module(self) -> nn.Module:
        """The Flax module."""
        return self.plugin.value(**{name: _unwrapped(value) for name, value in self.arguments.items()})

    def described(self) -> dict[str, Any]:
        """All but the parameters, as JSON knows it; `from_description` reads it."""
        arguments = {name: str(value) if isinstance(value, Plugin) else value for name, value in self.arguments.items()}
        return {
            "form": _FORM,
            "model": self.plugin.name,
            "head": self.head.name,
            "arguments": arguments,
            "class_names": self.class_names,
            "tokenizer": self.tokenizer,
            "vocabulary": self.vocabulary,
            "about": self.about,
        }


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, Plugin) else value


def from_description(content: Mapping[str, Any], params: Any = None) -> Model:
    """The model that `Model.described` describes, with parameters if they are given.

    Raises:
      ValueError: if it is of another form, or names what is not known.
      KeyError: if something is missing.
    """
    if content["form"] != _FORM:
        raise ValueError(f"it is of form {content['form']}, not {_FORM}")
    plugin = plugins.MODEL.find(content["model"])
    return Model(
        plugin,
        plugins.HEAD.find(content["head"]),
        {name: _argument(plugin, name, value) for name, value in content["arguments"].items()},
        tuple(content["class_names"]),
        tuple(content["vocabulary"]),
        content["tokenizer"],
        content["about"],
        params,
    )


def _argument(plugin: Plugin, name: str, value: Any) -> Any:
    """An argument of a module from its JSON."""
    declared = plugin.arguments.get(name)
    if declared is not None and declared.kind == "plugin":
        return plugins.KINDS[name].find(value)
    return tuple(value) if isinstance(value, list) else value


def save(directory: Path, kept: Model) -> None:
    """Writes a model into a run directory, in place of the one before.

    Raises:
      UserError: if it cannot be written.
    """
    import orbax.checkpoint as ocp

    content = kept.described()
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
        raise UserError(f"there is not a run directory '{directory}'.")
    if not path.exists():
        raise UserError(f"'{directory}' holds no model; 'train' keeps one, and so does keep=best.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        model = from_description(content)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: cannot be read: {error}.") from None
    return _with_params(model, folder / "params")


def _with_params(model: Model, folder: Path) -> Model:
    """The model with the parameters of a checkpoint."""
    import orbax.checkpoint as ocp

    if model.tokenizer:
        Tokenizer.from_json(model.tokenizer)
    try:
        with ocp.StandardCheckpointer() as checkpointer:
            metadata = checkpointer.metadata(folder.absolute()).item_metadata
            like = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), dict(metadata.tree))
            params = checkpointer.restore(folder.absolute(), like)
    except Exception as error:  # Orbax raises many kinds for what is missing or damaged
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{folder}: the checkpoint cannot be read: {reason}") from None
    for path, leaf in traverse_util.flatten_dict(params).items():
        if path[-1] == VECTORS and len(leaf) != len(model.vocabulary):
            raise UserError(
                f"{folder}: there are {len(leaf)} word vectors, but the vocabulary in {DESCRIPTION} has "
                f"{len(model.vocabulary)} words; they belong to different models."
            )
    return replace(model, params=params)


def export(path: Path, params: Any) -> None:
    """Writes parameters as a .safetensors file, named `layer.kernel` and so on.

    Raises:
      UserError: if it cannot be written.
    """
    from safetensors.numpy import save_file

    flat = {".".join(names): np.ascontiguousarray(leaf) for names, leaf in traverse_util.flatten_dict(params).items()}
    files.write(path, lambda temporary: save_file(flat, temporary))


def read_export(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .safetensors file by name.

    Raises:
      UserError: if it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: cannot be read: {error}.") from None

"""A trained model on disk: parameters in the safetensors format, all else as JSON; and back."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from flax import traverse_util

from jaxnets import io, jax_settings, plugins, schema, tensors
from jaxnets.config.values import Field
from jaxnets.data import dataset
from jaxnets.data.texts import Tokenizer
from jaxnets.errors import UserError, unknown
from jaxnets.models import GIVEN
from jaxnets.models.blocks import VECTORS, TextBatch
from jaxnets.plugins import Plugin, Trust
from jaxnets.training.state import variables

CHECKPOINT, DESCRIPTION, PARAMETERS = "checkpoint", "model.json", "parameters.safetensors"
_FORM = 2
SHAPE = {
    "form": _FORM,
    "model": str,
    "head": str,
    "arguments": {...: (*schema.SCALAR, [int])},
    "class_names": [str],
    "tokenizer": str,
    "vocabulary": [str],
    "label_type?": ("", *dataset.TYPES),
    "max_length?": int,
    "about": {"run": int, "dataset?": str, "num_features?": int, ...: schema.SCALAR},
}
"""Of a description, as JSON."""


@dataclass(frozen=True)
class Model:
    """A trained model, with all that it takes to use it."""

    plugin: Plugin
    head: Plugin
    arguments: Mapping[str, Any]
    class_names: tuple[str, ...]
    vocabulary: tuple[str, ...]
    tokenizer: str
    about: Mapping[str, Any]
    params: Any
    label_type: str = ""
    max_length: int = 0

    @property
    def labels(self) -> list[str | int | bool]:
        """The label of each class, of the type in which it was given."""
        return dataset.typed(self.class_names, self.label_type)

    @property
    def module(self) -> nn.Module:
        """The Flax module."""
        given = self.arguments.items()
        return self.plugin.value(**{name: one.value if isinstance(one, Plugin) else one for name, one in given})

    @property
    def ids(self) -> dict[str, int]:
        """The id of each word of the vocabulary."""
        return {word: number for number, word in enumerate(self.vocabulary)}

    def described(self) -> dict[str, Any]:
        """All but the parameters, as JSON knows it; `from_description` reads it."""
        arguments = {name: str(value) if isinstance(value, Plugin) else value for name, value in self.arguments.items()}
        content = {"form": _FORM, "model": self.plugin.name, "head": self.head.name, "arguments": arguments}
        names = ("class_names", "tokenizer", "vocabulary", "label_type", "max_length", "about")
        return content | {name: getattr(self, name) for name in names}


def from_description(path: Path, content: Mapping[str, Any], params: Any, trust: Trust) -> Model:
    """The model that `Model.described` describes, with its parameters."""
    plugins.check_trust(path, {**content["arguments"], "model": content["model"], "head": content["head"]}, trust)
    try:
        plugin = plugins.MODEL.find(content["model"])
        model = Model(
            plugin,
            plugins.HEAD.find(content["head"]),
            {name: _argument(plugin, name, value) for name, value in content["arguments"].items()},
            tuple(content["class_names"]),
            tuple(content["vocabulary"]),
            content["tokenizer"],
            content["about"],
            params,
            content.get("label_type", ""),
            content.get("max_length", 0),
        )
        if model.max_length < 0 or not model.labels:
            raise ValueError(f"texts cannot be cut to {model.max_length} words")
        if model.tokenizer:
            Tokenizer.from_json(model.tokenizer)
    except (UserError, ValueError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    _check(path, model)
    return model


def _argument(plugin: Plugin, name: str, value: Any) -> Any:
    """An argument of a module from its JSON."""
    value = tuple(value) if isinstance(value, list) else value
    if name in GIVEN:
        return Field(name, "int", least=1).value(value)
    if name not in plugin.arguments:
        raise unknown(f"model '{plugin.name}', argument", name, plugin.arguments)
    declared = plugin.arguments[name]
    return plugins.KINDS[name].find(value) if declared.kind == "plugin" else declared.of_values().value(value)


@jax_settings.pinned()
def _check(path: Path, model: Model) -> None:
    """Compares the parameters of a model with what its module wants; nothing is computed."""
    flat = traverse_util.flatten_dict(model.params)
    for names, leaf in flat.items():
        if names[-1] == VECTORS and len(leaf) != len(model.vocabulary):
            raise UserError(
                f"{path}: there are {len(leaf)} word vectors, but the vocabulary in {path.name} has "
                f"{len(model.vocabulary)} words; they belong to different models."
            )
    width = None if model.vocabulary else model.about.get("num_features", 0)
    shapes = tuple((names, leaf.shape, leaf.dtype) for names, leaf in flat.items())
    try:
        wanted = model.head.value.num_outputs(len(model.class_names))
        given = _num_outputs(model.module, width, shapes)
    except UserError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    except Exception as error:  # of Flax, or of the module
        reason = str(error).partition("\n")[0]
        raise UserError(f"{path}: it describes another module than that of the parameters: {reason}") from None
    if given != wanted:
        raise UserError(
            f"{path}: its module gives {given} numbers, and {len(model.class_names)} classes need {wanted}."
        )


@cache
def _num_outputs(module: nn.Module, width: int | None, params: tuple) -> int:
    """The logits that a module gives with parameters of such shapes; Flax compares each shape with its own."""
    tree = {names: jax.ShapeDtypeStruct(shape, dtype) for names, shape, dtype in params}
    ids: Any = jax.ShapeDtypeStruct((1,), jnp.int32)
    example = TextBatch(ids, ids, ids) if width is None else jax.ShapeDtypeStruct((1, width), jnp.float32)
    logits = jax.eval_shape(module.apply, variables(traverse_util.unflatten_dict(tree)), example)
    _rows, outputs = logits.shape
    return outputs


def save(directory: Path, kept: Model) -> None:
    """Writes a model into a run directory, in place of the one before."""
    target, new, old = directory / CHECKPOINT, _new(directory), _old(directory)
    with io.file_errors(directory):
        shutil.rmtree(new, ignore_errors=True)
        try:
            new.mkdir(parents=True)
            export(new / PARAMETERS, kept.params)
            io.write_json(new / DESCRIPTION, kept.described())
            io.write_checksums(new, [new / PARAMETERS, new / DESCRIPTION])
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        # parameters and vocabulary change places together
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def is_kept(directory: Path) -> bool:
    """Whether a run directory holds a model."""
    return (_folder(directory) / DESCRIPTION).exists()


def _folder(directory: Path) -> Path:
    """The folder of the model; a kill while one took the place of another may have left it under the name before."""
    folder = directory / CHECKPOINT
    whole = (one for one in (_new(directory), _old(directory)) if (one / io.CHECKSUMS).exists())
    return folder if folder.exists() else next(whole, folder)


def _new(directory: Path) -> Path:
    return directory / f".{CHECKPOINT}.new"


def _old(directory: Path) -> Path:
    return directory / f".{CHECKPOINT}.old"


def load(directory: Path, trust: Trust = False) -> Model:
    """Reads the model of a run directory."""
    if not directory.is_dir():
        raise UserError(f"there is not a run directory '{directory}'.")
    if not is_kept(directory):
        raise UserError(f"'{directory}' holds no model; 'train' keeps one, and so does keep=best.")
    folder = _folder(directory)
    io.check_checksums(folder)
    path = folder / DESCRIPTION
    description = schema.read_json(path, SHAPE)
    return from_description(path, description, nested(folder / PARAMETERS, read_export(folder / PARAMETERS)), trust)


def export(path: Path, params: Any) -> None:
    """Writes parameters as a .safetensors file; see `tensors.named`."""
    io.write(path, lambda temporary: tensors.save(temporary, tensors.named(params)))


def read_export(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .safetensors file by name."""
    io.check_checksums(path.parent, path.name)
    try:
        return tensors.load(path)
    except Exception as error:  # it raises many kinds for what is damaged
        raise UserError(f"{path}: cannot be read: {str(error).partition(chr(10))[0]}.") from None


def nested(path: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The parameters of a .safetensors file, from its arrays."""
    try:
        return tensors.nested(arrays)
    except (TypeError, ValueError):
        raise UserError(f"{path}: cannot be read: a name of a parameter is the beginning of another.") from None

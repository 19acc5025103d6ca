"""A trained model on disk: parameters by Orbax, all else as JSON; and back."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jax
import numpy as np
from flax import linen as nn
from flax import traverse_util

from jaxnets import io, plugins, schema
from jaxnets.config.values import Field
from jaxnets.data import labels
from jaxnets.data.tokenizer import Tokenizer
from jaxnets.errors import UserError, unknown
from jaxnets.logs import quiet_orbax
from jaxnets.models import GIVEN
from jaxnets.plugins import Plugin, Trust
from jaxnets.trained import fitting

CHECKPOINT, DESCRIPTION = "checkpoint", "model.json"
_FORM = 1
SHAPE = {
    "form": _FORM,
    "model": str,
    "head": str,
    "arguments": {...: (*schema.SCALAR, [int])},
    "class_names": [str],
    "tokenizer": str,
    "vocabulary": [str],
    "label_type?": ("", *labels.TYPES),
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
        return labels.typed(self.class_names, self.label_type)

    @property
    def module(self) -> nn.Module:
        """The Flax module."""
        return self.plugin.value(**{name: _unwrapped(value) for name, value in self.arguments.items()})

    @property
    def ids(self) -> dict[str, int]:
        """The id of each word of the vocabulary."""
        return {word: number for number, word in enumerate(self.vocabulary)}

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
            "label_type": self.label_type,
            "max_length": self.max_length,
            "about": self.about,
        }


def _unwrapped(value: Any) -> Any:
    return value.value if isinstance(value, Plugin) else value


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
    fitting.check(path, model)
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


def save(directory: Path, kept: Model) -> None:
    """Writes a model into a run directory, in place of the one before."""
    import orbax.checkpoint as ocp

    content = kept.described()
    target = (directory / CHECKPOINT).absolute()
    new, old = _new(target.parent), _old(target.parent)
    with io.file_errors(directory):
        shutil.rmtree(new, ignore_errors=True)
        try:
            # not the asynchronous one: where its folder cannot be made, its threads wait for ten minutes
            with quiet_orbax(), ocp.Checkpointer(ocp.StandardCheckpointHandler()) as checkpointer:
                checkpointer.save(new / "params", args=ocp.args.StandardSave(kept.params))
            io.write_json(new / DESCRIPTION, content)
            io.write_checksums(new, [path for path in new.rglob("*") if path.is_file()])
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
    folder = _folder(directory)
    path = folder / DESCRIPTION
    if not directory.is_dir():
        raise UserError(f"there is not a run directory '{directory}'.")
    if not is_kept(directory):
        raise UserError(f"'{directory}' holds no model; 'train' keeps one, and so does keep=best.")
    io.check_checksums(folder)
    content = schema.read_json(path, SHAPE)
    return from_description(path, content, _params(folder / "params"), trust)


def _params(folder: Path) -> Any:
    """The parameters of a checkpoint."""
    import orbax.checkpoint as ocp

    try:
        size = fitting.bytes_of(folder)
        with quiet_orbax(), ocp.StandardCheckpointer() as checkpointer:
            metadata = checkpointer.metadata(folder.absolute()).item_metadata
            like = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), dict(metadata.tree))
            fitting.check_size(like, size)
            return checkpointer.restore(
                folder.absolute(), jax.tree.map(lambda one: np.zeros(one.shape, one.dtype), like)
            )
    except Exception as error:  # Orbax raises many kinds for what is missing or damaged
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{folder}: the checkpoint cannot be read: {reason}") from None


def named(params: Any) -> dict[str, Any]:
    """Parameters by names such as `layer.kernel`; a dot within a name is written %2E, and a percent sign %25.

    >>> named({"layer.0": {"kernel": 1}}), nested({"layer%2E0.kernel": 1})
    ({'layer%2E0.kernel': 1}, {'layer.0': {'kernel': 1}})
    """
    escaped = str.maketrans({"%": "%25", ".": "%2E"})
    flat = traverse_util.flatten_dict(params)
    return {".".join(name.translate(escaped) for name in names): leaf for names, leaf in flat.items()}


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that `named` has named."""
    return traverse_util.unflatten_dict({tuple(map(unquote, name.split("."))): leaf for name, leaf in flat.items()})


def export(path: Path, params: Any) -> None:
    """Writes parameters as a .safetensors file; see `named`."""
    from safetensors.numpy import save_file

    flat = {name: np.ascontiguousarray(leaf) for name, leaf in named(params).items()}
    io.write(path, lambda temporary: save_file(flat, temporary))


def read_export(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a .safetensors file by name."""
    from safetensors.numpy import load_file

    io.check_checksums(path.parent, path.name)
    try:
        fitting.check_file(path)
        return load_file(path)  # it compares the sizes in the header with that of the file
    except Exception as error:  # it raises many kinds for what is damaged
        raise UserError(f"{path}: cannot be read: {str(error).partition(chr(10))[0]}.") from None

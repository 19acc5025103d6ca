"""Whether stored parameters are what they say: no larger than their files can be, and those of their module."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import traverse_util

from jaxnets import jax_settings
from jaxnets.errors import UserError
from jaxnets.models.blocks import VECTORS, TextBatch

if TYPE_CHECKING:
    from jaxnets.trained.model import Model

_MOST_PER_BYTE, _FEW_BYTES = 64, 2**26
"""Parameters are compressed; random numbers by a tenth, zeros by more."""


def bytes_of(folder: Path) -> int:
    """The bytes of all files of a folder."""
    size = 0
    for path in [folder, *folder.rglob("*")]:
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise ValueError(f"'{path.name}' is neither a file nor a folder")
        size += path.stat().st_size if path.is_file() else 0
    return size


def check_file(path: Path) -> None:
    """Refuses what is no file, as a pipe that never ends."""
    if not path.is_file():
        raise ValueError("it is not a file")


def check_size(shapes: Any, size: int) -> None:
    """Refuses arrays that cannot come from so many bytes, before memory is taken for them."""
    claimed = sum(leaf.size * jnp.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(shapes))
    if claimed > _FEW_BYTES + _MOST_PER_BYTE * size:
        raise ValueError(f"its arrays claim {claimed:,} bytes, and its files have {size:,}")


@jax_settings.pinned()
def check(path: Path, model: "Model") -> None:
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
    logits = jax.eval_shape(module.apply, {"params": traverse_util.unflatten_dict(tree)}, example)
    _rows, outputs = logits.shape
    return outputs

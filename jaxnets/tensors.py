"""Arrays in the safetensors format, the only one in which parameters and states are on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from flax import traverse_util

_DTYPES = "dtypes"
"""Metadata: types that NumPy itself does not have, such as bfloat16; their bits are stored as unsigned integers."""


def save(path: Path, arrays: Mapping[str, Any], **metadata: str) -> None:
    """Writes arrays into a file."""
    from safetensors.numpy import save_file

    plain, described = _plain(arrays, metadata)
    save_file(plain, path, described)


def load(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; it raises many kinds of errors for what is damaged."""
    from safetensors import safe_open
    from safetensors.numpy import load_file

    if not path.is_file():  # a pipe would never end
        raise ValueError("it is not a file")
    arrays = load_file(path)  # sizes in the header are compared with that of the file before memory is taken
    with safe_open(path, "np") as stream:
        return _typed(arrays, stream.metadata() or {})


def serialize(arrays: Mapping[str, Any], **metadata: str) -> bytes:
    """Arrays as the content of such a file."""
    from safetensors import numpy as safetensors

    return safetensors.save(*_plain(arrays, metadata))


def deserialize(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of such a content."""
    from safetensors import numpy as safetensors

    arrays = safetensors.load(content)
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})
    return _typed(arrays, metadata), metadata


def _plain(arrays: Mapping[str, Any], metadata: dict[str, str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """What safetensors takes: it reads memory beyond an array that is not contiguous, without an error."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    foreign = {name: array.dtype.name for name, array in contiguous.items() if array.dtype.isbuiltin != 1}
    plain = {
        name: array.view(f"u{array.dtype.itemsize}") if name in foreign else array for name, array in contiguous.items()
    }
    return plain, metadata | ({_DTYPES: json.dumps(foreign)} if foreign else {})


def _typed(arrays: dict[str, np.ndarray], metadata: Mapping[str, str]) -> dict[str, np.ndarray]:
    for name, dtype in json.loads(metadata.get(_DTYPES, "{}")).items():
        if np.dtype(dtype).isbuiltin != 2:  # registered with NumPy by JAX's ml_dtypes
            raise ValueError(f"{dtype!r} is not a type of parameters")
        arrays[name] = arrays[name].view(dtype)
    return arrays


def named(tree: Any) -> dict[str, Any]:
    """Nested dictionaries by names such as `layer.kernel`; a dot within a name is written %2E, a percent sign %25.

    >>> named({"layer.0": {"kernel": 1}}), nested({"layer%2E0.kernel": 1})
    ({'layer%2E0.kernel': 1}, {'layer.0': {'kernel': 1}})
    """
    escaped = str.maketrans({"%": "%25", ".": "%2E"})
    flat = traverse_util.flatten_dict(tree)
    return {".".join(name.translate(escaped) for name in names): leaf for names, leaf in flat.items()}


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The nested dictionaries that `named` has flattened."""
    return traverse_util.unflatten_dict({tuple(map(unquote, name.split("."))): leaf for name, leaf in flat.items()})

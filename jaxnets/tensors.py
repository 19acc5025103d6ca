"""Arrays in the safetensors format, the only one in which parameters and states are on disk."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from flax import traverse_util

# NumPy has the last three from JAX's ml_dtypes; safetensors' own reader of NumPy arrays does not know them
_DTYPES = {
    **{f"{kind[0].upper()}{bits}": f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
    "BOOL": "bool",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}


def save(path: Path, arrays: Mapping[str, Any], **metadata: str) -> None:
    """Writes arrays into a file."""
    path.write_bytes(serialize(arrays, **metadata))


def load(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file; it raises many kinds of errors for what is damaged."""
    if not path.is_file():  # a pipe would never end
        raise ValueError("it is not a file")
    return deserialize(path.read_bytes())[0]


def serialize(arrays: Mapping[str, Any], **metadata: str) -> bytes:
    """Arrays as the content of such a file."""
    from safetensors import numpy as safetensors

    # safetensors reads memory beyond an array that is not contiguous, without an error
    return safetensors.save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata)


def deserialize(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and the metadata of such a content; its sizes are compared with the header's."""
    import safetensors

    arrays = {
        name: np.frombuffer(one["data"], np.dtype(_DTYPES[one["dtype"]])).reshape(one["shape"])
        for name, one in safetensors.deserialize(content)
    }
    return arrays, json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")]).get("__metadata__", {})


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

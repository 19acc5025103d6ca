"""Arrays in the safetensors format."""

import ml_dtypes
import numpy as np
import pytest

from jaxnets import tensors

KINDS = [
    *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    *("float16", "float32", "float64", "complex64", "bool"),
    *(ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2),
]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_of_every_kind_and_form_come_back(kind):
    grid = np.arange(12).reshape(3, 4).astype(kind)
    forms = {"grid": grid, "scalar": grid[1, 2], "empty": grid[:0], "turned": grid.T, "strided": grid[:, ::2]}
    found, metadata = tensors.deserialize(tensors.serialize(forms, note="é"))
    assert metadata == {"note": "é"}
    for name, array in forms.items():
        assert (found[name].dtype, found[name].shape) == (np.dtype(kind), np.shape(array))
        assert found[name].tobytes() == np.asarray(array).tobytes()


def test_a_content_that_is_cut_is_refused():
    content = tensors.serialize({"grid": np.arange(12.0)})
    for end in (4, 20, len(content) - 1):
        with pytest.raises(Exception):  # noqa: B017, PT011 - of many kinds, as `load` says
            tensors.deserialize(content[:end])

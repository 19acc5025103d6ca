"""What TFDS prepares texts and images with in the place of TensorFlow."""

import contextlib
import glob
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np


@contextlib.contextmanager
def without_tensorflow(tfds: Any) -> Iterator[None]:
    """TFDS meets the stand-in where it would import TensorFlow, unless that was imported before."""
    if "tensorflow" in sys.modules:
        yield
        return
    # the module is a lazy one: what it stands for is looked up, once, in its own attribute
    attributes = object.__getattribute__(tfds.core.utils.lazy_imports_utils.tensorflow, "__dict__")
    attributes["_module"] = _stand_in()
    try:
        yield
    finally:
        del attributes["_module"]


class _Part(SimpleNamespace):
    """A part of the stand-in."""

    def __getattr__(self, name: str) -> Any:
        """Only what is missing comes here."""
        raise AttributeError(f"the stand-in for tensorflow has no '{name}'")


def _stand_in() -> SimpleNamespace:
    """The few functions of TensorFlow that TFDS and its builders prepare texts and images with."""

    def open_file(path: Any, mode: str = "r") -> Any:
        return open(path, mode, encoding=None if "b" in mode else "utf-8")

    def encode(image_format: str) -> Callable[[np.ndarray], Any]:
        return lambda image: _Part(numpy=lambda: _encode(image, image_format))

    gfile = _Part(
        GFile=open_file,
        Open=open_file,
        copy=lambda source, target, overwrite=False: shutil.copyfile(source, target),
        exists=os.path.exists,
        glob=lambda pattern: sorted(glob.glob(os.fspath(pattern))),
        isdir=os.path.isdir,
        listdir=os.listdir,
        makedirs=lambda path: os.makedirs(path, exist_ok=True),
        remove=os.remove,
        walk=os.walk,
    )
    errors = ("Unimplemented", "FailedPrecondition", "PermissionDenied", "Aborted", "ResourceExhausted", "NotFound")
    return _Part(
        compat=_Part(
            as_text=lambda text: text.decode("utf-8") if isinstance(text, bytes) else text,
            as_bytes=lambda text: text.encode("utf-8") if isinstance(text, str) else text,
        ),
        errors=_Part(**{f"{name}Error": type(f"{name}Error", (OSError,), {}) for name in errors}),
        executing_eagerly=lambda: True,
        image=_Part(encode_png=encode("png"), encode_jpeg=encode("jpeg")),
        io=_Part(gfile=gfile),
    )


def _encode(image: np.ndarray, image_format: str) -> bytes:
    """An image `uint8[height, width, channels]` as a file's bytes; JPEG with TensorFlow's default quality."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, format=image_format, quality=95)
    return file.getvalue()

"""A stand-in for TensorFlow, with which TFDS prepares texts and images."""

import contextlib
import glob
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import numpy as np

from jaxnets.errors import UserError

SUPPORTED = ">=4.9.10,<4.10"  # versions of TFDS, as in pyproject.toml


@contextlib.contextmanager
def without_tensorflow(tfds: Any) -> Iterator[None]:
    """Gives TFDS a stand-in where it would import TensorFlow, unless that was imported before.

    TFDS's module `tensorflow` is lazy: it keeps the real one, once imported, in its private attribute `_module`.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    stand_in = _stand_in()
    try:
        lazy = tfds.core.utils.lazy_imports_utils.tensorflow
        attributes = object.__getattribute__(lazy, "__dict__")
        attributes["_module"] = stand_in
        replaced = lazy.io is stand_in.io
    except (AttributeError, ImportError) as error:
        raise changed(str(error)) from error
    try:
        if not replaced:
            raise changed("its lazy module is not replaced")
        yield
    finally:
        del attributes["_module"]


def changed(detail: str) -> UserError:
    """The error if a private part of TFDS, on which this package relies, is not as it was."""
    return UserError(
        f"dataset: 'tfds:' does not work with tensorflow-datasets {metadata.version('tensorflow-datasets')} "
        f"({detail}); install 'tensorflow-datasets{SUPPORTED}'."
    )


class _Part(SimpleNamespace):
    """A part of the stand-in."""

    def __getattr__(self, name: str) -> Any:
        """Called only for a name that the part does not have."""
        raise AttributeError(f"the stand-in for tensorflow has no '{name}'")


def _stand_in() -> SimpleNamespace:
    """The few functions of TensorFlow with which TFDS and its builders prepare texts and images."""

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

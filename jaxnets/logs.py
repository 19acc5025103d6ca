"""What other libraries log."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def quiet_absl() -> Iterator[None]:
    """Lets nothing through that is logged by way of absl."""
    logger = logging.getLogger("absl")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


@contextlib.contextmanager
def quiet_orbax() -> Iterator[None]:
    """Lets Orbax raise its errors without logging their tracebacks as well."""
    if sys.unraisablehook is not _without_late_callbacks:
        _HOOKS[:] = [sys.unraisablehook]
        sys.unraisablehook = _without_late_callbacks
    with quiet_absl():
        yield


_HOOKS = [sys.__unraisablehook__]


def _without_late_callbacks(about: Any) -> None:
    """Passes over what TensorStore's threads tell nobody any more when Orbax has given up, as on a full disk."""
    if not (about.exc_type is RuntimeError and str(about.exc_value) == "Event loop is closed"):
        _HOOKS[0](about)

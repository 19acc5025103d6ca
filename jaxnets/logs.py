"""What other libraries log."""

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def quiet_absl() -> Iterator[None]:
    """Lets nothing through that is logged by way of absl."""
    logger = logging.getLogger("absl")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before

"""How TFDS downloads archives: fewer retries, and file names that a user can provide by hand."""

import contextlib
import importlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from jaxnets.data.no_tensorflow import changed

MAX_RETRIES = 3  # of a download; TFDS's own 10 wait for minutes if there is no network


@contextlib.contextmanager
def adjusted_downloads(builder: Any) -> Iterator[None]:
    """Lets TFDS give up sooner and in silence, and names downloads after their URLs where TFDS has no name.

    A named download is also found in TFDS's folder `manual`. The names stay when the context ends.
    """
    logger = logging.getLogger("urllib3.connectionpool")  # warns of each retry
    try:
        downloader = importlib.import_module("tensorflow_datasets.core.download.downloader")
        for url, info in (builder.url_infos or {}).items():
            info.filename = info.filename or Path(urlparse(url).path).name
        before = downloader.MAX_RETRIES, logger.disabled
    except (AttributeError, ImportError) as error:
        raise changed(str(error)) from error
    try:
        downloader.MAX_RETRIES, logger.disabled = MAX_RETRIES, True  # type: ignore[attr-defined]
        yield
    finally:
        downloader.MAX_RETRIES, logger.disabled = before  # type: ignore[attr-defined]

"""Run directories in which files are changed by hand."""

from pathlib import Path

from jaxnets import io


def may_be_changed(directory: Path) -> Path:
    """Takes the lists of checksums away, as whoever changes a file by hand is told to; the directory."""
    for path in directory.rglob(io.CHECKSUMS):
        path.unlink()
    return directory

"""The report of a comparison in its run directory: one page and its figures."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxnets import io
from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import Study
from jaxnets.errors import UserError

PAGE = "report.html"


def warm_up() -> None:
    """Does what any report needs, whatever was found: best done in a thread while nets train, as it takes seconds.

    What goes wrong here goes wrong again in `write`, where it can be told.
    """
    with contextlib.suppress(Exception):
        from scipy import stats  # noqa: F401

        from jaxnets.report import study_figures, study_page

        study_figures.warm_up()
        study_page.warm_up()


def write(directory: Path, study: Study, said: Answer, command: str, environment: Mapping[str, Any]) -> list[Path]:
    """Writes the figures and the page."""
    from jaxnets.report import study_figures, study_page  # Altair takes half a second

    page = directory / PAGE
    if (directory / "figures").is_symlink():
        raise UserError(f"{directory / 'figures'}: it is a link, and the figures would be written elsewhere.")
    with io.file_errors(directory):
        figures = study_figures.save(study, said, directory / "figures")
    content = study_page.html(study, said, command=command, environment=environment)
    io.write(page, lambda temporary: Path(temporary).write_text(content, encoding="utf-8"))
    return [page, *figures]

"""The report of a comparison in its run directory: one page and its figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jaxnets import io
from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import Study
from jaxnets.errors import UserError

PAGE = "report.html"


def write(
    directory: Path, study: Study, said: Answer, command: str, environment: Mapping[str, Any], kinds: str = "png"
) -> list[Path]:
    """Writes the page, and its figures as files of some kinds."""
    from jaxnets.report import comparison_page, figures  # Altair takes half a second

    page = directory / PAGE
    if (directory / "figures").is_symlink():
        raise UserError(f"{directory / 'figures'}: it is a link, and the figures would be written elsewhere.")
    gallery = comparison_page.Gallery(study, said)
    content = comparison_page.html(study, said, gallery, command=command, environment=environment)
    io.write(page, lambda temporary: Path(temporary).write_text(content, encoding="utf-8"))
    drawn = gallery.figures().items()
    paths = [figures.save(one, directory / "figures", name, kinds.split(",")) for name, one in drawn]
    return [page, *(path for written in paths for path in written)]

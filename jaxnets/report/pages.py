"""HTML from the templates beside this file; what comes from outside is escaped."""

from typing import Any

import jinja2

from jaxnets.errors import printable


def render(template: str, **values: Any) -> str:
    """A page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("jaxnets.report", "templates"),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,  # what is marked as HTML stays
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)

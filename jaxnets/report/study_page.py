"""The page of a comparison: one HTML file that opens without a network."""

import functools
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd
from markupsafe import Markup

from jaxnets.comparison.answer import Answer
from jaxnets.comparison.table import Study
from jaxnets.errors import printable
from jaxnets.report import pages, study_gallery, study_rows
from jaxnets.report.study_gallery import Gallery


def html(study: Study, answer: Answer, *, command: str, environment: Mapping[str, Any]) -> str:
    """The page in one file, with its scripts and data."""
    with ThreadPoolExecutor(1) as pool:  # the scripts take as long as all else
        bundle = pool.submit(scripts)
        gallery = Gallery(study, answer)
        content = _json(study_gallery.as_json(gallery) | {"table": _columns(study, gallery)})
    return pages.render(
        "study.html",
        title=_question(study),
        answer=answer,
        protocol=[*study_rows.protocol(study), *study_rows.alike(study)],
        protocol_tables=[study_rows.tasks(study), study_rows.spaces(study)],
        tables=[one for one in _tables(study, answer) if one is not None],
        pairs=study_rows.pairs(answer),
        several_tasks=len(study.tasks) > 1,
        tasks=[task.name for task in study.tasks],
        unit=study.unit,
        charts=gallery.charts,
        content=content,
        num_runs=len(study.runs),
        num_shown=len(gallery.data_sets["runs"]),
        command=command,
        environment=_lines(environment),
        bundle=Markup(bundle.result()),
    )


def _question(study: Study) -> str:
    """What the comparison asks."""
    names = [str(name) for name in study.contestants]
    where = study.tasks[0].name if len(study.tasks) == 1 else f"{len(study.tasks)} tasks"
    if len(names) < 2:
        return f"How good is the {study.by.replace('_', ' ')} {names[0] if names else ''} on {where}?"
    listed = f"{', '.join(names[:-1])} or {names[-1]}"
    return f"Which {study.by.replace('_', ' ')} is better on {where}: {listed}?"


def _tables(study: Study, answer: Answer) -> list[study_rows.Table | None]:
    return [
        study_rows.standings(study, answer),
        study_rows.tuning(study, answer),
        study_rows.ensembles(study, answer),
    ]


def _columns(study: Study, gallery: Gallery) -> list[list[str]]:
    """The columns of the table of all runs: in the data, for the reader, and `number` or `text`."""
    runs = gallery.data_sets["runs"]
    hidden = {"score", "reports", *(["task"] if len(study.tasks) == 1 else [])}
    names = [str(name) for name in runs if name not in hidden]
    kinds = ["number" if pd.api.types.is_numeric_dtype(runs[name]) else "text" for name in names]
    labels = [(study.by if name == "contestant" else name).replace("_", " ") for name in names]
    return [list(column) for column in zip(names, labels, kinds, strict=True)]


def _json(content: Mapping[str, Any]) -> Markup:
    """JSON that may stand in an element `script`: nothing in it can end that element."""
    text = printable(json.dumps(content, allow_nan=False, separators=(",", ":"), ensure_ascii=False))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def _lines(environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The environment as names and texts; the command stands elsewhere."""
    known = {name: value for name, value in environment.items() if name != "command" and value not in (None, [], {})}
    return [(name.replace("_", " "), _in_words(value)) for name, value in known.items()]


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_in_words(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_in_words, value))
    return str(value)


def warm_up() -> None:
    """Does what any page needs: the scripts, and what draws the charts."""
    import altair  # noqa: F401

    scripts()


@functools.cache
def scripts() -> str:
    """The scripts of Vega, Vega-Lite and Vega-Embed; one copy serves all charts."""
    import vl_convert

    text = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return text.replace("</script", "<\\/script")

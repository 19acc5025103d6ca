"""Console and pages: what is shown is text, whoever wrote it; and tables, which fit into the console's width."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rich import box, table
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.text import Text

from jaxnets.errors import printable

_WHOLE_NAME, _WHOLE_WORD, _WHOLE_TEXT = 40, 24, 16  # characters that are not broken; those of numbers never are


class Terminal(Console):
    """A console on which text is no markup, and has no control characters; nobody's listening is no mistake."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, "highlight": False} | options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of something to be shown."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)

    def on_broken_pipe(self) -> None:
        """Goes on in silence where the reader has gone: the work is not done for the console alone."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())


def page(template: str, **values: Any) -> str:
    """HTML from a template beside this file; what comes from outside is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("jaxnets.report", "templates"),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,  # what is marked as HTML stays
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


@dataclass(frozen=True)
class Table:
    """A table of texts, for a page or the console.

    On the console no number is broken. Where it is too narrow the `optional` columns are left out, the first of them
    first; if that is not enough, the table becomes a list.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    optional: Sequence[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, with as many of its columns as the width holds; or the list."""
        columns = [[str(row[place]) for row in self.rows] for place in range(len(self.columns))]
        numeric = [all(text[:1].isdigit() or text[:1] in "-–−+" for text in column) for column in columns]
        natural, least = [], []
        for place, (name, column) in enumerate(zip(map(str, self.columns), columns, strict=True)):
            natural.append(max(map(cell_len, [*name.split("\n"), *column])))
            words = [*name.split(), *([] if numeric[place] else " ".join(column).split())]
            longest = max(map(cell_len, column), default=0)
            kept = longest if numeric[place] else min(longest, _WHOLE_NAME if place == 0 else _WHOLE_TEXT)
            least.append(max(kept, min(max(map(cell_len, words), default=0), _WHOLE_WORD)))
        shown, optional = list(range(len(columns))), [list(self.columns).index(name) for name in self.optional]
        while (spare := options.max_width + 2 - sum(least[place] + 2 for place in shown)) < 0 and optional:
            shown.remove(optional.pop(0))
        # a title within the table would be broken at the width of its columns
        yield Text(f"\n{self.title}" if self.title or spare < 0 else "", style="italic")
        if spare < 0:
            for row in self.rows:
                named = [f"{name}: {cell}".removeprefix(": ") for name, cell in zip(self.columns, row, strict=True)]
                yield Text("\n  ".join(named), overflow="fold")
        else:
            drawn = table.Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
            for place in sorted(shown, key=lambda place: numeric[place]):  # texts get what there is to spare first
                more = min(natural[place] - least[place], spare)
                least[place], spare = least[place] + more, spare - more
            for place in shown:
                justify: Literal["left", "right"] = "right" if numeric[place] else "left"
                drawn.add_column(str(self.columns[place]), justify=justify, overflow="fold", width=least[place])
            for row in self.rows:
                drawn.add_row(*(str(row[place]) for place in shown))
            yield drawn
        yield Text(f"{self.note}\n" if self.note or spare < 0 else "", style="dim italic")

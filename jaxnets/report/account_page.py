"""The account of a process's time: on the console, as JSON, as a page, and as a timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console

from jaxnets import spans
from jaxnets.report import pages, tables
from jaxnets.spans import Span

ABOUT = {
    spans.IMPORT: "from the start of the process until the work begins; a module that is imported later counts there",
    spans.DATA: "reading, splitting, and putting on the devices",
    spans.COMPILE: "planning, tracing and compiling",
    spans.STEPS: "training steps on the devices",
    spans.EVALUATION: "evaluations on the devices: as many calls for no steps would take as long",
    spans.ANALYSIS: "statistics, verdicts, and what a claim measures",
    spans.WRITING: "tables, checkpoints, figures and pages, while the devices wait",
    spans.PROFILE: "this account: its calls for no steps, traces, and the matrix products",
    spans.IDLE: "all else",
}
_COLUMNS = ("part", "seconds", "share", "what")
_MICRO = 1e6


@dataclass(frozen=True)
class Work:
    """What an account tells."""

    seconds: Mapping[str, float]
    flops: float
    product_rate: float
    devices: Sequence[str]

    @property
    def total(self) -> float:
        """Seconds of the process."""
        return sum(self.seconds.values())

    @property
    def step_rate(self) -> float:
        """Floating-point operations a second in the matrix products of the steps; 0 if there were none."""
        spent = self.seconds[spans.STEPS]
        return self.flops / spent if spent else 0.0

    def as_json(self) -> dict[str, Any]:
        """The numbers, for programs."""
        return {
            "seconds": {name: self.seconds[name] for name in ABOUT},
            "shares": {name: self.seconds[name] / self.total for name in ABOUT},
            "total_seconds": self.total,
            "step_flops": self.flops,
            "step_flops_per_second": self.step_rate,
            "product_flops_per_second": self.product_rate,
            "share_of_product_rate": self.step_rate / self.product_rate,
            "devices": list(self.devices),
        }

    def rows(self) -> list[list[str]]:
        """A row for each part, and one for all of them."""
        parts = [[name, *self._cells(self.seconds[name]), about] for name, about in ABOUT.items()]
        return [*parts, ["all", *self._cells(self.total), "from the start of the process until this was written"]]

    def _cells(self, seconds: float) -> list[str]:
        return [f"{seconds:.2f}", f"{seconds / self.total:.1%}"]

    def sentence(self) -> str:
        """What share of the machine's rate the steps reach."""
        if not self.flops:
            return "Nothing was trained."
        return (
            f"The steps reach {self.step_rate / 1e9:.3g} GFLOP/s in their matrix products, "
            f"{self.step_rate / self.product_rate:.0%} of the {self.product_rate / 1e9:.3g} GFLOP/s of large ones here."
        )


def print_account(console: Console, work: Work) -> None:
    """Prints the table, and under it the share of the machine's rate."""
    tables.print_table(console, "Where the time went", _COLUMNS, work.rows())
    console.print(work.sentence())


def html(work: Work, command: str, trace: str) -> str:
    """The account as one file."""
    table = {"title": "Where the time went", "columns": _COLUMNS, "rows": work.rows()}
    return pages.render(
        "account.html",
        table=table,
        sentence=work.sentence(),
        devices=", ".join(work.devices),
        command=command,
        trace=trace,
    )


def timeline(taken: Sequence[Span], start: float, traces: Sequence[tuple[float, Sequence[Mapping[str, Any]]]]) -> dict:
    """The spans, and the events of traces, in the format of Chrome's traces, which Perfetto reads."""
    tracks = {name: number for number, name in enumerate(ABOUT)}
    events: list[Mapping[str, Any]] = [_meta(0, 0, "process_name", "jaxnets")]
    events += [_meta(0, number, "thread_name", name) for name, number in tracks.items()]
    events += [_event(one, tracks[one.name], start) for one in taken]
    for place, (began, of_trace) in enumerate(traces, 1):
        events += [_moved(event, (began - start) * _MICRO, place) for event in of_trace if event]
    return {"displayTimeUnit": "ms", "traceEvents": events}


def _meta(process: int, thread: int, kind: str, name: str) -> dict[str, Any]:
    return {"ph": "M", "pid": process, "tid": thread, "name": kind, "args": {"name": name}}


def _event(one: Span, track: int, start: float) -> dict[str, Any]:
    at, duration = (one.start - start) * _MICRO, (one.end - one.start) * _MICRO
    return {"ph": "X", "pid": 0, "tid": track, "name": one.name, "ts": at, "dur": duration}


def _moved(event: Mapping[str, Any], by: float, place: int) -> dict[str, Any]:
    """An event of a trace on the clock of the account, in a process that no other trace has."""
    moved = {**event, "pid": f"{place}/{event.get('pid', 0)}"}
    return {**moved, "ts": event["ts"] + by} if "ts" in event else moved

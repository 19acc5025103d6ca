"""`--profile`: an account of a process's time and a trace of a few steps, in a folder of the run directory."""

import contextlib
import gzip
import json
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from jaxnets import io, spans
from jaxnets.config.config import Config
from jaxnets.engine import devices, products
from jaxnets.report import account_page
from jaxnets.report.account_page import Work
from jaxnets.spans import Account

FOLDER, JSON, PAGE, TIMELINE = "profile", "account.json", "account.html", "perfetto_trace.json.gz"


@contextlib.contextmanager
def profiled(config: Config, console: Console | None, start: float | None = None) -> Iterator[None]:
    """Takes an account of what is done within, where the configuration asks for one; otherwise it does nothing."""
    if not config.profile:
        yield
        return
    now = time.perf_counter()
    with spans.accounting(now if start is None else start) as account:
        account.add(spans.IMPORT, account.start, now)
        yield
        if account.directory is not None:
            _write(account, account.directory, config, console)


def begin(directory: Path) -> None:
    """Says where the account that is under way is to be written, if there is one."""
    if (account := spans.account()) is not None and account.directory is None:
        folder = directory / FOLDER
        with io.file_errors(folder):
            if folder.is_dir() and not folder.is_symlink():
                shutil.rmtree(folder)  # of what was interrupted
            folder.mkdir()
        account.directory = folder


def _write(account: Account, folder: Path, config: Config, console: Console | None) -> None:
    with spans.span(spans.PROFILE):
        placement = devices.placement(config.num_devices)
        flops, rate = _flops(account.trained), products.product_rate(placement)
        traces = [(began, _events(account.trace_folder(place))) for place, began in enumerate(account.traces)]
        timeline = json.dumps(account_page.timeline(account.spans, account.start, traces))
        io.write(folder / TIMELINE, lambda path: path.write_bytes(gzip.compress(timeline.encode())))
    seconds = spans.seconds(account.spans, account.start, time.perf_counter())
    work = Work(seconds, flops, rate, placement.described())
    page = account_page.html(work, shlex.join(sys.argv), TIMELINE)
    io.write_json(folder / JSON, work.as_json())
    io.write(folder / PAGE, lambda path: path.write_text(page, encoding="utf-8"))
    if console is not None:
        account_page.print_account(console, work)
        console.print(f"Profile: {folder / PAGE}", soft_wrap=True)


def _flops(trained: Sequence[tuple[Any, int]]) -> float:
    """Those of the matrix products in all steps; a program is traced once."""
    programs = {id(program): program for program, _ in trained}
    of_step = {key: products.step_flops(program) for key, program in programs.items()}
    return float(sum(of_step[id(program)] * steps for program, steps in trained))


def _events(folder: Path) -> Sequence[Mapping[str, Any]]:
    """The events of a trace of JAX's."""
    (path,) = folder.glob(f"plugins/profile/*/{TIMELINE}")
    with gzip.open(path) as stream:
        return json.load(stream)["traceEvents"]

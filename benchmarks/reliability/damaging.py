"""Rows of faults in what a command finds: damaged files, a clock set back, a folder moved, other data."""

import contextlib
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax

import jaxnets
from benchmarks.reliability import commands
from benchmarks.reliability.bench import Bench, spread
from jaxnets.errors import UserError
from jaxnets.inference import model
from jaxnets.runs import directories
from jaxnets.runs import directory as run_directory

FLIPS, YEARS = 4, 10 * 365 * 86400.0


class Damage(NamedTuple):
    """A file, and what it holds after the damage."""

    path: Path
    content: bytes
    about: str

    @contextlib.contextmanager
    def done(self) -> Iterator[None]:
        """The file is damaged within, and then as it was, if it is still there or was taken away."""
        before = self.path.read_bytes()
        self.path.write_bytes(self.content)
        try:
            yield
        finally:
            if self.path.parent.exists():
                self.path.write_bytes(before)


def damages(path: Path, generator: random.Random) -> Iterator[Damage]:
    """A file cut short, emptied, and with one bit flipped at some places."""
    content = path.read_bytes()
    yield Damage(path, b"", f"{path.name} emptied")
    yield Damage(path, content[: generator.randrange(1, max(2, len(content)))], f"{path.name} cut short")
    for _ in range(FLIPS):
        place, bit = generator.randrange(len(content)), generator.randrange(8)
        changed = bytes([*content[:place], content[place] ^ 1 << bit, *content[place + 1 :]])
        yield Damage(path, changed, f"{path.name} with bit {bit} of byte {place:,} flipped")


def unfinished_damaged(bench: Bench) -> Iterator[str]:
    """A damaged file of an unfinished run: the same command goes on, or refuses and goes on when it is mended."""
    bench.unfinished()
    kept = bench.scratch.parent / f"kept-{bench.name}"
    shutil.copytree(bench.scratch, kept)
    paths = [path for path in _files(bench.directory) if path.name != run_directory.LOCK]
    wanted = [damage for path in paths for damage in damages(path, bench.generator)]
    for damage in spread(wanted, bench.share):
        shutil.rmtree(bench.scratch)
        shutil.copytree(kept, bench.scratch)
        problem = _goes_on(bench, damage)
        yield problem and f"{damage.about}: {problem}"
    shutil.rmtree(kept)


def _goes_on(bench: Bench, damage: Damage) -> str:
    with damage.done():
        ended = bench.run()
        if ended.status == 0:
            return commands.different(bench.whole, bench.content())
    return bench.again() if ended.refusal else f"it ends with {ended.told()}"


def finished_damaged(bench: Bench) -> Iterator[str]:
    """A damaged file of a finished run: what reads it reads what was written, or refuses."""
    bench.clear()
    bench.run()
    right = _read(bench.directory)
    assert all(one is not None for one in right), right
    paths = [path for path in _files(bench.directory) if _is_read_back(path.relative_to(bench.directory))]
    for damage in spread([damage for path in paths for damage in damages(path, bench.generator)], bench.share):
        with damage.done():
            found = _read(bench.directory)
        wrong = [one for one, other in zip(found, right, strict=True) if one not in (other, None)]
        yield f"{damage.about}: {str(wrong)[:200]}" if wrong else ""


def _is_read_back(path: Path) -> bool:
    return path.parts[0] == model.CHECKPOINT or path.suffix in (".json", ".parquet", ".safetensors")


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _read(directory: Path) -> list[Any]:
    """What `jaxnets.load`, the reports and `--config` read, bit by bit; None for what is refused."""
    return [_outcome(reader, directory) for reader in (_loaded, _compared, _repeated)]


def _outcome(reader: Callable[[Path], Any], directory: Path) -> Any:
    try:
        return repr(reader(directory))
    except UserError as error:
        return None if len(str(error).splitlines()) == 1 else f"several lines: {error}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _loaded(directory: Path) -> Any:
    results = jaxnets.load(directory)
    one = results.kept_model
    kept = [dict(results.kept), {} if one is None else {"about": dict(one.about), "params": one.params}]
    bits = jax.tree.map(lambda leaf: leaf.tobytes() if hasattr(leaf, "tobytes") else leaf, kept)
    tables = [table.to_parquet() for table in (results.runs, results.curves, results.predictions)]
    return results.config, tables, bits, {run: one.described() for run, one in results.models.items()}


def _compared(directory: Path) -> Any:
    read = directories.read(directory)
    tables = [
        table.to_parquet() for table in (read.comparison.runs, read.comparison.curves, read.comparison.predictions)
    ]
    return tables, read.comparison.tasks, read.comparison.protocol, read.content, read.environment


def _repeated(directory: Path) -> Any:
    path = directory / run_directory.CONFIG
    return run_directory.config_of(path, run_directory.read_config_file(str(path)), True)


def clock_set_back(bench: Bench) -> Iterator[str]:
    """All files are ten years younger than the clock says, and the clock is ten years behind; both at every state."""
    now = time.time
    for place in bench.states():
        later = now() + YEARS
        for path in _files(bench.scratch):
            os.utime(path, (later, later))
        time.time = lambda: now() - YEARS
        try:
            problem = bench.again()
        finally:
            time.time = now
        yield problem and f"{place}: {problem}"


def moved(bench: Bench) -> Iterator[str]:
    """The folder is moved elsewhere at every state, and the command goes on there; finished, it is read there."""
    before = bench.scratch, bench.directory
    for place in bench.states():
        elsewhere = bench.scratch.parent / "elsewhere" / "deep"
        shutil.rmtree(elsewhere.parent, ignore_errors=True)
        shutil.copytree(bench.scratch, elsewhere, symlinks=True)
        bench.scratch, bench.directory = elsewhere, elsewhere / "run"
        problem = bench.again()
        bench.scratch, bench.directory = before
        yield problem and f"{place}: {problem}"


def other_data(bench: Bench) -> Iterator[str]:
    """A file of data changes between start and resumption: it is refused, and goes on when the data are back."""
    data = commands.data(bench.directory)
    lines = data.read_text().splitlines(keepends=True)
    changes: list[Callable[[list[str]], list[str]]] = [
        lambda lines: [*lines[:7], lines[7].replace("good", "bad"), *lines[8:]],
        lambda lines: [*lines[:7], lines[7].replace("no", "yes", 1), *lines[8:]],
        lambda lines: lines[::-1],
        lambda lines: lines[:-2],
    ]
    for change in changes:
        data.write_text("".join(lines))
        bench.unfinished()
        data.write_text("".join(change(lines)))
        refused = bench.run()
        data.write_text("".join(lines))
        told = "have changed since" in refused.refusal
        yield bench.again() if told else f"it ends with {refused.told()}"

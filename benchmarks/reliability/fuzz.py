"""Mutated files and flags for every parser: `python -m benchmarks.reliability.fuzz --minutes=10 [PARSER ...]`.

Each input is a valid one that was changed at random, from a seed that is printed with what fails. A parser may take it,
or refuse it by a `UserError` of one line; all else, and more than `SECONDS` or `MEMORY`, is counted as a traceback.
"""

import contextlib
import gzip
import io
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from unittest.mock import Mock

import numpy as np
import pandas as pd
import safetensors.numpy
from absl import app, flags

from benchmarks.reliability.alarms import limited
from jaxnets import schema
from jaxnets.cli.flags import parse_text
from jaxnets.config.config import Config, fields
from jaxnets.config.record import from_json, to_json
from jaxnets.config.values import unparse
from jaxnets.data import encoding, files, text_files, vectors
from jaxnets.data.text_files import Columns
from jaxnets.data.texts import Tokenizer
from jaxnets.engine import store
from jaxnets.engine.keep import Record
from jaxnets.engine.segment import Outcome
from jaxnets.errors import UserError
from jaxnets.inference import model
from jaxnets.runs import directory as run_directory

SECONDS, MEMORY = 5, 2 << 30
WORDS = ("the", "film", "naïve", "so")
ROWS = [("good", "I like it, truly"), ("bad", 'so "dull"'), ("good", "the film"), ("bad", "naïve — fine")]
# What parsers trip over: signs of the formats, numbers at their bounds, characters that are none, sequences that act.
TOKENS = [
    *(b"\0", b"\n", b"\r", b"\t", b" ", b",", b'"', b"'", b"\\", b"{", b"}", b"[" * 3000, b"]", b":", b"=", b"x"),
    *(b"0", b"-1", b"-0", b"1e999", b"nan", b"inf", b"9" * 20, b"9" * 5000, b"2147483648", b"0x10", b"1_0", b"log:"),
    *(b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", "٣".encode(), b"\xe2\x80\xae"),
    *("ौ很".encode(), "\u200d👩🏽\u200b\u00ad".encode(), b"sep=;\n", b"\xff\xfe", b";"),
    *(b"\x1b[2J", b"\x1b]0;x\x07", b"[/x]", b"$x$", b"<script>", b"../../x", b"null", b"true", b"a" * 70_000),
]


class Parser(NamedTuple):
    """What is fuzzed.

    Attributes:
      seeds: valid inputs.
      name: of the file that an input becomes.
      read: reads the file.
      pack: from the mutated bytes to those of the file.
    """

    seeds: list[bytes]
    name: str
    read: Callable[[Path], object]
    pack: Callable[[bytes, random.Random], bytes] = lambda content, generator: content


class Counts(NamedTuple):
    """What came of the inputs of a parser."""

    inputs: int
    minutes: float
    tracebacks: int


def _texts(path: Path) -> None:
    """Reads texts up to their words, as `--dataset` does, by names and by numbers of columns."""
    for columns in (Columns("label", "text"), Columns("1", "2")):
        with contextlib.suppress(UserError):
            text_files.read(path, columns)
    encoding.tokenize(text_files.read(path, Columns()), Tokenizer())


def _vectors(path: Path) -> None:
    vectors.read(path, WORDS)


def _flags(path: Path) -> None:
    """Reads each line as the value of a flag, of every kind."""
    for line in path.read_bytes().decode("utf-8", "surrogateescape").splitlines():
        for kind in ("int", "float", "bool", "sizes", "text"):
            with contextlib.suppress(UserError):
                value = parse_text("flag", line, kind)
                unparse(value)


def _config(path: Path) -> None:
    content = run_directory.read_config_file(str(path))
    if "config" in content:
        from_json(content["config"])


def _archive(names: np.ndarray, vectors: np.ndarray, save: Callable = np.savez) -> bytes:
    content = io.BytesIO()
    save(content, words=names, vectors=vectors)
    return content.getvalue()


def _gzipped(content: bytes, generator: random.Random) -> bytes:
    """Packed; every other time what is packed is changed too."""
    packed = gzip.compress(content, mtime=0)
    return mutated(packed, generator) if generator.random() < 0.5 else packed


def _bomb(generator: random.Random) -> bytes:
    return generator.choice([b"a\t\n", b"the 1 ", b"1 ", b"\n", b"a\tx\nb\ty\n"]) * (1 << 22)


def _table(path: Path) -> None:
    schema.read_table(path, {"run": "whole", "dev_loss": "number", "status": "text"})


def _records(path: Path) -> None:
    """What a finished chunk of runs left; its program tells the records nothing that they hold themselves."""
    store.deserialize(path.read_bytes(), Mock())


def _part() -> bytes:
    metrics = Outcome(**{name: np.zeros((2, 1, 1) if name == "test_probabilities" else 2) for name in Outcome._fields})
    status = np.array([-1, 0], np.int32)
    params = {1: {"last": {"kernel": np.ones((2, 2), np.float32)}}}
    return store.serialize([Record(Mock(), np.arange(2), 0, 5, metrics, status, 10, 0, 0.1, params)])


def _parquet() -> bytes:
    content = io.BytesIO()
    runs = pd.DataFrame({"run": [0, 1], "dev_loss": [0.5, np.nan], "status": ["finished", "diverged"]})
    runs.to_parquet(content, index=False)
    return content.getvalue()


def _npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


_TSV = "".join(f"{label}\t{text}\n" for label, text in ROWS).encode()
_CSV = ("label,text\n" + "".join('{},"{}"\n'.format(a, b.replace('"', '""')) for a, b in ROWS)).encode()
_JSONL = "".join(json.dumps({"label": label, "text": text}) + "\n" for label, text in ROWS).encode()
_VEC = "".join(f"{word} {place} -0.5 1e-3\n" for place, word in enumerate(WORDS)).encode()
_ARRAYS = np.array(WORDS), np.ones((4, 3), np.float32)
_NPZ = [
    _archive(*_ARRAYS),
    _archive(*_ARRAYS, save=np.savez_compressed),
    _archive(_ARRAYS[0].astype(object), _ARRAYS[1]),
]
_VALUES = [unparse(field.default).encode() for field in fields() if field.default is not None]
_VALUES += [b"log:1e-4:1:9", b"lin:0:1:3", b"128x128,0", b"a,b,c", b"true", b"0.1"]
_CONFIGS = [
    json.dumps({"format": 3, "experiment": "train", "config": to_json(Config(learning_rate=[0.1, 1.0]))}).encode(),
]

PARSERS = {
    "tsv": Parser([_TSV], "a.tsv", _texts),
    "csv": Parser([_CSV], "a.csv", _texts),
    "jsonl": Parser([_JSONL], "a.jsonl", _texts),
    "tsv.gz": Parser([_TSV], "a.tsv.gz", _texts, _gzipped),
    "vec": Parser([_VEC, b"4 3\n" + _VEC, b". . 1 2 3\n" + _VEC], "a.vec", _vectors),
    "vec.gz": Parser([_VEC, b"4 3\n" + _VEC], "a.vec.gz", _vectors, _gzipped),
    "npz": Parser(_NPZ, "a.npz", _vectors),
    "flags": Parser([b"\n".join(_VALUES)], "flags", _flags),
    "config.json": Parser(_CONFIGS, "config.json", _config),
    "parquet": Parser([_parquet()], "runs.parquet", _table),
    "safetensors": Parser([safetensors.numpy.save({"a.b": np.ones((2, 3))})], "a.safetensors", model.read_export),
    "npy": Parser([_npy(np.ones((3, 2), np.uint8)), _npy(np.array(["good", "bad"]))], "a.npy", files.open_array),
    "part": Parser([_part()], "a.part", _records),
}


def mutated(content: bytes, generator: random.Random) -> bytes:
    """The content with one to eight changes."""
    changed = bytearray(content)
    for _ in range(generator.randint(1, 8)):
        begin = generator.randrange(len(changed) + 1)
        end = min(len(changed), begin + generator.choice([1, 2, 4, 16, 64]))
        match generator.randrange(8):
            case 0:
                changed[begin:begin] = generator.choice(TOKENS)
            case 1:
                changed[begin:end] = generator.choice(TOKENS)
            case 2:
                del changed[begin:end]
            case 3:
                del changed[begin:]
            case 4:
                changed[begin:begin] = changed[begin:end] * generator.choice([1, 2, 100])
            case 5:
                changed[begin:end] = generator.randbytes(end - begin)
            case _ if begin < len(changed):
                changed[begin] ^= 1 << generator.randrange(8)
    return bytes(changed)


def inputs(parser: Parser, seed: int) -> bytes:
    """The input of a seed."""
    generator = random.Random(seed)
    bomb = seed % 200 == 199 and parser.name.endswith(".gz")
    content = _bomb(generator) if bomb else mutated(generator.choice(parser.seeds), generator)
    return parser.pack(content, generator)


def failure(parser: Parser, content: bytes, folder: Path) -> str | None:
    """The traceback of an input; None if it is taken, or refused in one line."""
    path = folder / parser.name
    path.write_bytes(content)
    try:
        with limited(SECONDS, TimeoutError(f"more than {SECONDS} seconds")):
            parser.read(path)
    except UserError as error:
        return None if "\n" not in str(error) else f"an error of several lines: {error}"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return traceback.format_exc()
    return None


def fuzz(name: str, seconds: float, first: int = 0) -> Counts:
    """Puts inputs to a parser for some time; what fails is printed on the error stream with its seed."""
    begin, seed, tracebacks = time.monotonic(), first, 0
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() - begin < seconds:
            found = failure(PARSERS[name], inputs(PARSERS[name], seed), Path(folder))
            if found is not None:
                tracebacks += 1
                print(f"{name}, seed {seed}:\n{found}", file=sys.stderr)
            seed += 1
    return Counts(seed - first, (time.monotonic() - begin) / 60, tracebacks)


def main(argv: Sequence[str]) -> None:
    """Fuzzes the parsers that are named, or all of them, and prints the table."""
    names = argv[1:] or list(PARSERS)
    if unknown := [name for name in names if name not in PARSERS]:
        raise app.UsageError(f"there is no parser {unknown[0]}; there are {', '.join(PARSERS)}")
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    counts = {name: fuzz(name, 60 * MINUTES.value, SEED.value) for name in names}
    print("| parser | inputs | minutes | tracebacks |\n| --- | ---: | ---: | ---: |")
    for name, found in counts.items():
        print(f"| {name} | {found.inputs:,} | {found.minutes:.1f} | {found.tracebacks} |")
    sys.exit(int(any(found.tracebacks for found in counts.values())))


if __name__ == "__main__":
    MINUTES = flags.DEFINE_float("minutes", 1.0, "For each parser.")
    SEED = flags.DEFINE_integer("seed", 0, "Of the first input.")
    app.run(main)

"""Each file that is read back is changed at random: there is a clean result, or one line that says what is wrong."""

import contextlib
import copy
import json
import random
import shutil

import numpy as np
import pandas as pd
import pytest

import jaxnets
from jaxnets import io
from jaxnets.cli import flags
from jaxnets.comparison import table as comparison_table
from jaxnets.comparison.answer import answer
from jaxnets.errors import UserError
from jaxnets.experiments.train import EXPERIMENT as TRAIN
from jaxnets.inference import explain
from jaxnets.inference import model as models
from jaxnets.report import claims_page
from jaxnets.runs import directories
from tests.by_hand import may_be_changed
from tests.report.comparisons import ENVIRONMENT, make
from tests.report.made_up import finding

SWEEP = {"dataset": "ngrams", "num_sentences": 40, "model": "dan", "embedding_dim": 4, "hidden_units": 4}
SWEEP |= {"num_steps": 3, "batch_size": 0, "num_seeds": 2, "keep": "seeds", "predictions": True, "progress": False}
DEEP = json.loads("[" * 400 + "]" * 400)
JUNK = [None, True, -1, 0, 0.5, 2**31, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "x" * 5000, "../../x"]
JUNK += ["\ud800", "adam", "evil:it", "tfds:x", "[" * 50_000, "\x1b]0;x\n"]
JUNK += [[], [[]], {}, {"object": "x"}, {"tuple": [1]}, DEEP]
TEXTS = ["", "{", "[" * 50_000, "null", '"', "\x00", "[NaN]", '{"format": 1' + "0" * 5000 + "}", "é" * 9, "{}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A sweep, a comparison and a finding."""
    directory = tmp_path_factory.mktemp("runs")
    results = jaxnets.sweep(**SWEEP, output=directory / "sweep")
    models.save(directory / "sweep", results.model(0))
    (directory / "comparison").mkdir()
    comparison_table.write(directory / "comparison", make(trials=3, seeds=2, confirm=4, repeats=2)[0])
    io.write_json(directory / "comparison" / "environment.json", ENVIRONMENT)
    shutil.copy(directory / "sweep" / "config.json", may_be_changed(directory) / "comparison")
    io.write_json(directory / "comparison" / claims_page.FILE, finding("sums").as_json())
    return directory


def load(directory):
    results = jaxnets.load(directory)
    explain.explain(results.ensemble(), ["a good film"])


def told(directory):
    read = directories.read(directory)
    answer(read.comparison, read.margin)
    directories.differences([read, read])


READERS = {
    "sweep/config.json": [load, told, lambda path: flags.parse(TRAIN, [f"--config={path / 'config.json'}"])],
    "sweep/environment.json": [told],
    "sweep/models.json": [load],
    "sweep/checkpoint/model.json": [lambda path: explain.explain(models.load(path), ["a good film"])],
    "comparison/comparison.json": [lambda path: answer(comparison_table.read(path), 0.01)],
    "comparison/finding.json": [claims_page.read],
}


def mutated(content, draw):
    """JSON with one value taken away, put in, or put in the place of another."""
    holder, places = content, []
    while isinstance(holder, dict | list) and holder:
        key = draw.choice(list(holder)) if isinstance(holder, dict) else draw.randrange(len(holder))
        places.append((holder, key))
        holder = holder[key]
    holder, key = draw.choice(places)
    kind = draw.randrange(4)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[draw.choice([*"az", "self", "options", str(key)])] = copy.deepcopy(draw.choice(JUNK))
    else:
        holder[key] = copy.deepcopy(draw.choice([*JUNK, [holder[key]], {key: holder[key]}]))
    return content


def check(path, readers):
    """Reads a changed file: all but an error for the user would end the test."""
    for reader in readers:
        try:
            reader(path)
        except UserError as error:
            assert str(error).isprintable()  # noqa: PT017


def change(path, draw):
    """Changes a JSON file, as a text or as what it holds."""
    before = path.read_text()
    if draw.random() < 0.1:
        path.write_text(draw.choice([*TEXTS, before[: draw.randrange(len(before))]]))
        return
    content = json.loads(before)
    for _ in range(draw.randint(1, 2)):
        content = mutated(content, draw)
        if not content:
            break
    path.write_text(json.dumps(content))


@contextlib.contextmanager
def put_back(path):
    before = path.read_bytes()
    try:
        yield before
    finally:
        path.write_bytes(before)


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_a_file_changed_in_many_ways_is_read_or_told(name, folder):
    for seed in range(60):
        with put_back(folder / name):
            change(folder / name, random.Random(seed))
            check(folder / name.split("/")[0], READERS[name])


@pytest.mark.parametrize("name", READERS)
def test_as_they_are_they_can_be_read(name, folder):
    for reader in READERS[name]:
        reader(folder / name.split("/")[0])


TABLES = {
    "no rows": lambda table: table.iloc[:0],
    "no columns": lambda table: table[[]],
    "a column less": lambda table: table.drop(columns="run"),
    "texts for numbers": lambda table: table.assign(run="x"),
    "numbers for texts": lambda table: table.assign(**{name: 1.5 for name in table if name in ("status", "step")}),
    "lists": lambda table: table.assign(optimizer=[[1]] * len(table)),
    "times": lambda table: table.assign(dev_accuracy=pd.Timestamp("2020-01-01")),
    "infinite": lambda table: table.assign(**{name: np.inf for name in table if name.endswith(("loss", "accuracy"))}),
    "an index": lambda table: table.set_index("run"),
}


@pytest.mark.slow
@pytest.mark.parametrize("change", TABLES)
@pytest.mark.parametrize(
    "name", ["sweep/runs", "sweep/curves", "sweep/predictions", "comparison/runs", "comparison/curves"]
)
def test_a_changed_table_is_read_or_told(name, change, folder):
    path = folder / f"{name}.parquet"
    with put_back(path):
        TABLES[change](pd.read_parquet(path)).to_parquet(path)
        check(path.parent, [told, load] if "sweep" in name else [told])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["sweep/runs.parquet", "sweep/parameters.safetensors", "sweep/checkpoint/parameters.safetensors"]
)
def test_a_damaged_file_is_read_or_told(name, folder):
    path = folder / name
    with put_back(path) as before:
        for seed in range(50):
            draw = random.Random(seed)
            content = bytearray(before[: draw.randrange(len(before))] if seed % 3 == 0 else before)
            for _ in range(draw.randint(1, 4)):
                if content:
                    content[draw.randrange(min(len(content), draw.choice([64, 10**9])))] = draw.randrange(256)
            path.write_bytes(bytes(content))
            check(folder / "sweep", [models.load] if "checkpoint" in name else [load, told])

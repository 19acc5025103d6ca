"""What is read back has the declared shape, and no more than its bytes can hold."""

import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from jaxnets import io, schema
from jaxnets.errors import UserError

SHAPE = {"form": (1, 2), "name": str, "size?": (None, int), "parts?": [{"share": float}], "more?": {...: bool}}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('{"form": 3}', "it has the form 3; this version reads 1 and 2"),
        ('{"form": 1}', "it lacks 'name'"),
        ('{"form": true, "name": ""}', "it has the form true; this version reads 1 and 2"),
        ('{"form": 1, "name": null}', "name must be a text, not null"),
        ('{"form": 1, "name": "", "size": 1.5}', "size must be null or a whole number, not 1.5"),
        ('{"form": 1, "name": "", "size": true}', "size must be null or a whole number, not true"),
        ('{"form": 1, "name": "", "size": 9223372036854775808}', "size must be null or a whole number, not 9223"),
        ('{"form": 1, "name": "", "parts": [{"share": 1}, {"share": "x"}]}', "parts[1].share must be a number"),
        ('{"form": 1, "name": "", "parts": [{"share": 1e999}]}', "parts[0].share must be a number, not inf"),
        ('{"form": 1, "name": "", "parts": [{"share": NaN}]}', "it is not JSON: NaN is not a number"),
        ('{"form": 1, "name": "", "more": {"a": 1}}', "more.a must be true or false, not 1"),
        ('{"form": 1, "name": "", "siz": 1}', "it has 'siz', which is not known. Did you mean 'size'?"),
        ('{"form": 1, "name": "\\ud800"}', "half a character"),
        ("[" * 50_000, "it is not JSON"),
        ("[" * 100 + "]" * 100, "nested in more than 60 levels"),
        ("1" * 5000, "it is not JSON"),
        ("\x00", "it is not JSON"),
    ],
)
def test_another_shape_is_one_line(content, problem, tmp_path):
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(UserError) as error:
        schema.read_json(path, SHAPE)
    assert str(error.value).startswith(f"{path}: cannot be read: ")
    assert problem in str(error.value)
    assert str(error.value).isprintable()


def test_what_is_no_file_of_a_sensible_size_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="it is not a file"):
        schema.read_json(tmp_path / "pipe", SHAPE)
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(schema.MOST_BYTES + 1)
    with pytest.raises(UserError, match="are more than the 268,435,456"):
        schema.read_json(tmp_path / "large", SHAPE)
    (tmp_path / "bytes").write_bytes(b'"\xff"')
    with pytest.raises(UserError, match="can't decode"):
        schema.read_json(tmp_path / "bytes", SHAPE)
    with pytest.raises(FileNotFoundError):
        schema.read_json(tmp_path / "none", SHAPE)


def test_the_shape_is_read(tmp_path):
    content = {"form": 2, "name": "é", "size": None, "parts": [{"share": 1}], "more": {"a": True}}
    (tmp_path / "file.json").write_text(json.dumps(content))
    assert schema.read_json(tmp_path / "file.json", SHAPE) == content


def test_a_table_that_claims_more_than_its_bytes_is_not_read(tmp_path, monkeypatch):
    rows = 2_000_000
    table = pa.table({f"c{number}": pa.array(np.zeros(rows, np.int8)) for number in range(10)})
    parquet.write_table(table, tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000
    monkeypatch.setattr(pd, "read_parquet", None)  # it would be noticed
    with pytest.raises(UserError, match="it claims 2,000,000 rows of 10 columns"):
        schema.read_table(tmp_path / "bomb.parquet", {})


def test_a_column_is_of_its_kind(tmp_path):
    path = io.write_table(tmp_path / "a.parquet", pd.DataFrame({"run": [0, 1], "name": "x", "loss": [0.5, None]}))
    assert len(schema.read_table(path, {"run": "whole", "name": "text", "loss": "number"})) == 2
    for columns, problem in (
        ({"seed": "whole"}, "there is no column 'seed'"),
        ({"loss": "whole"}, "the column 'loss' must hold whole numbers"),
        ({"name": "number"}, "the column 'name' must hold numbers"),
        ({"run": "text"}, "the column 'run' must hold texts"),
    ):
        with pytest.raises(UserError, match=problem):
            schema.read_table(path, columns)


def test_a_temporary_file_is_not_written_through_a_link(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / f".a.json.{os.getpid()}.tmp").symlink_to(tmp_path / "mine")
    io.write_json(tmp_path / "a.json", {})
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "a.json").read_text() == "{}\n"

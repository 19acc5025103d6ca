"""Texts that stay on disk are the data set that they are in memory, word for word."""

import numpy as np
import pytest

from jaxnets.data import mapped, text_files
from jaxnets.data.dataset import fingerprint
from jaxnets.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    generator = np.random.default_rng(0)
    (tmp_path / "set").mkdir()
    for split, size in (("train", 120), ("test", 30)):
        rows = [" ".join(generator.choice(list("abcdefgh"), generator.integers(0, 9))) for _ in range(size)]
        lines = [f"{'xy'[number % 2]}\t{row}\n" for number, row in enumerate(rows)]
        (tmp_path / "set" / f"{split}.tsv").write_text("".join(lines))
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("name", "options"),
    [("", {}), ("", {"min_count": 40, "length_percentile": 70.0}), ("train.tsv", {"folds": 1, "max_vocabulary": 5})],
)
def test_it_is_the_data_set_of_memory(folder, name, options):
    (resident,) = text_files.load(folder / name, **options)
    (streamed,) = text_files.load(folder / name, **options, stream_above=0)
    assert mapped.is_mapped(streamed.train.inputs.words)
    assert not mapped.is_mapped(streamed.test.inputs.words)
    assert fingerprint([resident]) == fingerprint([streamed])
    for about in ("name", "class_names", "vocabulary", "tokenizer"):
        assert getattr(resident, about) == getattr(streamed, about)
    assert "Whether texts occur more than once was not looked at: those of training stay on disk." in streamed.notes


def test_it_is_read_once_and_made_again_where_the_cache_is_damaged(folder, tmp_path, monkeypatch):
    first = fingerprint(text_files.load(folder, stream_above=0))
    (words,) = (tmp_path / "cache").rglob("words.npy")
    read = []
    rows_of = text_files.text_streams.rows_of
    monkeypatch.setattr(
        text_files.text_streams, "rows_of", lambda path, columns: read.append(path) or rows_of(path, columns)
    )
    assert fingerprint(text_files.load(folder, stream_above=0)) == first
    assert not read
    words.write_bytes(words.read_bytes()[:-1] + b"!")
    assert fingerprint(text_files.load(folder, stream_above=0)) == first
    assert len(read) == 2


def test_small_and_cross_validated_sets_stay_in_memory(folder):
    (small,) = text_files.load(folder, stream_above=1 << 20)
    assert not mapped.is_mapped(small.train.inputs.words)
    assert len(text_files.load(folder / "train.tsv", folds=3, stream_above=0)) == 3


def test_mistakes_are_told_with_their_line(folder):
    (folder / "test.tsv").write_text("x\tgood\nz\tbad\n")
    with pytest.raises(UserError, match=r"test.tsv, line 2: the label 'z' is not one of the training set's \(x, y\)"):
        text_files.load(folder, stream_above=0)
    assert not list((folder.parent / "cache").rglob("raw"))

import numpy as np
import pytest

from benchmarks import texts, workloads


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    generator = np.random.default_rng(0)
    for split, size in (("train", 400), ("test", 100)):
        rows = [f"{k % 2}\t{' '.join(generator.choice(list('abcdef'), 6))} {'xy'[k % 2]}\n" for k in range(size)]
        (tmp_path / f"{split}.tsv").write_text("".join(rows))
    return str(tmp_path)


def test_reviews_have_the_lengths_of_the_real_ones():
    words, lengths, labels = workloads.review_stream()
    assert abs(lengths.mean() - 21.0) < 0.5
    assert abs(np.percentile(lengths, 95) - 38) < 1.5
    assert lengths.max() == 59
    assert len(words) == lengths.sum()
    assert words.max() < workloads.REVIEW_VOCABULARY
    assert len(labels) == 10_662


def test_loading_is_measured(folder):
    first, second = texts.loading_rows(folder)
    assert first["texts"] == second["texts"] == 500
    assert first["seconds"] > 0
    assert 0.01 < second["peak_gb"] < 1


def test_the_sweep_reaches_the_goal_and_fasttext_too(folder):
    pytest.importorskip("fasttext")
    rows = list(texts.accuracy_rows(folder, 0.3, 2, 2))
    assert [row["system"] for row in rows] == ["fasttext", "jaxnets"]
    assert rows[1]["accuracy"] >= 0.3
    assert [row["epochs"] for row in rows] == [1, 1]


@pytest.mark.slow
def test_the_sweep_is_measured(folder):
    seconds, accuracy = texts._sweep(folder, 12, 2)
    assert seconds > 0
    assert accuracy > 0.9

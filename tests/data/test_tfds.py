"""Sets of TFDS: what is prepared is read, without TensorFlow; what is not, is told in one line."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from jaxnets import data
from jaxnets.data.tfds import read
from jaxnets.errors import UserError

pytest.importorskip("importlib_resources")
pytest.importorskip("array_record")
tfds = pytest.importorskip("tensorflow_datasets")

GENERATOR = np.random.default_rng(0)
KINDS = tfds.features.ClassLabel(names=["a", "b"])
TEXTS = [{"text": f"a film {row % 7} café".encode(), "label": row % 2} for row in range(40)]
IMAGES = [{"image": GENERATOR.integers(0, 256, (4, 3, 1), np.uint8), "label": row % 2} for row in range(40)]


class Source(list):
    def __getitems__(self, rows):
        return [self[row] for row in rows]


@pytest.fixture
def prepared(monkeypatch):
    """Lets TFDS find a prepared set of these splits."""

    def put(splits, formats=("array_record",), **features):
        described = tfds.features.FeaturesDict({"label": KINDS, **features})
        info = SimpleNamespace(
            features=described,
            supervised_keys=None,
            splits={name: SimpleNamespace(num_examples=len(rows)) for name, rows in splits.items()},
            file_format=SimpleNamespace(value=formats[0]),
            available_file_formats=lambda: [SimpleNamespace(value=one) for one in formats],
        )
        source = lambda split, file_format: Source(splits[split])  # noqa: E731
        builder = SimpleNamespace(info=info, data_dir="here", as_data_source=source)
        monkeypatch.setattr(tfds.core.read_only_builder, "builder_from_files", lambda name, data_dir: builder)

    return put


def error_of(*arguments):
    with pytest.raises(UserError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_texts_and_their_splits(prepared):
    prepared({"train": TEXTS, "validation": TEXTS[:9], "extra": TEXTS}, text=tfds.features.Text())
    raw = read("reviews")
    assert (raw.name, raw.class_names, list(raw.splits)) == ("tfds:reviews", ("a", "b"), ["train", "dev"])
    assert raw.splits["train"].inputs == [row["text"].decode() for row in TEXTS]
    assert data.load("tfds:reviews", folds=1, min_count=2).vocabulary[2:4] == ("a", "film")


def test_images_are_rows_from_0_to_1(prepared):
    prepared({"train": IMAGES, "test": IMAGES[:9]}, image=tfds.features.Image(shape=(4, 3, 1)))
    raw = read("pictures")
    expected = np.stack([row["image"].reshape(-1) / 255 for row in IMAGES]).astype(np.float32)
    np.testing.assert_array_equal(raw.splits["train"].inputs, expected, strict=True)
    dataset = data.load("tfds:pictures")
    assert (len(dataset.train), len(dataset.dev), len(dataset.test)) == (36, 4, 9)
    assert np.abs(dataset.train.inputs.mean(axis=0)).max() < 1e-5  # standardized
    assert "tensorflow" not in sys.modules


def test_mistakes_are_one_line(prepared, tmp_path):
    assert "no 'tfds:mnist' is prepared in" in error_of("mnist", str(tmp_path))
    text = tfds.features.Text()
    prepared({"test": TEXTS}, text=text)
    assert "it has no train split (its splits: test)" in error_of("x")
    prepared({"train": TEXTS}, ("tfrecord",), text=text)
    assert "here holds tfrecord files, not array_record" in error_of("x")
    prepared({"train": TEXTS}, text=text, title=text)
    assert "text_feature: several features are a text or an 8-bit image" in error_of("x")
    assert "text_feature: 'tex' is not known. Did you mean 'text'" in error_of("x", "", "tex")
    prepared({"train": TEXTS})
    assert "none of its features is a text or an 8-bit image" in error_of("x")
    prepared({"train": [*TEXTS, {"text": None, "label": 0}]}, text=text)
    assert "1 of 41 records are incomplete" in error_of("x")
    prepared({"train": [*TEXTS, {"text": b"\xe9", "label": 0}]}, text=text)
    assert "a text is not in UTF-8" in error_of("x")
    prepared({"train": [*TEXTS, {"text": b"a", "label": -1}]}, text=text)
    assert "1 of 41 examples of split 'train' have no label" in error_of("x")

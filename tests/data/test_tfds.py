import io
import logging
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from jaxnets import data
from jaxnets.data.no_tensorflow import SUPPORTED, without_tensorflow
from jaxnets.data.tfds import read
from jaxnets.data.tfds_downloads import adjusted_downloads
from jaxnets.errors import UserError

pytest.importorskip("importlib_resources")
pytest.importorskip("array_record")
tfds = pytest.importorskip("tensorflow_datasets")
checksums = pytest.importorskip("tensorflow_datasets.core.download.checksums")
requests = pytest.importorskip("requests")
downloader = pytest.importorskip("tensorflow_datasets.core.download.downloader")

ARCHIVE = "aclImdb_v1.tar.gz"
WORDS = ("a", "fine", "film", "<br />", "café", "“so-so”", "\t", "naïve", "12", "&amp;", "電影", "line\nbreak")
REPOSITORY = Path(__file__).parents[2]

URL = f"http://ai.stanford.edu/~amaas/data/sentiment/{ARCHIVE}"


def _reviews(seed: int, count: int) -> dict[str, str]:
    """Generated reviews by their path in the archive."""
    random = np.random.default_rng(seed)
    folders = ("train/pos", "train/neg", "train/unsup", "test/pos", "test/neg")
    return {
        f"aclImdb/{folder}/{number}_{random.integers(1, 11)}.txt": f"{number} " + " ".join(random.choice(WORDS, 8))
        for folder in folders
        for number in range(count)
    }


REVIEWS = _reviews(seed=0, count=60)


def _expected(split: str) -> list[tuple[str, int]]:
    labels = {f"aclImdb/{split}/neg": 0, f"aclImdb/{split}/pos": 1}
    rows = [(text.strip(), labels.get(path.rpartition("/")[0])) for path, text in REVIEWS.items()]
    return sorted(row for row in rows if row[1] is not None)


def _put_archive(data_dir: Path) -> Path:
    """An archive in the original's form, where TFDS looks for downloads made by hand."""
    path = data_dir / "downloads" / "manual" / ARCHIVE
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, text in REVIEWS.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def prepare_reviews(data_dir: Path) -> None:
    """Runs TFDS's own builder; only the checksum is replaced, as these reviews are not the original ones."""
    archive = _put_archive(data_dir)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfds.builder_cls("imdb_reviews"), "url_infos", {URL: checksums.compute_url_info(archive)})
        read("imdb_reviews", str(data_dir))


@pytest.fixture(scope="module")
def reviews_dir(tmp_path_factory):
    """Reviews that TFDS's own builder prepared."""
    data_dir = tmp_path_factory.mktemp("reviews")
    prepare_reviews(data_dir)
    return data_dir


@pytest.fixture
def damaged_dir(reviews_dir, tmp_path):
    """A copy of the prepared reviews; and the folder in it that holds the files."""
    shutil.copytree(reviews_dir / "imdb_reviews", tmp_path / "imdb_reviews")
    return tmp_path, tmp_path / "imdb_reviews" / "plain_text" / "1.0.0"


def _define(name: str, features: dict, splits: dict[str, list[dict]], supervised_keys=None, **others) -> None:
    """Registers a set of these examples with TFDS, which `read` then prepares as it does TFDS's own."""

    def info(self):
        described = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=described, supervised_keys=supervised_keys)

    members = {
        "__module__": __name__,
        "VERSION": tfds.core.Version("1.0.0"),
        "_info": info,
        "_split_generators": lambda self, manager: {split: self._generate_examples(split) for split in splits},
        "_generate_examples": lambda self, split: enumerate(splits[split]),
        **others,
    }
    type(name.title().replace("_", ""), (tfds.core.GeneratorBasedBuilder,), members)


def _label(*names: str):
    return tfds.features.ClassLabel(names=list(names))


def _error(*arguments: str) -> str:
    with pytest.raises(UserError) as caught:
        read(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_reviews_of_the_original_builder(reviews_dir):
    raw = read("imdb_reviews", str(reviews_dir))
    assert raw.name == "tfds:imdb_reviews"
    assert raw.class_names == ("neg", "pos")
    assert list(raw.splits) == ["train", "test"]
    for split, result in raw.splits.items():
        assert isinstance(result.inputs, list)
        assert result.labels.dtype == np.int32
        assert sorted(zip(result.inputs, result.labels.tolist(), strict=True)) == _expected(split)


def test_configuration_and_version_in_the_name(reviews_dir):
    expected = read("imdb_reviews", str(reviews_dir)).splits["train"].inputs
    assert read("imdb_reviews/plain_text:1.0.0", str(reviews_dir)).splits["train"].inputs == expected


@pytest.mark.parametrize(("name", "channels"), [("grey_images", 1), ("color_images", 3), ("clear_images", 4)])
def test_images(tmp_path, name, channels):
    random = np.random.default_rng(channels)
    sizes = {"train": 30, "valid": 9, "test": 11}
    splits = {
        split: [
            {"picture": random.integers(0, 256, (12, 8, channels), np.uint8), "kind": int(random.integers(3))}
            for _ in range(size)
        ]
        for split, size in sizes.items()
    }
    picture = tfds.features.Image(shape=(12, 8, channels), encoding_format="png")
    _define(name, {"picture": picture, "kind": _label("a", "b", "c")}, splits)
    raw = read(name, str(tmp_path))
    assert raw.class_names == ("a", "b", "c")
    assert list(raw.splits) == ["train", "dev", "test"]
    for split, result in zip(splits, raw.splits.values(), strict=True):
        assert result.inputs.dtype == np.float32
        expected = {(example["picture"].tobytes(), example["kind"]) for example in splits[split]}
        bytes_ = np.round(result.inputs * np.float64(255)).astype(np.uint8)
        np.testing.assert_allclose(result.inputs, bytes_ / 255, rtol=1e-6)
        assert len(result) == sizes[split]
        assert {(row.tobytes(), label) for row, label in zip(bytes_, result.labels.tolist(), strict=True)} == expected


def test_images_stored_as_jpeg(tmp_path):
    grey = tfds.features.Image(shape=(8, 8, 3), encoding_format="jpeg")
    train = [{"image": np.full((8, 8, 3), 60 * label, np.uint8), "label": label} for label in (0, 1, 2, 1)]
    _define("jpeg_images", {"image": grey, "label": _label("a", "b", "c")}, {"train": train})
    result = read("jpeg_images", str(tmp_path)).splits["train"]
    expected = np.repeat(result.labels[:, None] * 60 / 255, 192, axis=1)
    np.testing.assert_allclose(result.inputs, expected, atol=0.01)
    assert sorted(result.labels) == [0, 1, 1, 2]


def test_images_of_several_sizes(tmp_path):
    train = [{"image": np.zeros((2, width, 1), np.uint8), "label": 0} for width in (3, 4)]
    image = tfds.features.Image(shape=(None, None, 1))
    _define("uneven_images", {"image": image, "label": _label("a")}, {"train": train})
    assert "images of 2 sizes, such as (2, 3, 1) and (2, 4, 1)" in _error("uneven_images", str(tmp_path))
    _define("uneven_splits", {"image": image, "label": _label("a")}, {"train": train[:1], "test": train[1:]})
    assert "the images of its splits differ in size" in _error("uneven_splits", str(tmp_path))


@pytest.fixture(scope="module")
def letters_dir(tmp_path_factory):
    """A set with two texts and two labels, none of them declared; and one that declares a pair."""
    data_dir = tmp_path_factory.mktemp("letters")
    text = tfds.features.Text()
    features = {
        "title": text,
        "body": text,
        "coarse": _label("x", "y"),
        "fine": _label("p", "q", "r"),
        "size": np.int64,
    }
    example = {"title": "T", "body": "B", "coarse": "y", "fine": "r", "size": 3}
    splits = {"train": [example], "dev": [example], "extra": [example]}
    _define("letters", features, splits)
    _define("declared_letters", features, splits, supervised_keys=("body", "fine"))
    for name in ("letters", "declared_letters"):
        read(name, str(data_dir), "title", "coarse")
    return str(data_dir)


def test_features_by_flag_and_as_declared(letters_dir):
    raw = read("letters", letters_dir, "title", "coarse")
    assert (raw.splits["train"].inputs, raw.splits["train"].labels.tolist(), raw.class_names) == (
        ["T"],
        [1],
        ("x", "y"),
    )
    assert (raw.splits["dev"].inputs, "test" in raw.splits) == (["T"], False)
    declared = read("declared_letters", letters_dir)
    assert (declared.splits["train"].inputs, declared.splits["train"].labels.tolist()) == (["B"], [2])
    assert read("declared_letters", letters_dir, "title").splits["train"].inputs == ["T"]


def test_ambiguous_and_unknown_features(letters_dir):
    assert "text_feature: several features" in _error("letters", letters_dir, "", "fine")
    assert "label_feature: several features" in _error("letters", letters_dir, "body")
    assert "name one of coarse, fine" in _error("letters", letters_dir, "body")
    assert "text_feature: 'bodi' is not known. Did you mean 'body'?" in _error("letters", letters_dir, "bodi", "fine")
    assert "label_feature: 'size' is not known." in _error("letters", letters_dir, "body", "size")


@pytest.mark.parametrize(
    ("name", "features", "example", "message"),
    [
        (
            "no_label",
            {"text": "text", "size": "number"},
            {"text": "", "size": 1},
            "none of its features is a ClassLabel",
        ),
        ("no_input", {"size": "number", "label": "label"}, {"size": 1, "label": 0}, "is a text or an 8-bit image"),
        (
            "unlabelled",
            {"text": "text", "label": "label"},
            {"text": "", "label": -1},
            "1 of 1 examples of split 'train'",
        ),
        ("latin_text", {"text": "text", "label": "label"}, {"text": b"caf\xe9", "label": 0}, "is not in UTF-8"),
    ],
)
def test_sets_that_do_not_fit(tmp_path, name, features, example, message):
    kinds = {"text": tfds.features.Text(), "label": _label("a", "b"), "number": np.int64}
    _define(name, {feature: kinds[kind] for feature, kind in features.items()}, {"train": [example]})
    assert message in _error(name, str(tmp_path))


def test_no_train_split(tmp_path):
    features = {"text": tfds.features.Text(), "label": _label("a")}
    _define("only_test", features, {"test": [{"text": "t", "label": 0}]})
    assert "it has no train split (its splits: test)" in _error("only_test", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imdb_review", "Did you mean 'tfds:imdb_reviews'?"),
        ("imdb_reviews/plain_texts", "'plain_texts' is not known. Did you mean 'plain_text'?"),
        ("imdb_reviews:9.0.0", "cannot be loaded at version 9.0.0"),
        ("imdb reviews/", "not a name of the form"),
        ("huggingface:imdb", "only data sets of TFDS itself"),
        ("imdb_reviews/plain_text/x=1", "only data sets of TFDS itself"),
    ],
)
def test_unknown_names(tmp_path, name, message):
    assert message in _error(name, str(tmp_path))


def _refuse(*arguments, **keywords):
    raise requests.exceptions.ConnectionError("no network")


@pytest.mark.parametrize("name", ["imdb_reviews", "trec", "mnist"])
def test_no_network(tmp_path, monkeypatch, name):
    monkeypatch.setattr(requests.Session, "get", _refuse)
    error = _error(name, str(tmp_path))
    assert f"copy its folder {name}/ into {tmp_path}" in error
    assert f"or put into {tmp_path / 'downloads' / 'manual'}" in error
    file = {"imdb_reviews": ARCHIVE, "trec": "train_5500.label", "mnist": "t10k-labels-idx1-ubyte.gz"}[name]
    assert f"(as {file})" in error


def test_download_by_hand_under_the_name_that_the_error_gives(tmp_path, monkeypatch):
    """TREC's checksums have no file names; the files are named after the URLs instead."""
    manual = tmp_path / "downloads" / "manual"
    manual.mkdir(parents=True)
    questions = ["DESC:manner How did serfdom develop ?", "ENTY:cremat What films featured Popeye ?"]
    for file in ("train_5500.label", "TREC_10.label"):
        (manual / file).write_bytes("\n".join(questions).encode("latin-1") + b"\n")
    monkeypatch.setattr(requests.Session, "get", _refuse)
    infos = {url: checksums.compute_url_info(manual / Path(url).name) for url in tfds.builder_cls("trec").url_infos}
    for info in infos.values():
        info.filename = None
    monkeypatch.setattr(tfds.builder_cls("trec"), "url_infos", infos)
    raw = read("trec", str(tmp_path), label_feature="label-coarse")
    assert sorted(raw.splits["train"].inputs) == ["How did serfdom develop ?", "What films featured Popeye ?"]
    assert [raw.class_names[label] for label in sorted(raw.splits["test"].labels)] == ["DESC", "ENTY"]


def test_damaged_download(tmp_path):
    _put_archive(tmp_path)
    error = _error("imdb_reviews", str(tmp_path))
    assert "a download is damaged or has changed" in error
    assert ARCHIVE in error


def _needs_tensorflow(self, manager):
    from tensorflow_datasets.core.utils.lazy_imports_utils import tensorflow

    return {"train": tensorflow.data.TFRecordDataset("file")}


def _needs_a_file(self, manager):
    return {"train": Path("nowhere").read_text()}


@pytest.mark.parametrize(
    ("name", "generators", "message"),
    [
        ("with_tensorflow", _needs_tensorflow, "run `tfds build --file_format=array_record with_tensorflow`"),
        ("with_a_file", _needs_a_file, "FileNotFoundError: [Errno 2] No such file or directory: 'nowhere'"),
    ],
)
def test_builders_that_fail(tmp_path, name, generators, message):
    _define(name, {"text": tfds.features.Text(), "label": _label("a")}, {}, _split_generators=generators)
    assert message in _error(name, str(tmp_path))


def _cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("size", [0, 1000, 65536, -1, -70000])
def test_truncated_records(damaged_dir, size):
    data_dir, folder = damaged_dir
    (file,) = folder.glob("*-test.array_record*")
    _cut(file, size)
    error = _error("imdb_reviews", str(data_dir))
    assert "split 'test' cannot be read" in error
    assert f"remove {folder}" in error


def test_flipped_bits_in_records(damaged_dir):
    data_dir, folder = damaged_dir
    (file,) = folder.glob("*-train.array_record*")
    content = bytearray(file.read_bytes())
    content[500] ^= 1
    file.write_bytes(content)
    assert "split 'train' cannot be read" in _error("imdb_reviews", str(data_dir))


def test_missing_records(damaged_dir):
    data_dir, folder = damaged_dir
    next(folder.glob("*-train.array_record*")).unlink()
    assert "split 'train' cannot be read" in _error("imdb_reviews", str(data_dir))


def test_damaged_description(damaged_dir):
    data_dir, folder = damaged_dir
    _cut(folder / "dataset_info.json", 100)
    assert "cannot be read" in _error("imdb_reviews", str(data_dir))


def test_records_of_another_format(damaged_dir):
    data_dir, folder = damaged_dir
    file = folder / "dataset_info.json"
    file.write_text(file.read_text().replace("array_record", "tfrecord"))
    assert f"{folder} holds tfrecord files" in _error("imdb_reviews", str(data_dir))


@pytest.mark.parametrize("module", ["tensorflow_datasets", "array_record.python.array_record_data_source"])
def test_packages_not_installed(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    error = _error("imdb_reviews", str(tmp_path))
    assert "pip install tensorflow-datasets array_record" in error


SCRIPT = """
import sys
from pathlib import Path
import jaxnets.data.tfds
assert "tensorflow_datasets" not in sys.modules
import test_tfds
test_tfds.prepare_reviews(Path(sys.argv[1]))
assert len(jaxnets.data.tfds.read("imdb_reviews", sys.argv[1]).splits["train"]) == 120
assert "tensorflow" not in sys.modules
"""


def test_tensorflow_is_never_imported(tmp_path):
    package = tmp_path / "packages" / "tensorflow"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('TensorFlow was imported')")
    folders = [package.parent, REPOSITORY, Path(__file__).parent, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "data")]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_stand_in_goes_when_the_work_is_done(reviews_dir):
    read("imdb_reviews", str(reviews_dir))
    with pytest.raises(ImportError, match="tensorflow"):
        tfds.core.utils.lazy_imports_utils.tensorflow.io  # noqa: B018


def test_a_set_of_texts_becomes_folds_by_its_name(reviews_dir):
    dataset = data.load("tfds:imdb_reviews", data_dir=str(reviews_dir))
    assert dataset.class_names == ("neg", "pos")
    assert [len(split) for split in (dataset.train, dataset.dev, dataset.test)] == [108, 12, 120]
    assert {"film", "café", "電", "影"} <= set(dataset.vocabulary)
    assert "<br" not in dataset.vocabulary


def test_another_version_of_tfds_is_reported(monkeypatch):
    lazy = SimpleNamespace(tensorflow=SimpleNamespace(io=None))
    changed = SimpleNamespace(core=SimpleNamespace(utils=SimpleNamespace(lazy_imports_utils=lazy)))
    for library in (changed, SimpleNamespace(core=None)):
        with pytest.raises(UserError, match="does not work with tensorflow-datasets 4"), without_tensorflow(library):
            pass
    assert not hasattr(lazy.tensorflow, "_module")
    monkeypatch.delattr(downloader, "MAX_RETRIES")
    builder = SimpleNamespace(url_infos={})
    with pytest.raises(UserError, match="install 'tensorflow-datasets>=4"), adjusted_downloads(builder):
        pass


def test_downloads_are_adjusted_for_a_while():
    named, unnamed = SimpleNamespace(filename="given.zip"), SimpleNamespace(filename=None)
    builder = SimpleNamespace(url_infos={"http://a.org/x.zip": named, "http://a.org/b/y.tar?v=1": unnamed})
    before = downloader.MAX_RETRIES
    logger = logging.getLogger("urllib3.connectionpool")
    with adjusted_downloads(builder):
        assert before > downloader.MAX_RETRIES
        assert logger.disabled
    assert (downloader.MAX_RETRIES, logger.disabled) == (before, False)
    assert (named.filename, unnamed.filename) == ("given.zip", "y.tar")


def test_the_supported_versions_are_those_of_the_project():
    assert f"tensorflow-datasets{SUPPORTED}" in (REPOSITORY / "pyproject.toml").read_text()

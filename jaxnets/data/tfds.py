"""Classification sets of TensorFlow Datasets (TFDS) that are prepared as array_record files, read as NumPy arrays."""

import contextlib
import importlib
import os
import sys
from typing import Any

import numpy as np

from jaxnets.data.dataset import Dataset, Split
from jaxnets.data.encoding import Encoding, RawDataset, assemble, keywords
from jaxnets.data.splits import Splitting
from jaxnets.errors import UserError, unknown

PREFIX = "tfds:"
DEV_NAMES = ("validation", "dev", "valid")


@keywords(splitting=Splitting(), encoding=Encoding())
def load(
    name: str,
    data_dir: str = "",
    text_feature: str = "",
    label_feature: str = "",
    *,
    splitting: Splitting,
    encoding: Encoding,
) -> tuple[Dataset, ...]:
    """A classification set of TFDS, of texts or of images."""
    return assemble(read(name, data_dir, text_feature, label_feature), splitting, encoding, standardize=True)


def read(name: str, data_dir: str = "", text_feature: str = "", label_feature: str = "") -> RawDataset:
    """A classification set of TFDS with one text or image and one class label for each example.

    It is read from `data_dir`, where TFDS prepared it as array_record files; TensorFlow is not needed for that. Texts
    are decoded from UTF-8. Images, all of one size, become rows of `height * width * channels` features between 0 and
    1. `train` is the train split, `validation`, `dev` or `valid` the dev split, `test` the test split; the others are
    left out.
    Source: https://www.tensorflow.org/datasets.
    """
    what = f"tfds:{name}"
    try:
        for module in ("importlib_resources", "array_record.python.array_record_data_source"):
            importlib.import_module(module)
        tfds: Any = importlib.import_module("tensorflow_datasets")  # takes most of a second
    except ImportError as error:
        install = "pip install tensorflow-datasets array_record importlib_resources"
        raise UserError(
            f"dataset: 'tfds:' needs a package that is not installed ({_line(error)}): {install}."
        ) from None
    with contextlib.redirect_stdout(sys.stderr):
        builder = _prepared(tfds, name, data_dir)
        features = _features(tfds, what, builder.info, text_feature, label_feature)
        names = _split_names(what, builder.info)
        splits = {ours: _read_split(tfds, what, builder, theirs, features) for ours, theirs in names.items()}
    if len({split.inputs.shape[1:] for split in splits.values() if isinstance(split.inputs, np.ndarray)}) > 1:
        raise UserError(f"{what}: the images of its splits differ in size; all have to be of one size.")
    return RawDataset(what, tuple(builder.info.features[features[1]].names), splits)


def _prepared(tfds: Any, name: str, data_dir: str) -> Any:
    """The builder of data that are prepared in `data_dir`, or in TFDS's own folder."""
    folder = data_dir or os.fspath(tfds.core.constants.DATA_DIR)
    try:
        builder = tfds.core.read_only_builder.builder_from_files(name, data_dir=data_dir or None)
    except tfds.core.registered.DatasetNotFoundError:
        raise UserError(
            f"dataset: no 'tfds:{name}' is prepared in {folder}; where TensorFlow is, run `tfds build "
            f"--file_format=array_record {name}`, and copy its folder there."
        ) from None
    except Exception as error:  # TFDS raises whatever it likes
        raise UserError(f"dataset: 'tfds:{name}' cannot be read from {folder}: {_line(error)}.") from error
    if "array_record" not in {kind.value for kind in builder.info.available_file_formats()}:
        kind = builder.info.file_format.value
        raise UserError(f"tfds:{name}: {builder.data_dir} holds {kind} files, not array_record; give another data_dir.")
    return builder


def _features(tfds: Any, what: str, info: Any, text_feature: str, label_feature: str) -> tuple[str, str]:
    """The names of the input feature and of the label."""
    if not isinstance(info.features, tfds.features.FeaturesDict):
        raise UserError(f"{what}: its examples have no named features; an input and a ClassLabel are needed.")
    inputs = [
        name
        for name, feature in sorted(info.features.items())
        if (isinstance(feature, tfds.features.Text) and feature.shape == ())
        or (isinstance(feature, tfds.features.Image) and feature.np_dtype == np.uint8)
    ]
    labels = [name for name, feature in sorted(info.features.items()) if isinstance(feature, tfds.features.ClassLabel)]
    declared = info.supervised_keys or ()
    return (
        _choose(f"{what}, text_feature", "a text or an 8-bit image", text_feature, inputs, declared),
        _choose(f"{what}, label_feature", "a ClassLabel", label_feature, labels, declared),
    )


def _choose(flag: str, kind: str, given: str, candidates: list[str], declared: tuple) -> str:
    """The candidate that is given, or is the only one, or is declared by the set as its input or label."""
    if not candidates:
        raise UserError(f"{flag}: none of its features is {kind}.")
    if given:
        if given not in candidates:
            raise unknown(flag, given, candidates)
        return given
    chosen = candidates if len(candidates) == 1 else [name for name in candidates if name in declared]
    if len(chosen) != 1:
        raise UserError(f"{flag}: several features are {kind}; name one of {', '.join(candidates)}.")
    return chosen[0]


def _split_names(what: str, info: Any) -> dict[str, str]:
    """The name of TFDS's split for each of ours that it has: train, dev, test."""
    filled = [name for name, split in info.splits.items() if split.num_examples]
    if "train" not in filled:
        raise UserError(f"{what}: it has no train split (its splits: {', '.join(filled) or 'none'}).")
    wanted = {"train": ("train",), "dev": DEV_NAMES, "test": ("test",)}
    present = {split: [name for name in names if name in filled] for split, names in wanted.items()}
    return {split: names[0] for split, names in present.items() if names}


def _read_split(tfds: Any, what: str, builder: Any, split: str, features: tuple[str, str]) -> Split:
    """All examples of a split, in the order of its files."""
    input_feature, label_feature = features

    def damaged(why: str) -> UserError:
        again = f"remove {builder.data_dir} and prepare it again"
        return UserError(f"{what}: split '{split}' cannot be read, its files are damaged ({why}); {again}.")

    try:
        source = builder.as_data_source(split, file_format="array_record")
        examples = source.__getitems__(list(range(len(source))))  # one by one takes more than twice as long
    except Exception as error:  # which one depends on the damage: of the records, the messages in them, or the images
        raise damaged(_line(error)) from error
    unread = sum(example[input_feature] is None or example[label_feature] is None for example in examples)
    if unread:  # a truncated file may give empty records
        raise damaged(f"{unread} of {len(examples)} records are incomplete")
    labels = np.array([example[label_feature] for example in examples], np.int32)
    outside = (labels < 0) | (labels >= builder.info.features[label_feature].num_classes)
    if outside.any():
        raise UserError(f"{what}: {outside.sum()} of {len(labels)} examples of split '{split}' have no label.")
    decode = _texts if isinstance(builder.info.features[input_feature], tfds.features.Text) else _images
    return Split(decode(f"{what}, split '{split}'", [example[input_feature] for example in examples]), labels)


def _texts(where: str, texts: list[bytes]) -> list[str]:
    """Texts as strings."""
    try:
        return [text.decode("utf-8") for text in texts]
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: a text is not in UTF-8: {error}.") from error


def _images(where: str, images: list[np.ndarray]) -> np.ndarray:
    """Images `uint8[height, width, channels]`, one by one, as `float32[images, features]` from 0 to 1."""
    shapes = sorted({image.shape for image in images})
    if len(shapes) > 1:
        raise UserError(
            f"{where}: images of {len(shapes)} sizes, such as {shapes[0]} and {shapes[-1]}; all have to be one."
        )
    rows = np.empty((len(images), int(np.prod(shapes[0]))), np.float32)
    for row, image in zip(rows, images, strict=True):
        np.divide(image.reshape(-1), 255, out=row, dtype=np.float32)
    return rows


def _line(error: BaseException) -> str:
    """What an error says, in one line of moderate length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".") if len(text) <= 200 else f"{text[:200]}..."

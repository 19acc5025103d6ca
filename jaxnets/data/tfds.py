"""Classification sets of TensorFlow Datasets (TFDS), without TensorFlow: array_record files, read as NumPy arrays.

TFDS reads such files without TensorFlow. To prepare them from a downloaded archive it still asks TensorFlow to open
files and to encode images; `jaxnets.data.no_tensorflow` provides these few functions instead.
"""

import contextlib
import difflib
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from jaxnets.data.dataset import Split
from jaxnets.data.no_tensorflow import without_tensorflow
from jaxnets.data.raw import RawDataset
from jaxnets.data.tfds_downloads import adjusted_downloads
from jaxnets.errors import UserError, unknown

DEV_NAMES = ("validation", "dev", "valid")


def read(name: str, data_dir: str = "", text_feature: str = "", label_feature: str = "") -> RawDataset:
    """A classification set of TFDS with one text or image and one class label for each example.

    It is read from `data_dir` if it was prepared there; otherwise it is downloaded and prepared as array_record files.
    Texts are decoded from UTF-8. Images, all of one size, become rows of `height * width * channels` features between 0
    and 1. `train` is the train split, `validation`, `dev` or `valid` the dev split, `test` the test split; the others
    are left out.
    Source: https://www.tensorflow.org/datasets.
    """
    tfds = _library()
    what = f"tfds:{name}"
    with without_tensorflow(tfds), contextlib.redirect_stdout(sys.stderr):
        builder = _prepared(tfds, what, data_dir) or _prepare(tfds, what, data_dir)
        features = _features(tfds, what, builder.info, text_feature, label_feature)
        names = _split_names(what, builder.info)
        splits = {ours: _read_split(tfds, what, builder, theirs, features) for ours, theirs in names.items()}
    if len({split.inputs.shape[1:] for split in splits.values() if isinstance(split.inputs, np.ndarray)}) > 1:
        raise UserError(f"{what}: the images of its splits differ in size; all have to be of one size.")
    return RawDataset(what, tuple(builder.info.features[features[1]].names), splits)


def _library() -> Any:
    """The package tensorflow_datasets, imported when it is needed: it takes most of a second."""
    try:
        for module in ("importlib_resources", "array_record.python.array_record_data_source"):
            importlib.import_module(module)
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        install = "pip install tensorflow-datasets array_record importlib_resources"
        raise UserError(
            f"dataset: 'tfds:' needs a package that is not installed ({_line(error)}): {install}."
        ) from error


def _prepared(tfds: Any, what: str, data_dir: str) -> Any:
    """The builder of data that are already prepared in `data_dir`; None if there are none."""
    name = what.removeprefix("tfds:")
    try:
        parsed, arguments = tfds.core.naming.parse_builder_name_kwargs(name)
    except Exception as error:
        raise UserError(
            f"dataset: '{what}' is not a name of the form tfds:NAME, tfds:NAME/CONFIG or with :VERSION."
        ) from error
    if parsed.namespace or set(arguments) - {"config", "version"}:
        raise UserError(f"dataset: '{what}': only data sets of TFDS itself are read, as tfds:NAME, /CONFIG, :VERSION.")
    registered = tfds.core.registered
    try:
        builder = tfds.core.read_only_builder.builder_from_files(name, data_dir=data_dir or None)
    except registered.DatasetNotFoundError:
        return None
    except Exception as error:
        raise UserError(
            f"{what}: the prepared data in {_folder(tfds, data_dir)} cannot be read: {_line(error)}."
        ) from error
    if "array_record" not in {kind.value for kind in builder.info.available_file_formats()}:
        kind = builder.info.file_format.value
        raise UserError(f"{what}: {builder.data_dir} holds {kind} files, not array_record; give another data_dir.")
    return builder


def _prepare(tfds: Any, what: str, data_dir: str) -> Any:
    """The builder of a known data set, after its archive was downloaded and written as array_record files."""
    builder = _known(tfds, what, data_dir)
    config = tfds.download.DownloadConfig(try_download_gcs=False)
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        with adjusted_downloads(builder):
            builder.download_and_prepare(download_config=config, file_format="array_record")
    except UserError:
        raise
    except Exception as error:  # TFDS raises whatever its hundreds of builders raise
        raise _not_prepared(what, builder, error) from error
    return builder


def _known(tfds: Any, what: str, data_dir: str) -> Any:
    """The builder that TFDS's own code gives for a name, its data not yet there."""
    parsed, arguments = tfds.core.naming.parse_builder_name_kwargs(what.removeprefix("tfds:"))
    known = tfds.list_builders(with_community_datasets=False)
    if parsed.name not in known:
        nearest = difflib.get_close_matches(parsed.name, known, n=1, cutoff=0.5)
        hint = f" Did you mean 'tfds:{nearest[0]}'?" if nearest else ""
        folder = _folder(tfds, data_dir)
        raise UserError(f"dataset: TFDS knows no '{what}', and none is prepared in {folder}.{hint}")
    try:
        builder = tfds.builder_cls(parsed.name)
        configs = builder.builder_configs
        if arguments.get("config", "") not in {"", *configs}:
            raise unknown(f"dataset: the configuration of 'tfds:{parsed.name}'", arguments["config"], configs)
        return builder(data_dir=data_dir or None, file_format="array_record", **arguments)
    except UserError:
        raise
    except Exception as error:  # TFDS raises whatever its hundreds of builders raise
        raise UserError(f"dataset: TFDS cannot build '{what}': {_line(error)}.") from error


def _not_prepared(what: str, builder: Any, error: Exception) -> UserError:
    """Why a set could not be prepared, and what helps."""
    root = Path(builder.data_dir_root)
    manual = root / "downloads" / "manual"
    elsewhere = f"run the same where there is a network and copy its folder {builder.name}/ into {root}"
    downloads = ", ".join(f"{url} (as {info.filename})" for url, info in (builder.url_infos or {}).items())
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"RequestException", "URLError", "DownloadError"}:
        put = f", or put into {manual} what is found at {downloads}" if downloads else ""
        return UserError(f"{what}: not prepared in {root}, and it cannot be downloaded: {elsewhere}{put}.")
    if kinds & {"AttributeError", "ImportError"} and "tensorflow" in str(error):
        build = f"tfds build --file_format=array_record {what.removeprefix('tfds:')}"
        return UserError(
            f"{what}: preparing it takes TensorFlow: run `{build}` where that is, copy the folder into {root}."
        )
    if "NonMatchingChecksumError" in kinds:
        return UserError(f"{what}: a download is damaged or has changed; remove it and retry: {_line(error)}.")
    return UserError(f"{what}: it cannot be prepared in {root}: {type(error).__name__}: {_line(error)}.")


def _features(tfds: Any, what: str, info: Any, text_feature: str, label_feature: str) -> tuple[str, str]:
    """The names of the input feature and of the label."""
    if not isinstance(info.features, tfds.features.FeaturesDict):
        raise UserError(f"{what}: its examples have no named features; an input and a ClassLabel are needed.")
    inputs = [name for name, feature in sorted(info.features.items()) if _is_input(tfds, feature)]
    labels = [name for name, feature in sorted(info.features.items()) if isinstance(feature, tfds.features.ClassLabel)]
    declared = info.supervised_keys or ()
    return (
        _choose(f"{what}, text_feature", "a text or an 8-bit image", text_feature, inputs, declared),
        _choose(f"{what}, label_feature", "a ClassLabel", label_feature, labels, declared),
    )


def _is_input(tfds: Any, feature: Any) -> bool:
    """Whether a feature is a text, or an image of 8 bits."""
    text = isinstance(feature, tfds.features.Text) and feature.shape == ()
    return text or (isinstance(feature, tfds.features.Image) and feature.np_dtype == np.uint8)


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


def _folder(tfds: Any, data_dir: str) -> str:
    """Where prepared data are looked for."""
    return data_dir or os.fspath(tfds.core.constants.DATA_DIR)


def _line(error: BaseException) -> str:
    """What an error says, in one line of moderate length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text.rstrip(".") if len(text) <= 200 else f"{text[:200]}..."

"""Data sets from Python: each form gives what it should, and every mistake is one line that names its row."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jaxnets import data
from jaxnets.data import python_data
from jaxnets.data.dataset import Dataset, Split
from jaxnets.errors import UserError

SPLITS = ("train", "dev", "test")
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(60, 4))
Y = np.arange(60) % 3
TEXTS = [f"text number{row} word{row % 7}" for row in range(60)]
NAMES = ["neg", "pos"] * 30


def rows_of(dataset, split):
    """The examples of a split, each as something that can be compared, with its label's name."""
    part = getattr(dataset, split)
    names = [dataset.class_names[label] for label in part.labels]
    if dataset.is_text:
        return [(dataset.decode(part.inputs[row]), name) for row, name in enumerate(names)]
    return list(zip(map(tuple, part.inputs.tolist()), names, strict=True))


def all_rows(dataset):
    return sorted(row for split in SPLITS for row in rows_of(dataset, split))


FORMS = {
    "arrays": (X, Y),
    "lists": (X.tolist(), Y.tolist()),
    "frame and Series": (pd.DataFrame(X, columns=list("abcd")), pd.Series(Y)),
    "float32": (X.astype(np.float32), Y.astype(np.uint8)),
    "nullable": (pd.DataFrame(X).astype("Float64"), pd.Series(Y, dtype="Int64")),
    "NumPy's scalars": (list(X), list(Y)),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_features_gives_the_same_as_it_is(form):
    dataset, reference = data.load(FORMS[form]), data.load((X, Y))
    assert (dataset.name, dataset.class_names, dataset.kind) == ("arrays", ("0", "1", "2"), "features")
    expected = sorted(zip(map(tuple, X.astype(np.float32).tolist()), map(str, Y), strict=True))
    assert all_rows(dataset) == expected
    for split in SPLITS:
        inputs, labels = getattr(dataset, split).inputs, getattr(dataset, split).labels
        np.testing.assert_array_equal(inputs, getattr(reference, split).inputs, strict=True)
        np.testing.assert_array_equal(labels, getattr(reference, split).labels, strict=True)
        assert (inputs.dtype, labels.dtype) == (np.float32, np.int32)


def test_a_tenth_is_held_out_unless_there_are_folds_or_splits():
    sizes = [len(getattr(data.load((X, Y)), split)) for split in SPLITS]
    assert sizes == [49, 5, 6]
    folds = data.load_folds((X, Y), folds=5, split_seed=3)
    tested = np.concatenate([fold.test.inputs for fold in folds])
    assert sorted(map(tuple, tested.tolist())) == sorted(map(tuple, X.astype(np.float32).tolist()))
    other = data.load_folds((X, Y), folds=5, split_seed=4)
    assert (folds[0].test.inputs != other[0].test.inputs).any()


def test_given_splits_stay_as_they_are():
    three = data.load(((X[:40], Y[:40]), (X[40:50], Y[40:50]), (X[50:], Y[50:])))
    np.testing.assert_array_equal(three.train.inputs, X[:40].astype(np.float32))
    np.testing.assert_array_equal(three.dev.labels, Y[40:50])
    np.testing.assert_array_equal(three.test.labels, Y[50:])
    two = data.load(((X[:40], Y[:40]), (X[40:], Y[40:])), dev_share=0.25)
    assert [len(getattr(two, split)) for split in SPLITS] == [30, 10, 20]
    np.testing.assert_array_equal(two.test.labels, Y[40:])


def test_two_rows_are_not_taken_for_two_splits():
    assert len(python_data._pairs((((0, 0), (1, 1)), (0, 1)))) == 1
    assert len(python_data._pairs((([[0, 0]], [0]), ([[1, 1]], [1])))) == 2


@pytest.mark.parametrize(
    ("labels", "class_names", "numbers"),
    [
        ([0, 2, 1], ("0", "1", "2"), [0, 2, 1]),
        ([10, 2, -3], ("-3", "2", "10"), [2, 1, 0]),
        ([1, 2, 1], ("1", "2"), [0, 1, 0]),
        (["b", "a", "b"], ("a", "b"), [1, 0, 1]),
        (["10", "9", "9"], ("9", "10"), [1, 0, 0]),
        ([True, False, True], ("False", "True"), [1, 0, 1]),
        (np.array(["b", "a", "b"]), ("a", "b"), [1, 0, 1]),
        (pd.Series(["b", "a", "b"], dtype="category"), ("a", "b"), [1, 0, 1]),
        (pd.Series([True, False, True], dtype="boolean"), ("False", "True"), [1, 0, 1]),
    ],
)
def test_labels_become_classes(labels, class_names, numbers):
    pair = (np.eye(3), labels)
    dataset = data.load((pair, pair, pair))
    assert (dataset.class_names, dataset.train.labels.tolist()) == (class_names, numbers)


@pytest.mark.parametrize("texts", [TEXTS, np.array(TEXTS), pd.Series(TEXTS), np.array(TEXTS, object), tuple(TEXTS)])
def test_texts_are_encoded_as_those_of_a_file(tmp_path, monkeypatch, texts):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lines = [f"{label}\t{text}\n" for label, text in zip(NAMES, TEXTS, strict=True)]
    (tmp_path / "mine.tsv").write_text("".join(lines))
    options = {"min_count": 2, "length_percentile": 90.0, "tokenizer": "whitespace", "lowercase": False}
    given = data.load((texts, NAMES), **options)
    of_file = data.load(str(tmp_path / "mine.tsv"), folds=1, **options)
    assert (given.name, given.class_names, given.notes) == ("texts", of_file.class_names, of_file.notes)
    assert (given.vocabulary, given.tokenizer) == (of_file.vocabulary, of_file.tokenizer)
    for split in SPLITS:
        np.testing.assert_array_equal(getattr(given, split).inputs.words, getattr(of_file, split).inputs.words)
        np.testing.assert_array_equal(getattr(given, split).labels, getattr(of_file, split).labels)


def test_a_frame_is_of_texts_if_it_has_their_column_and_of_features_otherwise():
    features = pd.DataFrame(X, columns=list("abcd")).assign(label=Y, hot=Y > 0)
    dataset = data.load(features)
    assert (dataset.name, dataset.kind) == ("frame", "features")
    direct = data.load((np.c_[X, Y > 0], Y))
    np.testing.assert_array_equal(dataset.train.inputs, direct.train.inputs, strict=True)
    texts = pd.DataFrame({"review": TEXTS, "grade": NAMES, "id": range(60)})
    dataset = data.load(texts, text_column="review", label_column="grade")
    assert all_rows(dataset) == all_rows(data.load((TEXTS, NAMES)))
    assert dataset.notes[0] == "These columns are not used: id."


def test_datasets_are_taken_as_they_are():
    split = Split(np.eye(4, dtype=np.float32), np.array([0, 1, 0, 1], np.int32))
    dataset = Dataset("mine", split, split, split, ("a", "b"))
    assert data.load(dataset).train.inputs is split.inputs
    assert [fold.name for fold in data.load_folds([dataset, dataset])] == ["mine", "mine"]
    assert python_data.loader((X, Y), "named")()[0].name == "named"
    assert python_data.loader((X, Y), "named").__name__ == "named"


def put(array, place, value):
    array = array.astype(type(value)) if isinstance(value, complex) else array.astype(float)
    array[place] = value
    return array


FRAME = pd.DataFrame(X, columns=list("abcd")).assign(label=Y)
MISTAKES = {
    "one feature": ((X[:, 0], Y), "inputs must be an array [examples, features], not one of shape [60]; take"),
    "three axes": ((X.reshape(60, 2, 2), Y), "not one of shape [60, 2, 2]; take inputs.reshape"),
    "ragged": (([[1, 2], [1]] * 30, Y), "all rows of one length: "),
    "nan": ((put(X, (7, 2), np.nan), Y), "'arrays', row 7: feature 2 is nan"),
    "infinite": ((put(X, (7, 2), -np.inf), Y), "'arrays', row 7: feature 2 is -inf"),
    "beyond float32": ((put(X, (3, 0), 1e200), Y), "'arrays', row 3: feature 0 is 1e+200"),
    "nan in a column": (FRAME.assign(b=put(X[:, 1], 4, np.nan)), "'frame', row 4: feature 'b' is nan"),
    "lengths": ((X, Y[:-1]), "there are 60 inputs and 59 labels"),
    "no examples": ((X[:0], Y[:0]), "'arrays': there are no examples"),
    "empty lists": (([], []), "'arrays': there are no examples"),
    "empty frame": (FRAME[:0], "the frame has 0 rows and 4 columns of features"),
    "one class": ((X, Y * 0), "all labels are '0'; a classifier needs two classes or more"),
    "fractions": ((X, Y / 2), "row 0: the label is 0.0 (float); labels must be whole numbers"),
    "missing label": ((X, pd.Series([1.0, np.nan] * 30)), "row 1: the label is missing (nan)"),
    "None as label": ((X, [None, *NAMES[1:]]), "row 0: the label is missing (None)"),
    "NA as label": ((X, pd.Series([1, None] * 30, dtype="Int64")), "row 1: the label is missing"),
    "empty label": ((X, ["", *NAMES[1:]]), "row 0: the label is empty"),
    "mixed labels": ((X, ["a", 1] * 30), "row 1: the label is 1 (int), but in row 0 it is 'a' (str)"),
    "booleans and numbers": ((X, [True, 1] * 30), "row 1: the label is 1 (int), but in row 0 it is True (bool)"),
    "lists as labels": ((X, [[1]] * 60), "row 0: the label is [1] (list)"),
    "text as labels": ((X, "abc"), "labels must be a list or an array, not a str"),
    "one-hot": ((X, np.eye(3)[Y]), "not one of shape [60, 3]; an example has one label"),
    "column of labels": ((X, Y[:, None]), "not one of shape [60, 1]; take labels.ravel()"),
    "objects": ((X.astype(object), Y), "inputs must be numbers, not object; convert them by inputs.astype(float)"),
    "None": (([[1, None]] * 60, Y), "inputs must be numbers, not object"),
    "complex": ((put(X, (0, 0), 1j), Y), "inputs must be numbers, not complex numbers"),
    "numbers as text": (([["1", "2"]] * 60, Y), "inputs must be numbers, not text"),
    "dates": ((np.full((60, 2), "2020-01-01", "M8[D]"), Y), "inputs must be numbers, not dates"),
    "sparse": ((sparse.csr_matrix(X), Y), "inputs are a sparse matrix; make it an array by inputs.toarray()"),
    "masked": ((np.ma.masked_equal(X, X[5, 1]), Y), "row 5: a masked value"),
    "set": (({1, 2}, Y), "inputs must be an array or a list, not a set"),
    "generator": (((row for row in X), Y), "inputs must be an array or a list, not a generator"),
    "dictionary as inputs": (({"a": 1}, Y), "inputs must be an array or a list, not a dict"),
    "scalar": ((np.array(3), Y), "inputs must be an array or a list, not a scalar"),
    "dictionary": ({"data": X, "target": Y}, "this is a dict; it must be a name, a path, a tuple (inputs, labels)"),
    "array alone": (X, "this is an array without labels; it must be"),
    "number": (3, "this is an int; it must be"),
    "nothing": (None, "this is None; it must be"),
    "four": ((X, Y, X, Y), "this is a tuple of 4 items, which are not two or three pairs (inputs, labels)"),
    "three arrays": ((X, X, X), "this is a tuple of 3 items, which are not two or three pairs"),
    "missing text": (([*TEXTS[:5], float("nan"), *TEXTS[6:]], NAMES), "'texts', row 5: the text is nan (float)"),
    "bytes": (([b"a"] * 60, NAMES), "'texts', row 0: the text is b'a' (bytes); it must be a string"),
    "texts and features": (((TEXTS, NAMES), (X, NAMES)), "'texts', test: texts must be a list of strings"),
    "swapped": ((NAMES, TEXTS), "60 examples have 60 different labels. Are inputs and labels swapped"),
    "regression": ((X, np.arange(60)), "60 examples have 60 different labels"),
    "widths": (((X, Y), (X[:, :2], Y)), "the inputs must be of one width, not 4 in train, 2 in test"),
    "unknown class": (((X, Y), (X, Y + 1)), "test, row 2: the label '3' is not one of the training set's (0, 1, 2)"),
    "too few": ((X[:12], Y[:12]), "12 examples are too few to hold out a tenth for test; it takes 20"),
    "column of text": (FRAME.assign(review=TEXTS), "column 'review' holds values of type"),
    "no label column": (
        FRAME.rename(columns={"label": "Label"}),
        "the frame has no column 'label'. Did you mean 'Label",
    ),
    "two label columns": (pd.concat([FRAME, FRAME], axis=1), "the frame has 2 columns 'label'; rename all but one"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_in_one_line(mistake):
    value, fragment = MISTAKES[mistake]
    with pytest.raises(UserError) as error:
        data.load_folds(value)
    message = str(error.value)
    assert message.startswith(("dataset: ", "label_column: "))
    assert fragment in message
    assert "\n" not in message


def test_options_of_texts_are_refused_for_features():
    with pytest.raises(UserError, match="min_count: this option is for texts; 'frame' has features"):
        data.load(FRAME, min_count=3)
    with pytest.raises(UserError, match="lowercase: this option is for texts"):
        data.load(FRAME, lowercase=False)


@pytest.mark.parametrize("label", [10**5000, -(10**200), "9" * 5000], ids=["number", "negative", "digits"])
def test_labels_that_are_too_long_for_names(label):
    with pytest.raises(UserError, match="row 1: the label has more than 200 characters"):
        data.load((np.ones((40, 2)), [type(label)(1), label] * 20))


def test_inputs_and_labels_of_other_indexes_are_refused():
    frame, order = pd.DataFrame(X), np.arange(60)[::-1]
    data.load((frame.loc[order], pd.Series(Y).loc[order]))  # equal ones, in whatever order
    for inputs, labels in (
        (frame.loc[order], pd.Series(Y)),
        (frame, pd.Series(Y, index=order)),
        (pd.Series(TEXTS), pd.Series(Y, index=order)),
        (frame, pd.Series(Y, index=[f"r{row}" for row in range(60)])),
    ):
        with pytest.raises(UserError, match="row 0: inputs and labels are put together by place") as error:
            data.load((inputs, labels))
        assert "\n" not in str(error.value)
    data.load((frame.loc[order], Y))

"""scikit-learn's tables are read from its files; where these are not what they were, scikit-learn is asked."""

import gzip
import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn.datasets

from jaxnets.data import bundled

TABLES = {
    "load_digits": ("digits.csv.gz", (1797, 65), 0),
    "load_breast_cancer": ("breast_cancer.csv", (569, 31), 1),
    "load_wine": ("wine_data.csv", (178, 14), 1),
}


def check(loader):
    """Compares the table with scikit-learn's own reading of it."""
    file, shape, header = TABLES[loader]
    features, labels = bundled.table(loader, file, shape, header=header)
    expected = getattr(sklearn.datasets, loader)(return_X_y=True)
    np.testing.assert_array_equal(features, expected[0])
    np.testing.assert_array_equal(labels, expected[1])
    assert labels.dtype == np.int32


@pytest.mark.parametrize("loader", TABLES)
def test_the_files_hold_what_scikit_learn_loads(loader, monkeypatch):
    assert bundled._bundled(*TABLES[loader]) is not None
    check(loader)


@pytest.mark.parametrize("spec", [None, importlib.util.find_spec("sys"), importlib.util.find_spec("json")])
def test_without_the_file_scikit_learn_loads_the_same(monkeypatch, spec):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert bundled._bundled(*TABLES["load_wine"]) is None
    check("load_wine")


@pytest.mark.parametrize("content", ["1,2,3\n", "no numbers\n", None])
def test_a_file_of_another_form_is_not_used(tmp_path, monkeypatch, content):
    folder = tmp_path / "datasets" / "data"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "digits.csv.gz").write_bytes(gzip.compress(content.encode()))
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    check("load_digits")


def test_the_names_of_the_classes_are_those_of_scikit_learn():
    from jaxnets import data

    for name in ("breast_cancer", "wine"):
        names = getattr(sklearn.datasets, f"load_{name}")().target_names
        assert data.load(name).class_names == tuple(names)

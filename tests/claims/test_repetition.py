import numpy as np
import pandas as pd
import pytest

from jaxnets.claims.repetition import compare, whole

RUNS = pd.DataFrame(
    {
        "run": [0, 1, 2],
        "optimizer": ["sgd", "adam", None],
        "status": ["finished", "diverged", "finished"],
        "diverged_step": pd.array([pd.NA, 3, pd.NA], "Int64"),
        "dev_loss": np.array([0.5, np.nan, 2.0], np.float32),
        "nesterov": [True, False, True],
        "seconds": [0.1, 0.2, 0.3],
    }
)


def test_equal_tables_are_equal_in_any_order_and_at_any_speed():
    found = compare("runs", RUNS, RUNS.iloc[::-1].assign(seconds=9.0, more=1))
    assert (found.outcome, found.rows, found.worst, found.difference) == ("bit-equal", 3, "", 0.0)


@pytest.mark.parametrize(
    ("column", "value", "outcome", "difference"),
    [
        ("dev_loss", np.nextafter(np.float32(2), np.float32(3)), "within tolerance", 7.9e-8),
        ("dev_loss", 2.0029, "within tolerance", 0.0029 / 3),
        ("dev_loss", 2.0031, "different", 0.0031 / 3),
        ("dev_loss", np.nan, "different", np.inf),
        ("optimizer", "sgd", "different", np.inf),
        ("status", "diverged", "different", np.inf),
        ("diverged_step", 4, "different", np.inf),
        ("nesterov", False, "different", np.inf),
    ],
)
def test_one_value_decides(column, value, outcome, difference):
    other = RUNS.copy()
    other.loc[2, column] = value
    found = compare("runs", RUNS, other)
    assert (found.outcome, found.worst, found.first) == (outcome, column, "run 2")
    assert found.difference == pytest.approx(difference, rel=0.02)


def test_missing_rows_and_columns_are_different():
    assert compare("runs", RUNS, RUNS[:2]).first == "2 rows for 3"
    assert compare("runs", RUNS, RUNS.drop(columns="status")).worst == "status"
    assert whole([compare("runs", RUNS, RUNS), compare("runs", RUNS, RUNS[:2])]) == "different"


def test_the_tolerance_is_what_is_given():
    other = RUNS.assign(dev_loss=RUNS["dev_loss"] + 0.01)
    assert [compare("runs", RUNS, other, tolerance).outcome for tolerance in (0.001, 0.1)] == [
        "different",
        "within tolerance",
    ]

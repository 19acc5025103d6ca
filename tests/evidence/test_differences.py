import numpy as np
import pandas as pd
import pytest

from jaxnets.evidence import differences

STEP = np.logspace(-12, 0, 25)


def errors(order=2, rounding=1e-16, drowned=0.5, factor=3.0):
    """Errors of a method: what the step makes, and a share of what rounding can make."""
    bound = rounding / STEP
    return pd.DataFrame({"step": STEP, "error": factor * STEP**order + drowned * bound, "rounding": bound})


@pytest.mark.parametrize("order", [1, 2])
def test_the_power_is_read_off_where_rounding_does_not_count(order):
    assert differences.deviation(errors(order), order) < 0.02
    assert differences.deviation(errors(order), 3 - order) == pytest.approx(1, abs=0.02)


def test_small_steps_keep_to_what_rounding_and_the_step_make():
    assert differences.share_allowed(errors(), 2) < 1
    assert differences.share_allowed(errors(drowned=4), 2) > 1


def test_large_steps_do_not_count():
    table = errors()
    table.loc[table["step"] > 0.2, "error"] = 100
    assert differences.deviation(table, 2) < 0.02


def test_where_rounding_counts_everywhere_nothing_is_known():
    table = errors(rounding=1e6)
    assert np.isnan(differences.deviation(table, 2))
    assert np.isnan(differences.share_allowed(table, 2))

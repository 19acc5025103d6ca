import numpy as np
import pandas as pd
import pytest

from jaxnets.evidence import timed
from jaxnets.evidence.judging import estimated


def times(power=0.5, blocks=3):
    rows = [
        {"block": block, "round": number, "size": size, "one": 2.0 * size**power, "other": 1.0}
        for size in (10, 100, 1000)
        for block in range(blocks)
        for number in range(2)
    ]
    return timed.ratios(pd.DataFrame(rows), "one", "other")


def test_effects_are_logarithms_of_ratios():
    assert times(power=0)["effect"].tolist() == pytest.approx([np.log(2)] * 18)


@pytest.mark.parametrize(("power", "size"), [(0.5, 1000), (-0.5, 10)])
def test_the_largest_is_that_of_one_size(power, size):
    rows = timed.largest(times(power), "size")
    assert rows["size"].unique().tolist() == [size]
    assert estimated(rows).value == pytest.approx(np.log(2 * size**power))


def test_the_power_is_that_with_which_ratios_grow():
    grown = timed.growth(times(0.25), "size")
    assert len(grown) == 6
    assert grown["effect"].tolist() == pytest.approx([0.25] * 6)


def test_two_sizes_make_no_power():
    some = times()
    assert timed.growth(some[some["size"] < 1000], "size").empty

import pandas as pd
import pytest

from jaxnets.claims import effects


@pytest.mark.parametrize(("variance", "holds"), [(1.0, True), (1.09, True), (0.91, True), (1.11, False), (0.89, False)])
def test_the_worst_case_decides(variance, holds):
    noise = pd.DataFrame({"variance": [1.0, variance], "error": 0.02, "expected": 1.0})
    assert effects.as_expected(noise, 5).holds is holds


def test_no_case_decides_nothing():
    assert effects.as_expected(pd.DataFrame(columns=["variance", "error", "expected"], dtype=float), 5).holds is None


def test_a_batch_of_all_examples_has_no_say():
    noise = pd.DataFrame({"variance": [1.0, 1e-14], "error": [0.02, 0.0], "expected": [1.0, 0.0]})
    assert effects.as_expected(noise, 5).holds is True

import numpy as np
import pytest

from jaxnets.analysis import paths


def test_gradient_descent_on_the_ravine_is_that_of_the_closed_form():
    ravine = paths.LANDSCAPES["ravine"]
    points = paths.walk(ravine, "sgd", np.array([0.01, 0.03]), 5)
    for rate, path in zip((0.01, 0.03), points, strict=True):
        steps = np.arange(6)
        np.testing.assert_allclose(path[:, 0], -4 * (1 - rate) ** steps, rtol=1e-5)
        np.testing.assert_allclose(path[:, 1], (1 - 50 * rate) ** steps, rtol=1e-4)


def test_arrival_is_for_good():
    ravine = paths.LANDSCAPES["ravine"]
    away, low = (1.0, 0.0), (0.0, 0.0)
    points = np.array([[away, low, away, low, low], [away, away, away, away, (np.nan, 0)], [low] * 5])
    assert paths.arrivals(ravine, points).tolist() == [3, np.inf, 0]


@pytest.mark.parametrize("name", paths.LANDSCAPES)
def test_the_low_ground_can_be_reached(name):
    table = paths.best_paths({"sgd": "sgd", "adam": "adam"}, np.geomspace(0.01, 3, 12), 400)
    arrivals = table[table["landscape"] == name].groupby("optimizer")["arrival"].first()
    assert np.isfinite(arrivals).all()
    assert paths.heights(name, 5)["height"].notna().all()

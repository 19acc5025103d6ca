import numpy as np
import pytest
from scipy.optimize import nnls

from jaxnets.evidence.separation import linearly_separable

RNG = np.random.default_rng(0)


def hulls_meet(points, others):
    """Whether the convex hulls of two sets have a point in common: the dual of a hyperplane between them."""
    sides = np.column_stack([points.T, -others.T])
    sums = np.array([[1.0] * len(points) + [0.0] * len(others), [0.0] * len(points) + [1.0] * len(others)])
    _, distance = nnls(np.vstack([sides, sums]), np.array([0.0] * points.shape[1] + [1.0, 1.0]))
    return distance < 1e-9


@pytest.mark.parametrize("draw", range(20))
def test_a_hyperplane_lies_between_or_the_hulls_meet(draw):
    points, labels = RNG.normal(size=(7, 3)), RNG.permutation([0, 0, 0, 1, 1, 1, 1])
    assert linearly_separable(points, labels) != hulls_meet(points[labels == 0], points[labels == 1])


def test_four_patterns_of_negation_by_their_sums():
    good, bad, not_good, not_bad = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(good + not_bad, bad + not_good)  # so no map is positive on two and negative on two
    assert not linearly_separable(np.stack([good, bad, not_good, not_bad]), np.array([1, 0, 0, 1]))
    assert linearly_separable(np.stack([good, bad, not_good]), np.array([1, 0, 0]))

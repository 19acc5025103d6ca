"""Whether a linear classifier can be right on all examples, without training any."""

import numpy as np
from jaxtyping import Float, Int


def linearly_separable(inputs: Float[np.ndarray, "examples features"], labels: Int[np.ndarray, "examples"]) -> bool:
    """Whether a hyperplane has all examples of one class on one side, and those of the other on the other.

    A linear program decides it: is there a kernel `w` and a bias `b` with `±(x · w + b) >= 1` for all examples?

    >>> points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> linearly_separable(points, np.array([0, 0, 0, 1])), linearly_separable(points, np.array([0, 1, 1, 0]))
    (True, False)
    """
    from scipy.optimize import linprog

    affine = np.column_stack([np.asarray(inputs, np.float64), np.ones(len(inputs))])
    signs = np.where(np.asarray(labels) == 1, 1.0, -1.0)
    none = np.zeros(affine.shape[1])
    found = linprog(none, A_ub=-signs[:, None] * affine, b_ub=-np.ones(len(affine)), bounds=(None, None))
    return bool(found.status == 0)

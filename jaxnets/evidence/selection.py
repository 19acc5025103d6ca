"""How much a contestant's score owes to the luck of its tuning: other seeds or draws would have chosen otherwise."""

import numpy as np
from jaxtyping import Float

REPETITIONS = 1000
_NEAR = 2.0  # standard errors of a difference, within which a setting may truly be the best
_LEAST = 4  # settings that other draws might give as the best


def choice_variance(
    dev: Float[np.ndarray, "settings seeds"],
    test: Float[np.ndarray, "settings seeds"],
    seed_variance: float,
    *,
    drawn: bool,
) -> float:
    """The variance of the chosen setting's true test score, if the tuning were done again.

    The tuning is repeated by a parametric bootstrap: settings with estimated true scores get new noise on dev, and the
    best is taken. The scores that were seen vary more than the true ones, by the noise of their seeds: those near the
    best are shrunk until their covariance on dev and test is what is left without it.
    """
    size, noise = len(dev), seed_variance / dev.shape[1]
    scores = np.stack([dev.mean(axis=1), test.mean(axis=1)], axis=1)
    near = scores[:, 0] >= scores[:, 0].max() - _NEAR * np.sqrt(2 * noise)
    if drawn:
        near[np.argsort(-scores[:, 0], kind="stable")[:_LEAST]] = True
    if near.sum() > 2:
        scores[near] = _without_noise(scores[near], noise)
    generator = np.random.default_rng(0)
    on_dev = np.sqrt(noise) * generator.normal(size=(REPETITIONS, size))
    settings = generator.integers(size, size=(REPETITIONS, size)) if drawn else np.arange(size)[None]
    best = (scores[settings, 0] + on_dev).argmax(axis=1)
    chosen = np.take_along_axis(np.broadcast_to(settings, on_dev.shape), best[:, None], axis=1)
    return float(scores[chosen[:, 0], 1].var())


def _without_noise(scores: Float[np.ndarray, "settings 2"], noise: float) -> Float[np.ndarray, "settings 2"]:
    """Scores about their mean, with the covariance that they have less that of the noise."""
    centre, seen = scores.mean(axis=0), np.cov(scores.T)
    return centre + (scores - centre) @ _power(seen, -0.5) @ _power(seen - noise * np.eye(2), 0.5)


def _power(matrix: Float[np.ndarray, "2 2"], power: float) -> Float[np.ndarray, "2 2"]:
    """A power of a symmetric matrix; directions without variance have none."""
    values, directions = np.linalg.eigh(matrix)
    positive = values > 1e-18
    return (directions * np.where(positive, np.where(positive, values, 1.0) ** power, 0.0)) @ directions.T

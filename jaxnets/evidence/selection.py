"""How much a contestant's score owes to the luck of its tuning: other seeds or draws would have chosen otherwise."""

import numpy as np
from jaxtyping import Float

from jaxnets.evidence import resampling


def choice_probabilities(dev: Float[np.ndarray, "settings seeds"], *, drawn: bool) -> Float[np.ndarray, "settings"]:
    """How probable it is for each setting to be the best on dev, if the tuning were done again.

    Args:
      dev: scores, higher being better.
      drawn: whether the settings were drawn at random: then other draws are drawn from them with replacement, in closed
        form. Otherwise the seeds are drawn anew, by the bootstrap.

    >>> choice_probabilities(np.array([[0.1], [0.9]]), drawn=True).tolist()
    [0.25, 0.75]
    """
    size, seeds = dev.shape
    if drawn:
        worst_first = np.argsort(dev.mean(axis=1), kind="stable")
        shares = np.empty(size)
        shares[worst_first] = np.diff((np.arange(size + 1) / size) ** size)
        return shares
    if seeds < 2:
        return np.eye(size)[dev.mean(axis=1).argmax()]
    means = dev @ resampling.draws((seeds,)).T
    best = means >= means.max(axis=0) - 1e-9 * seeds
    return (best / best.sum(axis=0)).mean(axis=1)  # ties share


def choice_variance(
    dev: Float[np.ndarray, "settings seeds"],
    test: Float[np.ndarray, "settings seeds"],
    seed_variance: float,
    *,
    drawn: bool,
) -> float:
    """The variance of the chosen setting's true test score, if the tuning were done again.

    The settings' test scores vary more than their true ones do, by the noise of their seeds, which is taken off.

    Args:
      dev: by which is chosen.
      test: by which the choice is judged.
      seed_variance: of the test score of a setting, from seed to seed.
      drawn: see `choice_probabilities`.
    """
    shares = choice_probabilities(dev, drawn=drawn)
    scores = test.mean(axis=1)
    spread = float(shares @ scores**2 - (shares @ scores) ** 2)
    noise = seed_variance / test.shape[1] * (1 - float(shares @ shares))
    return max(spread - noise, 0.0)

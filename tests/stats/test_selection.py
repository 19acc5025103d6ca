"""The luck of the tuning, against simulation."""

import numpy as np
import pytest

from jaxnets.stats import selection


def test_a_certain_choice_adds_no_variance():
    dev = np.array([[0.9, 0.91, 0.92], [0.8, 0.82, 0.81]])
    assert selection.choice_variance(dev, dev, 1e-4, drawn=False) == 0


@pytest.mark.parametrize("drawn", [False, True])
def test_the_variance_is_that_of_repeated_tunings(drawn):
    """Of 400 studies the mean estimate is near what repeating the tuning gives: the noise of the seeds is no part."""
    generator = np.random.default_rng(0)
    settings, seeds, noise = 6, 1 if drawn else 8, 0.01
    chosen, estimates = [], []
    fixed = np.linspace(0.90, 0.92, settings)
    for _ in range(400):
        true = generator.uniform(0.90, 0.92, settings) if drawn else fixed
        dev, test = (true[:, None] + generator.normal(0, noise, (settings, seeds)) for _ in range(2))
        chosen.append(true[dev.mean(axis=1).argmax()])
        estimates.append(selection.choice_variance(dev, test, noise**2, drawn=drawn))
    # floored at zero, it errs upwards
    assert 0.7 * np.var(chosen) < np.mean(estimates) < 3 * np.var(chosen)

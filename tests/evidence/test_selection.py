"""The luck of the tuning, against simulation."""

import numpy as np
import pytest

from jaxnets.evidence import selection


def test_the_best_of_draws_with_replacement_has_its_closed_form():
    shares = selection.choice_probabilities(np.array([[0.3], [0.1], [0.2]]), drawn=True)
    # the best of three draws from three: 1 - (2/3)^3, (2/3)^3 - (1/3)^3, (1/3)^3
    assert shares == pytest.approx([19 / 27, 1 / 27, 7 / 27])


def test_a_setting_that_wins_with_every_seed_is_always_chosen():
    dev = np.array([[0.9, 0.91, 0.92], [0.8, 0.82, 0.81]])
    assert selection.choice_probabilities(dev, drawn=False).tolist() == [1, 0]


def test_equal_settings_share():
    dev = np.full((2, 4), 0.5)
    assert selection.choice_probabilities(dev, drawn=False).tolist() == [0.5, 0.5]


def test_a_single_seed_tells_nothing_of_other_seeds():
    assert selection.choice_probabilities(np.array([[0.1], [0.2]]), drawn=False).tolist() == [0, 1]


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

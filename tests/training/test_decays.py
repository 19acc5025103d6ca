import numpy as np
import pytest

from jaxnets.training import schedules
from jaxnets.training.decays import FORMS, decay


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_every_form_begins_at_one_and_ends_at_its_end(form):
    assert float(decay(0.0, 1.0, form + 0.7, 0.04)) == pytest.approx(1)
    assert float(decay(1.0, 1.0, form + 0.7, 0.04)) == pytest.approx(0.04, rel=1e-4)


def test_the_forms_are_those_of_the_schedules():
    halfway = [float(decay(0.5, 1.0, float(form), 0.04)) for form in range(len(FORMS))]
    known = [schedules.linear(0.5, 0.04), schedules.cosine(0.5, 0.04), schedules.exponential(0.5, 0.04)]
    np.testing.assert_allclose(halfway, [*map(float, known), 1 / 13, 0.2], rtol=1e-5)


def test_a_form_that_there_is_not_is_the_nearest():
    assert float(decay(0.5, 1.0, 99.0, 0.04)) == float(decay(0.5, 1.0, 4.0, 0.04))


def test_a_rate_that_does_not_decay_is_constant():
    assert [float(decay(progress, 0.0, 2.0, 1e-3)) for progress in (0.0, 0.5, 1.0)] == [1, 1, 1]

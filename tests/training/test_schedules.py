import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.plugins import SCHEDULE
from jaxnets.training import schedules
from jaxnets.training.schedules import FORMS, decay

STEPS = 100


def factors(name, num_steps=STEPS, warmup=0.0, **values):
    steps = jnp.arange(num_steps)
    return np.array(jax.vmap(lambda s: schedules.factor(schedules.KNOWN[name], s, num_steps, warmup, values))(steps))


PIECES, OTHERS = {34: 0.1, 67: 0.1}, {25: 0.7, 50: 0.7, 75: 0.7}


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("constant", {}, optax.constant_schedule(1.0)),
        ("exponential", {}, optax.exponential_decay(1.0, STEPS, 0.01)),
        ("exponential", {"schedule_rate": 0.3}, optax.exponential_decay(1.0, STEPS, 0.3)),
        ("linear", {}, optax.linear_schedule(1.0, 0.0, STEPS)),
        ("linear", {"schedule_end": 0.4}, optax.linear_schedule(1.0, 0.4, STEPS)),
        ("cosine", {}, optax.cosine_decay_schedule(1.0, STEPS)),
        ("cosine", {"schedule_end": 0.4}, optax.cosine_decay_schedule(1.0, STEPS, 0.4)),
        ("step", {}, optax.piecewise_constant_schedule(1.0, PIECES)),
        ("step", {"schedule_rate": 0.7, "schedule_drops": 3.0}, optax.piecewise_constant_schedule(1.0, OTHERS)),
        ("inverse_time", {"schedule_slope": 4.0}, lambda step: 1 / (1 + 4 * step / STEPS)),
    ],
)
def test_against_optax(name, values, expected):
    steps = [expected(step) for step in range(STEPS)]
    np.testing.assert_allclose(factors(name, **values), steps, rtol=2e-5, atol=1e-6)


def test_warm_up_rises_in_a_line_and_the_family_follows():
    got = factors("cosine", warmup=10.0)
    np.testing.assert_allclose(got[:10], np.arange(1, 11) / 10, rtol=1e-6)
    expected = [optax.cosine_decay_schedule(1.0, STEPS - 10)(step) for step in range(STEPS - 10)]
    np.testing.assert_allclose(got[10:], expected, rtol=1e-5, atol=1e-6)


@given(
    st.sampled_from(sorted(schedules.KNOWN)),
    st.integers(1, 50),
    st.floats(0, 100, width=32),
    st.floats(0, 1, width=32),
)
def test_factors_lie_between_zero_and_one(name, num_steps, warmup, number):
    family = schedules.KNOWN[name]
    values = {argument: jnp.float32(number) for argument in SCHEDULE.find(family).arguments}
    got = np.array([schedules.factor(family, s, num_steps, jnp.float32(warmup), values) for s in (0, num_steps - 1)])
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    assert (got <= 1 + 1e-6).all()


def test_drops_fall_on_their_steps_for_all_lengths_and_numbers_of_drops():
    longest, drops = 200, np.arange(1, 13)
    lengths = np.repeat(np.arange(1, longest), np.arange(1, longest))
    steps = np.concatenate([np.arange(length) for length in range(1, longest)])

    def halved(step, length, drops):
        values = {"schedule_rate": 0.5, "schedule_drops": drops}
        return schedules.factor(schedules.step, step, length, 0.0, values)

    over_steps = jax.vmap(halved, (0, 0, None))
    got = jax.jit(jax.vmap(over_steps, (None, None, 0)))(steps, lengths, drops.astype(np.float32))
    # in whole numbers: no rounding
    expected = steps * (drops[:, None] + 1) // lengths
    np.testing.assert_array_equal(np.round(-np.log2(np.asarray(got, np.float64))), expected)


def test_half_a_drop_is_none():
    np.testing.assert_allclose(
        factors("step", schedule_rate=0.5, schedule_drops=1.5)[[39, 40, 80, 99]], [1, 0.5, 0.5, 0.5]
    )


@pytest.mark.parametrize("warmup", [99.0, 100.0, 250.0])
def test_a_warm_up_as_long_as_the_training(warmup):
    rising = np.minimum(np.arange(1, STEPS + 1) / warmup, 1)
    np.testing.assert_allclose(factors("cosine", warmup=warmup), rising, rtol=1e-6)
    for family in schedules.KNOWN.values():
        assert np.isfinite(schedules.factor(family, STEPS, STEPS, warmup, {}))  # after the last step


def test_warm_up_and_length_may_differ_between_the_runs_of_one_program():
    lengths, warmups = jnp.array([50, 100]), jnp.array([0.0, 20.0])
    over_runs = jax.jit(jax.vmap(lambda n, w: schedules.factor(schedules.cosine, 30, n, w, {})))
    alone = [float(schedules.factor(schedules.cosine, 30, *numbers, {})) for numbers in ((50, 0.0), (100, 20.0))]
    np.testing.assert_allclose(over_runs(lengths, warmups), alone, rtol=1e-6)


def test_every_form_begins_at_one_and_ends_at_its_end():
    for form in range(len(FORMS)):
        assert float(decay(0.0, 1.0, form + 0.7, 0.04)) == pytest.approx(1)
        assert float(decay(1.0, 1.0, form + 0.7, 0.04)) == pytest.approx(0.04, rel=1e-4)


def test_the_forms_are_those_of_the_schedules():
    halfway = [float(decay(0.5, 1.0, float(form), 0.04)) for form in range(len(FORMS))]
    known = [schedules.linear(0.5, 0.04), schedules.cosine(0.5, 0.04), schedules.exponential(0.5, 0.04)]
    np.testing.assert_allclose(halfway, [*map(float, known), 1 / 13, 0.2], rtol=1e-5)


def test_a_rate_that_does_not_decay_is_constant():
    assert float(decay(0.5, 1.0, 99.0, 0.04)) == float(decay(0.5, 1.0, 4.0, 0.04))  # the nearest form
    assert [float(decay(progress, 0.0, 2.0, 1e-3)) for progress in (0.0, 0.5, 1.0)] == [1, 1, 1]

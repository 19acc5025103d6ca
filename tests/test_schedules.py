import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets import schedules

STEPS = 100


def factors(name, num_steps=STEPS, warmup=0.0, **values):
    steps = jnp.arange(num_steps)
    return np.array(jax.vmap(lambda s: schedules.factor(schedules.find(name), s, num_steps, warmup, values))(steps))


OPTAX = {
    "constant": optax.constant_schedule(1.0),
    "exponential": optax.exponential_decay(1.0, STEPS, 0.01),
    "linear": optax.linear_schedule(1.0, 0.0, STEPS),
    "cosine": optax.cosine_decay_schedule(1.0, STEPS),
    "step": optax.piecewise_constant_schedule(1.0, {34: 0.1, 67: 0.1}),
}


@pytest.mark.parametrize("name", OPTAX)
def test_against_optax(name):
    expected = np.array([OPTAX[name](step) for step in range(STEPS)])
    np.testing.assert_allclose(factors(name), expected, rtol=2e-5, atol=1e-6)


def test_inverse_time_against_its_formula():
    np.testing.assert_allclose(
        factors("inverse_time", schedule_slope=4.0), 1 / (1 + 4 * np.arange(STEPS) / STEPS), rtol=1e-5
    )


@pytest.mark.parametrize("num_steps", [3, 30, 300, 690, 3000, 99999])
def test_drops_fall_on_their_steps(num_steps):
    got = factors("step", num_steps, schedule_rate=0.5, schedule_drops=2.0)
    assert list(np.flatnonzero(np.diff(got)) + 1) == [num_steps // 3, 2 * num_steps // 3]


def test_warm_up_rises_in_a_line_and_the_family_follows():
    got = factors("cosine", warmup=10.0)
    np.testing.assert_allclose(got[:10], np.arange(1, 11) / 10, rtol=1e-6)
    expected = [optax.cosine_decay_schedule(1.0, STEPS - 10)(step) for step in range(STEPS - 10)]
    np.testing.assert_allclose(got[10:], expected, rtol=1e-5, atol=1e-6)


@given(
    st.sampled_from(sorted(schedules.known())),
    st.integers(1, 50),
    st.floats(0, 100, width=32),
    st.floats(0, 1, width=32),
)
def test_factors_lie_between_zero_and_one(name, num_steps, warmup, number):
    family = schedules.find(name)
    values = {argument: jnp.float32(number) for argument in schedules.hyperparameters(family)}
    got = np.array([schedules.factor(family, s, num_steps, jnp.float32(warmup), values) for s in (0, num_steps - 1)])
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    assert (got <= 1 + 1e-6).all()


def test_numbers_may_differ_between_the_runs_of_one_program():
    ends = jnp.array([0.0, 0.5])
    family = schedules.find("linear")
    got = jax.vmap(lambda end: schedules.factor(family, 50, STEPS, 0.0, {"schedule_end": end}))(ends)
    np.testing.assert_allclose(got, [0.5, 0.75])

import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.basics.errors import UserError
from jaxnets.engine import devices


@given(st.integers(1, 500), st.integers(0, 6).map(lambda n: 2**n), st.integers(1, 10**4), st.integers(1, 8))
def test_chunks_hold_every_run_once_and_fit(num_runs, lanes, most_blocks, num_devices):
    together = lanes * num_devices
    parts = devices.chunks(num_runs, together, most_blocks)
    assert [run for part in parts for run in part] == list(range(num_runs))
    assert all(len(part) == len(parts[0]) for part in parts[:-1])
    assert all(len(part) <= most_blocks * together for part in parts)
    if len(parts) > 1:
        assert len(parts[0]) % together == 0


def test_a_program_is_always_compiled_for_two_cpu_devices():
    one, two = devices.placement(1), devices.placement(2)
    assert (one.num_devices, two.num_devices) == (1, 2)
    assert one.mesh.size == two.mesh.size == 2
    assert len(one.described()) == 1


def test_too_many_devices():
    with pytest.raises(UserError, match=f"num_devices: 99 asked for, but there are {len(jax.devices())} of cpu"):
        devices.placement(99)


def test_memory_is_a_limit_or_half_of_what_is_free():
    assert devices.memory_bytes(jax.devices()[0], 2.0) == 2**31
    assert 2**20 < devices.memory_bytes(jax.devices()[0]) < 2**50

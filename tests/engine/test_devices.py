import jax
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxnets.engine import devices
from jaxnets.errors import UserError


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


CACHE = [*devices._CACHE_DEFAULTS]


@pytest.fixture
def cache_of_the_process():
    """Puts JAX's settings of its cache back."""
    before = {name: getattr(jax.config, name) for name in CACHE}, dict(devices._CACHE)
    for name, default in devices._CACHE_DEFAULTS.items():
        jax.config.update(name, default)
    devices._CACHE.clear()
    yield
    devices._CACHE.clear()
    devices._CACHE.update(before[1])
    for name, value in before[0].items():
        jax.config.update(name, value)


@pytest.mark.usefixtures("cache_of_the_process")
@pytest.mark.parametrize(
    ("name", "value"), [("jax_compilation_cache_dir", "/mine"), ("jax_enable_compilation_cache", False)]
)
def test_a_users_own_cache_is_kept(name, value):
    jax.config.update(name, value)
    before = [getattr(jax.config, one) for one in CACHE]
    devices.configure("cpu", 2)
    assert [getattr(jax.config, one) for one in CACHE] == before
    devices.configure("cpu", 2, cache="/asked_for")
    assert jax.config.jax_compilation_cache_dir == "/asked_for"
    assert jax.config.jax_enable_compilation_cache
    devices.configure("cpu", 2)
    assert [getattr(jax.config, one) for one in CACHE] == before


@pytest.mark.usefixtures("cache_of_the_process")
def test_without_one_programs_are_cached_among_the_users_files_and_off_is_for_one_sweep(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    devices.configure("cpu", 2)
    assert jax.config.jax_compilation_cache_dir == "/caches/jaxnets/xla"
    devices.configure("cpu", 2, cache="off")
    assert not jax.config.jax_enable_compilation_cache
    devices.configure("cpu", 2)
    assert jax.config.jax_enable_compilation_cache
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 7.0)
    devices.configure("cpu", 2)
    assert jax.config.jax_persistent_cache_min_compile_time_secs == 7.0

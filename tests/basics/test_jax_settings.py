"""Whatever a process has set of JAX, a run gives the same bits, and the process keeps its settings."""

import contextlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxnets
from jaxnets import jax_settings

HOSTILE = {
    "jax_enable_x64": (jax.enable_x64, True),
    "jax_debug_nans": (jax.debug_nans, True),
    "jax_debug_infs": (jax.debug_infs, True),
    "jax_disable_jit": (jax.disable_jit, True),
    "jax_numpy_rank_promotion": (jax.numpy_rank_promotion, "raise"),
    "jax_numpy_dtype_promotion": (jax.numpy_dtype_promotion, "strict"),
    "jax_threefry_partitionable": (jax.threefry_partitionable, False),
    "jax_default_prng_impl": (jax.default_prng_impl, "rbg"),
    "jax_transfer_guard": (jax.transfer_guard, "disallow"),
    "jax_debug_key_reuse": (jax.debug_key_reuse, True),
}


def answers(folder):
    """What a sweep, its results and what is read back say."""
    given = {"dataset": "xor", "learning_rate": [0.05, 1e20], "optimizer": "noisy_sgd", "num_steps": 4}
    results = jaxnets.sweep(**given, batch_size=0, evaluate_every=2, output=folder, progress=False)
    inputs = np.array([[0.0, 1.0], [1.0, 1.0]])
    said = results.probabilities(0, inputs), results.logits(0, inputs), results.start(0).params
    return results, (*said, jaxnets.load(folder).probabilities(0, inputs))


def bits(results, said):
    tables = [
        table.select_dtypes("number").drop(columns="seconds", errors="ignore").to_numpy(float)
        for table in (results.runs, results.curves)
    ]
    return [np.asarray(one).tobytes() for one in (*jax.tree.leaves(said), *tables)]


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    return answers(tmp_path_factory.mktemp("right") / "run")


def test_all_settings_at_once_change_no_bit_and_stay(right, tmp_path):
    with contextlib.ExitStack() as held:
        for setting, value in HOSTILE.values():
            held.enter_context(setting(value))
        before = {name: getattr(jax.config, name) for name in HOSTILE}
        results, said = answers(tmp_path / "run")
        assert {name: getattr(jax.config, name) for name in HOSTILE} == before
    assert bits(results, said) == bits(*right)
    (note,) = [note for note in results.notes if "settings" in note]
    assert all(name in note for name in HOSTILE if name != "jax_transfer_guard")
    assert not [note for note in right[0].notes if "settings" in note]


def test_the_settings_are_recorded(right):
    settings = jaxnets.runs.directory.read_environment(right[0].directory)["jax_settings"]
    assert settings["jax_threefry_partitionable"] is True
    assert settings["jax_enable_x64"] is False


def test_arrays_of_64_bits_are_data_like_others():
    generator = np.random.default_rng(0)
    inputs, labels = generator.normal(size=(40, 3)), generator.integers(0, 2, 40)
    given = {"batch_size": 0, "num_steps": 2, "progress": False}
    right = jaxnets.sweep(dataset=(inputs, labels), **given).runs["test_loss"]
    with jax.enable_x64(True):
        data = jnp.asarray(inputs), jnp.asarray(labels)
        assert jaxnets.sweep(dataset=data, **given).runs["test_loss"].equals(right)


def test_the_settings_of_before_come_back_after_an_error():
    with jax.enable_x64(True):
        with contextlib.suppress(KeyError), jax_settings.pinned():
            assert not jax.config.jax_enable_x64
            raise KeyError
        assert jax.config.jax_enable_x64

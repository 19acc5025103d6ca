import collections
import math

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jaxnets.training.shuffling import permutation


@given(st.integers(1, 70), st.integers(0, 2**31 - 1))
def test_each_number_comes_once(length, seed):
    assert sorted(np.asarray(permutation(jax.random.key(seed), length))) == list(range(length))


def test_each_number_comes_once_in_a_large_set():
    assert np.array_equal(np.sort(permutation(jax.random.key(5), 100_003)), np.arange(100_003))


def test_all_orders_of_five_are_equally_likely():
    keys = jax.random.split(jax.random.key(0), 60_000)
    orders = np.asarray(jax.jit(jax.vmap(lambda key: permutation(key, 5)))(keys))
    counts = collections.Counter(map(tuple, orders.tolist()))
    assert len(counts) == math.factorial(5)
    assert stats.chisquare(list(counts.values())).pvalue > 1e-4


def test_places_and_neighbours_are_uniform():
    length, draws = 97, 20_000
    keys = jax.random.split(jax.random.key(1), draws)
    orders = np.asarray(jax.jit(jax.vmap(lambda key: permutation(key, length)))(keys))
    for place in (0, 48, 96):
        assert stats.chisquare(np.bincount(orders[:, place], minlength=length)).pvalue > 1e-4
    distance = (orders[:, 1] - orders[:, 0]) % length
    assert stats.chisquare(np.bincount(distance, minlength=length)[1:]).pvalue > 1e-4
    # the number of fixed points of a random permutation has mean 1 and variance 1
    fixed = (orders == np.arange(length)).sum(axis=1)
    assert abs(fixed.mean() - 1) < 5 / draws**0.5
    # half of all permutations are even: the share of inversions is 1/4 of the ordered pairs
    inversions = (orders[:500, :, None] > orders[:500, None, :])[:, *np.triu_indices(length, 1)].mean()
    assert abs(inversions - 0.5) < 0.01


def test_the_key_alone_decides():
    one = permutation(jax.random.key(3), 50)
    assert np.array_equal(one, jax.jit(permutation, static_argnums=1)(jax.random.key(3), 50))
    assert not np.array_equal(one, permutation(jax.random.key(4), 50))
    assert one.dtype == jnp.int32

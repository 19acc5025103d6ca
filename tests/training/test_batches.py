import collections
import math

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from jaxnets.training import batches
from jaxnets.training.batches import Examples, TextStream, permutation

FEATURES = Examples(jnp.arange(11.0)[:, None], jnp.arange(11))


def test_an_epoch_is_a_partition_of_the_examples():
    epochs = []
    for epoch in range(3):
        order = batches.order(jax.random.key(epoch), 11, batch_size=4)
        chosen = []
        for number in range(3):
            weights = batches.weights(jnp.int32(number), 11, batch_size=4)
            batch = batches.batch(FEATURES, batches.rows(order, jnp.int32(number), batch_size=4), weights)
            np.testing.assert_array_equal(batch.inputs[:, 0], batch.labels)
            chosen += [int(label) for label, weight in zip(batch.labels, batch.weights, strict=True) if weight > 0]
        assert sorted(chosen) == list(range(11))
        epochs.append(tuple(chosen))
    assert len(set(epochs)) == 3


def test_a_batch_that_divides_the_set_needs_no_weights():
    order = batches.order(jax.random.key(0), 12, batch_size=4)
    np.testing.assert_array_equal(batches.rows(order, jnp.int32(2), batch_size=4), order[8:])
    assert batches.weights(jnp.int32(2), 12, batch_size=4) is None


def test_some_places_of_an_order_are_those_of_the_whole():
    key, places = jax.random.key(3), jnp.array([11, 0, 7, 10, 3])
    for batch_size in (4, 11):
        order = jnp.pad(batches.order(key, 11, batch_size), (0, 1))[:12]
        np.testing.assert_array_equal(batches.order_at(key, places[1:], 11, batch_size), order[places[1:]])
    assert int(batches.order_at(key, places, 11, 4)[0]) == 0  # padding


def test_texts_are_packed_one_after_another():
    stream = TextStream(jnp.array([5, 6, 7, 8, 9, 4]), starts=jnp.array([0, 2, 2]), lengths=jnp.array([2, 0, 4]))
    rows = jnp.array([2, 1, 0])
    packed = batches.text_batch(stream, rows, stream.lengths[rows], num_positions=8)
    np.testing.assert_array_equal(packed.words, [7, 8, 9, 4, 5, 6, 0, 0])
    np.testing.assert_array_equal(packed.owner, [0, 0, 0, 0, 2, 2, 3, 3])
    np.testing.assert_array_equal(packed.lengths, [4, 0, 2])


def test_batches_of_one_size_hold_each_example_once():
    stacked = batches.in_batches(Examples(jnp.arange(600.0)[:, None], jnp.arange(600)))
    assert stacked.labels.shape == (3, batches.EVALUATION_BATCH)
    np.testing.assert_array_equal(stacked.labels[stacked.weights > 0], jnp.arange(600))
    np.testing.assert_array_equal(stacked.inputs[..., 0], stacked.labels)


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

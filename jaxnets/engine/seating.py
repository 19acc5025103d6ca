"""The values of runs by their seats on the devices: taken to the host, moved together, and shaped as they are there."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from jaxnets.engine.devices import Placement
from jaxnets.engine.events import Record
from jaxnets.engine.layout import Layout
from jaxnets.engine.plan import Program
from jaxnets.engine.segments import Outcome


def shapes(program: Program) -> list[np.ndarray]:
    """The shape and dtype of each leaf of a run's state, as a snapshot holds it: zeros that take no memory."""
    keys = np.broadcast_to(np.uint32(0), (2,))
    return [
        np.broadcast_to(keys, (*leaf.shape, 2))
        if is_key(leaf.dtype)
        else np.broadcast_to(np.zeros((), leaf.dtype), leaf.shape)
        for leaf in jax.tree.leaves(program.state)
    ]


def is_key(dtype: Any) -> bool:
    """Whether numbers are random keys."""
    return jnp.issubdtype(dtype, jax.dtypes.prng_key)


def data(leaf: Array) -> Array:
    """A leaf of the states as numbers: an optimizer's state may hold random keys, which NumPy does not know."""
    return jax.random.key_data(leaf) if is_key(leaf.dtype) else leaf


def as_key(numbers: np.ndarray) -> Array:
    """Random keys from their data."""
    return jax.random.wrap_key_data(jnp.asarray(numbers))


def moved(leaf: Array, seats: np.ndarray, layout: Layout, placement: Placement) -> Array:
    """The values of some seats in the first ones; by way of the host, so that nothing is compiled."""
    of_runs = layout.place(seated(data(leaf), seats))
    of_keys = is_key(leaf.dtype)
    leaf.delete()  # so that only one leaf at a time is there twice
    return jax.device_put(as_key(of_runs) if of_keys else of_runs, placement.sharded)


def seated(leaf: Array, seats: np.ndarray) -> np.ndarray:
    """The values of some seats, on the host: a copy, as the device goes on to use the memory."""
    return np.asarray(leaf).reshape(leaf.shape[0] * leaf.shape[1], *leaf.shape[2:])[seats]


def kept(places: Sequence[int], record: Record, seats: np.ndarray, params: Any) -> dict[int, Any]:
    """The parameters of the runs at some places of the record, by the numbers of the runs."""
    if len(places) < 2:
        return {int(record.runs[place]): _of_run(params, int(seats[place])) for place in places}
    stacked = jax.tree.map(partial(seated, seats=seats[np.asarray(places)]), params)
    return {int(record.runs[place]): jax.tree.map(partial(_row, row), stacked) for row, place in enumerate(places)}


def _row(row: int, leaf: np.ndarray) -> np.ndarray:
    return leaf[row]


def _of_run(params: Any, seat: int) -> Any:
    """The parameters of the run at a seat, on the host."""

    def take(leaf: Array) -> np.ndarray:
        block, lane = divmod(seat, leaf.shape[1])
        for shard in leaf.addressable_shards:
            start = shard.index[0].start or 0
            if start <= block < start + shard.data.shape[0]:
                return np.array(shard.data[block - start, lane])
        raise ValueError(f"no device holds seat {seat}")

    return jax.tree.map(take, params)


def fetched(outcomes: Outcome, seats: np.ndarray, test_rows: Int[np.ndarray, "runs batches examples"]) -> Outcome:
    """The outcomes of the runs at some seats, on the host."""
    values = jax.tree.map(partial(seated, seats=seats), outcomes)
    if values.test_probabilities.size == 0:
        return values
    # `rows` is -1 where a batch holds nothing: the row after the last takes that
    shape = (len(seats), test_rows.max() + 2, values.test_probabilities.shape[-1])
    ordered = np.full(shape, np.nan, np.float32)
    ordered[np.arange(len(seats))[:, None, None], test_rows] = values.test_probabilities
    return values._replace(test_probabilities=ordered[:, :-1])

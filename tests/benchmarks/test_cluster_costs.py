from dataclasses import replace

import pytest

from benchmarks import cluster
from jaxnets.config.config import Config
from jaxnets.engine.ray_cluster import Workers
from jaxnets.engine.sweep import prepare


def test_what_a_chunk_costs_is_the_slope_of_the_times():
    assert cluster.overhead([1, 2, 4], [5.0, 5.5, 6.5]) == pytest.approx(0.5)


def test_the_chunks_are_counted_over_all_programs():
    values = {"hidden_units": [12, 16], "num_steps": 2, "num_seeds": 20, "num_train": 64, "num_test": 20}
    sweep = replace(prepare(Config(**values)), workers=Workers("local", "cpu", 2))
    assert [cluster.num_chunks(sweep, chunks) for chunks in (1, 2, 8)] == [2, 4, 14]

import pandas as pd
import pytest

from jaxnets.evidence import barriers


def test_pairs_of_one_start_are_one_observation_and_no_barrier_counts_more_than_guessing():
    rows = [("a", 0, 0.1), ("a", 0, 0.3), ("b", 0, 5.0), ("a", 1, 0.4)]
    pairs = pd.DataFrame(rows, columns=["kind", "seed", "barrier"])
    pairs = pd.concat([pairs.assign(share=0.0), pairs.assign(share=0.5, barrier=9.0)])
    high = barriers.heights(pairs, ["seed"], ["a", "b", "never"])
    assert high["a"].tolist() == pytest.approx([0.2, 0.4])
    assert high["b"].iloc[0] == 1
    assert high["never"].isna().all()


def high_of(*nets):
    rows = [("digits", net, seed, height + 0.01 * seed) for net, height in nets for seed in (0, 1)]
    return pd.DataFrame(rows, columns=["dataset", "net", "seed", "optimizers"])


def test_narrow_and_wide_nets_meet_by_depth_and_start():
    high = high_of(("8", 0.1), ("32", 0.04), ("16", 0.5), ("8x8", 0.3), ("32x32", 0.3))
    gaps = barriers.by_width(high, "optimizers", ["seed"])
    assert gaps["task"].tolist() == [*["digits, hidden layers: 1"] * 2, *["digits, hidden layers: 2"] * 2]
    assert gaps["effect"].tolist() == pytest.approx([0.06, 0.06, 0, 0])


def test_without_another_width_there_is_nothing_to_compare():
    assert barriers.by_width(high_of(("8", 0.1), ("8x8", 0.1)), "optimizers", ["seed"]).empty

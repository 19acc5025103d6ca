"""Solutions are the ends of small real runs."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnets import sweep
from jaxnets.analysis import landscape
from jaxnets.models import MLP

RNG = np.random.default_rng(0)
INPUTS = jnp.asarray(RNG.normal(size=(8, 4)), jnp.float32)
MODEL = MLP(3, (6, 5), jnp.tanh)


def params(seed):
    return jax.tree.map(np.asarray, MODEL.init(jax.random.key(seed), INPUTS)["params"])


def permuted(params):
    first, second = RNG.permutation(6), RNG.permutation(5)
    return {
        "Linear_0": {"kernel": params["Linear_0"]["kernel"][:, first], "bias": params["Linear_0"]["bias"][first]},
        "Linear_1": {
            "kernel": params["Linear_1"]["kernel"][first][:, second],
            "bias": params["Linear_1"]["bias"][second],
        },
        "output": {"kernel": params["output"]["kernel"][second], "bias": params["output"]["bias"]},
    }


def test_a_permutation_of_hidden_units_is_undone():
    original = params(0)
    other = permuted(original)
    assert landscape.distance(original, other) > 0.5
    matched = landscape.aligned(other, original)
    assert landscape.distance(original, matched) < 1e-7


def test_aligning_changes_nothing_that_the_net_computes():
    matched = landscape.aligned(params(1), params(0))
    before, after = (MODEL.apply({"params": p}, INPUTS) for p in (params(1), matched))
    np.testing.assert_allclose(after, before, atol=1e-6)
    assert landscape.distance(params(0), matched) < landscape.distance(params(0), params(1))


def test_a_barrier_is_the_rise_above_the_line_between_the_ends():
    way = np.linspace(0, 1, 11)
    assert landscape.barrier(4 * way * (1 - way)) == pytest.approx(1)
    assert landscape.barrier(way + 4 * way * (1 - way)) == pytest.approx(1)
    assert landscape.barrier(way) == pytest.approx(0)  # a straight line has none
    assert landscape.barrier((2 * way - 1) ** 2) == pytest.approx(-0.36)  # a valley: the highest point next to an end


def test_distances_are_relative():
    assert landscape.distance({"a": np.ones(4)}, {"a": -np.ones(4)}) == pytest.approx(2)
    assert landscape.distance({"a": 3 * np.ones(4)}, {"a": 3 * np.ones(4)}) == 0


@pytest.fixture(scope="module")
def trained():
    """A linear net on wine, in two repeats, by batches and by the full gradient."""
    budget = {"num_steps": 12, "num_seeds": 2, "num_repeats": 2, "learning_rate": 0.1, "optimizer": "sgd"}
    return sweep(
        dataset="wine", hidden_units=0, batch_size=[10, 0], evaluate_every=6, keep="last", progress=False, **budget
    )


def loss(data, params):
    """The mean cross-entropy of a linear net, in float64."""
    layer = {name: np.asarray(array, np.float64) for name, array in params["output"].items()}
    logits = np.asarray(data.inputs, np.float64) @ layer["kernel"] + layer["bias"]
    chosen = logits[np.arange(len(logits)), data.labels]
    return float((np.log(np.exp(logits).sum(axis=1)) - chosen).mean())


def test_losses_along_a_line_are_those_of_the_repeat_of_its_run(trained):
    runs = trained.runs.set_index(["repeat", "seed"])["run"].groupby(level="repeat").first().astype(int).tolist()
    ends = [trained.params(run) for run in runs]
    losses = landscape.along_lines(trained, runs, ends, ends[::-1])
    assert losses.shape == (2, landscape.POINTS)
    middle = jax.tree.map(lambda a, b: (a + b) / 2, *ends)
    for place, run in enumerate(runs):
        data = trained.dataset(run).train
        points = losses[place, 0], losses[place, landscape.POINTS // 2], losses[place, -1]
        wanted = [loss(data, one) for one in (ends[place], middle, ends[1 - place])]
        np.testing.assert_allclose(points, wanted, rtol=1e-5)
    table = trained.runs.set_index("run")["train_loss"]
    np.testing.assert_allclose(losses[:, 0], table[runs], rtol=1e-5)


def test_without_lines_there_are_no_losses(trained):
    assert landscape.along_lines(trained, [], [], []).shape == (0, landscape.POINTS)


def test_in_another_order_runs_start_where_they_did_and_end_elsewhere(trained):
    again = landscape.in_another_order(trained)
    small = trained.runs[trained.runs["batch_size"] == 10]
    for run in small["run"].astype(int):
        apart = landscape.distance(trained.params(run), again.params(run))
        start = landscape.distance(trained.params(run, step=0), again.params(run, step=0))
        assert start == 0
        assert 1e-4 < apart < landscape.distance(trained.params(run), trained.params(run, step=0))
    assert again.num_programs == 0  # none is compiled anew
    status = again.runs.groupby("batch_size")["status"].unique()
    assert status[10].tolist() == ["finished"]
    assert "finished" not in status[status.index.max()]  # batches of all examples have no order


@pytest.fixture(scope="module")
def two_optimizers():
    """Two optimizers on wine, each from four starts."""
    rates = {"num_steps": 10, "num_seeds": 4, "learning_rate": 0.05, "hidden_units": 3, "batch_size": 20}
    return sweep(dataset="wine", optimizer=["sgd", "adam"], evaluate_every=10, keep="last", progress=False, **rates)


def test_pairs_of_one_start_and_of_another(two_optimizers):
    halves = two_optimizers.runs.assign(half=np.where(two_optimizers.runs["optimizer"] == "sgd", "one", "other"))
    table = landscape.pairs(two_optimizers, "optimizer")
    ends = table[table["share"] == 0]
    assert ends["kind"].value_counts().to_dict() == {
        landscape.OTHER_METHOD: 4,
        landscape.OTHER_ORDER: 8,
        landscape.OTHER_START: 4,  # two disjoint pairs of each optimizer
        landscape.ALIGNED: 4,
    }
    distance = ends.groupby("kind")["distance"].mean()
    assert distance[landscape.ALIGNED] < distance[landscape.OTHER_START]
    assert 0 < distance[landscape.OTHER_ORDER] < distance[landscape.OTHER_START]
    across = ends[ends["kind"] == landscape.OTHER_METHOD]
    assert across[["first", "second"]].drop_duplicates().to_numpy().tolist() == [["sgd", "adam"]]
    assert sorted(across["seed"]) == [0, 1, 2, 3]
    each = landscape.pairs(replace(two_optimizers, runs=halves), "optimizer", "half")  # models each for itself
    assert landscape.OTHER_METHOD not in set(each["kind"])
    assert set(each["half"]) == {"one", "other"}


def test_lines_begin_and_end_with_the_losses_of_their_ends(two_optimizers):
    table = landscape.pairs(two_optimizers, "optimizer", starts=False)
    losses = two_optimizers.runs.set_index(["optimizer", "seed"])["train_loss"]
    across = table[table["kind"] == landscape.OTHER_METHOD]
    for share, name in ((0, "sgd"), (1, "adam")):
        found = across[across["share"] == share].set_index("seed")["loss"]
        np.testing.assert_allclose(found, losses[name].loc[found.index], rtol=1e-4)
    for _, line in across.groupby("seed"):
        rise = line["loss"].to_numpy() - np.linspace(line["loss"].iloc[0], line["loss"].iloc[-1], len(line))
        assert line["barrier"].iloc[0] == pytest.approx(rise[1:-1].max() / np.log(3), abs=1e-6)


def test_runs_that_diverged_have_no_pairs(two_optimizers):
    runs = two_optimizers.runs
    lost = runs.assign(status=runs["status"].where(runs["optimizer"] == "adam", "diverged"))
    table = landscape.pairs(replace(two_optimizers, runs=lost), "optimizer")
    assert set(table["first"]) == {"adam"}
    for within in ("", "optimizer"):
        nothing = landscape.pairs(replace(two_optimizers, runs=lost.assign(status="diverged")), "optimizer", within)
        assert nothing.empty
        assert {"kind", "barrier", "share", "loss"} <= set(nothing.columns)


@pytest.fixture(scope="module")
def xor():
    values = {"activation": "tanh", "head": "sigmoid", "keep": "last", "batch_size": 0, "num_steps": 3}
    return sweep(dataset="xor", hidden_units=2, num_seeds=2, progress=False, **values)


def test_the_plane_holds_what_the_run_says_of_the_patterns(xor):
    plane = landscape.of_inputs(xor, 1, low=0, high=1, count=2)
    assert plane[["x", "y"]].to_numpy().tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]
    of_patterns = xor.probabilities(1, plane[["x", "y"]].to_numpy())[:, 1]
    np.testing.assert_allclose(plane["probability"], of_patterns, atol=1e-6)


def test_the_hidden_layer_and_its_line_make_the_logits(xor):
    hidden = landscape.of_hidden_layer(xor, 0)
    assert hidden["input"].tolist() == ["00", "01", "10", "11"]
    assert hidden["label"].tolist() == [0, 1, 1, 0]
    logits = hidden["a"] * hidden["h1"] + hidden["b"] * hidden["h2"] + hidden["c"]
    np.testing.assert_allclose(logits, xor.logits(0, xor.folds[0].train.inputs)[:, 0], atol=1e-6)


def test_gradient_descent_on_the_ravine_is_that_of_the_closed_form():
    ravine = landscape.LANDSCAPES["ravine"]
    points = landscape.walk(ravine, "sgd", np.array([0.01, 0.03]), 5)
    for rate, path in zip((0.01, 0.03), points, strict=True):
        steps = np.arange(6)
        np.testing.assert_allclose(path[:, 0], -4 * (1 - rate) ** steps, rtol=1e-5)
        np.testing.assert_allclose(path[:, 1], (1 - 50 * rate) ** steps, rtol=1e-4)


def test_arrival_is_for_good():
    ravine = landscape.LANDSCAPES["ravine"]
    away, low = (1.0, 0.0), (0.0, 0.0)
    points = np.array([[away, low, away, low, low], [away, away, away, away, (np.nan, 0)], [low] * 5])
    assert landscape.arrivals(ravine, points).tolist() == [3, np.inf, 0]


def test_the_low_ground_of_each_landscape_can_be_reached():
    table = landscape.best_paths({"sgd": "sgd", "adam": "adam"}, np.geomspace(0.01, 3, 12), 400)
    arrivals = table.groupby(["landscape", "optimizer"])["arrival"].first()
    assert len(arrivals) == 8
    assert np.isfinite(arrivals).all()
    assert all(landscape.heights(name, 5)["height"].notna().all() for name in landscape.LANDSCAPES)

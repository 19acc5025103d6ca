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
    """A linear net on wine, in two blocks, by batches and by the full gradient."""
    budget = {"num_steps": 12, "num_seeds": 2, "num_blocks": 2, "learning_rate": 0.1, "optimizer": "sgd"}
    return sweep(
        dataset="wine", hidden_units=0, batch_size=[10, 0], evaluate_every=6, keep="last", progress=False, **budget
    )


def loss(data, params):
    """The mean cross-entropy of a linear net, in float64."""
    layer = {name: np.asarray(array, np.float64) for name, array in params["output"].items()}
    logits = np.asarray(data.inputs, np.float64) @ layer["kernel"] + layer["bias"]
    chosen = logits[np.arange(len(logits)), data.labels]
    return float((np.log(np.exp(logits).sum(axis=1)) - chosen).mean())


def test_losses_along_a_line_are_those_of_the_block_of_its_run(trained):
    runs = trained.runs.set_index(["block", "seed"])["run"].groupby(level="block").first().astype(int).tolist()
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


def test_batches_of_all_examples_have_no_order(trained):
    again = landscape.in_another_order(trained)
    status = again.runs.groupby("batch_size")["status"].unique()
    assert status[10].tolist() == ["finished"]
    assert "finished" not in status[status.index.max()]

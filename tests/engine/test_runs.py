import jax
import numpy as np
import optax
import pytest

from jaxnets.config.config import Config
from jaxnets.config.values import linear_range, log_range
from jaxnets.engine.sweep import load_folds, prepare
from jaxnets.engine.table import dataset_arguments, runs
from jaxnets.errors import UserError
from jaxnets.models import MLP
from jaxnets.plugins import DATASET
from jaxnets.training import schedules


def table(**flags):
    return runs(Config(**flags))


def test_lists_make_a_product_with_the_seed_varying_fastest():
    got = [
        (str(run["optimizer"]), run["learning_rate"], run["seed"])
        for run in table(optimizer=["sgd", "adam"], learning_rate=[0.1, 0.2], num_seeds=2)
    ]
    assert got == [(o, r, s) for o in ("sgd", "adam") for r in (0.1, 0.2) for s in (0, 1)]


def test_arguments_cross_only_where_their_plugin_is_chosen():
    got = table(optimizer=["sgd", "momentum", "adam"], momentum=[0.5, 0.9], b1=0.8)
    assert [(str(run["optimizer"]), run.get("momentum"), run.get("b1")) for run in got] == [
        ("sgd", None, None),
        ("momentum", 0.5, None),
        ("momentum", 0.9, None),
        ("adam", None, 0.8),
    ]


def test_defaults_of_plugins_are_in_the_table():
    run = table(optimizer="adam", schedule="step")[0]
    assert (run["b2"], run["schedule_drops"], run["hidden_units"]) == (0.999, 2.0, (128, 128))


def test_a_base_seed_moves_the_seeds_of_all_repeats_and_of_the_loader():
    moved = table(base_seed=5, num_seeds=2, num_repeats=2)
    assert [run["seed"] for run in moved] == [500_000, 500_001, 500_002, 500_003]
    config = Config(dataset="spirals", data_seed=3, base_seed=5)
    assert dataset_arguments(config, DATASET.find("spirals")) == {"data_seed": 500_003}
    assert dataset_arguments(Config(dataset="wine", base_seed=7), DATASET.find("wine")) == {"split_seed": 700_000}


LARGEST = 21_473
BASE_SEEDS = (0, 1, 2, 3, 10, 99, 100, 255, 256, 1000, 9999, 10_000, LARGEST - 1, LARGEST)


def test_base_seeds_share_no_seed_and_no_split():
    seeds, splits = [], []
    for base in BASE_SEEDS:
        config = Config(dataset="wine", base_seed=base, num_seeds=40, num_repeats=25, options={"final_seeds": 3_960})
        seeds += [run["seed"] for run in runs(config)]
        first = dataset_arguments(config, DATASET.find("wine")).get("split_seed", 0)
        splits += [first + repeat for repeat in range(config.num_repeats)]
    assert len(set(seeds)) == len(seeds) == 1000 * len(BASE_SEEDS)
    assert len(set(splits)) == len(splits)
    assert max(seeds) + 25 * 3_960 < 2**31
    assert seeds[:1000] == list(range(1000))


@pytest.mark.parametrize("limits", [{}, {"num_train": 60, "num_test": 20}])
@pytest.mark.parametrize("own_splits", [False, True])
def test_neighbouring_base_seeds_share_no_test_set(limits, own_splits):
    features, labels = np.random.default_rng(0).normal(size=(300, 3)), np.arange(300) % 2
    pairs = [(features[at], labels[at]) for at in (slice(200), slice(200, 250), slice(250, 300))]
    data_set = tuple(pairs) if own_splits else (features, labels)
    found = [
        frozenset(map(bytes, fold.test.inputs))
        for base in (0, 1, 2, LARGEST)
        for fold in load_folds(Config(dataset=data_set, base_seed=base, num_repeats=4, **limits))
    ]
    assert len(set(found)) == 16


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base_seed": LARGEST + 1}, "base_seed: 21474 is above 21473."),
        ({"base_seed": -1}, "base_seed: -1 is below 0."),
        ({"num_seeds": 100_001}, "num_seeds: 100,001 seeds of all repeats are more than the 100,000 of a base_seed."),
        ({"num_seeds": 1000, "num_repeats": 50, "options": {"final_seeds": 1001}}, "num_seeds: 100,050 seeds of all"),
    ],
)
def test_seeds_that_would_be_those_of_another_base_seed_are_refused(values, message):
    with pytest.raises(UserError) as error:
        runs(Config(**values))
    assert str(error.value).startswith(message)


def test_seeds_are_counted_or_picked():
    assert [run["seed"] for run in table(num_seeds=3)] == [0, 1, 2]
    assert [run["seed"] for run in table(seed=[3, 7], num_seeds=9)] == [3, 7]


def test_weight_decay_of_an_optimizer_is_the_flag_or_its_own():
    assert table(optimizer="adamw")[0]["weight_decay"] == 1e-4
    assert table(optimizer="adamw", weight_decay=0.3)[0]["weight_decay"] == 0.3
    assert table(optimizer="sgd")[0]["weight_decay"] is None


def test_random_search_draws_from_the_ranges():
    values = {"search": "random", "num_trials": 40, "optimizer": ["sgd", "adam"], "num_seeds": 2}
    got = table(**values, learning_rate=log_range(1e-4, 1))
    assert len(got) == 2 * 40 * 2
    assert got == table(**values, learning_rate=log_range(1e-4, 1, 9))
    rates = [run["learning_rate"] for run in got]
    assert len(set(rates)) == 40  # both optimizers and all seeds of a trial share its draws
    assert all(1e-4 <= rate <= 1 for rate in rates)
    assert sum(rate < 1e-2 for rate in rates) / len(rates) == pytest.approx(0.5, abs=0.25)
    again = table(search="random", num_trials=40, learning_rate=log_range(0.0001, 1), search_seed=1)
    assert {run["learning_rate"] for run in again}.isdisjoint(rates)


def test_whole_numbers_are_drawn_whole_and_lists_are_crossed():
    got = table(search="random", num_trials=6, batch_size=log_range(8, 128), schedule=["constant", "cosine"])
    assert len(got) == 12
    assert all(isinstance(run["batch_size"], int) and 8 <= run["batch_size"] <= 128 for run in got)
    assert [run["seed"] for run in table(seed=linear_range(0, 4, 5))] == [0, 1, 2, 3, 4]


def test_one_more_range_leaves_the_draws_of_others_as_they_are():
    flags = {"search": "random", "num_trials": 5, "learning_rate": log_range(0.0001, 1)}
    one, two = table(**flags), table(**flags, initializer_scale=linear_range(0.5, 2))
    assert [run["learning_rate"] for run in one] == [run["learning_rate"] for run in two]


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        ({"optimizer": "adm"}, "optimizer: 'adm' is not known. Did you mean 'adam'?"),
        ({"model": "mpl"}, "model: 'mpl' is not known. Did you mean 'mlp'?"),
        ({"schedule": "cosin"}, "schedule: 'cosin' is not known. Did you mean 'cosine'?"),
        ({"initializer": "hee"}, "initializer: 'hee' is not known. Did you mean 'he'?"),
        ({"head": "softmx"}, "head: 'softmx' is not known. Did you mean 'softmax'?"),
        ({"optimizer": "sgd", "b1": 0.9}, "b1: optimizer=sgd has no 'b1'. It belongs to: adabelief, adam"),
        ({"schedule_end": 0.1}, "schedule_end: schedule=constant has no 'schedule_end'"),
        ({"num_filters": 3}, "num_filters: model=mlp has no 'num_filters'"),
        ({"no_such_thing": 3}, "'no_such_thing' is not known"),
        ({"learning_rate": -0.1}, "learning_rate: -0.1 is below 0"),
        ({"learning_rate": linear_range(-1, 1, 3)}, "learning_rate: -1.0 is below 0"),
        ({"b1": -0.5}, "b1: -0.5 is below 0"),
        ({"dropout_rate": -0.1}, "dropout_rate: -0.1 is below 0"),
        ({"dropout_rate": [0.5, 1]}, "dropout_rate: 1.0 is not below 1"),
        ({"hidden_units": []}, "hidden_units: the list is empty"),
        ({"learning_rate": log_range(0.001, 1)}, "a grid needs the count"),
        ({"search": "random"}, "random has no range to draw from"),
        ({"batch_size": -1}, "batch_size: -1 is below 0"),
        ({"seed": -1}, "seed: -1 is below 0"),
        ({"num_seeds": 0}, "num_seeds: 0 is below 1"),
    ],
)
def test_mistakes_are_one_line(flags, part):
    with pytest.raises(UserError) as error:
        table(**flags)
    assert part in str(error.value)
    assert "\n" not in str(error.value)


def given_to_loader(values):
    config = Config(**values)
    return dataset_arguments(config, DATASET.find(config.dataset))


def test_a_loader_takes_single_values():
    assert given_to_loader({"dataset": "ngrams", "num_sentences": 50}) == {"num_sentences": 50}
    with pytest.raises(UserError, match="num_sentences: it takes one value, not a list"):
        given_to_loader({"dataset": "ngrams", "num_sentences": [50, 60]})


def test_what_draws_repeat_is_counted_once_in_a_sweep():
    drawn = Config(search="random", num_trials=12, batch_size=linear_range(64, 65), hidden_units=4, num_steps=1)
    sweep = prepare(drawn)
    assert len(runs(drawn)) == 12
    assert len(sweep.table) == len({run["batch_size"] for run in sweep.table}) == 2
    assert "10 runs were equal to others, and are left out." in sweep.notes


def test_objects_are_plug_ins_and_are_named_by_their_import_path():
    (run,) = table(optimizer=optax.adam, activation=jax.nn.tanh, schedule=schedules.cosine, model=MLP)
    assert [str(run[name]) for name in ("optimizer", "activation", "schedule", "model")] == [
        "adam",
        "tanh",
        "cosine",
        "mlp",
    ]
    (guest,) = table(optimizer=my_optimizer, half=0.25, activation=lambda x: x)
    assert str(guest["optimizer"]).endswith("my_optimizer")
    assert (guest["half"], str(guest["activation"])) == (0.25, "<lambda>")


def test_one_name_stands_for_one_object():
    with pytest.raises(UserError, match="optimizer: two that differ are called '<lambda>'"):
        table(
            optimizer=[lambda learning_rate: optax.sgd(learning_rate), lambda learning_rate: optax.adam(learning_rate)]
        )

    def sgd(learning_rate):
        return optax.sgd(2 * learning_rate)

    built_in, guest = table(optimizer=["sgd", sgd])
    assert str(built_in["optimizer"]) == "sgd"
    assert str(guest["optimizer"]) == f"sgd of {__name__}"
    assert guest["optimizer"].reference is sgd
    assert len(table(optimizer=["sgd", optax.adam, "adam"])) == 2


def my_optimizer(learning_rate, half=0.5):
    """Steps by a part of the rate."""
    return optax.sgd(learning_rate * half)


def test_more_runs_than_can_be_listed_are_refused_before_they_are_made():
    with pytest.raises(UserError, match="num_seeds: 1,000,000,000 runs are more than the 10,000,000"):
        table(num_seeds=1_000_000_000)
    with pytest.raises(UserError, match="are more than"):
        table(learning_rate=log_range(1e-4, 1, 10**9))

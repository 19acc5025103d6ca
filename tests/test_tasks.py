"""The suite: each task can be trained, is told by docs/tasks.md as it is, and is found by its name."""

import re

import numpy as np
import pytest

from jaxnets import data, tasks
from jaxnets.config.config import Config
from jaxnets.config.values import unparse
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError
from tests.docs.pages import PAGES, blocks

SIZES = ("dataset", "model", "batch_size", "num_steps", "evaluate_every")


@pytest.mark.parametrize("name", tasks.KNOWN)
def test_a_task_is_a_configuration_with_a_target_above_chance(name):
    task = tasks.KNOWN[name]
    assert task.name == name
    assert set(SIZES) <= set(task.values)
    sweep = prepare(Config(**task.values))
    labels = sweep.folds[0].test.labels
    largest = np.bincount(labels).max() / len(labels)
    assert task.chance == pytest.approx(largest, abs=0.03)
    assert task.chance + 0.1 < task.target < 1
    evaluations, rest = divmod(task.values["num_steps"], task.values["evaluate_every"])
    assert rest == 0
    assert evaluations % 9 == 0  # so that successive halving can judge at 1/9 and 1/3 of the steps


def test_at_least_ten_tasks_are_small_and_differ_in_data_model_or_sizes():
    assert len(tasks.SMALL) >= 10
    assert set(tasks.SMALL) < set(tasks.KNOWN)
    assert len({repr(task.values) for task in tasks.KNOWN.values()}) == len(tasks.KNOWN)
    assert {task.values["model"] for task in tasks.find("small")} == {"mlp", "dan", "text_cnn"}


@pytest.mark.parametrize("name", tasks.SMALL)
def test_the_data_of_a_task_can_be_drawn_in_repeats(name):
    values = tasks.KNOWN[name].values
    taken = data.find(values["dataset"])
    arguments = {one: values[one] for one in values if one in taken.__annotations__}
    first, second = data.load_repeats(values["dataset"], 2, **arguments)
    assert len(first.train) == len(second.train)
    inputs = [one.test.inputs.words if one.is_text else one.test.inputs for one in (first, second)]
    assert not np.array_equal(*inputs)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("small", tasks.SMALL),
        ("all", tuple(tasks.KNOWN)),
        ("wine", ("wine",)),
        (" wine, digits ,wine", ("wine", "digits")),
        ("parity,small", ("parity", *(name for name in tasks.SMALL if name != "parity"))),
    ],
)
def test_tasks_are_found_by_their_names(text, names):
    assert tuple(task.name for task in tasks.find(text)) == names


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("digit", "tasks: 'digit' is not known. Did you mean 'digits'?"),
        ("digits,smal", "tasks: 'smal' is not known. Did you mean 'small'?"),
        (" ,", "names no task; give small, all, or names: breast_cancer,"),
    ],
)
def test_mistakes_are_reported_with_the_nearest_name(text, message):
    with pytest.raises(UserError) as error:
        tasks.find(text)
    assert message in str(error.value)


def test_the_table_of_the_page_is_that_of_the_suite():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGES["docs/tasks.md"], re.MULTILINE)
    assert [name for name, _ in rows] == list(tasks.KNOWN)
    for (_, row), task in zip(rows, tasks.KNOWN.values(), strict=True):
        assert row == " | ".join(cells(task))


def test_the_example_of_the_page_is_a_task():
    (example,) = [block for block in blocks(PAGES["docs/tasks.md"], "python") if "TASK" in block]
    scope = {}
    exec(example, scope)
    assert prepare(Config(**scope["TASK"].values)).num_steps == 180


def cells(task):
    """What the page says of a task."""
    own = {name: value for name, value in task.values.items() if name not in SIZES}
    sizes = ", ".join(f"{name} {unparse(value)}" for name, value in own.items())
    budget = f"{task.values['num_steps']} steps of {task.values['batch_size']}"
    return (
        task.about,
        f"`{task.values['dataset']}`",
        f"`{task.values['model']}`",
        sizes,
        budget,
        f"{task.target:.1%}",
        f"{task.chance:.0%}",
        task.source,
    )

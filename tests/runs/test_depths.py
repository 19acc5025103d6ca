from jaxnets import tasks
from jaxnets.runs import experiment

OPTIONS = {"layers": [1, 3], "most_steps": 100}


def test_tasks_are_shortened_and_digits_gets_several_depths():
    changes = experiment.short_and_deep(OPTIONS)
    assert changes(tasks.KNOWN["digits"])["hidden_units"] == [(32,), (32, 32, 32)]
    assert changes(tasks.KNOWN["wine"]) == {"num_steps": 36, "evaluate_every": 36}
    assert changes(tasks.KNOWN["mnist1d"]) == {"num_steps": 100, "evaluate_every": 100}
    assert changes(None) == {}


def test_the_options_are_those_of_the_changes():
    names = [option.name for option in experiment.of_depths(1, 2, confirm_seeds=3)]
    assert names == ["tasks", "confirm_seeds", *OPTIONS]
    assert set(experiment.SHORT_TASKS) <= set(tasks.SMALL)

import pytest

from jaxnets.claims.verdicts import Rule, fingerprint

RULE = {"statement": "Nets learn.", "kind": "empirical"}


def test_any_change_of_a_rule_changes_the_hash():
    first = fingerprint({"learn": Rule(**RULE, bound=0.1)})
    assert first == fingerprint({"learn": Rule(**RULE, bound=0.1)})
    changes = [
        {"bound": 0.2},
        {"bound": 0.1, "core": False},
        {"bound": 0.1, "over": "most"},
        {"bound": 0.1, "reason": "x"},
    ]
    assert len({first, *(fingerprint({"learn": Rule(**RULE, **change)}) for change in changes)}) == 5


@pytest.mark.parametrize(
    ("values", "beyond"),
    [
        ({"test": "above", "bound": 0.1}, -0.1),
        ({"test": "below", "bound": 0.1}, 0.1),
        ({"test": "within", "bound": 0.1}, 0.1),
        ({"test": "above", "bound": 0.5, "against": 0.4}, 0.4),
    ],
)
def test_what_contradicts_is_an_effect_in_the_other_direction_or_beyond_the_limit(values, beyond):
    assert Rule(**RULE, **values).beyond == beyond


@pytest.mark.parametrize("over", ["", "some", "often", "most", "mean"])
@pytest.mark.parametrize("test", ["above", "below", "within"])
def test_a_rule_in_words_names_its_bound(test, over):
    told = Rule(**RULE, test=test, over=over, bound=0.05, unit="%").in_words
    assert "5.0%" in told
    assert told.startswith(("Supported if", "On a task"))
    assert "contradicted" in told

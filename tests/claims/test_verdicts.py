import itertools

import pytest

from jaxnets.claims.verdicts import CONTRADICTED, INCONCLUSIVE, MIXED, OUTCOMES, SUPPORTED, Part, Verdict, combined


def part(name, outcome=SUPPORTED, *, core=True, kind="empirical", value=1.0, half_width=0.5, bound=0.0):
    numbers = {"value": value, "low": value - half_width, "high": value + half_width, "bound": bound}
    return Part(name, "Nets learn.", kind, core, outcome, "", "", **numbers)


@pytest.mark.parametrize("outcomes", list(itertools.product(OUTCOMES, repeat=2)))
def test_statements_that_are_claimed_together(outcomes):
    expected = INCONCLUSIVE
    if MIXED in outcomes or set(outcomes) == {SUPPORTED, CONTRADICTED}:
        expected = MIXED
    elif CONTRADICTED in outcomes:
        expected = CONTRADICTED
    elif set(outcomes) == {SUPPORTED}:
        expected = SUPPORTED
    assert combined(outcomes) == expected


def test_side_parts_decide_nothing():
    assert Verdict((part("one"), part("two", CONTRADICTED, core=False))).outcome == SUPPORTED


def test_the_headline_is_the_core_part_closest_to_its_bound_that_came_out_as_the_verdict():
    far, near = part("far", value=5.0), part("near", value=0.6)
    side = part("side", value=0.01, core=False)
    assert Verdict((far, near, side)).headline is near
    against = part("against", CONTRADICTED, value=-3.0)
    assert Verdict((against, part("open", INCONCLUSIVE, value=0.1))).headline is against
    exact = Part("exact", "It is so.", "identity", True, SUPPORTED, "", "")
    assert Verdict((exact, far)).headline is far


def test_a_claim_is_of_the_kind_of_its_least_certain_core_part():
    identity, made = part("one", kind="identity"), part("two", kind="constructed")
    found = part("three", core=False)
    assert Verdict((identity, found)).kind == "identity"
    assert Verdict((identity, made, found)).kind == "constructed"
    assert Verdict((identity, made, part("four"))).kind == "empirical"


def test_stability_counts_the_repeats_that_say_the_same():
    assert (
        Verdict((part("one"),), {INCONCLUSIVE: 3, SUPPORTED: 5}).stability
        == "supported in 5 of 8 repeats, inconclusive in 3"
    )
    assert Verdict((part("one"),)).stability == ""

"""The judgement, by simulation: what is planted is found, and where there is nothing few rules decide."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxnets.claims.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    MIXED,
    NOT_TESTED,
    SUPPORTED,
    Fact,
    Rule,
    effects,
    estimated,
    judge,
    outcome,
    step_down,
)
from jaxnets.stats.estimates import UNKNOWN, Estimate


def judged(of_rule, found):
    return outcome(of_rule, effects(of_rule, found))


def rule(**values):
    return Rule(**{"statement": "It helps.", "kind": "empirical", "bound": 0.1, **values})


def table(effects, *, noise=0.05, repeats=8, seeds=4, seed=0, test_share=0.0):
    """Effects of tasks, repeats and seeds around the given ones."""
    generator = np.random.default_rng(seed)
    rows = [
        {"task": task, "repeat": repeat, "seed": number, "effect": value + shift + noise * generator.normal()}
        for task, value in effects.items()
        for repeat in range(repeats)
        for shift in [noise * generator.normal()]
        for number in range(seeds)
    ]
    return pd.DataFrame(rows).assign(test_share=test_share)


def named(*values):
    return {f"task {number}": value for number, value in enumerate(values)}


@pytest.mark.parametrize(
    ("values", "effect", "outcome"),
    [
        ({}, 0.3, SUPPORTED),
        ({}, 0.0, INCONCLUSIVE),
        ({}, -0.3, CONTRADICTED),
        ({"test": "below"}, 0.0, SUPPORTED),
        ({"test": "below"}, 0.1, INCONCLUSIVE),
        ({"test": "below"}, 0.3, CONTRADICTED),
        ({"test": "within"}, 0.0, SUPPORTED),
        ({"test": "within"}, -0.1, INCONCLUSIVE),
        ({"test": "within"}, -0.3, CONTRADICTED),
    ],
)
def test_one_task_is_decided_by_its_interval(values, effect, outcome):
    assert judged(rule(**values), table(named(effect))) == outcome


def test_the_interval_is_that_of_the_repeats_and_not_of_the_runs():
    effects = table(named(0.3))
    means = effects.groupby("repeat")["effect"].mean()
    found, low = estimated(effects), stats.t.interval(0.95, 7, means.mean(), means.sem())[0]
    assert found.low == pytest.approx(low)
    assert estimated(effects.assign(test_share=1 / 8)).low == pytest.approx(
        means.mean() - np.sqrt(1 + 8 / 8) * (means.mean() - low)
    )


@pytest.mark.parametrize(
    ("over", "effects", "outcome"),
    [
        ("most", [0.3] * 7 + [0.0], SUPPORTED),
        ("most", [0.3] * 5 + [0.0] * 3, INCONCLUSIVE),
        ("most", [-0.3] * 8, CONTRADICTED),
        ("most", [0.3] * 4 + [-0.3] * 4, MIXED),
        ("often", [0.3] * 6 + [0.0] * 2, SUPPORTED),
        ("often", [0.3] * 3 + [-0.3] * 2 + [0.0] * 3, MIXED),
        ("some", [0.3] + [0.0] * 7, SUPPORTED),
        ("some", [0.0] * 8, INCONCLUSIVE),
        ("some", [-0.3] * 8, CONTRADICTED),
        ("mean", [0.3, 0.25, 0.35, 0.3, 0.2, 0.3], SUPPORTED),
        ("mean", [0.3, -0.3, 0.3, -0.3, 0.3, -0.3], MIXED),
        ("mean", [-0.3] * 6, CONTRADICTED),
    ],
)
def test_tasks_are_decided_by_their_share_or_mean(over, effects, outcome):
    assert judged(rule(over=over), table(named(*effects))) == outcome


@pytest.mark.parametrize("parts", [1, 4, 7])
def test_all_of_six_tasks_decide_however_many_core_parts_there_are(parts):
    rules = {f"part {number}": rule(over="most") for number in range(parts)}
    clear, nothing = table(named(*[0.6] * 6)), table(named(*[0.0] * 6))
    verdict = judge(rules, {**dict.fromkeys(rules, nothing), "part 0": clear})
    assert verdict.parts[0].outcome == SUPPORTED
    assert all(part.outcome == INCONCLUSIVE for part in verdict.parts[1:])


def test_the_tasks_that_say_the_contrary_are_named():
    verdict = judge({"helps": rule(over="most")}, {"helps": table(named(*[0.3] * 4, *[-0.3] * 4))})
    assert verdict.outcome == MIXED
    assert all(f"task {number}" in verdict.parts[0].evidence for number in (4, 5, 6, 7))
    assert [on.outcome for on in verdict.parts[0].tasks] == [SUPPORTED] * 4 + [CONTRADICTED] * 4


def test_a_best_value_on_the_edge_decides_nothing():
    effects = table(named(0.3)).assign(edge=lambda rows: rows["repeat"] < 6)
    assert judged(rule(), effects) == INCONCLUSIVE
    assert judged(rule(), effects.assign(edge=lambda rows: rows["repeat"] < 3)) == SUPPORTED
    verdict = judge({"helps": rule()}, {"helps": effects})
    assert "edge" in verdict.parts[0].evidence


def test_each_repeat_is_judged_by_its_seeds():
    good, bad = (
        table(named(0.3), repeats=6),
        table(named(-0.3), repeats=2).assign(repeat=lambda rows: rows["repeat"] + 6),
    )
    verdict = judge({"helps": rule()}, {"helps": pd.concat([good, bad])})
    assert verdict.repeats == {SUPPORTED: 6, CONTRADICTED: 2}


def test_facts_and_estimates_are_evidence_too():
    rules = {"exact": rule(kind="identity", test="exact"), "more": rule()}
    found = judge(rules, {"exact": Fact(True, "all of 3"), "more": Estimate(0.3, 0.2, 0.4)})
    assert found.outcome == SUPPORTED
    assert found.parts[0].evidence == "all of 3"
    few = Fact(None, "1 of 2", undecided=True)
    assert judge(rules, {"exact": few, "more": Estimate(0.3, 0.2, 0.4)}).outcome == INCONCLUSIVE
    assert judge(rules, {"exact": Fact(False, "1"), "more": Estimate(0.3, 0.2, 0.4)}).outcome == MIXED


@pytest.mark.parametrize("missing", [Fact(None, "0 of 0"), UNKNOWN, table(named(0.3)).iloc[:0]])
@pytest.mark.parametrize("core", [True, False])
def test_a_part_without_runs_is_not_tested(missing, core):
    rules = {"more": rule(), "gone": rule(core=core)}
    verdict = judge(rules, {"more": table(named(0.3)), "gone": missing})
    assert [part.outcome for part in verdict.parts] == [SUPPORTED, NOT_TESTED]
    assert verdict.outcome == (NOT_TESTED if core else SUPPORTED)
    assert verdict.in_words == ("none: 1 of 2 core parts were not tested in this run" if core else SUPPORTED)


def test_parts_that_were_not_tested_take_no_share_of_the_error():
    close = Estimate(0.2, 0.101, 0.299)  # 95% just above the bound
    verdict = judge({"one": rule(), "two": rule()}, {"one": close, "two": UNKNOWN})
    assert [part.outcome for part in verdict.parts] == [SUPPORTED, NOT_TESTED]


def test_rules_and_evidence_must_have_the_same_names():
    with pytest.raises(ValueError, match="not the same"):
        judge({"one": rule()}, {})
    with pytest.raises(ValueError, match="core"):
        judge({"one": rule(core=False)}, {"one": Fact(True, "")})


def _by_p_value(p_values, name, error):
    return SUPPORTED if p_values[name] <= error else INCONCLUSIVE


def test_holm_rejects_as_the_p_values_say():
    generator = np.random.default_rng(0)
    for _ in range(200):
        p_values = dict(enumerate(generator.uniform(size=5) ** 3 / 5))
        decided = step_down(list(p_values), partial(_by_p_value, p_values))
        ordered = sorted(p_values, key=p_values.get)
        expected = []
        for place, name in enumerate(ordered):
            if p_values[name] > 0.05 / (5 - place):
                break
            expected.append(name)
        assert sorted(name for name in decided if decided[name] == SUPPORTED) == sorted(expected)


def test_a_part_of_two_needs_a_narrower_interval_than_one_alone():
    close = Estimate(0.2, 0.101, 0.299)  # 95% just above the bound
    assert judge({"one": rule()}, {"one": close}).outcome == SUPPORTED
    verdict = judge({"one": rule(), "two": rule()}, {"one": close, "two": Estimate(0.0, -0.2, 0.2)})
    assert [part.outcome for part in verdict.parts] == [INCONCLUSIVE, INCONCLUSIVE]


@pytest.mark.parametrize("over", ["", "some", "often", "most", "mean"])
def test_where_there_is_nothing_few_rules_decide(over):
    nothing = named(*[0.0] * (6 if over else 1))
    loose = rule(over=over, bound=1e-6)  # a bound that protects from nothing
    decided = [judged(loose, table(nothing, seed=seed)) != INCONCLUSIVE for seed in range(120)]
    assert np.mean(decided) <= 0.10  # 5% and three standard errors of as few


def test_what_is_detectable_is_found_in_four_of_five():
    tables = [table(named(0.3), noise=0.2, seed=seed) for seed in range(150)]
    effects = [judge({"helps": rule()}, {"helps": of_seed}).parts[0].detectable for of_seed in tables]
    effect = float(np.mean(effects))
    shown = [judged(rule(), of_seed.assign(effect=of_seed["effect"] - 0.3 + effect)) for of_seed in tables]
    assert 0.7 < shown.count(SUPPORTED) / 150 < 0.9

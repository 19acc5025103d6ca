"""Every claim's rules, on tables in which an effect is there, is not there, or is the contrary.

The test module of a claim has the tables, `tables`, and its `CASES`: what is changed in them, and what is due.
"""

import importlib
from collections import Counter

import pytest

from jaxnets.claims.verdicts import judge
from jaxnets.experiments.lecture import CLAIMS

OWN = {name: importlib.import_module(f"tests.experiments.test_{name}") for name in CLAIMS}


def outcomes(name, due):
    """What is due for the verdict and for parts; `others` are the parts that are not named."""
    of_others = dict.fromkeys(CLAIMS[name].rules, due["others"]) if "others" in due else {}
    return {**of_others, **{part: outcome for part, outcome in due.items() if part not in ("others", "repeats")}}


@pytest.mark.parametrize(
    ("name", "changed", "due"), [(name, *case) for name, module in OWN.items() for case in module.CASES]
)
def test_a_part_comes_out_as_its_table_says(name, changed, due):
    claim = CLAIMS[name]
    verdict = judge(claim.rules, claim.evidence(OWN[name].tables(**changed)))
    found = {"verdict": verdict.outcome, **{part.name: part.outcome for part in verdict.parts}}
    wanted = outcomes(name, due)
    assert {part: found[part] for part in wanted} == wanted
    assert verdict.repeats.get(verdict.outcome, 0) >= due.get("repeats", 0)


@pytest.mark.parametrize("name", CLAIMS)
def test_the_verdict_and_every_part_have_cases_of_several_outcomes(name):
    due = [(part, outcome) for _, due in OWN[name].CASES for part, outcome in outcomes(name, due).items()]
    seen = Counter(part for part, _ in set(due))
    assert [part for part in ("verdict", *CLAIMS[name].rules) if seen[part] < 2] == []

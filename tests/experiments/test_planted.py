"""Claims that are true or false by how a small run is made; docs/planted.md has the table."""

import pytest

from jaxnets.experiments.lecture import CLAIMS
from tests.docs.pages import PAGES
from tests.experiments import planted

CASES = {name: planted.of_claim(name) for name in CLAIMS}
ALL = [case for cases in CASES.values() for case in cases]


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.claim}-{case}")
def test_the_verdict_follows_what_is_planted(case, tiny):
    assert case.outcome_of(tiny) == case.outcome


def test_the_page_has_a_row_for_each_case():
    rows = [planted.row(case, case.outcome) for case in ALL]
    assert [line for line in PAGES["docs/planted.md"].splitlines() if line.startswith("| `")] == rows


def test_each_claim_is_planted_true_and_false():
    assert all({case.truth for case in cases} == {True, False} for cases in CASES.values())

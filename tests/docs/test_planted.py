"""The table of planted cases in docs/planted.md is that of the tests, which `-m slow` runs."""

import pytest

from experiments.lecture import CLAIMS
from tests.docs.pages import PAGES
from tests.experiments import planted

TEXT = PAGES["docs/planted.md"]


def test_the_page_has_a_row_for_each_case():
    rows = [planted.row(case, case.outcome) for name in CLAIMS for case in planted.of_claim(name)]
    assert [line for line in TEXT.splitlines() if line.startswith("| `")] == rows


@pytest.mark.parametrize("name", CLAIMS)
def test_each_claim_is_planted_true_and_false(name):
    assert {case.truth for case in planted.of_claim(name)} == {True, False}

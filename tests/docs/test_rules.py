"""What docs/claims.md says was fixed before is what stands in the experiments."""

import runpy

from jaxnets.experiments.lecture import CLAIMS
from tests.docs.pages import PAGES, ROOT

TEXT = PAGES["docs/claims.md"]


def test_the_rules_are_those_of_the_experiments():
    assert runpy.run_path(str(ROOT / "docs" / "write_rules.py"))["with_rules"](TEXT) == TEXT


def test_every_claim_says_what_the_lecture_says_and_why_its_bounds_are_as_they_are():
    for claim in CLAIMS.values():
        assert claim.lecture.endswith(".")
        assert claim.measured.endswith(".")
        assert any(rule.core for rule in claim.rules.values())
        for rule in claim.rules.values():
            assert rule.statement.endswith(".")
            assert rule.test == "exact" or (rule.reason.endswith(".") and rule.power.endswith(".")), claim.name

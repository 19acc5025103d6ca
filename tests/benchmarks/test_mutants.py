import ast
from pathlib import Path

import pytest

from benchmarks import mutants

TOY = b'''def largest(values, floor=0):
    """The largest of some values; caf\xc3\xa9 1 < 2 is no code."""
    found: dict[str, 1] = floor
    for value in values:
        if value > found and not value == 99:
            found = value + 0
    if found is None:
        raise ValueError(f"{1 + 1}")
    return found
'''
TEST = """from jaxnets.data.toy import largest


def test_largest():
    assert largest([1, 3, 2]) == 3
    assert largest([1, 99]) == 1
"""


def test_mutations_parse_and_differ():
    found = list(mutants.mutations(Path("toy.py"), TOY))
    assert {(one.old, one.new) for one in found} == {
        ("value > found and (not value == 99)", "(value > found or not value == 99)"),
        ("value > found and (not value == 99)", "False"),
        *{("value > found", "(value <= found)"), ("not value == 99", "(value == 99)")},
        *{("value == 99", "(value != 99)"), ("99", "100"), ("value + 0", "(value - 0)"), ("0", "1")},
        *{("found is None", "(found is not None)"), ("found is None", "False"), ("found", "None")},
    }
    trees = {ast.dump(ast.parse(one.applied(TOY))) for one in found}
    assert len(trees) == len(found)
    assert ast.dump(ast.parse(TOY)) not in trees


@pytest.fixture
def toy(tmp_path):
    """A tree of a package with a test, and another without."""
    files = {"jaxnets/__init__.py": b"", "jaxnets/data/toy.py": TOY, "jaxnets/stats/more.py": TOY}
    for name, content in (files | {"tests/data/test_toy.py": TEST.encode()}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_mutant_is_killed_by_a_test_that_fails(toy, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take longer than the test
    by_change = {(one.old, one.new): one for one in mutants.mutations(Path("jaxnets/data/toy.py"), TOY)}
    for change, killed in ((("found", "None"), True), (("value + 0", "(value - 0)"), False)):
        assert mutants.is_killed(toy, by_change[change], ["tests/data"], timeout=60) == killed
    assert (toy / "jaxnets/data/toy.py").read_bytes() == TOY


def test_the_sample_is_fixed_by_its_seed_and_spread_over_packages(toy):
    samples = [mutants.chosen(toy, 2, seed, {}) for seed in (0, 0, *range(1, 9))]
    assert samples[0] == samples[1]
    assert len({tuple(map(str, sample)) for sample in samples}) > 2
    assert [mutation.path.parts[1] for mutation in samples[0]] == ["stats", "data"]
    covered = {Path("jaxnets/data/toy.py"): {6: {"tests/data/test_toy.py"}}}
    assert {str(one) for one in mutants.chosen(toy, 9, 0, covered)} <= {
        "jaxnets/data/toy.py:6 largest: value + 0 -> (value - 0)",
        "jaxnets/data/toy.py:6 largest: 0 -> 1",
    }

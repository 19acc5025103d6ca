import pandas as pd
import pytest

from experiments import building_blocks
from jaxnets.basics.errors import UserError
from jaxnets.lab.experiment import configure


@pytest.mark.parametrize(
    ("counted", "outcome"),
    [([8, 4], "supported"), ([8, 5], "not supported"), ([8, None], "not supported"), ([None, None], "inconclusive")],
)
def test_the_verdict_follows_its_rule(counted, outcome):
    table = pd.DataFrame({"model": "mlp", "block": ["a", "b"], "parameters": counted, "by_formula": [8, 4]})
    assert building_blocks.verdict({"blocks": table, "growth": table}).outcome == outcome


def test_a_tiny_real_run(tiny):
    finding, _, text = tiny("building_blocks", units=5, vocabulary=20, dim=4, widths=2, filters=3)
    assert finding.verdict.outcome == "supported"
    sums = finding.tables["Sums"].set_index("model")["counted"]
    assert sums["dan"] == f"{20 * 4 + 4 * 5 + 5 + 5 * 10 + 10}"
    assert sums["text_cnn"] == f"{20 * 4 + 2 * 4 * 3 + 3 + 3 * 10 + 10}"
    assert "No training." in text


@pytest.mark.parametrize("values", [{"widths": ()}, {"model": "dan"}, {"dim": 0}])
def test_what_it_cannot_count_is_refused(values):
    with pytest.raises(UserError, match=rf"^{next(iter(values))}: "):
        configure(building_blocks.EXPERIMENT, values)

import math

import pytest

from jaxnets.report import bars
from jaxnets.report.bars import WIDTH, Effect, bar, bar_of, bars_of_tasks, domain
from tests.report import made_up

NAN = math.nan


def zones(effect, scale):
    """What is for and against, as shares of the width, without the margins."""
    inner = [8 / WIDTH, 1 - 16 / WIDTH]
    shown = [(kind, *((end / WIDTH - inner[0]) / inner[1] for end in ends)) for kind, *ends in bar(effect, scale).zones]
    return [(kind, *(round(min(max(end, 0), 1), 3) for end in ends)) for kind, *ends in shown]


@pytest.mark.parametrize(
    ("test", "bound", "beyond", "expected"),
    [
        ("above", 1.0, -1.0, [("for", 0.6, 1), ("against", 0, 0.4)]),
        ("below", 1.0, 1.0, [("for", 0, 0.6), ("against", 0.6, 1)]),
        ("within", 1.0, 2.0, [("for", 0.4, 0.6), ("against", 0, 0.3), ("against", 0.7, 1)]),
        ("above", 1.0, NAN, [("for", 0.6, 1)]),
    ],
)
def test_what_is_for_and_against_lies_beyond_the_bounds(test, bound, beyond, expected):
    assert zones(Effect(3.0, 2.0, 4.0, bound, beyond, test, ""), (-5.0, 5.0)) == expected


def test_the_effect_and_its_interval_lie_where_they_are():
    drawn = bar(Effect(0.0, -5.0, 2.5, 1.0, -1.0, "above", "%"), (-5.0, 5.0))
    assert drawn.value == WIDTH / 2
    assert drawn.interval == pytest.approx((8, 8 + 0.75 * (WIDTH - 16)))
    assert drawn.label == "Effect 0.0%, 95% interval -500.0% to 250.0%; supported above 100.0%"


@pytest.mark.parametrize("low", [NAN, 0.0])
def test_bounds_that_are_not_known_are_not_drawn(low):
    drawn = bar(Effect(0.5, low, NAN, 0.0, 0.0, "above", ""), (0.0, 1.0))
    assert drawn.interval is None
    assert "no interval" in drawn.label


def test_without_an_effect_there_is_no_bar():
    assert bar(Effect(NAN, NAN, NAN, 0.0, 0.0, "above", ""), (0.0, 1.0)) is None
    assert bar(Effect(1.0, NAN, NAN, 0.0, 0.0, "", ""), (0.0, 1.0)) is None
    assert bar_of(made_up.finding("sums").verdict.headline) is None


def test_all_that_is_drawn_lies_in_the_range():
    assert domain([Effect(0.0, NAN, math.inf, 2.0, 3.0, "within", "")]) == (-3.0, 3.0)
    assert domain([Effect(NAN, NAN, NAN, NAN, NAN, "above", "")]) == (-1.0, 1.0)
    assert domain([]) == (-1.0, 1.0)


def test_a_share_of_tasks_has_the_scale_of_shares_and_tasks_have_one_of_their_own():
    part = made_up.finding("optimizers").verdict.headline
    assert bar_of(part).value == WIDTH - 8
    assert "supported above 50.0%" in bar_of(part).label
    of_tasks = bars_of_tasks(part)
    assert len(of_tasks) == 6
    assert all("supported above 1.1×" in one.label for one in of_tasks)
    assert len({tuple(one.zones) for one in of_tasks}) == 1


def test_the_text_of_an_effect():
    parts = {name: made_up.finding(name).verdict.headline for name in made_up.MADE_UP}
    assert bars.short_effect(parts["sums"]) == "27 of 27 blocks agree"
    assert bars.short_effect(parts["optimizers"]) == "100.0% of 6 tasks (61.0% to 100.0%)"
    assert bars.short_effect(parts["ends"]) == "0.5 nats (0.4 to 0.6)"
    assert "no interval" in bars.short_effect(parts["order"])

import numpy as np
import pytest

from benchmarks import coverage, false_alarms

STUDIES = 400


@pytest.fixture(scope="module")
def rows():
    return list(coverage.rows(STUDIES))


def test_intervals_cover_or_the_output_says_that_there_are_too_few_seeds(rows):
    error = (0.95 * 0.05 / STUDIES) ** 0.5
    for row in rows:
        assert row.said or row.covered > 0.94 - 3 * error, row
        # ties make an interval of order statistics cover more
        assert row.covered < 0.96 + 3 * error or (row.statistic, row.kind) == ("median", "accuracy") or row.said, row
        assert np.isnan(row.covered) == (row.silent == 1)


def test_many_comparisons_at_once_have_the_bounds_of_each_alone():
    generator = np.random.default_rng(0)
    for statistic in coverage.STATISTICS:
        for size in (8, 16):
            values = coverage.samples("lognormal", statistic, generator, (3, size))
            low, high = statistic.bounds(values)
            found = [statistic.estimate(of_comparison) for of_comparison in values]
            assert low == pytest.approx([estimate.low for estimate in found])
            assert high == pytest.approx([estimate.high for estimate in found])
            assert [statistic.value(of_comparison) for of_comparison in values] == pytest.approx(
                [one.value for one in found]
            )


@pytest.mark.parametrize(
    ("kind", "mean"), [("normal", 0), ("lognormal", 1.3771), ("accuracy", 0.98), ("bimodal", 0.9265)]
)
def test_data_have_the_mean_that_they_should(kind, mean):
    values = coverage.KINDS[kind](np.random.default_rng(0), (200_000,))
    assert values.mean() == pytest.approx(mean, abs=5 * values.std() / 200_000**0.5)


def test_a_table_has_a_row_for_each_statistic_and_kind(rows):
    lines = coverage.markdown(rows, STUDIES).splitlines()
    assert len(lines) == 2 + 4 * 4 + 2
    assert "| median | normal | none † |" in lines[10]
    assert "the failure rate may still be up to 31% (95% upper bound)" in lines[-1]


@pytest.mark.parametrize("name", coverage.COMPARISONS)
def test_intervals_of_comparisons_cover(name):
    assert 0.93 - 0.02 <= coverage.covered(name, 400) <= 0.98 + 0.01  # two standard errors: 2 points, 1 point


def test_a_gap_of_a_standard_deviation_is_found_over_independent_repeats():
    assert coverage.power(60) >= 0.65 - 0.12  # two standard errors


@pytest.mark.parametrize("spread", [0.01, pytest.param(0.0, marks=pytest.mark.slow)])
def test_no_sentence_contradicts_the_interval_that_it_prints(spread):
    wrong, lost, _ = false_alarms.comparisons(15, spread)
    assert wrong == 0
    assert lost <= 3  # 5% of 15, and three standard errors


@pytest.mark.parametrize("name", coverage.IN_RANGES)
def test_intervals_that_keep_to_their_range_cover(name):
    error = (0.95 * 0.05 / STUDIES) ** 0.5
    assert 0.93 - 2 * error < coverage.covered(name, STUDIES) < 0.98 + 2 * error

import numpy as np
import pytest

from benchmarks import throughput, workloads


def test_the_arithmetic_of_a_step_is_counted_right():
    # 64 examples through 64 x 128, 128 x 128 and 128 x 10 weights: forward and twice backward, the first layer once
    forward = [64 * 128, 128 * 128, 128 * 10]
    assert workloads.WORKLOADS["mlp"].flops == 2 * 64 * (3 * sum(forward) - forward[0])
    windows = 54 * 3 + 53 * 4 + 52 * 5
    assert workloads.WORKLOADS["text_cnn"].flops == 3 * 2 * 50 * windows * 100 * 64


def test_a_sweep_is_measured(monkeypatch):
    small = workloads.Workload({**workloads.WORKLOADS["mlp"].values, "hidden_units": 4}, 10**7)
    monkeypatch.setattr(throughput, "STRETCH", 0.05)
    microseconds, compile_seconds, programs = throughput.sweep_times(small, num_runs=2, stretches=1)
    assert 0 < microseconds < 1e6
    assert compile_seconds > 0
    assert programs == 1


@pytest.mark.parametrize("model", workloads.WORKLOADS)
def test_the_workloads_can_be_planned(model):
    from jaxnets import data
    from jaxnets.config.config import Config
    from jaxnets.engine.plan import plan, resolve
    from jaxnets.engine.table import runs

    config = Config(**workloads.WORKLOADS[model].values)
    dataset = data.load(config.dataset)
    (program,) = plan([resolve(run, dataset) for run in runs(config)], dataset)
    assert program.state.params


def test_a_peer_that_is_absent_is_left_out(monkeypatch, capsys):
    monkeypatch.setitem(throughput.INSTALL, "absent", "pip install it")
    assert throughput.peer_time("absent_stacked", "mlp") is None
    assert "pip install it" in capsys.readouterr().err


def test_rows_are_ratios_to_what_the_same_run_measured(monkeypatch):
    monkeypatch.setattr(throughput, "product_gflops", lambda: 100.0)
    monkeypatch.setattr(throughput, "sweep_times", lambda workload, count: (50.0 + count, 2.0, 1))
    monkeypatch.setattr(throughput, "peer_time", lambda system, model, count: 800.0 / count)
    rows = list(throughput.rows("mlp", [2, 8], ["torch", "torch_stacked", "torch_grouped"], rounds=2))
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert [(row["system"], row["num_runs"]) for row in rows[:3]] == [
        ("torch", 1),
        ("torch_stacked", 2),
        ("torch_stacked", 8),
    ]
    assert [row["us_per_step_per_run"] for row in rows] == [800.0, 400.0, 100.0, 52.0, 58.0]
    # one run at a time is compared with the slowest sweep, many with the sweep of as many
    assert [row["jaxnets_is_times_as_fast"] for row in rows[:3]] == [13.79, 7.69, 1.72]
    np.testing.assert_allclose(rows[3]["gflops"], workloads.WORKLOADS["mlp"].flops / 52 / 1e3, rtol=1e-3)
    assert pytest.approx(100.0) == rows[4]["gemm_gflops"]

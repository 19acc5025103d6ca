import numpy as np
import pytest
from absl import flags

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
    from jaxnets.engine.runs import runs

    config = Config(**workloads.WORKLOADS[model].values)
    dataset = data.load(config.dataset)
    (program,) = plan([resolve(run, dataset) for run in runs(config)], dataset)
    assert program.state.params


def test_a_peer_that_is_absent_is_left_out(monkeypatch, capsys):
    monkeypatch.setitem(throughput.MODULES, "torch", "no_such_module_here")
    monkeypatch.setitem(throughput.INSTALL, "no_such_module_here", "pip install it")
    assert throughput.peer_time("torch", "mlp") is None
    assert "pip install it" in capsys.readouterr().err


def test_rows_are_ratios_to_what_the_same_run_measured(monkeypatch):
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["test", "--data=none"])
    monkeypatch.setattr(throughput, "product_gflops", lambda: 100.0)
    monkeypatch.setattr(throughput, "sweep_times", lambda workload, count: (50.0 + count, 2.0, 1))
    monkeypatch.setattr(throughput, "peer_time", lambda system, model: 800.0)
    rows = list(throughput.rows("mlp", [2, 8], ["torch"], rounds=2))
    keys = ["system", "model", "num_runs", "us_per_step_per_run"]
    keys += ["gflops", "gemm_gflops", "compile_seconds", "programs"]
    assert [list(row) for row in rows] == [keys] * 3
    assert [row["us_per_step_per_run"] for row in rows] == [800.0, 52.0, 58.0]
    np.testing.assert_allclose(rows[1]["gflops"], workloads.WORKLOADS["mlp"].flops / 52 / 1e3, rtol=1e-3)
    assert pytest.approx(100.0) == rows[2]["gemm_gflops"]

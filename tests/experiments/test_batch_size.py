import numpy as np
import pandas as pd
import pytest

from experiments import batch_size

SIZES = (4, 16, 64)


def tables(power=-1.0, step_power=0.5, loss=(0.01, 0.02, 0.1), seeds=5):
    """Noise, times and losses that follow given powers of the batch size, with a little spread."""
    rng = np.random.default_rng(0)
    noise = [{"net": net, "batch_size": size, "population_factor": (100 - size) / 99, "relative_noise": 1.0,
              "variance": (100 - size) / 99 * size**power * rng.uniform(0.99, 1.01)}
             for net in range(seeds) for size in SIZES]  # fmt: skip
    times = {str(size): 1e-5 * size**step_power * rng.uniform(0.95, 1.05, 10) for size in SIZES}
    runs, curves = [], []
    for size, final in zip(SIZES, loss, strict=True):
        for seed in range(seeds):
            run = len(runs)
            ends = final * rng.uniform(0.9, 1.1)
            runs.append({"run": run, "optimizer": "sgd", "learning_rate": 0.1, "batch_size": size, "seed": seed,
                         "status": "finished", "train_loss": ends, "dev_loss": ends, "dev_accuracy": 0.9,
                         "test_accuracy": 0.9})  # fmt: skip
            curves += [{"run": run, "step": epoch * 100 // size, "epoch": float(epoch), "train_loss": 1 / epoch}
                       for epoch in (1, 2)]  # fmt: skip
    return {"runs": pd.DataFrame(runs), "curves": pd.DataFrame(curves), "noise": pd.DataFrame(noise),
            "times": pd.DataFrame(times)}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [({}, "supported"), ({"power": -0.5}, "not supported"), ({"step_power": -0.5}, "not supported"),
     ({"loss": (0.1, 0.02, 0.01)}, "not supported"), ({"seeds": 1}, "inconclusive")],
)  # fmt: skip
def test_the_verdict_follows_its_rule(changed, outcome):
    assert batch_size.verdict(tables(**changed)).outcome == outcome


def test_a_batch_of_all_examples_has_no_part_in_the_slope():
    noise = tables()["noise"]
    whole = noise.iloc[:5].assign(net=range(5), batch_size=100, population_factor=0.0, variance=0.0)
    assert batch_size.slopes(pd.concat([noise, whole])) == batch_size.slopes(noise)


def test_runs_that_diverged_are_left_out_of_their_pair():
    changed = tables()
    lost = changed["runs"]["run"] == 0
    changed["runs"].loc[lost, ["status", "train_loss", "dev_loss"]] = "diverged", np.nan, np.nan
    assert batch_size.verdict(changed).outcome == "supported"


def test_a_tiny_real_run(tiny):
    finding, results, text = tiny("batch_size", num_seeds="2", num_epochs="1", batch_size="16,256", hidden_units="8",
                                  learning_rate="0.1", draws="200", rounds="2", nets="3")  # fmt: skip
    slope = finding.verdict.parts[0]
    assert -1.2 < float(slope.evidence.split()[0]) < -0.8
    assert set(finding.pictures) == {"noise", "epoch", "seconds"}
    assert len(results.runs) == 4
    assert f"Verdict: {finding.verdict.outcome}" in text

from jaxnets.report.progress import Count


def test_steps_that_are_saved_count_as_done():
    seconds = iter([0.0, 0.0, 10.0])
    count = Count(total_runs=4, total_steps=400, clock=lambda: next(seconds))
    count.compiled()
    count.advance("sgd", 100, 200, 6400, 3, 1, 0.5, "sgd at 0.1")
    assert count.text() == (
        "sgd: 3/4 runs | 100/400 steps, 200 saved (75%) | 640 examples·runs/s | 3 s left | 1 diverged"
        " | best dev 50.0% (sgd at 0.1)"
    )
    assert (count.numbers()["steps"], count.numbers()["steps_saved"]) == (100, 200)

"""The training loop by hand is short, learns, and takes the very steps that a sweep takes."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import jaxnets
from jaxnets import data, training
from jaxnets.experiments import by_hand
from jaxnets.training import Examples


def test_it_learns_and_is_short(monkeypatch, capsys):
    monkeypatch.setattr(by_hand, "NUM_EPOCHS", 2)
    by_hand.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["sgd", "adam"]
    assert all(float(line.split()[-1].rstrip("%")) > 80 for line in lines)
    assert len(Path(by_hand.__file__).read_text().splitlines()) <= 80


def test_its_steps_are_those_of_a_sweep(monkeypatch):
    monkeypatch.setattr(by_hand, "NUM_EPOCHS", 3)
    digits = data.load("digits")
    task = by_hand.task_of(optax.sgd, digits)
    values = {"optimizer": "sgd", "schedule": "cosine", "learning_rate": 0.3, "hidden_units": (64, 64)}
    results = jaxnets.sweep(
        **values, batch_size=0, num_steps=task.num_steps, evaluate_every=1, keep="all", progress=False
    )
    whole = Examples(jnp.asarray(digits.train.inputs), jnp.asarray(digits.train.labels))
    state = training.init(task, by_hand.hyperparameters(0.3), jnp.int32(0))
    for number in (1, 2, 3):
        state, _ = jax.jit(partial(training.step, task))(state, whole)
        kept = results.params(0, step=number)["output"]["kernel"]
        np.testing.assert_allclose(state.params["output"]["kernel"], kept, rtol=1e-4, atol=1e-6)

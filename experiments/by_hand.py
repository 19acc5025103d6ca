"""A training loop by hand: two optimizers on the digits, with nothing hidden; `python -m experiments.by_hand`.

The three pure functions of `jaxnets.training` are all there is: `init` makes the state of a run, `step` updates it from
a batch, `evaluate` measures it. A run's numbers are arrays, so `jax.vmap` over them trains many runs at once.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax

from jaxnets import data, training
from jaxnets.models import MLP
from jaxnets.training import Bound, Examples, Task, heads, initializers, schedules

NUM_EPOCHS, BATCH_SIZE = 10, 64
LEARNING_RATES = {"sgd": 0.3, "adam": 0.003}


def task_of(optimizer, dataset):
    """What shapes the computation: the model, the optimizer, the schedule, the head, and the sizes."""
    num_examples = len(dataset.train)
    return Task(
        model=Bound(MLP, (("num_outputs", dataset.num_classes), ("hidden_units", (64, 64)))),
        optimizer=Bound(optimizer),
        schedule=Bound(schedules.cosine),
        head=heads.Softmax(),
        batch_size=BATCH_SIZE,
        num_steps=NUM_EPOCHS * (num_examples // BATCH_SIZE),
        num_examples=num_examples,
        input_shape=dataset.train.inputs.shape[1:],
    )


def hyperparameters(learning_rate):
    """The numbers of a run that its compiled program takes as arrays."""
    numbers = {"learning_rate": learning_rate, "warmup_steps": 0.0, "initializer_scale": 1.0}
    he = {"initializer": jnp.int32(initializers.index("he"))}
    return {name: jnp.float32(number) for name, number in numbers.items()} | he


def batches(examples, seed):
    """The examples in a random order, cut into batches; what does not fill a batch is left out."""
    order = np.random.default_rng(seed).permutation(len(examples.labels))
    for rows in order[: len(order) // BATCH_SIZE * BATCH_SIZE].reshape(-1, BATCH_SIZE):
        yield Examples(examples.inputs[rows], examples.labels[rows])


def train(optimizer, learning_rate, dataset, seed=0):
    """Trains one run, and gives its accuracy on dev after each epoch."""
    task = task_of(optimizer, dataset)
    step, evaluate = (jax.jit(partial(function, task)) for function in (training.step, training.evaluate))
    train_set, dev = (
        Examples(jnp.asarray(split.inputs), jnp.asarray(split.labels)) for split in (dataset.train, dataset.dev)
    )
    state = training.init(task, hyperparameters(learning_rate), jnp.int32(seed))
    for epoch in range(NUM_EPOCHS):
        for batch in batches(train_set, epoch):
            state, _ = step(state, batch)
        _, accuracy = evaluate(state, dev).mean()
        yield float(accuracy)


def main():
    """Trains both optimizers, and prints the accuracies."""
    digits = data.load("digits")
    for name, rate in LEARNING_RATES.items():
        accuracies = train(getattr(optax, name), rate, digits)
        print(f"{name:<5}", *(f"{accuracy:.1%}" for accuracy in accuracies))


if __name__ == "__main__":
    main()

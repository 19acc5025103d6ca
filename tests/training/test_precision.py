"""Parameters of less than 32 bits train as with plain Optax; what is summed of them is summed in float32."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from jaxnets import training
from jaxnets.training import heads, optimizers, schedules
from jaxnets.training.state import Bound, Task, widened

EXAMPLES = 40
INPUTS = jax.random.normal(jax.random.key(0), (EXAMPLES, 6))
LABELS = jnp.arange(EXAMPLES, dtype=jnp.int32) % 3
XY = training.Examples(INPUTS, LABELS)


class Halves(nn.Module):
    """Layers of bfloat16 and float32."""

    num_outputs: int

    @nn.compact
    def __call__(self, x, *, train=False):
        x = nn.relu(nn.Dense(8, param_dtype=jnp.bfloat16, dtype=jnp.bfloat16)(x))
        x = nn.relu(nn.Dense(8)(x))
        return nn.Dense(self.num_outputs, param_dtype=jnp.bfloat16, dtype=jnp.bfloat16, name="output")(x)


def task_of(optimizer, model=Halves, batch_size=EXAMPLES):
    model = Bound(model, (("num_outputs", 3),))
    schedule = Bound(schedules.constant)
    return Task(model, Bound(optimizer), schedule, heads.Softmax(), batch_size, 100, EXAMPLES, (6,))


def numbers(**others):
    floats = {"learning_rate": 0.02, "warmup_steps": 0.0, "initializer_scale": 1.0, **others}
    return {"initializer": jnp.int32(0), **{name: jnp.float32(number) for name, number in floats.items()}}


def dtypes(tree):
    return [leaf.dtype for leaf in jax.tree.leaves(tree)]


GUESTS = {
    "MultiSteps": lambda learning_rate: optax.MultiSteps(optax.adam(learning_rate), 2).gradient_transformation(),
    "apply_if_finite": lambda learning_rate: optax.apply_if_finite(optax.adam(learning_rate), 2),
    "muon": optax.contrib.muon,
    "prodigy": lambda learning_rate: optax.contrib.prodigy(learning_rate),
}


FEW = ("sgd", "momentum", "adam", "adafactor", "lbfgs", *GUESTS)


@pytest.mark.parametrize(
    "name",
    [*FEW, *(pytest.param(one, marks=pytest.mark.slow) for one in optimizers.known() if one not in FEW)],
)
def test_every_optimizer_takes_a_step_that_keeps_all_dtypes(name):
    others = {"weight_decay": 0.01, "gradient_clip": 1.0, "max_norm": 1.0}
    task = task_of({**optimizers.known(), **GUESTS}[name])
    state = jax.eval_shape(partial(training.init, task), numbers(**others), jnp.int32(0))
    after, metrics = jax.eval_shape(partial(training.step, task), state, XY)
    assert dtypes(after) == dtypes(state)
    assert set(map(str, dtypes(after.params))) == {"bfloat16", "float32"}
    assert metrics.loss.dtype == jnp.float32


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_training_is_that_of_plain_optax_with_python_floats(name):
    task = task_of(optimizers.known()[name])
    start = jax.jit(partial(training.init, task))(numbers(), jnp.int32(0))
    trained, _ = jax.jit(partial(training.train, task))(start, XY, jnp.int32(0), jnp.int32(6))

    @jax.value_and_grad
    def loss(params):
        logits = Halves(3).apply({"params": params}, INPUTS).astype(jnp.float32)
        return optax.softmax_cross_entropy_with_integer_labels(logits, LABELS).mean()

    optimizer, params = optimizers.known()[name](0.02), start.params
    state = optimizer.init(params)

    @jax.jit
    def step(params, state):
        updates, state = optimizer.update(loss(params)[1], state, params)
        return optax.apply_updates(params, updates), state

    for _ in range(6):
        params, state = step(params, state)
    flat = [
        np.concatenate([np.ravel(leaf).astype(np.float64) for leaf in jax.tree.leaves(tree)])
        for tree in (start.params, params, trained.params)
    ]
    moved, apart = np.linalg.norm(flat[1] - flat[0]), np.linalg.norm(flat[2] - flat[1])
    assert apart < 0.15 * moved


def test_hyperparameters_are_not_rounded():
    # a b2 of 0.999 is 1 in bfloat16: averages would never shrink
    task = task_of(lambda learning_rate, b2: optax.scale_by_adam(b2=b2))
    task = dataclasses.replace(task, optimizer=dataclasses.replace(task.optimizer, traced=("b2",)))
    state = jax.jit(partial(training.init, task))(numbers(b2=0.5), jnp.int32(0))
    (adam,) = state.optimizer_state
    state = state.replace(optimizer_state=(adam._replace(nu=jax.tree.map(jnp.ones_like, adam.nu)),))
    state.hyperparameters["b2"] = jnp.float32(0.995)
    after = jax.jit(partial(training.step, task))(state, XY)[0].optimizer_state[0].nu["output"]["kernel"]
    assert float(after.astype(jnp.float32).min()) < 1


def test_losses_are_summed_in_float32():
    class Flat(nn.Module):
        num_outputs: int

        @nn.compact
        def __call__(self, x, *, train=False):
            bias = self.param("bias", nn.initializers.zeros, (self.num_outputs,), jnp.bfloat16)
            return jnp.zeros((len(x), 1), jnp.bfloat16) + bias

    task = task_of(optimizers.sgd, Flat)
    state = training.init(task, numbers(), jnp.int32(0))
    many = training.Examples(jnp.zeros((1000, 6)), jnp.zeros(1000, jnp.int32))
    loss, _ = training.evaluate(task, state, many).mean()
    assert abs(float(loss) - np.log(3)) < 1e-6  # in bfloat16 a sum stops growing at 256 times its numbers


def test_float32_and_float64_stay_as_they_are():
    with jax.enable_x64(True):
        wide = widened([jnp.ones(1), jnp.ones(1, jnp.float32), jnp.ones(1, jnp.float16)])
    assert [str(leaf.dtype) for leaf in wide] == ["float64", "float32", "float32"]

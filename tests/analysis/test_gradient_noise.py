import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import pytest
from jax.flatten_util import ravel_pytree

from jaxnets.analysis import gradient_noise
from jaxnets.data.dataset import Split
from jaxnets.models import MLP
from jaxnets.training.heads import Softmax

RNG = np.random.default_rng(0)
EXAMPLES = Split(RNG.normal(size=(40, 3)).astype(np.float32), RNG.integers(0, 2, 40).astype(np.int32))


@pytest.mark.parametrize("size", [2, 8])
def test_the_variance_is_that_of_sampling_without_replacement(size):
    model = MLP(2, (4,), jnp.tanh)
    params = model.init(jax.random.key(0), jnp.asarray(EXAMPLES.inputs))["params"]

    def loss(params, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply({"params": params}, x[None])[0], y)

    each = jax.vmap(lambda x, y: ravel_pytree(jax.grad(loss)(params, x, y))[0])(
        *map(jnp.asarray, vars(EXAMPLES).values())
    )
    spread = np.asarray(each, np.float64).var(axis=0, ddof=1).sum()
    expected = spread / size * (1 - size / 40)  # Cochran (1977), theorem 2.2
    noise = gradient_noise.measure(model, Softmax(), params, EXAMPLES, size, 4000, seed=0)
    assert noise["variance"] == pytest.approx(expected, rel=0.06)
    assert noise["population_factor"] == pytest.approx((40 - size) / 39)


def test_the_whole_set_has_no_noise():
    model = MLP(2, ())
    params = model.init(jax.random.key(0), jnp.asarray(EXAMPLES.inputs))["params"]
    assert gradient_noise.measure(model, Softmax(), params, EXAMPLES, 40, 3, seed=0)["variance"] < 1e-12


def test_a_batch_of_all_examples_has_no_part_in_the_power():
    sizes = np.array([4, 16, 64, 100])
    factor = (100 - sizes) / 99
    noise = pd.DataFrame({"net": 0, "batch_size": sizes, "population_factor": factor, "variance": factor / sizes})
    assert gradient_noise.powers(noise) == pytest.approx([-1])
    assert gradient_noise.powers(noise[noise["batch_size"] == 4]) == []

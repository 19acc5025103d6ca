import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxnets.analysis import gradient_noise
from jaxnets.data.dataset import Split
from jaxnets.models import MLP

RNG = np.random.default_rng(0)
EXAMPLES = Split(RNG.normal(size=(40, 3)).astype(np.float32), RNG.integers(0, 2, 40).astype(np.int32))


@pytest.mark.parametrize("size", [2, 8])
def test_the_variance_is_that_of_sampling_without_replacement(size):
    import optax

    model = MLP(2, (4,), "tanh")
    params = model.init(jax.random.key(0), jnp.asarray(EXAMPLES.inputs))["params"]

    def loss(params, x, y):
        return optax.softmax_cross_entropy_with_integer_labels(model.apply({"params": params}, x[None])[0], y)

    each = jax.vmap(lambda x, y: ravel_pytree(jax.grad(loss)(params, x, y))[0])(
        *map(jnp.asarray, vars(EXAMPLES).values())
    )
    spread = np.asarray(each, np.float64).var(axis=0, ddof=1).sum()
    expected = spread / size * (1 - size / 40)  # Cochran (1977), theorem 2.2
    found = gradient_noise.measure(model, params, EXAMPLES, size, 4000, seed=0)
    assert found["variance"] == pytest.approx(expected, rel=0.06)
    assert found["population_factor"] == pytest.approx((40 - size) / 39)


def test_the_whole_set_has_no_noise():
    model = MLP(2, (), "tanh")
    params = model.init(jax.random.key(0), jnp.asarray(EXAMPLES.inputs))["params"]
    assert gradient_noise.measure(model, params, EXAMPLES, 40, 3, seed=0)["variance"] < 1e-12

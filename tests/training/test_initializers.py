import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from jaxnets.models.blocks import Windows
from jaxnets.training import initializers

FAN_IN, FAN_OUT = 400, 500
PARAMS = {"layer": {"kernel": jnp.full((FAN_IN, FAN_OUT), 7.0), "bias": jnp.full(FAN_OUT, 8.0)}}
VARIANCES = {"he": 2 / FAN_IN, "xavier": 1 / FAN_IN, "glorot": 2 / (FAN_IN + FAN_OUT), "pytorch": 1 / FAN_IN / 3}


def draw(name, params=PARAMS, scale=1.0, seed=0, noted=None):
    choice = jnp.int32(initializers.index(name))
    return initializers.initialize(choice, jnp.float32(scale), params, jax.random.key(seed), noted=noted)


@pytest.mark.parametrize("name", VARIANCES)
def test_mean_and_variance_of_kernels(name):
    kernel = np.asarray(draw(name)["layer"]["kernel"], np.float64)
    deviation, count = VARIANCES[name] ** 0.5, kernel.size
    assert abs(kernel.mean()) < 5 * deviation / count**0.5
    # the variance of a normal sample has relative error sqrt(2 / count)
    assert abs(kernel.var() / VARIANCES[name] - 1) < 5 * (2 / count) ** 0.5


def test_normals_are_not_truncated():
    kernel = np.asarray(draw("he")["layer"]["kernel"]) / VARIANCES["he"] ** 0.5
    beyond = (np.abs(kernel) > 3).mean()
    assert 0.0024 < beyond < 0.0030  # 0.0027 of a normal lies beyond 3 deviations
    assert np.abs(kernel).max() > 4


def test_pytorch_draws_weights_and_biases_uniformly():
    layer = draw("pytorch")["layer"]
    bound = FAN_IN**-0.5
    for values in (np.asarray(layer["kernel"]), np.asarray(layer["bias"])):
        assert np.abs(values).max() <= bound
        assert np.abs(values).max() > 0.98 * bound
        assert abs(values.var() / (bound**2 / 3) - 1) < 0.2


def test_zeros_and_the_models_own():
    assert not any(np.any(draw(name)["layer"]["bias"]) for name in ("he", "xavier", "glorot", "zeros"))
    assert not np.any(draw("zeros")["layer"]["kernel"])
    assert jax.tree.all(jax.tree.map(np.array_equal, draw("model", scale=3.0), PARAMS))


def test_scale_multiplies_kernels_alone():
    np.testing.assert_allclose(draw("he", scale=2.0)["layer"]["kernel"], 2 * draw("he")["layer"]["kernel"], rtol=1e-6)
    assert np.array_equal(draw("pytorch", scale=3.0)["layer"]["bias"], draw("pytorch")["layer"]["bias"])


def scanned(axis):
    class Repeat(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return nn.Dense(8)(x), None

    return nn.scan(Repeat, variable_axes={"params": axis}, split_rngs={"params": True}, length=3)()


class Attention(nn.Module):
    """As transformers have it."""

    @nn.compact
    def __call__(self, x):
        return nn.MultiHeadDotProductAttention(num_heads=4)(x, x)


LAYERS = {
    "attention": (Attention(), (2, 5, 32), {"query": (32, 32), "out": (32, 32)}),
    "several axes": (nn.DenseGeneral((3, 4), axis=(-2, -1)), (2, 5, 6), {"": (30, 12)}),
    "batch axes": (nn.DenseGeneral(7, batch_dims=(0,)), (4, 5, 6), {"": (6, 7)}),
    "scanned layers": (scanned(0), (2, 8), {"Dense_0": (8, 8)}),
    "layers of vmap": (
        nn.vmap(nn.Dense, variable_axes={"params": 0}, split_rngs={"params": True})(7),
        (3, 2, 8),
        {"": (8, 7)},
    ),
    "an equation": (nn.Einsum((4, 6, 5), "bse,ehd->bshd"), (2, 3, 4), {"": (4, 30)}),
    "a transposed equation": (nn.Einsum((5, 6), "bd,ed->be"), (2, 6), None),
    "heads side by side": (nn.Einsum((4, 6, 5), "bhd,hde->bhe"), (2, 4, 6), {"": (6, 5)}),
    "a convolution": (nn.Conv(8, (3, 3)), (1, 6, 6, 4), {"": (36, 72)}),
    "of groups": (nn.Conv(8, (3, 3), feature_group_count=4), (1, 6, 6, 4), {"": (9, 72)}),
    "transposed": (nn.ConvTranspose(8, (3,)), (1, 6, 4), {"": (12, 24)}),
    "transposed, kernel too": (nn.ConvTranspose(8, (3,), transpose_kernel=True), (1, 6, 4), {"": (12, 24)}),
    "windows": (Windows(5, 300), (6, 100), {"": (500, 1500)}),
    "local": (nn.ConvLocal(8, (3,), padding="VALID"), (1, 6, 4), {"": (12, 8)}),
    "scanned, the layers last": (scanned(-1), (2, 8), None),
}


@pytest.mark.parametrize("name", LAYERS)
def test_fans_are_those_of_the_layer_or_it_keeps_its_own_start(name):
    layer, shape, fans = LAYERS[name]
    others = {"scanned": [None], "windows": [jnp.zeros(6, jnp.int32)]}.get(name.split()[0].strip(","), [])
    with initializers.noting() as noted:
        params = jax.jit(layer.init)(jax.random.key(0), jnp.zeros(shape), *others)["params"]
    kernels = initializers.known_kernels(params, noted)
    drawn = draw("he", params, noted=noted)
    if fans is None:
        assert list(kernels.values()) == [None]
        assert jax.tree.all(jax.tree.map(np.array_equal, drawn, params))
        return
    found = {path[-2] if len(path) > 1 else "": (known.fan_in, known.fan_out) for path, known in kernels.items()}
    assert fans.items() <= found.items()
    assert not jax.tree.all(jax.tree.map(np.array_equal, drawn, params))
    guest = jax.nn.initializers.orthogonal()
    of_guest = initializers.traverse_util.flatten_dict(
        initializers.initialize(jnp.int32(0), jnp.float32(2), params, jax.random.key(1), noted=noted, guest=guest)
    )
    for path, known in kernels.items():
        matrices = np.asarray(of_guest[path], np.float64).reshape(-1, *known.shape)
        one = matrices[-1].reshape(-1, known.shape[-1])
        small = one.T @ one if one.shape[0] >= one.shape[1] else one @ one.T
        np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-5)
        assert not np.any(of_guest.get((*path[:-1], "bias"), 0))


def test_one_program_draws_by_all_initializers():
    params = {"kernel": jnp.full((40, 50), 7.0), "bias": jnp.full(50, 8.0)}

    @jax.jit
    def one_run(choice, scale, seed):
        return initializers.initialize(choice, scale, params, jax.random.key(seed))

    choices = jnp.arange(len(initializers.KNOWN))
    runs = choices, jnp.linspace(0.5, 1.5, len(choices)), choices + 5
    together = jax.jit(jax.vmap(one_run))(*runs)
    for number in choices:
        alone = one_run(*(column[number] for column in runs))
        assert np.array_equal(together["kernel"][number], alone["kernel"])
        assert np.array_equal(together["bias"][number], alone["bias"])


def test_only_linear_maps_are_drawn_anew():
    class Net(nn.Module):
        @nn.compact
        def __call__(self, words):
            return nn.Dense(3)(nn.LayerNorm()(nn.Embed(11, 6)(words)))

    params = Net().init(jax.random.key(1), jnp.zeros((1, 2), jnp.int32))["params"]
    drawn = draw("xavier", params)
    for kept in ("Embed_0", "LayerNorm_0"):
        assert jax.tree.all(jax.tree.map(np.array_equal, drawn[kept], params[kept]))
    assert not np.array_equal(drawn["Dense_0"]["kernel"], params["Dense_0"]["kernel"])


def test_the_key_decides_and_arrays_are_drawn_independently():
    params = {name: {"kernel": jnp.zeros((100, 100)), "bias": jnp.zeros(100)} for name in ("one", "two")}
    drawn, again, other = (draw("pytorch", params, seed=seed) for seed in (0, 0, 1))
    assert jax.tree.all(jax.tree.map(np.array_equal, drawn, again))
    assert not np.array_equal(drawn["one"]["kernel"], other["one"]["kernel"])
    correlation = np.corrcoef(np.ravel(drawn["one"]["kernel"]), np.ravel(drawn["two"]["kernel"]))[0, 1]
    assert abs(correlation) < 5 / 100  # the deviation of the correlation of n pairs is 1 / sqrt(n)


def test_a_bias_without_a_kernel_is_kept():
    params = {"output": {"bias": jnp.full(3, 8.0)}, "bias": jnp.full(2, 9.0)}
    assert jax.tree.all(jax.tree.map(np.array_equal, draw("he", params), params))


def test_number_formats_are_kept():
    params = {"kernel": jnp.ones((4, 5), jnp.bfloat16), "bias": jnp.ones(5, jnp.bfloat16)}
    for name in initializers.KNOWN:
        assert all(leaf.dtype == jnp.bfloat16 for leaf in draw(name, params).values())

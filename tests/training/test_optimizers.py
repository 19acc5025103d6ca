import functools
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax import contrib

from jaxnets.plugins import OPTIMIZER
from jaxnets.training import optimizers

START = np.random.default_rng(0).normal(size=(3, 4))
GRADIENTS = np.random.default_rng(1).normal(size=(6, 3, 4))


def numpy_updates(name, rate, momentum=0.9, b1=0.9, b2=0.999, eps=1e-8):
    """The parameters after each gradient, in float64, from the papers' formulas."""
    p, v, m, s, path = START.copy(), 0.0, 0.0, 0.0, []
    for t, g in enumerate(GRADIENTS, start=1):
        if name == "sgd":
            p = p - rate * g
        elif name in ("momentum", "nesterov"):
            v = momentum * v + g
            p = p - rate * (v if name == "momentum" else g + momentum * v)
        else:
            m, s = b1 * m + (1 - b1) * g, b2 * s + (1 - b2) * g**2
            p = p - rate * (m / (1 - b1**t)) / (np.sqrt(s / (1 - b2**t)) + eps)
        path.append(p)
    return path


def jax_updates(name, rate, **extra):
    factory = OPTIMIZER.find(name).value
    declared = OPTIMIZER.find(factory).arguments
    values = {n: extra.pop(n, a.default) for n, a in declared.items()}
    transformation = optimizers.build(factory, rate, {n: v for n, v in values.items() if v is not None}, **extra)
    params, path = jnp.asarray(START, jnp.float32), []
    state = transformation.init(params)
    for gradient in jnp.asarray(GRADIENTS, jnp.float32):
        updates, state = transformation.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        path.append(params)
    return path


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "adam"])
def test_against_the_papers_formulas_in_float64(name):
    for got, expected in zip(jax_updates(name, 0.1), numpy_updates(name, 0.1), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_nesterov_is_momentum_with_a_switch():
    np.testing.assert_array_equal(jax_updates("momentum", 0.1, nesterov=True), jax_updates("nesterov", 0.1))


ABSENT = {
    "optimistic_adam": "deprecated, in favour of optimistic_adam_v2",
    "polyak_sgd": "has no argument learning_rate, but a bound of one: max_learning_rate",
}


def test_every_alias_of_optax_is_known_or_its_absence_explained():
    kinds = (types.FunctionType, functools.partial)
    aliases = {name for name, value in vars(optax._src.alias).items() if isinstance(value, kinds) and name[0] != "_"}
    assert aliases >= {"adadelta", "adafactor", "lamb", "lbfgs", "nadam", "nadamw", "novograd", "yogi"}
    for name in aliases - set(ABSENT):
        if name not in ("sgd", "adam"):
            assert OPTIMIZER.find(name).value is getattr(optax, name)
    assert not aliases - set(optimizers.known()) - set(ABSENT)
    assert not set(ABSENT) & set(optimizers.known())
    assert not any(name.startswith("scale_by") for name in optimizers.known())


def test_the_learning_rate_that_an_optimizer_has_of_its_own():
    assert optimizers.own_rate(functools.partial(optax.adam, learning_rate=0.3)) == 0.3
    assert optimizers.own_rate(contrib.schedule_free_adamw) == 0.0025
    assert optimizers.own_rate(optax.lbfgs) == 1.0
    half, constant = np.float32(0.5), optax.constant_schedule(1.0)
    assert optimizers.own_rate(lambda learning_rate=half: None) == 0.5
    assert optimizers.own_rate(optax.adafactor) is optimizers.own_rate(optax.adam) is None
    assert [factory for factory in optimizers.known().values() if optimizers.names_no_rate(factory)] == [
        optax.adafactor
    ]
    assert optimizers.names_no_rate(lambda learning_rate=constant: None)


PARAMS = {"a": jnp.ones((3, 4)), "b": jnp.arange(1.0, 5.0)}


def loss(params):
    return jnp.sum(params["a"] ** 2) + jnp.sum(jnp.sin(params["b"]))


def trained(transformation, num_steps=3):
    def step(_, carry):
        params, state = carry
        value, gradient = jax.value_and_grad(loss)(params)
        updates, state = transformation.update(gradient, state, params, value=value, grad=gradient, value_fn=loss)
        return optax.apply_updates(params, updates), state

    return jax.lax.fori_loop(0, num_steps, step, (PARAMS, transformation.init(PARAMS)))[0]


def two_values(argument):
    """Its default and a number near it; two numbers for an argument that is not used by default."""
    if argument.default is None:
        return 0.4, 0.5
    return argument.default, argument.default * 0.9 or 1e-3


@pytest.mark.parametrize("name", sorted(optimizers.known()))
def test_runs_of_one_program_train_as_the_same_alias_with_python_floats_alone(name):
    factory, key = OPTIMIZER.find(name).value, jax.random.key(3)
    declared = OPTIMIZER.find(factory).arguments.values()
    static = {a.name: a.default for a in declared if not a.traced}
    floats = {"learning_rate": (0.01, 0.02)} | {a.name: two_values(a) for a in declared if a.traced}

    def one_run(numbers):
        values = {**static, **numbers}
        return trained(optimizers.build(factory, values.pop("learning_rate"), values, key=key))

    together = jax.jit(jax.vmap(one_run))(jax.tree.map(jnp.array, floats, is_leaf=lambda leaf: isinstance(leaf, tuple)))
    keyed = {"key": key} if name == "noisy_sgd" else {}
    second = {argument: pair[1] for argument, pair in floats.items()}
    alone = jax.jit(lambda: trained(optax.with_extra_args_support(factory(**second, **static, **keyed))))()
    for leaf in PARAMS:
        np.testing.assert_allclose(together[leaf][1], alone[leaf], rtol=2e-5, atol=2e-6)
        assert np.isfinite(together[leaf]).all()
    assert any(not np.array_equal(alone[leaf], PARAMS[leaf]) for leaf in PARAMS)


def test_gradient_clipping_by_global_norm():
    for clip in (0.5, 100.0):
        norms = np.sqrt((GRADIENTS**2).sum(axis=(1, 2), keepdims=True))
        clipped = GRADIENTS * np.minimum(1, clip / norms)
        got = jax_updates("sgd", 0.1, gradient_clip=jnp.float32(clip))
        np.testing.assert_allclose(got[-1], START - 0.1 * clipped.sum(axis=0), rtol=1e-5, atol=1e-6)


def test_weight_decay_is_l2_where_the_optimizer_has_none():
    expected = START.copy()
    for gradient in GRADIENTS:
        expected -= 0.1 * (gradient + 0.3 * expected)
    np.testing.assert_allclose(jax_updates("sgd", 0.1, weight_decay=jnp.float32(0.3))[-1], expected, rtol=1e-5)


def test_weight_decay_is_the_optimizers_own_where_it_has_one():
    values = {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "eps_root": 0.0}
    ours = optimizers.build(optax.adamw, 0.1, values, weight_decay=0.5)
    theirs = optax.adamw(0.1, weight_decay=0.5)
    params, gradient = jnp.asarray(START, jnp.float32), jnp.asarray(GRADIENTS[0], jnp.float32)
    got, _ = ours.update(gradient, ours.init(params), params)
    expected, _ = theirs.update(gradient, theirs.init(params), params)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_weight_decay_is_adafactors_own_though_it_calls_it_otherwise():
    ours = optimizers.build(optax.adafactor, 0.1, {}, weight_decay=0.5)
    theirs = optax.adafactor(0.1, weight_decay_rate=0.5)
    for got, expected in zip(*(jax.tree.leaves(trained(one)) for one in (ours, theirs)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_an_argument_that_is_none_by_default_is_a_flag():
    assert OPTIMIZER.find(optax.rmsprop).arguments["momentum"].traced
    assert "learning_rate" not in OPTIMIZER.find(optax.adamw).arguments


def test_an_import_path_works_wherever_a_name_does(monkeypatch):
    module = types.ModuleType("my_lab_opt")
    module.my_opt = lambda learning_rate, half=0.5: optax.sgd(learning_rate * half)
    monkeypatch.setitem(sys.modules, "my_lab_opt", module)
    factory = OPTIMIZER.find("my_lab_opt:my_opt").value
    assert set(OPTIMIZER.find(factory).arguments) == {"half"}
    np.testing.assert_allclose(jax_updates("my_lab_opt:my_opt", 0.2)[-1], numpy_updates("sgd", 0.1)[-1], rtol=1e-5)


def test_the_learning_rate_may_change_from_step_to_step():
    rates, v, expected = [0.1, 0.05, 0.2, 0.0, 0.3, 0.1], 0.0, START.copy()
    for rate, gradient in zip(rates, GRADIENTS, strict=True):
        v = 0.9 * v + gradient
        expected = expected - rate * v

    @jax.jit
    def step(rate, gradient, state, params):
        updates, state = optimizers.build(optimizers.momentum, rate, {}).update(gradient, state, params)
        return state, optax.apply_updates(params, updates)

    params = jnp.asarray(START, jnp.float32)
    state = optimizers.build(optimizers.momentum, 0.0, {}).init(params)
    for rate, gradient in zip(rates, GRADIENTS, strict=True):
        state, params = step(rate, jnp.asarray(gradient, jnp.float32), state, params)
    np.testing.assert_allclose(params, expected, rtol=1e-5, atol=1e-6)


def test_weight_decay_is_added_after_clipping():
    expected, bounds = [START.copy(), START.copy()], np.array([0.5, 100.0])
    for run, bound in enumerate(bounds):
        for gradient in GRADIENTS:
            clipped = gradient * min(1.0, bound / np.linalg.norm(gradient))
            expected[run] = expected[run] - 0.1 * (clipped + 0.3 * expected[run])
    decay = jnp.float32(0.3)
    runs = jax.jit(jax.vmap(lambda clip: jax_updates("sgd", 0.1, weight_decay=decay, gradient_clip=clip)[-1]))
    np.testing.assert_allclose(runs(jnp.asarray(bounds, jnp.float32)), expected, rtol=1e-5, atol=1e-6)


def test_clipping_leaves_a_gradient_of_zero():
    transformation = optimizers.build(optimizers.sgd, 0.1, {}, gradient_clip=jnp.float32(1))
    updates, _ = transformation.update(jnp.zeros(3), transformation.init(jnp.ones(3)), jnp.ones(3))
    assert not np.any(updates)


def test_weight_decay_goes_to_an_argument_without_a_default_too():
    def decoupled(learning_rate, weight_decay):
        return optax.adamw(learning_rate, weight_decay=weight_decay)

    ours, theirs = optimizers.build(decoupled, 0.1, {}, weight_decay=0.5), optax.adamw(0.1, weight_decay=0.5)
    for got, expected in zip(jax.tree.leaves(trained(ours)), jax.tree.leaves(trained(theirs)), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_noise_comes_from_the_key():
    def noisy(seed):
        return trained(optimizers.build(optax.noisy_sgd, 0.1, {}, key=jax.random.key(seed)))["a"]

    np.testing.assert_array_equal(noisy(0), noisy(0))
    assert not np.array_equal(noisy(0), noisy(1))


@pytest.mark.filterwarnings("error::DeprecationWarning")
def test_no_known_optimizer_is_deprecated():
    assert "optimistic_adam" not in optimizers.known()
    for factory in optimizers.known().values():
        optimizers.build(factory, 0.1, {}, key=jax.random.key(0))


def test_flags_are_numbers_and_switches():
    for factory in optimizers.known().values():
        for argument in OPTIMIZER.find(factory).arguments.values():
            assert argument.kind in ("float", "int", "bool")
            assert not argument.name.endswith(("mask", "dtype", "key", "learning_rate"))

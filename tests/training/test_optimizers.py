import functools
import sys
import types
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax import contrib

import jaxnets
from jaxnets import data, training
from jaxnets.config.config import Config
from jaxnets.engine.plan import plan, resolve
from jaxnets.engine.sweep import prepare
from jaxnets.engine.table import runs
from jaxnets.errors import UserError
from jaxnets.plugins import OPTIMIZER
from jaxnets.training import optimizers
from jaxnets.training.batches import Examples

START = np.random.default_rng(0).normal(size=(3, 4))
GRADIENTS = np.random.default_rng(1).normal(size=(6, 3, 4))


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


USUAL = ("sgd", "momentum", "adam", "adamw", "adafactor", "rmsprop", "lion", "noisy_sgd")


@pytest.mark.parametrize(
    "name", [name if name in USUAL else pytest.param(name, marks=pytest.mark.slow) for name in optimizers.known()]
)
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


@pytest.mark.parametrize(("clip", "decay"), [(0.5, 0.0), (100.0, 0.0), (100.0, 0.3), (0.5, 0.3)])
def test_clipping_by_the_global_norm_and_then_l2(clip, decay):
    expected = START.copy()
    for gradient in GRADIENTS:
        expected -= 0.1 * (gradient * min(1.0, clip / np.linalg.norm(gradient)) + decay * expected)
    got = jax_updates("sgd", 0.1, gradient_clip=jnp.float32(clip), weight_decay=jnp.float32(decay))
    np.testing.assert_allclose(got[-1], expected, rtol=1e-5, atol=1e-6)


def test_clipping_leaves_a_gradient_of_zero():
    transformation = optimizers.build(optimizers.sgd, 0.1, {}, gradient_clip=jnp.float32(1))
    updates, _ = transformation.update(jnp.zeros(3), transformation.init(jnp.ones(3)), jnp.ones(3))
    assert not np.any(updates)


def decoupled(learning_rate, weight_decay):
    return optax.adamw(learning_rate, weight_decay=weight_decay)


@pytest.mark.parametrize(
    ("factory", "theirs"),
    [
        (optax.adamw, optax.adamw(0.1, weight_decay=0.5)),
        (decoupled, optax.adamw(0.1, weight_decay=0.5)),
        (optax.adafactor, optax.adafactor(0.1, weight_decay_rate=0.5)),
    ],
)
def test_weight_decay_is_the_optimizers_own_where_it_has_one(factory, theirs):
    ours = optimizers.build(factory, 0.1, {}, weight_decay=0.5)
    for got, expected in zip(*(jax.tree.leaves(trained(one)) for one in (ours, theirs)), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_an_argument_that_is_none_by_default_is_a_flag():
    assert OPTIMIZER.find(optax.rmsprop).arguments["momentum"].traced
    assert "learning_rate" not in OPTIMIZER.find(optax.adamw).arguments


def test_an_import_path_works_wherever_a_name_does(monkeypatch):
    module = types.ModuleType("my_lab_opt")
    module.my_opt = lambda learning_rate, half=0.5: optax.sgd(learning_rate * half)
    monkeypatch.setitem(sys.modules, "my_lab_opt", module)
    assert set(OPTIMIZER.find("my_lab_opt:my_opt").arguments) == {"half"}
    np.testing.assert_allclose(jax_updates("my_lab_opt:my_opt", 0.2)[-1], jax_updates("sgd", 0.1)[-1], rtol=1e-6)


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


RATE, NUM_STEPS = 0.1, 7
XOR = data.load("xor")
EXAMPLES = Examples(jax.random.normal(jax.random.key(0), (4, 2)), jnp.asarray(XOR.train.labels))


def uphill():
    return optax.chain(contrib.normalize(), optax.sgd(0.05))


def schedule_free(learning_rate):
    return contrib.schedule_free(optax.sgd(learning_rate), learning_rate)


def clipped_schedule_free(learning_rate):
    return optax.chain(optax.clip(0.1), contrib.schedule_free_sgd(learning_rate))


def of_layers(learning_rate):
    labels = partial(jax.tree.map, lambda leaf: "kernels" if leaf.ndim > 1 else "biases")
    return optax.partition(
        {"kernels": contrib.schedule_free_sgd(learning_rate), "biases": optax.sgd(learning_rate)}, labels
    )


def lookahead(learning_rate):
    return optax.lookahead(optax.adam(learning_rate), sync_period=3, slow_step_size=0.5)


def clipped_lookahead(learning_rate):
    return optax.chain(optax.clip(0.1), lookahead(learning_rate))


def sam(learning_rate):
    return contrib.sam(optax.sgd(learning_rate), uphill(), sync_period=2)


def opaque_sam(learning_rate):
    return contrib.sam(optax.sgd(learning_rate), uphill(), sync_period=3, opaque_mode=True)


def chained_sam(learning_rate):
    return optax.chain(sam(learning_rate), optax.scale(0.5))


def accumulating(learning_rate):
    return optax.MultiSteps(optax.adam(learning_rate), 3)


def injected(learning_rate):
    return optax.inject_hyperparams(optax.adam)(learning_rate)


def polyak(learning_rate):
    return optax.MultiSteps(optax.polyak_sgd(max_learning_rate=learning_rate), 2)


def on_plateau(learning_rate):
    return optax.chain(optax.adam(learning_rate), contrib.reduce_on_plateau(patience=1, rtol=0.1))


def while_bad(learning_rate):
    return optax.conditionally_transform(
        optax.sgd(learning_rate), lambda step, value: value > 0.4, forward_extra_args=True
    )


def averaged(state, params):
    return contrib.schedule_free_eval_params(state, params)


def of_kernels(state, params):
    of_group = state.inner_states["kernels"].inner_state
    return jax.tree.map(
        lambda now, z: now if isinstance(z, optax.MaskedNode) else averaged(of_group._replace(z=z), now),
        *(params, of_group.z),
        is_leaf=lambda node: isinstance(node, optax.MaskedNode),
    )


# what plain Optax hands on to `update`, and the parameters to be judged at
OPTIMIZERS = {
    optax.lbfgs: (("value", "grad", "value_fn"), None),
    contrib.schedule_free_sgd: ((), averaged),
    schedule_free: ((), averaged),
    clipped_schedule_free: ((), lambda state, params: averaged(state[1], params)),
    of_layers: ((), of_kernels),
    sam: ((), lambda state, params: state.cache),  # after an odd number of steps it stands uphill
    opaque_sam: (("grad_fn",), None),
    chained_sam: ((), lambda state, params: state[0].cache),
    accumulating: ((), None),
    injected: ((), None),
    polyak: (("value",), None),
    on_plateau: (("value",), None),
    while_bad: (("value",), None),
    contrib.sophia: (("obj_fn",), None),
}


def program_of(optimizer, **flags):
    shared = {"batch_size": 0, "num_steps": NUM_STEPS, "hidden_units": 4, "learning_rate": RATE}
    config = Config(optimizer=optimizer, **shared | flags)
    (program,) = plan([resolve(run, XOR) for run in runs(config)], XOR)
    return program


def started(program):
    numbers = {name: jnp.asarray(values[0]) for name, values in program.hyperparameters.items()}
    return training.init(program.task, numbers, jnp.int32(0))


def by_jaxnets(optimizer, **flags):
    """The parameters of the steps after the last one, and those to be judged at."""
    program = program_of(optimizer, **flags)
    end, _ = jax.jit(
        lambda: training.train(program.task, started(program), EXAMPLES, jnp.int32(0), jnp.int32(NUM_STEPS))
    )()
    return end.params, training.judged(program.task, end).params


def loss_of(program, params):
    logits = program.task.model({}).apply({"params": params}, EXAMPLES.inputs)
    return optax.softmax_cross_entropy_with_integer_labels(logits, EXAMPLES.labels).mean()


def by_optax(optimizer):
    """The same by a plain loop."""
    given, judged = OPTIMIZERS[optimizer]
    program, plain = program_of(optimizer), optimizer(RATE)
    loss = partial(loss_of, program)
    extras = {"value_fn": loss, "obj_fn": loss, "grad_fn": lambda params, _: jax.grad(loss)(params)}

    @jax.jit
    def step(params, state):
        value, gradient = jax.value_and_grad(loss)(params)
        known = {name: one for name, one in {**extras, "value": value, "grad": gradient}.items() if name in given}
        updates, state = plain.update(gradient, state, params, **known)
        return optax.apply_updates(params, updates), state

    params = started(program).params
    state = plain.init(params)
    for _ in range(NUM_STEPS):
        params, state = step(params, state)
    return params, judged(state, params) if judged else params


def assert_close(got, expected, tolerance=1e-6):
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def differ(one, other):
    return any(not np.allclose(*pair, atol=1e-4) for pair in zip(*map(jax.tree.leaves, (one, other)), strict=True))


ALIKE = (schedule_free, accumulating, polyak, on_plateau, contrib.sophia)


@pytest.mark.parametrize(
    "optimizer", [pytest.param(one, marks=pytest.mark.slow) if one in ALIKE else one for one in OPTIMIZERS]
)
def test_an_optimizer_trains_and_is_judged_as_in_plain_optax(optimizer):
    (steps, judged), (expected_steps, expected) = by_jaxnets(optimizer), by_optax(optimizer)
    assert_close(steps, expected_steps, 2e-6)
    assert_close(judged, expected, 1e-5 if OPTIMIZERS[optimizer][1] else 2e-6)
    assert differ(steps, judged) == (OPTIMIZERS[optimizer][1] is not None)


@pytest.mark.parametrize("optimizer", [lookahead, clipped_lookahead])
def test_lookahead_takes_its_steps_at_the_fast_parameters_and_is_judged_at_the_slow_ones(optimizer, caplog):
    steps, judged = by_jaxnets(optimizer)
    program, plain = program_of(optimizer), optimizer(RATE)
    gradient = jax.jit(jax.grad(partial(loss_of, program)))
    both = optax.LookaheadParams.init_synced(started(program).params)
    state = plain.init(both)
    for _ in range(NUM_STEPS):
        updates, state = plain.update(gradient(both.fast), state, both)
        both = optax.apply_updates(both, updates)
    assert_close(steps, both.fast)
    assert_close(judged, both.slow)
    assert differ(both.fast, both.slow)
    assert not caplog.records


@pytest.mark.parametrize(
    ("wrapped", "flags"), [(optax.sgd, {"schedule": "cosine"}), (optax.adam, {"warmup_steps": 5.0})]
)
def test_a_schedule_reaches_the_rate_that_inject_hyperparams_keeps(wrapped, flags):
    def injected(learning_rate):
        return optax.chain(optax.clip(10.0), optax.inject_hyperparams(wrapped)(learning_rate))

    expected = by_jaxnets(wrapped, **flags)[0]
    assert_close(by_jaxnets(injected, **flags)[0], expected)
    assert differ(by_jaxnets(injected)[0], expected)


def test_a_rule_of_ones_own_for_an_injected_rate_stays_where_nothing_is_scheduled():
    def halving(learning_rate):
        inner = optax.inject_hyperparams(optax.sgd)(learning_rate)

        def update(gradient, state, params=None):
            updates, state = inner.update(gradient, state, params)
            return updates, state._replace(hyperparams={"learning_rate": state.hyperparams["learning_rate"] / 2})

        return optax.GradientTransformation(inner.init, update)

    def expected(learning_rate):
        return optax.sgd(lambda step: learning_rate * 0.5**step)

    assert_close(by_jaxnets(halving)[0], by_jaxnets(expected)[0])


def keeps_rate(learning_rate):
    """Its state starts with steps as large as the learning rate."""
    return optax.chain(optax.scale_by_rprop(learning_rate), optax.scale(-1.0))


def ignores_rate(learning_rate):
    return optax.sgd(0.1)


@pytest.mark.parametrize("flags", [{"schedule": "cosine"}, {"warmup_steps": [0.0, 5.0]}])
def test_a_schedule_that_would_not_reach_an_optimizer_is_one_line(flags):
    for optimizer, part in (("rprop", "keeps the l"), (keeps_rate, "keeps the l"), (ignores_rate, "reads no")):
        with pytest.raises(UserError, match=part) as error:
            program_of(optimizer, **flags).check(XOR)
        assert "schedule=constant" in str(error.value)
        program_of(optimizer).check(XOR)


@pytest.mark.parametrize(
    "optimizer",
    [
        lookahead,
        sam,
        opaque_sam,
        accumulating,
        injected,
        schedule_free,
        contrib.adopt,
        contrib.prodigy,
        "lbfgs",
        "lamb",
    ],
)
def test_a_schedule_is_not_refused_where_it_is_read(optimizer):
    program_of(optimizer, schedule="cosine", warmup_steps=3.0).check(XOR)


def test_an_optimizer_may_say_itself_where_it_is_judged():
    """An average of the parameters, kept by the optimizer."""

    def averaging(learning_rate):
        inner = optax.sgd(learning_rate)

        def update(gradient, state, params=None):
            updates, kept = inner.update(gradient, state[0], params)
            now = optax.apply_updates(params, updates)
            return updates, (kept, jax.tree.map(lambda mean, new: 0.5 * (mean + new), state[1], now))

        return optax.GradientTransformation(lambda params: (inner.init(params), params), update)

    averaging.eval_params = lambda state, params: state[1]
    steps, judged = by_jaxnets(averaging)
    assert differ(steps, judged)
    assert_close(steps, by_jaxnets("sgd")[0])


def test_the_form_of_what_an_optimizer_keeps_must_be_that_of_the_parameters():
    def flat(learning_rate):
        return optax.flatten(contrib.schedule_free_sgd(learning_rate))

    with pytest.raises(UserError, match="does not have the form of the parameters"):
        program_of(flat).check(XOR)


@pytest.mark.parametrize(
    ("optimizer", "part"),
    [
        ("optax.contrib:dpsgd", "needs 'l2_norm_clip', 'noise_multiplier', 'seed'"),
        ("optax:lookahead", "its first argument must be 'learning_rate'"),
        (lambda learning_rate, decay: optax.sgd(learning_rate), "needs 'decay'"),
    ],
)
def test_an_argument_without_a_default_is_named(optimizer, part):
    with pytest.raises(UserError, match=part):
        OPTIMIZER.find(optimizer)


def test_what_a_library_complains_of_is_one_line():
    def never(learning_rate):
        return optax.lookahead(optax.sgd(learning_rate), sync_period=0, slow_step_size=0.5)

    for optimizer in (never, lambda learning_rate: optax.sgd(learning_rate, momentum="much")):
        with pytest.raises(UserError, match=r"optimizer: .* fails with") as error:
            program_of(optimizer).check(XOR)
        assert "\n" not in str(error.value)


def test_bounds_of_built_ins_do_not_bind_a_guest():
    def mine(learning_rate, decay=5.0, b1=-0.5, memory_size=-1):
        return optax.sgd(learning_rate / decay)

    for name, value in (("decay", 2.0), ("b1", 3.0), ("memory_size", 5000)):
        assert OPTIMIZER.find(mine).arguments[name].of_values().value(value) == value


def test_a_partial_is_an_optimizer_with_its_own_rate():
    bound = partial(optax.sgd, learning_rate=0.3)
    assert_close(by_jaxnets(bound, learning_rate=None)[0], by_jaxnets("sgd", learning_rate=0.3)[0])


def test_what_is_kept_is_what_the_table_judged():
    results = jaxnets.sweep(
        dataset="xor",
        learning_rate=1.0,
        batch_size=0,
        num_steps=9,
        hidden_units=4,
        optimizer=[clipped_schedule_free, lookahead],
        keep="last",
        progress=False,
    )
    for run in range(2):
        logits, labels = results.logits(run, XOR.test.inputs), XOR.test.labels
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        assert results.runs["test_loss"][run] == pytest.approx(float(losses.mean()), abs=1e-6)


def test_the_table_shows_the_rate_that_an_optimizer_has_of_its_own():
    def mine(learning_rate=0.3):
        return optax.sgd(learning_rate)

    names = ["sgd", "adadelta", "lbfgs", "adafactor", mine]
    table = runs(Config(optimizer=names))
    assert [run["learning_rate"] for run in table] == [0.001, 1.0, 1.0, 0.001, 0.3]
    assert {run["learning_rate"] for run in runs(Config(optimizer=names, learning_rate=0.2))} == {0.2}
    shared = {"dataset": "xor", "batch_size": 0, "num_steps": 1}
    assert [note for note in prepare(Config(**shared, optimizer=names)).notes if "rate" in note] == [
        "optimizer=adafactor names no learning rate of its own, so it is 0.001."
    ]
    assert not prepare(Config(**shared, optimizer="adafactor", learning_rate=0.1)).notes

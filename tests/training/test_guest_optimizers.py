"""Optimizers of Optax and of users, each trained and judged as by a loop that knows nothing of jaxnets."""

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
from jaxnets.engine.runs import runs
from jaxnets.engine.sweep import prepare
from jaxnets.errors import UserError
from jaxnets.plugins import OPTIMIZER
from jaxnets.training.batches import Examples

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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
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


@pytest.mark.parametrize("wrapped", [optax.sgd, optax.adam])
@pytest.mark.parametrize("flags", [{"schedule": "cosine"}, {"warmup_steps": 5.0}])
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


def test_optimizers_of_the_steps_own_parameters_are_judged_there():
    program = program_of("adam")
    state = started(program)
    assert training.judged(program.task, state) is state


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
    shared = {"dataset": "xor", "learning_rate": 1.0, "batch_size": 0, "num_steps": 9, "num_seeds": 2}
    for optimizer in (clipped_schedule_free, lookahead):
        results = jaxnets.sweep(**shared, optimizer=optimizer, keep="last", progress=False)
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

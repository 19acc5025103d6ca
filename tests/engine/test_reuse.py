"""What was compiled or trained before serves again only where user code reads what it read then."""

import importlib
import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

import jaxnets
from jaxnets.engine import executables
from jaxnets.engine.execute import execute
from jaxnets.engine.keep import Compiling
from jaxnets.engine.store import Parts
from jaxnets.engine.sweep import prepare
from jaxnets.models.blocks import Linear
from jaxnets.training.heads import Softmax

XOR = {"dataset": "xor", "batch_size": 0, "num_steps": 2, "learning_rate": 0.1}
HERE = sys.modules[__name__]
GLOBAL = 0.5
ARRAY = np.linspace(0, 1, 1000, dtype=np.float32)


class Holder:
    number = 0.5


@jax.jit
def compiled(x):
    return GLOBAL * x


def repeated(carry, _):
    return carry * GLOBAL, None


def plugins(number):
    """One of each kind, which calls `number(kind)` where it is traced."""

    class Head(Softmax):
        def losses(self, logits, labels):
            return number("head") * super().losses(logits, labels)

    class Net(nn.Module):
        num_outputs: int
        activation: Callable = jax.nn.relu

        @nn.compact
        def __call__(self, inputs, *, train=False):
            return number("model") * Linear(self.num_outputs)(self.activation(inputs))

    return {
        "optimizer": lambda learning_rate: optax.sgd(number("optimizer") * learning_rate),
        "activation": lambda x: jnp.tanh(number("activation") * x),
        "schedule": lambda progress: number("schedule") + 0 * progress,
        "initializer": lambda key, shape, dtype: number("initializer") * jax.random.normal(key, shape, dtype),
        "head": Head(),
        "model": Net,
    }


def using(kind, number):
    """The values of a sweep with one plug-in of the user's."""
    return {**XOR, **({} if kind == "model" else {"hidden_units": (3,)}), kind: plugins(lambda _: number())[kind]}


def texts_of(values):
    """What gives the text of the one program of a sweep, as one that is resumed compares it."""
    sweep = prepare(jaxnets.Config(**values))
    return lambda: sweep.programs[0].text_of_run(sweep.folds[0], predictions=False)


def trained(values, **more):
    results = jaxnets.sweep(**values, **more, progress=False)
    return results.runs["test_loss"].tolist(), results.num_programs


def test_the_text_of_a_program_tells_what_each_plugin_reads():
    numbers = dict.fromkeys(plugins(None), 0.5)
    text, again = (texts_of({**XOR, **plugins(numbers.get)}) for _ in range(2))
    texts = [text()]
    assert again() == texts[0] is not None  # defined anew, and the same
    for kind in numbers:
        numbers[kind] = 2.0
        texts.append(text())
    assert len(set(texts)) == 7


def test_in_whatever_way_it_is_read(monkeypatch):
    cell = [0.5]
    text = texts_of(using("activation", lambda: GLOBAL + Holder.number + jnp.asarray(ARRAY).sum() + cell[0]))
    texts = [text()]
    monkeypatch.setattr(HERE, "GLOBAL", 2.0)
    texts.append(text())
    monkeypatch.setattr(Holder, "number", 2.0)
    texts.append(text())
    monkeypatch.setattr(HERE, "ARRAY", ARRAY.copy())
    ARRAY[500] = 2.0  # in its middle, where it is not printed
    texts.append(text())
    cell[0] = 2.0
    texts.append(text())
    assert len(set(texts)) == 5


@pytest.mark.parametrize("reads", [lambda: compiled(1.0), lambda: jax.lax.scan(repeated, 1.0, None, length=2)[0]])
def test_what_jax_keeps_of_inner_functions_is_traced_anew(reads, monkeypatch):
    values = using("activation", reads)
    before = trained(values)
    monkeypatch.setattr(HERE, "GLOBAL", 2.0)
    after = trained(values)
    assert after[1] == 1
    assert after[0] != before[0]


@pytest.mark.parametrize("kind", ["optimizer", "model"])
def test_a_sweep_after_a_change_trains_what_is_there_now(kind, monkeypatch):
    values = using(kind, lambda: GLOBAL)
    before = trained(values)
    assert trained(values) == (before[0], 0)  # nothing has changed: nothing is compiled
    monkeypatch.setattr(HERE, "GLOBAL", 2.0)
    right = trained(using(kind, lambda: 2.0))
    assert trained(values) == (right[0], 0)  # an equal text, whoever wrote it
    assert right[0] != before[0]


def test_fewer_runs_fit_into_a_program_of_others():
    values = using("schedule", lambda: 0.75)
    trained(values, num_seeds=6)
    assert trained(values, num_seeds=2)[1] == 0


def test_a_state_whose_class_is_defined_anew_is_another_tree():
    def optimizer(kind):
        def update(gradient, state, params=None):
            return optax.tree.scale(-0.1, gradient), state

        return lambda learning_rate: optax.GradientTransformation(lambda params: kind(jnp.float32(0)), update)

    first, second = ({**XOR, "optimizer": optimizer(namedtuple("State", "x"))} for _ in range(2))
    assert trained(first)[0] == trained(second)[0]


def test_a_function_of_the_host_is_told_by_what_it_reads_or_not_kept(monkeypatch):
    def host(x, kept=None):
        return np.float32(GLOBAL) * x

    def schedule_of(host):
        shape = jax.ShapeDtypeStruct((), jnp.float32)
        return lambda progress: 0 * progress + jax.pure_callback(host, shape, jnp.float32(1), vmap_method="sequential")

    values = {**XOR, "schedule": schedule_of(host)}
    before = trained(values)
    assert trained(values) == (before[0], 0)
    monkeypatch.setattr(HERE, "GLOBAL", 2.0)
    assert trained(values)[1] == 1
    untold, kept = iter(()), len(executables._PROGRAMS)
    values = {**XOR, "schedule": schedule_of(lambda x: host(x, untold))}
    assert [trained(values)[1] for _ in range(2)] == [1, 1]
    assert len(executables._PROGRAMS) == kept


def finished(folder, values):
    """How many programs were trained, of which no part was there."""
    sweep = prepare(jaxnets.Config(**values))
    parts = Parts(folder, sweep.table, sweep.folds, sweep.options, sweep.placement.platform)
    events = execute(sweep.programs, sweep.folds, sweep.placement, sweep.options, parts)
    return sum(isinstance(event, Compiling) for event in events)


def test_runs_of_other_code_are_not_joined(tmp_path, monkeypatch):
    values = using("head", lambda: GLOBAL)
    assert [finished(tmp_path, values) for _ in range(2)] == [1, 0]
    monkeypatch.setattr(HERE, "GLOBAL", 2.0)
    assert [finished(tmp_path, values) for _ in range(2)] == [1, 0]
    monkeypatch.setattr(HERE, "GLOBAL", 0.5)
    assert finished(tmp_path, values) == 0


SCRIPT = """
import jax, sys
import jaxnets
from jaxnets.user_code import fingerprint
from jaxnets.engine import devices
from jaxnets.engine.sweep import prepare
from lab_of_reuse import rules
devices.configure("cpu", num_devices=int(sys.argv[1]))
sweep = prepare(jaxnets.Config(dataset="xor", batch_size=0, num_steps=2, head=rules.Head(), activation=rules.bent))
print(sweep.programs[0].text_of_run(sweep.folds[0], predictions=True), fingerprint((rules.Head(), rules.bent)))
"""
RULES = """
import jax.numpy as jnp
from jaxnets.training.heads import Softmax
from . import numbers
from .numbers import NAMES
class Head(Softmax):
    def losses(self, logits, labels):
        return numbers.scale() * super().losses(logits, labels)
def bent(x):
    return jnp.where(x > 0, x, len(NAMES | {"d", "e"}) * x)
"""
NUMBERS = """
NAMES = {"a", "b", "c"}
DEPTH = 2.0
def scale():
    return DEPTH
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A package of a user's, two modules deep."""
    folder = tmp_path / "lab_of_reuse"
    folder.mkdir()
    for name, content in {"__init__": "", "rules": RULES, "numbers": NUMBERS}.items():
        (folder / f"{name}.py").write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder
    for name in [name for name in sys.modules if name.startswith("lab_of_reuse")]:
        del sys.modules[name]


def test_another_process_with_other_hashes_and_devices_tells_the_same(lab):
    def told(seed, num_devices):
        paths = os.pathsep.join([str(lab.parent), *sys.path])
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", SCRIPT, str(num_devices)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    before = told("1", 1)
    assert told("2", 2) == before
    (lab / "numbers.py").write_text(NUMBERS.replace("2.0", "3.0"))
    after = told("1", 1)
    assert [a != b for a, b in zip(before.split(), after.split(), strict=True)] == [True, True]


def test_a_module_that_is_loaded_anew_is_another(lab):
    rules = importlib.import_module("lab_of_reuse.rules")
    text = texts_of({**XOR, "head": rules.Head()})
    before = text()
    (lab / "numbers.py").write_text(NUMBERS.replace("2.0", "3.0"))
    importlib.reload(sys.modules["lab_of_reuse.numbers"])
    assert text() != before  # the head's own module is as it was

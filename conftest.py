"""Two CPU devices, programs cached for the session, and array annotations checked at run time.

XLA's expensive passes and its slower way to write fused loops are left out, as they take longer than they save in runs
of a moment; the tests that compare bits in this process have them.
"""

import gc
import hashlib
import os
import platform
import tempfile
from functools import partialmethod
from pathlib import Path

import jax
import jaxlib
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

_EMITTERS = "xla_cpu_use_fusion_emitters"
if "PYTEST_XDIST_WORKER" not in os.environ:  # the workers share what the first process makes
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --{_EMITTERS}=false"
    # caches begin empty, but for compiled programs: a session takes those of the last with this CPU, jaxlib and flags
    _CACHE = tempfile.TemporaryDirectory(prefix="jaxnets-tests-")
    _CPU = Path("/proc/cpuinfo")
    _FLAGS = (
        sorted({line for line in _CPU.read_text().splitlines() if line.startswith(("flags", "Features", "model name"))})
        if _CPU.exists()
        else platform.processor()
    )
    _KEY = hashlib.sha256(repr((jaxlib.__version__, os.environ["XLA_FLAGS"], _FLAGS)).encode()).hexdigest()[:16]
    _PROGRAMS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxnets-tests" / _KEY
    _PROGRAMS.mkdir(parents=True, exist_ok=True)
    (Path(_CACHE.name) / "jaxnets").mkdir()
    (Path(_CACHE.name) / "jaxnets" / "xla").symlink_to(_PROGRAMS)
    os.environ["XDG_CACHE_HOME"] = _CACHE.name  # of this process and of the programs that tests start
    # the options of a compilation would name the folder of the cache, which is another in each session
    os.environ["JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES"] = "none"

install_import_hook(["jaxnets.models", "jaxnets.training"], "beartype.beartype")

from jaxnets.engine import devices, executables, interrupts  # noqa: E402

devices.configure("cpu", num_devices=2)
jax.config.update("jax_disable_most_optimizations", True)

# tracing makes many objects that live on: searching them for garbage at each turn takes a tenth of the time
gc.freeze()
gc.set_threshold(200_000, 50, 100)


@pytest.fixture(autouse=True)
def no_signal_stays():
    """The status of a process is that of the last signal; one of another test is none."""
    yield
    interrupts._LAST.clear()


_FULLY = type(executables._PROGRAMS)()


@pytest.fixture
def fully_compiled(monkeypatch):
    """Programs are compiled as they are for the user; those of earlier tests with this fixture are still there."""
    monkeypatch.setattr(executables, "_PROGRAMS", _FULLY)
    jax.config.update("jax_disable_most_optimizations", False)
    compiled = partialmethod(jax.stages.Lowered.compile, compiler_options={_EMITTERS: True})
    monkeypatch.setattr(jax.stages.Lowered, "compile", compiled)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


def pytest_configure(config):
    """Few random examples by default, more where slow tests are asked for; no deadline, as the first compiles."""
    slow = config.getoption("markexpr") not in ("", "not slow")
    settings.register_profile("jaxnets", deadline=None, max_examples=50 if slow else 15, derandomize=True)
    settings.load_profile("jaxnets")


def pytest_xdist_make_scheduler(config, log):
    """A file stays on one worker, and so do all claims: they share their compiled programs."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "claims" if nodeid.startswith("tests/experiments/") else super()._split_scope(nodeid)

    return Scheduling(config, log)

"""Classic neural nets in JAX: one training run is a pure function, a sweep is that function over a batch of runs."""

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.4.0"

if TYPE_CHECKING:
    from jaxnets.api import sweep
    from jaxnets.config.config import Config
    from jaxnets.config.values import linear_range, log_range
    from jaxnets.data.dataset import Dataset, Split
    from jaxnets.engine.devices import configure
    from jaxnets.errors import UserError
    from jaxnets.runs.results import Results, load

# imported when they are asked for: JAX takes most of a second
_HOMES = {
    "Config": "config.config",
    "Dataset": "data.dataset",
    "Results": "runs.results",
    "Split": "data.dataset",
    "UserError": "errors",
    "configure": "engine.devices",
    "linear_range": "config.values",
    "load": "runs.results",
    "log_range": "config.values",
    "sweep": "api",
}

__all__ = [
    "Config",
    "Dataset",
    "Results",
    "Split",
    "UserError",
    "configure",
    "linear_range",
    "load",
    "log_range",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'jaxnets' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"jaxnets.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

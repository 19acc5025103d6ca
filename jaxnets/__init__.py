"""Classic neural nets in JAX: one training run is a pure function, a sweep is that function over a batch of runs."""

__version__ = "0.1.0"

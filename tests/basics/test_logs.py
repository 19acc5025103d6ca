import logging
import sys
from types import SimpleNamespace

from jaxnets.logs import quiet_orbax


def test_only_what_comes_too_late_is_passed_over(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", lambda about: shown.append(about.exc_value))
    for _ in range(2):
        with quiet_orbax():
            assert logging.getLogger("absl").disabled
    assert not logging.getLogger("absl").disabled
    other = RuntimeError("another")
    for error in (RuntimeError("Event loop is closed"), other):
        sys.unraisablehook(SimpleNamespace(exc_type=type(error), exc_value=error))
    assert shown == [other]

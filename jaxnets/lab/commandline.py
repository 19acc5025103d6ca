"""Until the experiments are imported as `jaxnets.experiments`."""

from collections.abc import Sequence
from types import ModuleType

from jaxnets.cli.main import USER_ERROR_STATUS as USER_ERROR_STATUS
from jaxnets.cli.main import interrupted_status as interrupted_status
from jaxnets.cli.main import main as _main
from jaxnets.cli.main import run as main  # noqa: F401


def launch(package: ModuleType, argv: Sequence[str], default: str) -> int:
    """See `jaxnets.cli.main.main`."""
    return _main(argv)

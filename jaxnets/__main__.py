"""`python -m jaxnets`: see `jaxnets.cli.main`."""

import sys

from jaxnets.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""The launcher of a checkout: `python run.py EXPERIMENT --flag=value`; `python run.py --help` lists the experiments."""

import sys

from jaxnets.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

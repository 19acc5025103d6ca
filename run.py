"""The launcher: `python run.py EXPERIMENT --flag=value`; `python run.py --help` lists the experiments."""

import sys

import experiments
from jaxnets.lab import commandline

if __name__ == "__main__":
    sys.exit(commandline.launch(experiments, sys.argv, default="compare_optimizers"))

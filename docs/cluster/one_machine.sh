#!/bin/bash
# A sweep on all cores of one machine: a worker for each. The same command goes on where it was.
set -euo pipefail
python run.py compare_optimizers --cluster=local --output="${OUTPUT:-results/one_machine}" "$@"

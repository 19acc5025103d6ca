"""Statistics over tables of runs: estimates, tests, selection, ensembles, classical baselines."""

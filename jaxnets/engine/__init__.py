"""Sweeps: from a configuration to a table of runs, to programs on devices, to result tables."""

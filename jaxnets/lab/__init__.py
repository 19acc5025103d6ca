"""From a configuration to a run directory: the command line, experiments, the lecture."""

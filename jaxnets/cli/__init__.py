"""The command line: from flags to a call of an experiment or a command."""

"""What tables say: statistics, verdicts and comparisons; no JAX."""

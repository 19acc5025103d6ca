"""Faults, mutated input and flags at their edges: what a sweep and its parsers survive, counted."""

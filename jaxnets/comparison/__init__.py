"""Comparisons of methods: tables of runs, scores, sentences."""

"""Kinds of runs: what is trained, written, watched and repeated."""

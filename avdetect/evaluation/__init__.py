"""Evaluations of a detector that docs/results.md is made of."""

"""The built-in metrics, from rows of a score table to numbers."""

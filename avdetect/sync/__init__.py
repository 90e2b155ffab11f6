"""From a lag-similarity matrix to offset, drift and segments, with their uncertainty (NumPy only)."""

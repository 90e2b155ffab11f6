"""Lips against sound over time: offsets, drift, changes and who is speaking. NumPy only; no files, no models."""

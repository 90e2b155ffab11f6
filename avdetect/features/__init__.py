"""Spectral features on the device, checked against librosa."""

"""Forgeries: functions from something genuine to something forged, deterministic by their random generator."""

"""Faces: detection, mesh, tracking, alignment, quality."""

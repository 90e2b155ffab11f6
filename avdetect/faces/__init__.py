"""Faces: find, follow, align and crop them, and say how good their picture is.

Import from the modules; ``avdetect.faces.tracker.FaceTracker`` is the door.
"""

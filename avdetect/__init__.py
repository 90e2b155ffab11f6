"""avdetect: audio-visual deepfake detection and lip-sync audit."""

__version__ = "0.1.0"

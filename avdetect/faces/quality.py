"""How good the picture of a face is. What is too bad to judge, `avdetect.verdict.quality` decides."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from avdetect.faces.roi import EYE_CORNERS


def eye_distance(mesh: Float32[np.ndarray, "p 3"]) -> float:
    """Distance between the outer eye corners in the picture, pixels of the mesh's coordinates."""
    return float(np.linalg.norm((mesh[EYE_CORNERS[1]] - mesh[EYE_CORNERS[0]])[:2]))


def measure_crop(face: UInt8[np.ndarray, "h w 3"]) -> tuple[float, float]:
    """Sharpness and light of an aligned face crop.

    Only its middle (the face, without the background and the black beyond the frame) counts.

    Returns:
        Variance of the Laplacian (four neighbours, intensities in [0, 1]) times 1e4, and mean luma in [0, 1].
    """
    size = face.shape[0]
    low, high = size // 5, size - size // 5
    grey = cv2.cvtColor(face[low:high, low:high], cv2.COLOR_RGB2GRAY)
    deviation = float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S, ksize=1))[1][0, 0])
    return (deviation / 255) ** 2 * 1e4, float(cv2.mean(grey)[0]) / 255

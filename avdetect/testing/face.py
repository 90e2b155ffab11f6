"""A drawn face: good enough that the face networks take it for one, and free of anybody's likeness.

Face units: the origin is midway between the outer eye corners, one unit is the distance between them, x to the right
and y down as the picture is seen, z away from the camera. Landmark numbers are those of the MediaPipe face mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from avdetect.types import N_LANDMARKS

# fmt: off
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
MIDDLE_LIPS = (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306, 307, 320, 404, 315, 16, 85, 180, 90, 77)
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
SUBJECT_RIGHT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
SUBJECT_LEFT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
SUBJECT_RIGHT_BROW = (46, 53, 52, 65, 55, 107, 66, 105, 63, 70)
SUBJECT_LEFT_BROW = (276, 283, 282, 295, 285, 336, 296, 334, 293, 300)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
NOSE = {168: (0, 0.02), 6: (0, 0.09), 197: (0, 0.18), 195: (0, 0.27), 5: (0, 0.35), 4: (0, 0.43), 1: (0, 0.48),
        2: (0, 0.57), 98: (-0.10, 0.55), 327: (0.10, 0.55), 48: (-0.17, 0.50), 278: (0.17, 0.50)}
CHIN = {200: (0, 1.10), 199: (0, 1.18), 175: (0, 1.24), 205: (-0.42, 0.62), 425: (0.42, 0.62)}
# fmt: on
JAW_DROP = 0.30
"""How far the lower lip moves down when the mouth is fully open, face units."""


@dataclass(frozen=True)
class Pose:
    """Where the face is in a picture and what it does.

    Attributes:
        x: middle between the outer eye corners, pixels from the left.
        y: the same, pixels from the top.
        scale: distance between the outer eye corners, pixels.
        roll: radians, positive = clockwise as seen.
        opening: mouth, 0 shut to 1 wide open.
        width: lips, 0 rounded to 1 spread.
        blink: eyelids, 0 open to 1 shut.
    """

    x: float
    y: float
    scale: float
    roll: float = 0.0
    opening: float = 0.0
    width: float = 0.5
    blink: float = 0.0

    def place(self, points: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n 2"]:
        """Face units to pixels."""
        c, s = np.cos(self.roll), np.sin(self.roll)
        return points[:, :2] @ np.array([[c, s], [-s, c]]) * self.scale + np.array([self.x, self.y])


def mesh(opening: float = 0.0, width: float = 0.5, blink: float = 0.0) -> Float[np.ndarray, "468 3"]:
    """The 468 points in face units: features where they are drawn, the others spread evenly over the face."""
    points = np.full((N_LANDMARKS, 3), np.nan)
    for ring, blend in ((OUTER_LIPS, 0.0), (MIDDLE_LIPS, 0.5), (INNER_LIPS, 1.0)):
        points[list(ring), :2] = (1 - blend) * _lips(opening, width, True) + blend * _lips(opening, width, False)
    for ring, side in ((SUBJECT_RIGHT_EYE, -1), (SUBJECT_LEFT_EYE, 1)):
        points[list(ring), :2] = _eye(side, blink)
    for ring, side in ((SUBJECT_RIGHT_BROW, -1), (SUBJECT_LEFT_BROW, 1)):
        points[list(ring), :2] = _brow(side)
    points[list(OVAL), :2] = _oval(len(OVAL), opening)
    for number, place in (NOSE | CHIN).items():
        points[number, :2] = place
    for number in (200, 199, 175):
        points[number, 1] += JAW_DROP * 0.8 * opening
    rest = np.flatnonzero(np.isnan(points[:, 0]))
    golden = np.arange(len(rest)) * np.pi * (3 - np.sqrt(5))
    radius = 0.95 * np.sqrt((np.arange(len(rest)) + 0.5) / len(rest))
    points[rest, 0] = 0.76 * radius * np.sin(golden)
    points[rest, 1] = 0.27 - 1.0 * radius * np.cos(golden)
    # An egg: the nose is nearest, the outline farthest.
    points[:, 2] = 0.45 * ((points[:, 0] / 0.76) ** 2 + ((points[:, 1] - 0.45) / 1.1) ** 2) - 0.35
    return points


def draw_face(canvas: UInt8[np.ndarray, "h w 3"], pose: Pose, *, seed: int = 0) -> None:
    """Draws head, neck and shoulders into an RGB picture, in place.

    Args:
        canvas: the picture; what lies outside is clipped.
        pose: where, how large and doing what.
        seed: chooses the colours of skin, hair, eyes and clothes.
    """
    rng = np.random.default_rng([seed, 2])
    skin = np.array([[224, 172, 140], [198, 140, 108], [240, 198, 170], [150, 100, 74]][seed % 4], float)
    hair = np.array([[40, 28, 22], [92, 60, 36], [20, 18, 20], [120, 92, 60]][int(rng.integers(4))], float)
    cloth = rng.uniform(30, 150, 3)
    pen = _Pen(canvas, pose)
    points = mesh(pose.opening, pose.width, pose.blink)
    jaw = 0.8 * JAW_DROP * pose.opening

    pen.ellipse((0, 2.75), (1.75, 1.0), cloth)
    pen.polygon(np.array([[-0.42, 0.8], [0.42, 0.8], [0.5, 2.1], [-0.5, 2.1]]), skin * 0.78)
    pen.ellipse((0, 0.02), (0.92, 1.08), hair)
    for side in (-1, 1):
        pen.ellipse((side * 0.80, 0.22), (0.10, 0.22), skin * 0.85)
    outline = _oval(72, pose.opening)
    # Light from above in front: the face darkens towards its outline in thin layers.
    for i in range(10):
        inner = outline * (1 - 0.045 * i) + np.array([0, 0.27]) * 0.045 * i
        pen.polygon(inner, skin * (0.80 + 0.024 * i))
    pen.ellipse((0, -0.88), (0.70, 0.30), hair)
    for side in (-1, 1):
        pen.ellipse((side * 0.36, 0.58), (0.17, 0.15), skin * np.array([1.02, 0.93, 0.92]))
        pen.ellipse((side * 0.31, 0.0), (0.25, 0.15), skin * 0.86)
    _draw_eyes(pen, points, pose.blink, skin, rng.uniform(40, 120, 3))
    for ring in (SUBJECT_RIGHT_BROW, SUBJECT_LEFT_BROW):
        pen.polygon(points[list(ring)], hair * 0.9)
    _draw_nose(pen, skin)
    _draw_mouth(pen, points, pose.opening, skin)
    pen.ellipse((0, 1.07 + jaw), (0.16, 0.05), skin * 0.88)


def _draw_eyes(pen: _Pen, points: np.ndarray, blink: float, skin: np.ndarray, iris: np.ndarray) -> None:
    for ring, side in ((SUBJECT_RIGHT_EYE, -1), (SUBJECT_LEFT_EYE, 1)):
        lids = points[list(ring), :2]
        if blink < 0.7:
            pen.polygon(lids, np.array([236, 232, 228]))
            open_by = 1 - blink
            pen.ellipse((side * 0.335, 0.0), (0.066, 0.066 * open_by), iris)
            pen.ellipse((side * 0.335, 0.0), (0.031, 0.031 * open_by), np.array([12, 10, 10]))
            pen.ellipse((side * 0.335 - 0.02, -0.02 * open_by), (0.012, 0.012), np.array([255, 255, 255]))
        pen.line(lids[:9], skin * 0.25, 0.028)
        pen.line(lids[8:], skin * 0.55, 0.012)
        pen.line(lids[1:8] - np.array([0, 0.055]), skin * 0.68, 0.012)


def _draw_nose(pen: _Pen, skin: np.ndarray) -> None:
    pen.line(np.array([[-0.06, 0.05], [-0.075, 0.25], [-0.13, 0.45]]), skin * 0.84, 0.03)
    pen.ellipse((0.01, 0.25), (0.035, 0.22), skin * 1.06)
    pen.ellipse((0, 0.47), (0.095, 0.075), skin * 1.05)
    for side in (-1, 1):
        pen.ellipse((side * 0.125, 0.50), (0.05, 0.05), skin * 0.93)
        pen.ellipse((side * 0.065, 0.545), (0.038, 0.018), skin * 0.30)
    pen.line(np.array([[-0.15, 0.53], [-0.06, 0.575], [0.06, 0.575], [0.15, 0.53]]), skin * 0.66, 0.018)


def _draw_mouth(pen: _Pen, points: np.ndarray, opening: float, skin: np.ndarray) -> None:
    lip = skin * np.array([0.80, 0.50, 0.50])
    outer, inner = points[list(OUTER_LIPS), :2], points[list(INNER_LIPS), :2]
    pen.polygon(outer, lip)
    pen.line(outer[10:][::-1], lip * 0.75, 0.012)
    pen.line(np.concatenate([inner[:11]]), lip * 0.45, 0.016)
    if opening > 0.04:
        pen.polygon(inner, np.array([52, 16, 18]))
        top = inner[1:10]
        teeth = min(0.07, 0.5 * JAW_DROP * opening)
        pen.polygon(np.concatenate([top, top[::-1] + np.array([0, teeth])]), np.array([226, 220, 208]))
        if opening > 0.35:
            middle = inner[15]
            pen.ellipse((0, float(middle[1]) - 0.03), (0.13, 0.05 * opening), np.array([176, 84, 84]))


def _lips(opening: float, width: float, outer: bool) -> Float[np.ndarray, "20 2"]:
    """A ring of lip points, from the corner on the picture's left over the upper lip and back below."""
    half = (0.24 + 0.08 * width) * (1.0 if outer else 0.88)
    u = np.linspace(-1, 1, 11)
    arch = np.sqrt(np.maximum(0, 1 - u**2))
    bow = 0.022 * np.exp(-((u / 0.14) ** 2)) if outer else 0.0
    upper = 0.80 - (0.085 if outer else 0.004) * arch + bow - 0.03 * opening * arch
    lower = 0.80 + (0.105 if outer else 0.006) * arch + JAW_DROP * opening * arch
    corner = 0.25 * JAW_DROP * opening
    top = np.stack([half * u, upper + corner], axis=-1)
    bottom = np.stack([half * u, lower + corner], axis=-1)[1:-1]
    return np.concatenate([top, bottom[::-1]])


def _eye(side: int, blink: float) -> Float[np.ndarray, "16 2"]:
    """Outer corner, upper lid, inner corner, lower lid."""
    x = side * np.linspace(0.5, 0.17, 9)
    arch = np.sin(np.linspace(0, np.pi, 9))
    shut = 1 - blink
    upper = np.stack([x, 0.015 - 0.085 * arch * shut + 0.02 * arch * blink], axis=-1)
    lower = np.stack([x, 0.015 + 0.05 * arch * shut + 0.03 * arch * blink], axis=-1)[1:-1]
    return np.concatenate([upper, lower[::-1]])


def _brow(side: int) -> Float[np.ndarray, "10 2"]:
    """Lower edge from the outside in, then the upper edge back."""
    x = side * np.linspace(0.58, 0.12, 5)
    arch = np.sin(np.linspace(0.25, np.pi - 0.6, 5))
    lower = np.stack([x, -0.11 - 0.10 * arch], axis=-1)
    upper = lower + np.array([0, -0.065]) * np.linspace(0.3, 1, 5)[:, None]
    return np.concatenate([lower, upper[::-1]])


def _oval(n: int, opening: float) -> Float[np.ndarray, "n 2"]:
    """Outline of the face from the top, clockwise as seen; the chin follows the jaw."""
    angle = np.arange(n) * 2 * np.pi / n
    x, y = np.sin(angle), -np.cos(angle)
    narrow = np.where(y > 0, 1 - 0.22 * y**2, 1.0)
    return np.stack([0.78 * x * narrow, 0.27 + 1.05 * y + 0.8 * JAW_DROP * opening * np.maximum(0, y) ** 2], axis=-1)


class _Pen:
    """Anti-aliased drawing in face units."""

    _SHIFT = 4

    def __init__(self, canvas: UInt8[np.ndarray, "h w 3"], pose: Pose):
        self.canvas, self.pose = canvas, pose

    def _fixed(self, points: np.ndarray) -> np.ndarray:
        return np.round(self.pose.place(np.asarray(points, float)) * (1 << self._SHIFT)).astype(np.int32)

    @staticmethod
    def _ink(colour: np.ndarray) -> tuple[int, ...]:
        return tuple(int(c) for c in np.clip(np.round(colour), 0, 255))

    def polygon(self, points: np.ndarray, colour: np.ndarray) -> None:
        cv2.fillPoly(self.canvas, [self._fixed(points)], self._ink(colour), cv2.LINE_AA, self._SHIFT)

    def ellipse(self, centre: tuple[float, float], radii: tuple[float, float], colour: np.ndarray) -> None:
        angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        self.polygon(np.array(centre) + np.stack([np.cos(angle), np.sin(angle)], -1) * np.array(radii), colour)

    def line(self, points: np.ndarray, colour: np.ndarray, thickness: float) -> None:
        pixels = max(1, round(thickness * self.pose.scale))
        cv2.polylines(self.canvas, [self._fixed(points)], False, self._ink(colour), pixels, cv2.LINE_AA, self._SHIFT)

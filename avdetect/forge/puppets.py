"""Talking puppets: the mesh of a portrait whose lips follow the phonemes of a speech engine, exactly in time.

Extra examples for the lips-and-sound pair that sees mesh points. A phoneme asks for an opening, a width and a rounding
of the mouth (its viseme); these are run together as lips do, which begin to move before the sound and never quite
arrive, and the mesh is moved by them: jaw and lower lip down, corners apart or together, lips forward. Nothing is
drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from jaxtyping import Float32, Float64
from scipy.ndimage import gaussian_filter1d

from avdetect.forge.blending import slow_noise
from avdetect.forge.phoneme_timing import Spoken, speak
from avdetect.forge.revoice import SENTENCES
from avdetect.types import SAMPLE_RATE, SAMPLES_PER_TICK, TICK_RATE

VOICES = tuple(f"en-us+{v}" for v in ("m1", "m2", "m3", "m4", "m5", "m6", "m7", "f1", "f2", "f3", "f4"))
STEP_S = 0.01
"""In which lip movements are computed before they are seen at ticks."""
# fmt: off
UPPER = (185, 40, 39, 37, 0, 267, 269, 270, 409, 184, 74, 73, 72, 11, 302, 303, 304, 408,
         191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER = (146, 91, 181, 84, 17, 314, 405, 321, 375, 77, 90, 180, 85, 16, 315, 404, 320, 307,
         95, 88, 178, 87, 14, 317, 402, 318, 324)
CORNERS = (61, 76, 78, 291, 306, 308)
CHIN = (152, 148, 377, 176, 400, 200, 199, 175)
# fmt: on
LEFT_CORNER, RIGHT_CORNER, CHIN_TIP, NOSE = 61, 291, 152, 1

VISEMES: dict[str, tuple[float, float, float]] = {
    "a": (1.0, 0.1, 0.0), "A": (1.0, 0.0, 0.1), "0": (0.9, -0.1, 0.3), "V": (0.8, 0.0, 0.0), "@": (0.45, 0.0, 0.0),
    "3": (0.45, -0.1, 0.3), "e": (0.6, 0.4, 0.0), "E": (0.7, 0.4, 0.0), "I": (0.4, 0.6, 0.0), "i": (0.3, 0.9, 0.0),
    "o": (0.6, -0.5, 0.7), "O": (0.75, -0.4, 0.6), "u": (0.3, -0.7, 1.0), "U": (0.35, -0.5, 0.8),
    "w": (0.15, -0.9, 1.0), "r": (0.3, -0.3, 0.5), "p": (0.0, 0.0, 0.0), "b": (0.0, 0.0, 0.0), "m": (0.0, 0.0, 0.0),
    "f": (0.08, 0.2, 0.0), "v": (0.08, 0.2, 0.0), "s": (0.15, 0.5, 0.0), "z": (0.15, 0.5, 0.0), "S": (0.2, -0.4, 0.7),
    "Z": (0.2, -0.4, 0.7), "t": (0.2, 0.3, 0.0), "d": (0.2, 0.3, 0.0), "n": (0.2, 0.3, 0.0), "l": (0.3, 0.3, 0.0),
    "T": (0.2, 0.3, 0.0), "D": (0.2, 0.3, 0.0), "k": (0.3, 0.1, 0.0), "g": (0.3, 0.1, 0.0), "N": (0.3, 0.1, 0.0),
    "j": (0.25, 0.7, 0.0), "h": (0.4, 0.0, 0.0),
}  # fmt: skip
"""Opening, width and rounding by the first sign of a mnemonic of espeak-ng; others close the mouth, as pauses do."""
SHUT = ("p", "b", "m")
"""Lips meet whatever comes before and after."""


@dataclass(frozen=True)
class Puppet:
    """A talking mesh.

    Attributes:
        landmarks: mesh points per tick, units of the face crop.
        audio: 16 kHz mono, as long.
    """

    landmarks: Float32[np.ndarray, "t 468 3"]
    audio: Float32[np.ndarray, " s"]


def make_puppet(
    portraits: Sequence[Float32[np.ndarray, "468 3"]], rng: np.random.Generator, *, seconds: float
) -> Puppet:
    """A puppet that says one of our sentences.

    Args:
        portraits: meshes of faces at rest, units of the face crop; one is chosen and its proportions are changed.
        rng: chooses portrait, voice, words, strength and manner of the movements.
        seconds: longest duration.

    Raises:
        CannotForge: espeak-ng's library is not there.
    """
    text = str(rng.choice(SENTENCES))
    spoken = speak(text, str(rng.choice(VOICES)), words_a_minute=int(rng.integers(130, 210)),
                   pitch=int(rng.integers(25, 75)))  # fmt: skip
    audio = soxr.resample(spoken.audio, spoken.rate, SAMPLE_RATE).astype(np.float32)
    ticks = min(len(audio) // SAMPLES_PER_TICK, round(seconds * TICK_RATE))
    moves = lip_moves(spoken, ticks, rng)
    mesh = changed_proportions(portraits[int(rng.integers(len(portraits)))], rng)
    return Puppet(moved(mesh, moves, rng), audio[: ticks * SAMPLES_PER_TICK])


def lip_moves(spoken: Spoken, ticks: int, rng: np.random.Generator) -> Float64[np.ndarray, "t 3"]:
    """Opening, width and rounding of the mouth at each tick's instant."""
    steps = round(ticks / TICK_RATE / STEP_S) + 40
    targets, shut = np.zeros((steps, 3)), np.zeros(steps)
    ends = [*(start for start, _ in spoken.phonemes[1:]), len(spoken.audio) / spoken.rate]
    for (start, name), end in zip(spoken.phonemes, ends, strict=True):
        plain = name.lstrip("',%=_|!")
        low, high = round(start / STEP_S), max(round(end / STEP_S), round(start / STEP_S) + 1)
        targets[low:high] = VISEMES.get(plain[:1], (0.0, 0.0, 0.0))
        if plain[:1] in SHUT:
            shut[low:high] = 1.0
    ahead = int(rng.uniform(2, 7))  # lips are there before the sound
    inertia = rng.uniform(3.5, 6.0)
    smooth = np.stack([gaussian_filter1d(np.roll(x, -ahead), inertia) for x in targets.T], axis=1)
    closing = gaussian_filter1d(np.roll(shut, -2), 1.5)
    smooth[:, 0] *= 1 - np.minimum(1.0, 1.3 * closing)
    at = (np.arange(ticks) / TICK_RATE / STEP_S).round().astype(int)
    return smooth[at] * rng.uniform([0.5, 0.5, 0.5], [1.2, 1.3, 1.2])


def changed_proportions(mesh: Float32[np.ndarray, "468 3"], rng: np.random.Generator) -> Float64[np.ndarray, "468 3"]:
    """Another face of the same kind: stretched, its mouth wider or narrower, perhaps mirrored in shape."""
    out = mesh.astype(np.float64)
    centre = out[list((*UPPER, *LOWER))].mean(axis=0)
    out = (out - centre) * np.exp(rng.normal(0, [0.06, 0.06, 0.15])) + centre
    lips = list((*UPPER, *LOWER, *CORNERS))
    out[lips] = (out[lips] - centre) * np.exp(rng.normal(0, [0.12, 0.12, 0.1])) + centre
    return out


def moved(
    mesh: Float64[np.ndarray, "468 3"], moves: Float64[np.ndarray, "t 3"], rng: np.random.Generator
) -> Float32[np.ndarray, "t 468 3"]:
    """The mesh at each tick: lips and jaw as the moves say, the head swaying a little, points trembling."""
    width = np.linalg.norm(mesh[RIGHT_CORNER] - mesh[LEFT_CORNER])
    fall = width * rng.uniform(0.35, 0.55)
    opening, wide, forward = (moves[:, i, None] for i in range(3))
    t = len(moves)
    out = np.repeat(mesh[None], t, axis=0)
    middle = mesh[[LEFT_CORNER, RIGHT_CORNER]].mean(axis=0)
    # The nearer to the middle of the lip, the further it moves.
    near = 1 - np.clip(np.abs(mesh[:, 0] - middle[0]) / (0.62 * width), 0, 1) ** 2
    lower, upper, corners, chin = (list(x) for x in (LOWER, UPPER, CORNERS, CHIN))
    out[:, lower, 1] += opening * fall * near[lower]
    out[:, upper, 1] -= opening * fall * 0.18 * near[upper]
    out[:, chin, 1] += opening * fall * 0.8
    out[:, corners, 1] += opening * fall * 0.12
    lips = [*lower, *upper, *corners]
    out[:, lips, 0] += (mesh[lips, 0] - middle[0]) * (0.16 * wide - 0.14 * forward)
    out[:, lips, 2] -= forward * width * 0.12
    out[:, :, :2] += slow_noise(rng, (t, 2), memory=0.9)[:, None] * 0.002
    angle = slow_noise(rng, (t, 1), memory=0.97)[:, 0] * 0.015
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1).reshape(t, 2, 2)
    out[:, :, :2] = np.einsum("tpi,tij->tpj", out[:, :, :2] - middle[:2], turn) + middle[:2]
    return (out + rng.normal(0, rng.uniform(0.0003, 0.0012), out.shape)).astype(np.float32)

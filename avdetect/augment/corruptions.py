"""The corruption sweep: known degradations at five severities each, to see how fast a detector gives way.

The seven of the picture are those of DeeperForensics-1.0 (Jiang et al., CVPR 2020): saturation, contrast, blocks,
noise, blur, pixelation, compression. Each is a function of the array, a severity from 1 to 5 and a random generator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from avdetect.augment import picture, recode_picture, recode_sound, sound
from avdetect.types import Clip

Corruption = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
SEVERITIES = (1, 2, 3, 4, 5)


def saturation(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Colour taken away, to none at all."""
    del rng
    return picture.colour(pictures, saturation=_at(severity, 0.6, 0.4, 0.25, 0.1, 0.0), **_PLAIN)


def contrast(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Levels drawn together around the middle."""
    del rng
    return picture.colour(pictures, saturation=1.0, **{**_PLAIN, "contrast": _at(severity, 0.75, 0.6, 0.45, 0.3, 0.2)})


def block(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Grey squares of a twelfth of the side at random places that stay over time."""
    count = int(_at(severity, 4, 8, 14, 22, 32))
    for x, y in rng.uniform(0, 1 - 1 / 12, (count, 2)):
        pictures = picture.cutout(pictures, (x, y, x + 1 / 12, y + 1 / 12), np.full(3, 127, np.uint8))
    return pictures


def gaussian_noise(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """White noise, new in every frame."""
    return picture.gaussian_noise(pictures, _at(severity, 4, 8, 14, 22, 32), rng)


def blur(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Gaussian blur of up to 5 % of an aligned face."""
    del rng
    return picture.blur(pictures, picture.gaussian_kernel(_at(severity, 0.7, 1.2, 1.8, 2.6, 4.0)))


def pixelation(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Larger and larger pixels."""
    del rng
    share = 1 / _at(severity, 2, 3, 4, 6, 8)
    return picture.resize_chain(pictures, [(share, cv2.INTER_AREA, cv2.INTER_NEAREST)])


def compression(pictures: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """H.264."""
    del rng
    return recode_picture.recode_picture(pictures, "h264", int(_at(severity, 23, 30, 36, 42, 48)))


def noise(audio: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Pink noise at a falling ratio of sound to noise."""
    added = sound.noise(len(audio), 1.0, rng)
    return np.clip(sound.add_noise(audio, added, _at(severity, 25, 18, 12, 6, 0)), -1, 1)


def reverb(audio: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Larger rooms, farther microphones."""
    room = sound.room(_at(severity, 0.2, 0.35, 0.5, 0.8, 1.2), _at(severity, 0.9, 0.75, 0.6, 0.45, 0.3), rng)
    return np.clip(sound.reverberate(audio, room), -1, 1)


def band_limit(audio: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Fewer and fewer of the upper frequencies."""
    del rng
    return np.clip(sound.band_limit(audio, 0.0, _at(severity, 6500, 5000, 4000, 3000, 2000)), -1, 1)


def codec(audio: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """MP3 at falling bit rates."""
    del rng
    return recode_sound.recode_sound(audio, "mp3", int(_at(severity, 64, 40, 24, 16, 8)))


def clipping(audio: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Peaks cut off."""
    del rng
    return sound.clip_peaks(audio, _at(severity, 0.005, 0.02, 0.06, 0.15, 0.3))


def quantisation(audio: np.ndarray, severity: int, rng: np.random.Generator) -> np.ndarray:
    """Fewer and fewer bits a sample, mu-law."""
    del rng
    return sound.mu_law(audio, int(_at(severity, 8, 7, 6, 5, 4)))


_PLAIN = {"balance": np.ones(3), "contrast": 1.0, "brightness": 0.0}
PICTURE_CORRUPTIONS: dict[str, Corruption] = {
    "saturation": saturation,
    "contrast": contrast,
    "block": block,
    "gaussian_noise": gaussian_noise,
    "blur": blur,
    "pixelation": pixelation,
    "compression": compression,
}
SOUND_CORRUPTIONS: dict[str, Corruption] = {
    "noise": noise,
    "reverb": reverb,
    "band_limit": band_limit,
    "codec": codec,
    "clipping": clipping,
    "quantisation": quantisation,
}


def corrupt_clip(clip: Clip, kind: str, severity: int, key: str) -> Clip:
    """A clip with its picture (both crops alike) or its sound corrupted; the other half stays.

    Args:
        clip: any clip; one that lacks the half concerned comes back as it is.
        kind: of ``PICTURE_CORRUPTIONS`` or ``SOUND_CORRUPTIONS``.
        severity: 1 to 5.
        key: of the clip; with kind and severity it fixes all that is random.

    Raises:
        KeyError: an unknown kind.
        ValueError: an unknown severity.
    """
    if kind not in PICTURE_CORRUPTIONS and kind not in SOUND_CORRUPTIONS:
        known = ", ".join([*PICTURE_CORRUPTIONS, *SOUND_CORRUPTIONS])
        raise KeyError(f"no corruption is called {kind!r}; there are: {known}")
    if severity not in SEVERITIES:
        raise ValueError(f"severity {severity} is not one of {', '.join(map(str, SEVERITIES))}")
    seed = int.from_bytes(hashlib.sha256(f"{kind}/{severity}/{key}".encode()).digest()[:8], "big")
    if kind in SOUND_CORRUPTIONS:
        if clip.audio is None or not len(clip.audio):
            return clip
        made = SOUND_CORRUPTIONS[kind](clip.audio, severity, np.random.default_rng(seed))
        return replace(clip, audio=made.astype(np.float32))
    if clip.track is None:
        return clip
    change = PICTURE_CORRUPTIONS[kind]
    faces = clip.track.faces.copy()
    kept = np.flatnonzero(faces[:, ::8, ::8].any(axis=(1, 2, 3)))  # records keep only some face crops
    if len(kept):
        faces[kept] = change(faces[kept], severity, np.random.default_rng(seed))
    mouths = change(clip.track.mouths, severity, np.random.default_rng(seed))
    return replace(clip, track=replace(clip.track, faces=faces, mouths=mouths))


def _at(severity: int, *values: float) -> float:
    return values[severity - 1]

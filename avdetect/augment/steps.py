"""The degradations that are built in, each an `avdetect.api.Augmentation` of its own.

Called with a clip and a random generator, one of them degrades that clip at the usual strengths. The chain of training
asks them for more than that contract: what was drawn, so that one change is applied to both crops, and strengths of a
configuration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from avdetect.augment import crops, picture, recode_picture, recode_sound, sound
from avdetect.augment.config import AugmentConfig
from avdetect.types import Clip, FaceTrack

Rng = np.random.Generator
PictureChange = Callable[[np.ndarray], np.ndarray]
TrackChange = Callable[[FaceTrack], FaceTrack]
BIT_RATES = (12, 16, 24, 32, 48, 64, 96)


@dataclass(frozen=True)
class Framing:
    """Moves the crops and all that is measured in them; ``draw`` fixes by how much."""

    draw: Callable[[Rng, AugmentConfig], TrackChange]
    api_version: int = 0

    def __call__(self, clip: Clip, rng: Rng) -> Clip:
        """See `avdetect.api.Augmentation`."""
        if clip.track is None:
            return clip
        return replace(clip, track=self.draw(rng, AugmentConfig())(clip.track))


@dataclass(frozen=True)
class Pixels:
    """Changes pixels, those of both crops alike; ``draw`` fixes how, for all ticks."""

    draw: Callable[[Rng, AugmentConfig], PictureChange]
    api_version: int = 0

    def __call__(self, clip: Clip, rng: Rng) -> Clip:
        """See `avdetect.api.Augmentation`."""
        if clip.track is None:
            return clip
        return replace(clip, track=changed(clip.track, [self.draw(rng, AugmentConfig())]))


@dataclass(frozen=True)
class Sound:
    """Changes sound of any length."""

    apply: Callable[[np.ndarray, Rng, AugmentConfig], np.ndarray]
    api_version: int = 0

    def __call__(self, clip: Clip, rng: Rng) -> Clip:
        """See `avdetect.api.Augmentation`."""
        if clip.audio is None:
            return clip
        audio = self.apply(clip.audio, rng, AugmentConfig())
        return replace(clip, audio=np.clip(audio, -1, 1).astype(np.float32))


def changed(track: FaceTrack, changes: list[PictureChange]) -> FaceTrack:
    """A track after changes of its pixels; face crops that are black all over were not decoded, and stay so."""
    faces = track.faces.copy()
    kept = np.flatnonzero(faces[:, ::8, ::8].any(axis=(1, 2, 3)))
    shown, mouths = faces[kept], track.mouths
    for change in changes:
        mouths = change(mouths)
        shown = change(shown) if len(kept) else shown
    faces[kept] = shown
    return replace(track, faces=faces, mouths=mouths)


def _jitter(rng: Rng, options: AugmentConfig) -> TrackChange:
    turn, zoom = rng.normal(0, options.turn_deg), rng.normal(0, options.zoom)
    move = rng.normal(0, options.move, 2)
    return lambda track: crops.jitter(track, turn_deg=turn, log_zoom=zoom, move=(float(move[0]), float(move[1])))


def _colour(rng: Rng, options: AugmentConfig) -> PictureChange:
    change = {
        "saturation": float(np.exp(rng.normal(0, 0.3))),
        "balance": np.exp(rng.normal(0, 0.08, 3)),
        "contrast": float(np.exp(rng.normal(0, 0.2))),
        "brightness": float(rng.normal(0, 12)),
    }
    return lambda x: picture.colour(x, **change)


def _grey(rng: Rng, options: AugmentConfig) -> PictureChange:
    return lambda x: picture.colour(x, saturation=0.0, balance=np.ones(3), contrast=1.0, brightness=0.0)


def _gamma(rng: Rng, options: AugmentConfig) -> PictureChange:
    exponent = float(np.exp(rng.uniform(-options.gamma_log, options.gamma_log)))
    return lambda x: picture.gamma(x, exponent)


def _resize(rng: Rng, options: AugmentConfig) -> PictureChange:
    sizes = [
        (
            float(rng.uniform(0.35, 0.9)),
            int(rng.choice(picture.INTERPOLATIONS)),
            int(rng.choice(picture.INTERPOLATIONS)),
        )
        for _ in range(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
    ]
    return lambda x: picture.resize_chain(x, sizes)


def _blur(rng: Rng, options: AugmentConfig) -> PictureChange:
    kind = rng.integers(3)
    if kind == 0:
        kernel = picture.gaussian_kernel(float(rng.uniform(0.4, 1.6)))
    elif kind == 1:
        kernel = picture.motion_kernel(float(rng.uniform(2, 6)), float(rng.uniform(0, np.pi)))
    else:
        kernel = picture.disc_kernel(float(rng.uniform(0.8, 2.2)))
    return lambda x: picture.blur(x, kernel)


def _picture_noise(rng: Rng, options: AugmentConfig) -> PictureChange:
    seed = int(rng.integers(2**31))
    if rng.random() < 0.5:
        sigma = float(rng.uniform(1, 8))
        return lambda x: picture.gaussian_noise(x, sigma, np.random.default_rng(seed))
    photons = float(np.exp(rng.uniform(np.log(300), np.log(10_000))))
    return lambda x: picture.photon_noise(x, photons, np.random.default_rng(seed))


def _cutout(rng: Rng, options: AugmentConfig) -> PictureChange:
    x, y = rng.uniform(-0.1, 0.9, 2)
    w, h = rng.uniform(0.1, 0.35, 2)
    fill = rng.integers(0, 256, 3).astype(np.uint8)
    return lambda p: picture.cutout(p, (x, y, x + w, y + h), fill)


def _jpeg(rng: Rng, options: AugmentConfig) -> PictureChange:
    quality = int(rng.integers(30, 96))
    return lambda x: picture.jpeg(x, quality)


def _video_codec(rng: Rng, options: AugmentConfig) -> PictureChange:
    name = "h264" if rng.random() < 0.75 else "vp9"
    crf = int(rng.integers(options.crf[0], options.crf[1] + 1))
    crf = crf if name == "h264" else round(crf * 63 / 51)
    return lambda x: recode_picture.recode_picture(x, name, crf)


def _reverb(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    decay, direct = float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.4, 0.9))
    return sound.reverberate(audio, sound.room(decay, direct, rng))


def _equaliser(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    return sound.filtered(audio, rng.normal(0, 5, 8), np.linspace(0, 8000, 8))


def _sound_noise(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    added = sound.noise(len(audio), float(rng.choice([0, 1, 2])), rng)
    return sound.add_noise(audio, added, float(rng.uniform(options.snr_db[0], options.snr_db[1])))


def _band_limit(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    low, high = (300.0, 3400.0) if rng.random() < 0.3 else (0.0, float(rng.uniform(2500, 7000)))
    return sound.band_limit(audio, low, high)


def _gain(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    gain = 10 ** (rng.uniform(-options.gain_db, options.gain_db) / 20)
    peak = float(np.abs(audio).max()) if len(audio) else 0.0
    return audio * np.float32(min(gain, 0.99 / max(peak, 1e-6)))


def _clipping(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    return sound.clip_peaks(audio, float(rng.uniform(0.001, 0.02)))


def _companding(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    return sound.mu_law(audio) if rng.random() < 0.5 else sound.a_law(audio)


def _sound_codec(audio: np.ndarray, rng: Rng, options: AugmentConfig) -> np.ndarray:
    rates = [r for r in BIT_RATES if options.kbps[0] <= r <= options.kbps[1]] or [options.kbps[0]]
    codec = str(rng.choice(list(recode_sound.CODECS)))
    return recode_sound.recode_sound(audio.astype(np.float32), codec, int(rng.choice(rates)))


MIRROR = Framing(lambda rng, options: crops.mirror, api_version=1)
JITTER = Framing(_jitter, api_version=1)
COLOUR = Pixels(_colour, api_version=1)
GREY = Pixels(_grey, api_version=1)
GAMMA = Pixels(_gamma, api_version=1)
RESIZE = Pixels(_resize, api_version=1)
BLUR = Pixels(_blur, api_version=1)
PICTURE_NOISE = Pixels(_picture_noise, api_version=1)
CUTOUT = Pixels(_cutout, api_version=1)
JPEG = Pixels(_jpeg, api_version=1)
VIDEO_CODEC = Pixels(_video_codec, api_version=1)
REVERB = Sound(_reverb, api_version=1)
EQUALISER = Sound(_equaliser, api_version=1)
SOUND_NOISE = Sound(_sound_noise, api_version=1)
BAND_LIMIT = Sound(_band_limit, api_version=1)
GAIN = Sound(_gain, api_version=1)
CLIPPING = Sound(_clipping, api_version=1)
COMPANDING = Sound(_companding, api_version=1)
SOUND_CODEC = Sound(_sound_codec, api_version=1)

"""One random chain of degradations for a clip, drawn without a look at its label.

The order is that of a recording's life: framing, light, lens, sensor, something in the way, codec; room, microphone,
noise, converter, codec. Parameters are drawn once for a clip and hold for all its frames, and both crops go through the
same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from avdetect.augment import crops, picture, recode_picture, recode_sound, sound
from avdetect.augment.config import AugmentConfig
from avdetect.types import Clip, FaceTrack

Step = Callable[[np.ndarray], np.ndarray]
BIT_RATES = (12, 16, 24, 32, 48, 64, 96)


def augment_clip(clip: Clip, rng: np.random.Generator, options: AugmentConfig) -> Clip:
    """A degraded copy; ticks, label and timing stay.

    Args:
        clip: with face crops of all ticks or only of some (the others black).
        rng: all that is random. The same state gives the same changes for any clip of the same shape.
        options: how often and how much.
    """
    # Not rng.spawn(): it counts its calls, so what it gives depends on what was drawn before with the same object.
    picture_rng, sound_rng = (np.random.default_rng(int(seed)) for seed in rng.integers(2**62, size=2))
    track = None if clip.track is None else augment_track(clip.track, picture_rng, options)
    audio = None if clip.audio is None else augment_sound(clip.audio, sound_rng, options)
    return replace(clip, track=track, audio=audio)


def augment_track(track: FaceTrack, rng: np.random.Generator, options: AugmentConfig) -> FaceTrack:
    """Framing first, then what happens to the pixels."""
    if rng.random() < options.mirror:
        track = crops.mirror(track)
    if rng.random() < options.jitter:
        turn, zoom = rng.normal(0, options.turn_deg), rng.normal(0, options.zoom)
        move = rng.normal(0, options.move, 2)
        track = crops.jitter(track, turn_deg=turn, log_zoom=zoom, move=(float(move[0]), float(move[1])))
    steps = picture_steps(rng, options)
    faces = track.faces.copy()
    kept = np.flatnonzero(faces[:, ::8, ::8].any(axis=(1, 2, 3)))
    shown, mouths = faces[kept], track.mouths
    for step in steps:
        mouths = step(mouths)
        shown = step(shown) if len(kept) else shown
    faces[kept] = shown
    return replace(track, faces=faces, mouths=mouths)


def picture_steps(rng: np.random.Generator, options: AugmentConfig) -> list[Step]:
    """The changes of pixels that are drawn for one clip; each works on any size of pictures."""
    steps: list[Step] = []
    if rng.random() < options.colour:
        change = {
            "saturation": float(np.exp(rng.normal(0, 0.3))),
            "balance": np.exp(rng.normal(0, 0.08, 3)),
            "contrast": float(np.exp(rng.normal(0, 0.2))),
            "brightness": float(rng.normal(0, 12)),
        }
        steps.append(lambda x: picture.colour(x, **change))
    if rng.random() < options.grey:
        steps.append(lambda x: picture.colour(x, saturation=0.0, balance=np.ones(3), contrast=1.0, brightness=0.0))
    if rng.random() < options.gamma:
        exponent = float(np.exp(rng.uniform(-options.gamma_log, options.gamma_log)))
        steps.append(lambda x: picture.gamma(x, exponent))
    if rng.random() < options.resize:
        sizes = [
            (
                float(rng.uniform(0.35, 0.9)),
                int(rng.choice(picture.INTERPOLATIONS)),
                int(rng.choice(picture.INTERPOLATIONS)),
            )
            for _ in range(rng.choice([1, 2, 3], p=[0.6, 0.3, 0.1]))
        ]
        steps.append(lambda x: picture.resize_chain(x, sizes))
    if rng.random() < options.blur:
        kernel = _kernel(rng)
        steps.append(lambda x: picture.blur(x, kernel))
    if rng.random() < options.picture_noise:
        seed = int(rng.integers(2**31))
        if rng.random() < 0.5:
            sigma = float(rng.uniform(1, 8))
            steps.append(lambda x: picture.gaussian_noise(x, sigma, np.random.default_rng(seed)))
        else:
            photons = float(np.exp(rng.uniform(np.log(300), np.log(10_000))))
            steps.append(lambda x: picture.photon_noise(x, photons, np.random.default_rng(seed)))
    if rng.random() < options.cutout:
        x, y = rng.uniform(-0.1, 0.9, 2)
        w, h = rng.uniform(0.1, 0.35, 2)
        fill = rng.integers(0, 256, 3).astype(np.uint8)
        steps.append(lambda p: picture.cutout(p, (x, y, x + w, y + h), fill))
    return steps + _codec_steps(rng, options)


def _kernel(rng: np.random.Generator) -> np.ndarray:
    kind = rng.integers(3)
    if kind == 0:
        return picture.gaussian_kernel(float(rng.uniform(0.4, 1.6)))
    if kind == 1:
        return picture.motion_kernel(float(rng.uniform(2, 6)), float(rng.uniform(0, np.pi)))
    return picture.disc_kernel(float(rng.uniform(0.8, 2.2)))


def _codec_steps(rng: np.random.Generator, options: AugmentConfig) -> list[Step]:
    steps: list[Step] = []
    if rng.random() < options.jpeg:
        quality = int(rng.integers(30, 96))
        steps.append(lambda x: picture.jpeg(x, quality))
    if rng.random() < options.video_codec:
        name = "h264" if rng.random() < 0.75 else "vp9"
        crf = int(rng.integers(options.crf[0], options.crf[1] + 1))
        crf = crf if name == "h264" else round(crf * 63 / 51)
        steps.append(lambda x: recode_picture.recode_picture(x, name, crf))
    return steps


def augment_sound(audio: np.ndarray, rng: np.random.Generator, options: AugmentConfig) -> np.ndarray:
    """Room, microphone, noise, converter, codec, and a level of its own."""
    n = len(audio)
    if rng.random() < options.reverb:
        decay, direct = float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.4, 0.9))
        audio = sound.reverberate(audio, sound.room(decay, direct, rng))
    if rng.random() < options.equaliser:
        audio = sound.filtered(audio, rng.normal(0, 5, 8), np.linspace(0, 8000, 8))
    if rng.random() < options.sound_noise:
        added = sound.noise(n, float(rng.choice([0, 1, 2])), rng)
        audio = sound.add_noise(audio, added, float(rng.uniform(options.snr_db[0], options.snr_db[1])))
    if rng.random() < options.band_limit:
        low, high = (300.0, 3400.0) if rng.random() < 0.3 else (0.0, float(rng.uniform(2500, 7000)))
        audio = sound.band_limit(audio, low, high)
    gain = 10 ** (rng.uniform(-options.gain_db, options.gain_db) / 20)
    peak = float(np.abs(audio).max()) if n else 0.0
    audio = audio * np.float32(min(gain, 0.99 / max(peak, 1e-6)))
    if rng.random() < options.clipping:
        audio = sound.clip_peaks(audio, float(rng.uniform(0.001, 0.02)))
    if rng.random() < options.companding:
        audio = sound.mu_law(audio) if rng.random() < 0.5 else sound.a_law(audio)
    if rng.random() < options.sound_codec:
        rates = [r for r in BIT_RATES if options.kbps[0] <= r <= options.kbps[1]] or [options.kbps[0]]
        codec = str(rng.choice(list(recode_sound.CODECS)))
        audio = recode_sound.recode_sound(audio.astype(np.float32), codec, int(rng.choice(rates)))
    return np.clip(audio, -1, 1).astype(np.float32)

"""How often and how much clips are degraded in training."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AugmentConfig:
    """Shares of clips that each degradation is applied to; 0 switches it off. Strengths are largest values.

    Attributes:
        mirror: left and right swapped.
        jitter: crops turned, zoomed and moved.
        turn_deg, zoom, move: standard deviations of the jitter: degrees, natural logarithm, share of the crop's side.
        colour: saturation, white balance, contrast and brightness.
        grey: no colour at all.
        gamma: exponent within its strength of 1 (natural logarithm).
        gamma_log: largest absolute logarithm of gamma.
        resize: made smaller and larger again, once to three times.
        blur: Gaussian, of motion, or out of focus.
        picture_noise: Gaussian or photon noise.
        cutout: a block of the face covered.
        jpeg: coded frame by frame.
        video_codec: coded as H.264 or VP9.
        crf: range of the H.264 quality, from best to worst (VP9 in proportion).
        gain_db: level changed by up to this, always.
        equaliser: smooth random frequency response.
        reverb: of a synthetic room.
        sound_noise: white, pink or brown.
        snr_db: lowest and highest ratio of sound to noise.
        band_limit: low-pass or telephone band.
        companding: mu-law or A-law.
        clipping: peaks cut off.
        sound_codec: coded as AAC, Opus or MP3.
        kbps: lowest and highest bit rate of these.
        spectrum: share of examples in which bands and stretches of the voice's spectrograms are covered, on the device.
        device: colour, gamma, noise, covered parts and levels once more on the device, new for every step; for machines
            whose accelerator waits for the host. Set the shares of the same names above to 0 then.
        extra: further ones after all of these, ``name=share``: a name of `avdetect.augment.AUGMENTATIONS`, which has
            those that are installed, or ``path/to/file.py:attribute``.
    """

    mirror: float = 0.5
    jitter: float = 1.0
    turn_deg: float = 3.0
    zoom: float = 0.05
    move: float = 0.02
    colour: float = 0.6
    grey: float = 0.05
    gamma: float = 0.3
    gamma_log: float = 0.4
    resize: float = 0.25
    blur: float = 0.2
    picture_noise: float = 0.2
    cutout: float = 0.1
    jpeg: float = 0.2
    video_codec: float = 0.35
    crf: tuple[int, ...] = (18, 40)
    gain_db: float = 12.0
    equaliser: float = 0.5
    reverb: float = 0.2
    sound_noise: float = 0.5
    snr_db: tuple[float, ...] = (5.0, 40.0)
    band_limit: float = 0.15
    companding: float = 0.1
    clipping: float = 0.05
    sound_codec: float = 0.35
    kbps: tuple[int, ...] = (12, 96)
    spectrum: float = 0.3
    device: bool = False
    extra: tuple[str, ...] = ()

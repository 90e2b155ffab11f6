"""Do the lips open when the voice is loud? The correlation of the two, over two seconds around each tick.

In speech the opening of the mouth goes with the loudness of the voice, which follows by some 0.1 to 0.3 s
(Chandrasekaran et al., PLoS Computational Biology 5 (7), 2009, doi:10.1371/journal.pcbi.1000436). The sound of another
recording does not know when this mouth opens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avdetect.api import Clip, Evidence, InputContract

WINDOW, LEAST = 50, 25
"""Ticks (25 a second) that are compared, and how many of them must show a face and have sound."""
LAGS = range(-3, 8)
"""Ticks by which the sound may be late: three early to seven late, the greatest correlation counts."""
USUAL, SLOPE = 0.3, 4.0
"""The correlation at which own and exchanged sound are equally likely, and logits for each 1 below it."""
UPPER_LIP, LOWER_LIP = 13, 14  # middle of the inner lips in the face mesh


class LipLoudness:
    """A logit for each tick that lips and sound do not belong together."""

    api_version = 1
    name, version = "lip_loudness", "1.0"
    modalities = frozenset({"picture", "sound"})
    contract = InputContract(max_ticks=750, min_ticks=LEAST)
    jittable = False

    def evidence(self, clips: Sequence[Clip]) -> list[Evidence]:
        """See `avdetect.api.Detector`."""
        return [Evidence.only(clip.n_ticks, sync=mismatch(clip)) for clip in clips]


def mismatch(clip: Clip) -> np.ndarray:
    """Logits ``[t]``; NaN where too little is seen or heard, or where lips or loudness stay as they are."""
    assert clip.track is not None and clip.audio is not None, "modalities say that clips have both"
    n, margin = clip.n_ticks, max(map(abs, LAGS))
    points = clip.track.landmarks[:, (UPPER_LIP, LOWER_LIP), :2].astype(np.float64)
    opening = np.linalg.norm(points[:, 0] - points[:, 1], axis=1)  # in sides of the face crop
    loudness = np.log10(np.square(clip.audio.reshape(n, -1), dtype=np.float64).mean(axis=1) + 1e-5)
    loudness, covered = np.pad(loudness, margin), np.pad(clip.audio_valid, margin)
    best = np.full(n, np.nan)
    for lag in LAGS:
        later = slice(margin + lag, margin + lag + n)
        best = np.fmax(best, correlation(opening, loudness[later], clip.track.visible & covered[later]))
    return (SLOPE * (USUAL - best)).astype(np.float32)


def correlation(x: np.ndarray, y: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Pearson's, of the known values in a window around each; NaN where there are too few, or they do not vary."""
    count, sx, sy, sxx, syy, sxy = (around(np.where(known, z, 0.0)) for z in (1.0, x, y, x * x, y * y, x * y))
    count = np.maximum(count, 1)
    vx, vy, vxy = sxx / count - (sx / count) ** 2, syy / count - (sy / count) ** 2, sxy / count - sx * sy / count**2
    enough = (count >= LEAST) & (vx > 1e-6) & (vy > 1e-4)
    return np.where(enough, vxy / np.sqrt(np.where(enough, vx * vy, 1.0)), np.nan)


def around(values: np.ndarray) -> np.ndarray:
    """Sum over the ``WINDOW`` values around each, fewer at the ends."""
    return np.convolve(values, np.ones(WINDOW))[WINDOW // 2 : WINDOW // 2 + len(values)]

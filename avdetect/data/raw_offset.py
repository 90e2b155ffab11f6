"""How late a clip's sound is as found in the file, by the lips-and-sound pair of the shipped bundle."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from avdetect.types import LAGS, MAX_LAG, Clip

if TYPE_CHECKING:
    from avdetect.detector import Detector


@lru_cache(maxsize=1)
def lips_and_sound() -> Detector:
    """The shipped detector reduced to its lips-and-sound pairs: two programs of one shape each, compiled once."""
    from avdetect import load
    from avdetect.detector import Detector

    whole = load()
    for part in ("visual", "audio", "fusion"):
        setattr(whole.net, part, None)
    return Detector(whole.net, whole.calibration, card=whole.card)


def raw_offset(clip: Clip, speech: np.ndarray | None = None) -> dict[str, float | None]:
    """Offset of a clip and how far it can be believed.

    Args:
        clip: of at least some 20 ticks.
        speech: probability of speech per tick in [0, 1]; ticks count by it, where it was measured.

    Returns:
        ``raw_offset_ms`` (sound minus picture, positive = sound is late, what the pair reads on clips in sync already
        taken out), ``raw_offset_confidence`` (maximum minus median of the lag curve, similarity units) and
        ``raw_offset_sharpness`` (the same in standard errors: below 2 it is chance). All ``None`` where there is no
        face or no sound, the offset alone where the best lag is the last one searched.
    """
    nothing: dict[str, float | None] = dict.fromkeys(("raw_offset_ms", "raw_offset_confidence", "raw_offset_sharpness"))
    if clip.track is None or clip.audio is None:
        return nothing
    from avdetect.sound_stream import SoundStream
    from avdetect.sync.offset import estimate_offset
    from avdetect.sync.speaking import tick_weights
    from avdetect.track_stream import TrackStream, similarity_matrix

    detector = lips_and_sound()
    sound = SoundStream(detector)
    sound.push(clip.audio, clip.audio_valid)
    sound.finish()
    stream = TrackStream(detector, sound)
    stream.push(clip.track, start_tick=0)
    heard = sound.take(-MAX_LAG, clip.n_ticks + MAX_LAG)
    similarity = similarity_matrix(stream.lips(), heard, detector.pairs)
    if not np.isfinite(similarity).any():
        return nothing
    usable = clip.track.visible & clip.audio_valid
    weights = usable.astype(np.float64) if speech is None else tick_weights(speech, clip.track.visible)
    found = estimate_offset(
        similarity,
        LAGS,
        weights=weights * clip.audio_valid,
        zero_offset_ms=detector.calibration.zero_offset_ms,
    )
    return {
        "raw_offset_ms": None if found.offset_ms is None else round(found.offset_ms, 1) + 0.0,  # no -0.0
        "raw_offset_confidence": _finite(found.confidence, 4),
        "raw_offset_sharpness": _finite(found.sharpness, 2),
    }


def _finite(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None

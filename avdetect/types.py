"""The nouns that every room of the package shares, and the glossary of array dimensions.

The way of the data is always: media file -> tracks -> clips -> windows -> evidence -> verdict.

Dimensions used in shape annotations
    t   ticks of the 25 Hz clock            s   audio samples at 16 kHz (s = 640 t)
    k   lags of the similarity matrix       b   batch
    h w c  height, width, channels (RGB)    p   face-mesh landmarks (468)
    f   frequency bands                     d   embedding size

One clock: tick ``i`` is the instant ``i / 25`` s after the start of the media file (the earliest presentation time of
any of its streams); audio sample ``j`` is the instant ``j / 16000`` s on the same timeline.

Sign of an offset, everywhere: sound time minus picture time, **positive = sound is late**.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

TICK_RATE = 25
"""Video ticks a second."""
SAMPLE_RATE = 16_000
"""Audio samples a second (mono)."""
SAMPLES_PER_TICK = SAMPLE_RATE // TICK_RATE
N_LANDMARKS = 468
"""Points of the MediaPipe face mesh."""
FACE_SIZE = 160
"""Side of an aligned face crop, pixels."""
MOUTH_SIZE = 64
"""Side of an aligned mouth crop, pixels."""
MAX_LAG = 15
"""Lags searched for the lip-sync offset: -15 ... +15 ticks (-600 ... +600 ms)."""
LAGS = np.arange(-MAX_LAG, MAX_LAG + 1, dtype=np.int32)
"""Columns of a similarity matrix, ticks."""

SegmentKind = Literal["visual", "audio", "sync"]
VerdictName = Literal["real", "fake", "inconclusive"]
CLASSES = ("RVRA", "FVRA", "RVFA", "FVFA")
"""Four-way names: Real/Fake Visual, Real/Fake Audio."""
AbstainReason = Literal["no_face", "no_audio", "no_speech", "not_speaking", "too_short", "low_quality"]


@dataclass(frozen=True)
class Segment:
    """A stretch of time, in seconds on the clip's or the file's timeline, end exclusive."""

    start_s: float
    end_s: float
    kind: SegmentKind
    probability: float = 1.0


@dataclass(frozen=True)
class Label:
    """What is known of a clip. ``None`` where it is not known."""

    visual_fake: bool | None = None
    audio_fake: bool | None = None
    offset_ms: float | None = None
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class VideoInfo:
    """The picture stream that is read; ``width`` and ``height`` are as displayed (``rotation_deg`` already applied)."""

    codec: str
    width: int
    height: int
    fps: float
    rotation_deg: int = 0
    is_still: bool = False


@dataclass(frozen=True)
class AudioInfo:
    """The sound stream that is read; ``sample_rate`` and ``channels`` are those of the file, before conversion."""

    codec: str
    sample_rate: int
    channels: int


@dataclass(frozen=True)
class MediaInfo:
    """What probing found. ``start_s`` is the container time that became tick 0; ``duration_s`` is 0 if not stated."""

    path: str
    container: str
    duration_s: float
    start_s: float
    video: VideoInfo | None
    audio: AudioInfo | None


@dataclass(frozen=True)
class MediaBlock:
    """``n`` consecutive ticks of a media file; the blocks of a file follow each other without gap or overlap.

    Attributes:
        start_tick: index of the first tick.
        frames: uint8 RGB, upright as displayed, the frame nearest in presentation time to each tick; ``None``
            when the file has no picture. Rows where ``frame_valid`` is false hold unspecified pixels.
        frame_pts_s: presentation time of that frame, seconds on the clock (NaN where invalid).
        frame_index: number of that frame in decoding output order (-1 where invalid); equal numbers on neighbouring
            ticks mean the same picture is shown again (low or variable frame rates).
        frame_valid: whether there is a picture at this tick.
        audio: float32 mono in [-1, 1], ``640 n`` samples; ``None`` when the file has no sound. Zeros where invalid.
        audio_valid: whether the sound stream covers this tick (all of its 640 samples).
    """

    start_tick: int
    frames: UInt8[np.ndarray, "n h w 3"] | None
    frame_pts_s: Float64[np.ndarray, " n"]
    frame_index: Int32[np.ndarray, " n"]
    frame_valid: Bool[np.ndarray, " n"]
    audio: Float32[np.ndarray, " s"] | None
    audio_valid: Bool[np.ndarray, " n"]

    @property
    def n_ticks(self) -> int:
        """Number of ticks in the block."""
        return len(self.frame_valid)


@dataclass(frozen=True)
class Quality:
    """Measures of each tick of a face track; NaN where no face was found.

    Attributes:
        size_px: distance between the outer eye corners in the frame as decoded, pixels.
        sharpness: variance of the Laplacian of the grey face crop (intensities in [0, 1]), times 1e4.
        yaw_deg: head turn estimated from the mesh, degrees, 0 = frontal, sign = subject's left positive.
        pitch_deg: head nod, degrees, 0 = level.
        light: mean luma of the face crop in [0, 1].
        presence: the mesh network's own probability that the crop shows a face, in [0, 1].
    """

    size_px: Float32[np.ndarray, " t"]
    sharpness: Float32[np.ndarray, " t"]
    yaw_deg: Float32[np.ndarray, " t"]
    pitch_deg: Float32[np.ndarray, " t"]
    light: Float32[np.ndarray, " t"]
    presence: Float32[np.ndarray, " t"]


@dataclass(frozen=True)
class FaceTrack:
    """One face over consecutive ticks; also used for a piece of a track while a file is streamed.

    Attributes:
        track_id: number of the face in the file, from 0 in order of appearance.
        start_tick: first tick on the file's clock.
        faces: aligned RGB face crops.
        mouths: aligned RGB mouth crops.
        landmarks: mesh points in the coordinates of the aligned face crop, divided by its side: x right and y down in
            about [0, 1], z towards the camera negative, same scale. Interpolated to the tick from the frames' own
            presentation times. Zeros where not ``visible``.
        visible: whether the face was found at this tick.
        boxes: x0, y0, x1, y1 of the mesh in frame pixels (for overlays); zeros where not visible.
        quality: measures per tick.
        ended: no later piece of this track will come.
        matrices: affine maps from pixels of the face crop to pixels of the frame (pixel centres at whole numbers), the
            ones that the crops were cut by; ``None`` where the crops were not cut from frames.
        mouth_centres: middle of the mouth crop in units of the face crop, x and y in about [0, 1]; both crops share
            scale and angle. ``None`` as above.
    """

    track_id: int
    start_tick: int
    faces: UInt8[np.ndarray, "t face face 3"]
    mouths: UInt8[np.ndarray, "t mouth mouth 3"]
    landmarks: Float32[np.ndarray, "t 468 3"]
    visible: Bool[np.ndarray, " t"]
    boxes: Float32[np.ndarray, "t 4"]
    quality: Quality
    ended: bool = True
    matrices: Float32[np.ndarray, "t 2 3"] | None = None
    mouth_centres: Float32[np.ndarray, "t 2"] | None = None

    @property
    def n_ticks(self) -> int:
        """Number of ticks in this piece."""
        return len(self.visible)


@dataclass(frozen=True)
class Clip:
    """ONE face track and the sound under it, on ONE clock. Everything that learns, forges or scores sees clips.

    ``track`` is ``None`` for sound without a face and ``audio`` is ``None`` for a face without sound; never both.

    Attributes:
        track: the face, ``t`` ticks.
        audio: float32 mono at 16 kHz in [-1, 1], ``640 t`` samples starting at the same instant as the track.
        audio_valid: ticks that the sound stream covers.
    """

    track: FaceTrack | None
    audio: Float32[np.ndarray, " s"] | None
    audio_valid: Bool[np.ndarray, " t"]
    label: Label = field(default_factory=Label)

    @property
    def n_ticks(self) -> int:
        """Number of ticks."""
        return len(self.audio_valid)

    @property
    def start_tick(self) -> int:
        """First tick on the file's clock (0 for sound without a face)."""
        return self.track.start_tick if self.track is not None else 0


@dataclass(frozen=True)
class Evidence:
    """What a detector says of a clip of ``t`` ticks. Logits: positive = fake (or mismatched). NaN = not measured.

    Attributes:
        visual: logit per tick that the face is generated or edited.
        audio: logit per tick that the voice is generated.
        sync: logit per tick that lips and sound do not belong together at any lag searched.
        similarity: cosine similarity of the lips at tick ``i`` and the sound at tick ``i + lags[j]``, NaN where either
            side is outside the clip, not visible or not covered by sound. Edges are masked, never padded.
        lags: lags in ticks, ascending, ``-15 ... 15``. A maximum at a positive lag means that the sound is late.
        speech: probability in [0, 1] per tick that somebody speaks in the sound (NaN without sound).
        classes: log-probabilities of RVRA, FVRA, RVFA, FVFA for the whole clip, or ``None``.
        probability: in [0, 1], that something about the clip is forged, for a detector that judges clips as a whole;
            ``None`` where it has nothing to say.
    """

    visual: Float32[np.ndarray, " t"]
    audio: Float32[np.ndarray, " t"]
    sync: Float32[np.ndarray, " t"]
    similarity: Float32[np.ndarray, "t k"]
    lags: Int32[np.ndarray, " k"]
    speech: Float32[np.ndarray, " t"]
    classes: Float32[np.ndarray, " 4"] | None = None
    probability: float | None = None

    @classmethod
    def only(cls, n_ticks: int, **known: Any) -> Evidence:
        """What is named, and nothing else: NaN for ``n_ticks`` ticks.

        Examples:
            >>> found = Evidence.only(50, probability=0.9)
            >>> found.probability, bool(np.isnan(found.visual).all()), len(found.audio)
            (0.9, True, 50)
        """
        nothing = np.full(n_ticks, np.nan, np.float32)
        blank = {name: nothing.copy() for name in ("visual", "audio", "sync", "speech")}
        matrix = np.full((n_ticks, len(LAGS)), np.nan, np.float32)
        return cls(**{**blank, "similarity": matrix, "lags": LAGS, **known})


def offset_text(offset_ms: float | None) -> str:
    """An offset in words, as every place that prints one must say it.

    Examples:
        >>> offset_text(120.0)
        'sound is 120 ms late'
        >>> offset_text(-40.2)
        'sound is 40 ms early'
        >>> offset_text(None)
        'offset could not be measured'
    """
    if offset_ms is None:
        return "offset could not be measured"
    rounded = round(offset_ms)
    if rounded == 0:
        return "sound and picture are together"
    return f"sound is {abs(rounded)} ms {'late' if rounded > 0 else 'early'}"

"""One training example of a clip: picture, sound and what is true of them, tick by tick, in arrays of fixed shape.

This is where segments become supervision: every face that is looked at and every tick of sound has its own label, and
NaN where nobody knows.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int, UInt8

from avdetect.models.sync import CROP, LIP_POINTS
from avdetect.types import FACE_SIZE, MOUTH_SIZE, SAMPLES_PER_TICK, TICK_RATE, Clip, Label, SegmentKind

Arrays = dict[str, np.ndarray]


def ticks_labelled(flag: bool | None, label: Label, kind: SegmentKind, ticks: int) -> Float32[np.ndarray, " t"]:
    """1 where forged, 0 where genuine, NaN where not known.

    Args:
        flag: what is known of the clip as a whole.
        label: its segments of ``kind`` say which ticks; without any, ``flag`` holds for all.
        kind: of segment.
        ticks: length.
    """
    if flag is None:
        return np.full(ticks, np.nan, np.float32)
    stretches = [s for s in label.segments if s.kind == kind]
    if not flag or not stretches:
        return np.full(ticks, float(flag), np.float32)
    middle = (np.arange(ticks) + 0.5) / TICK_RATE
    inside = np.zeros(ticks, bool)
    for s in stretches:
        inside |= (middle >= s.start_s) & (middle < s.end_s)
    return inside.astype(np.float32)


def mismatch_labels(label: Label, ticks: int, *, known: bool, local: bool) -> tuple[np.ndarray, np.ndarray]:
    """Whether lips and sound belong together at some lag, and the ticks where they do at lag zero.

    Args:
        label: of the clip; its segments of kind "sync" are where lips and sound do not belong together.
        ticks: length.
        known: that lips and sound belong together outside these segments (so for clips recorded as genuine).
        local: inside them they still do at a lag that changes (drift, stretch): neither right nor wrong.

    Returns:
        ``mismatch`` (1, 0, NaN) and ``matched`` (bool) per tick. A clip whose sound was moved as a whole is no
        mismatch, since the lag is found and reported; yet it must not be matched at lag zero.
    """
    apart = np.nan_to_num(ticks_labelled(True, label, "sync", ticks)) > 0
    apart &= any(s.kind == "sync" for s in label.segments)
    moved = label.offset_ms is not None and abs(label.offset_ms) > 1e-6
    if not known:
        return np.full(ticks, np.nan, np.float32), np.zeros(ticks, bool)
    if moved:
        return np.zeros(ticks, np.float32), np.zeros(ticks, bool)
    mismatch = np.where(apart, np.nan if local else 1.0, 0.0).astype(np.float32)
    return mismatch, ~apart


def arrays_of(
    clip: Clip,
    *,
    ticks: int,
    faces: int,
    rng: np.random.Generator,
    speech: np.ndarray | None,
    in_sync: bool,
    local: bool = False,
) -> Arrays:
    """The example of a clip of at most ``ticks`` ticks.

    Args:
        clip: cut to length, forged or not, its label on it.
        ticks: length of the arrays; what is past the clip's end is zero and marked as not there.
        faces: face crops taken of it, at random among those kept.
        rng: chooses them.
        speech: probability of speech per tick, or ``None``.
        in_sync: lips and sound belong together where no segment says otherwise.
        local: see :func:`mismatch_labels`.

    Returns:
        ``points`` (t n 3), ``mouths`` uint8 grey (t crop crop), ``faces`` uint8 (n h w 3) with ``face_mouths`` uint8
        (n 3 m m 3) of the ticks before, at and after, ``face_fake`` (n), ``audio`` (s), ``visible``, ``covered``,
        ``matched`` (t), ``audio_fake``, ``mismatch``, ``speech`` (t), ``class`` (0-3, -1 where unknown).
    """
    n = clip.n_ticks
    if n > ticks:
        raise ValueError(f"a clip of {n} ticks does not fit into {ticks}; cut it first")
    label, track = clip.label, clip.track
    mismatch, matched = mismatch_labels(label, n, known=in_sync and track is not None, local=local)
    out = {
        "points": np.zeros((ticks, len(LIP_POINTS), 3), np.float32),
        "mouths": np.zeros((ticks, CROP, CROP), np.uint8),
        "audio": np.zeros(ticks * SAMPLES_PER_TICK, np.float32),
        "visible": np.zeros(ticks, bool),
        "covered": np.zeros(ticks, bool),
        "matched": _padded(matched, ticks, False),
        "audio_fake": np.full(ticks, np.nan, np.float32),
        "mismatch": _padded(mismatch, ticks, np.nan),
        "speech": np.full(ticks, np.nan, np.float32),
        "class": np.int32(_class_of(label)),
    }
    if track is not None:
        edge = (MOUTH_SIZE - CROP) // 2
        inner = track.mouths[:, edge : edge + CROP, edge : edge + CROP]
        flat = np.ascontiguousarray(inner).reshape(-1, CROP, 3)
        out["mouths"][:n] = cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY).reshape(n, CROP, CROP)
        out["points"][:n] = track.landmarks[:, LIP_POINTS]
        out["visible"][:n] = track.visible
    if clip.audio is not None:
        out["audio"][: n * SAMPLES_PER_TICK] = clip.audio
        out["covered"][:n] = clip.audio_valid
        out["audio_fake"][:n] = ticks_labelled(label.audio_fake, label, "audio", n)
        if speech is not None:
            out["speech"][:n] = speech
    return out | _faces(clip, faces, rng)


def _faces(clip: Clip, count: int, rng: np.random.Generator) -> Arrays:
    side = FACE_SIZE if clip.track is None else clip.track.faces.shape[1]
    crops, fake = np.zeros((count, side, side, 3), np.uint8), np.full(count, np.nan, np.float32)
    mouths = np.zeros((count, 3, MOUTH_SIZE, MOUTH_SIZE, 3), np.uint8)
    if clip.track is not None and count:
        kept = np.flatnonzero(clip.track.visible & clip.track.faces[:, ::8, ::8].any(axis=(1, 2, 3)))
        if len(kept):
            chosen = np.sort(rng.choice(kept, count, replace=len(kept) < count))
            labels = ticks_labelled(clip.label.visual_fake, clip.label, "visual", clip.n_ticks)
            crops, fake = clip.track.faces[chosen], labels[chosen]
            mouths = mouths_around(clip.track.mouths, clip.track.visible, chosen)
    return {"faces": crops, "face_mouths": mouths, "face_fake": fake}


def mouths_around(
    mouths: UInt8[np.ndarray, "t m m 3"], visible: Bool[np.ndarray, " t"], ticks: Int[np.ndarray, " n"]
) -> UInt8[np.ndarray, "n 3 m m 3"]:
    """The mouth before, at and after each of the ticks; the middle one again where there is no neighbour."""
    around = np.asarray(ticks)[:, None] + np.array([-1, 0, 1])
    inside = (around >= 0) & (around < len(mouths))
    there = inside & visible[around.clip(0, len(mouths) - 1)]
    return mouths[np.where(there, around, np.asarray(ticks)[:, None])]


def _class_of(label: Label) -> int:
    """Index into ``types.CLASSES``, -1 where either half is unknown."""
    if label.visual_fake is None or label.audio_fake is None:
        return -1
    return int(label.visual_fake) + 2 * int(label.audio_fake)


def _padded(values: np.ndarray, ticks: int, fill: float | bool) -> np.ndarray:
    return np.concatenate([values, np.full(ticks - len(values), fill, values.dtype)])

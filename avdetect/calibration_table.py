"""The evidence that a calibration is fitted from, measured once and kept.

Running the networks takes minutes, fitting takes seconds: what the networks say of each clip, with its own sound and
with another clip's, is written to a folder named after the model, and everything is fitted from there.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from avdetect.data.columns import flag
from avdetect.data.neighbours import film_of, same_recording
from avdetect.data.records import clip_of_record
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.sync.speaking import lip_activity, mouth_opening
from avdetect.types import Clip, Evidence, Quality
from avdetect.verdict import TrackEvidence

FORMAT = "avdetect.evidence/1"
"""Part of each entry's name: entries of another format are measured again."""


@dataclass(frozen=True)
class TableClip:
    """A clip of the table.

    Attributes:
        row: of the store's index.
        source: data set that it is of.
        generator: what forged it, or empty.
        identity: the person; clips of one person are never on both sides of a fold.
        film: the file, or the one that it is a copy of.
        visual_fake, audio_fake: whether face and voice are forged; ``None`` where it is not known or there is none.
        own: what the detector finds.
        swapped: the same with the sound of another clip; only of genuine clips.
    """

    row: int
    source: str
    generator: str
    identity: str
    film: str
    visual_fake: bool | None
    audio_fake: bool | None
    own: TrackEvidence
    swapped: TrackEvidence | None

    @property
    def fake(self) -> bool | None:
        """Whether anything is forged. A silent clip of a genuine face is genuine."""
        known = {self.visual_fake, self.audio_fake}
        if True in known:
            return True
        has_sound = bool(self.own.audio_valid.any())
        if self.visual_fake is None or (self.audio_fake is None and has_sound):
            return None
        return False


def evidence_table(
    detector: Detector,
    store: RecordStore,
    rows: Sequence[int],
    *,
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[TableClip]:
    """What the detector finds in the clips; those that are in the folder already are read from it.

    The swapped sound is that of the next genuine clip of the same source among ``rows``.

    Args:
        detector: its calibration does not matter.
        store: the records.
        rows: of its index; those with neither face nor sound are left out.
        folder: where evidence is kept, in a folder named after :func:`model_digest`; nothing is kept if not given.
        progress: called with the number of finished clips.
    """
    rows = list(dict.fromkeys(rows))
    mates = sound_mates(store, rows)
    home = None if folder is None else Path(folder) / model_digest(detector)[:16]
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
    found = []
    for n, i in enumerate(rows, 1):
        measured = _entry(detector, store, i, mates.get(i), home)
        if measured is not None:
            found.append(_table_clip(store.index[i], i, *measured))
        if progress is not None:
            progress(n)
    return found


def model_digest(detector: Detector) -> str:
    """SHA-256 of the networks: their configuration and parameters, whatever the calibration and the card say."""
    from avdetect.bundle import flat_parameters

    digest = hashlib.sha256(repr(detector.net.config).encode())
    for name, value in sorted(flat_parameters(detector.net).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(np.asarray(value[...], np.float32)).tobytes())
    return digest.hexdigest()


def _entry(
    detector: Detector, store: RecordStore, i: int, mate: int | None, home: Path | None
) -> tuple[TrackEvidence, TrackEvidence | None] | None:
    path = None
    if home is not None:
        whose = [
            FORMAT,
            *(f"{store.index[j]['key']} {store.index[j].get('sha256')}" for j in (i, mate) if j is not None),
        ]
        path = home / f"{hashlib.sha256(chr(10).join(whose).encode()).hexdigest()[:24]}.safetensors"
        if path.is_file():
            stored = load_file(path)
            return _read(stored, "own"), _read(stored, "swapped") if "swapped.start" in stored else None
    clip = clip_of_record(store.read(i))
    if clip.track is None and clip.audio is None:
        return None
    own, swapped = track_evidence(clip, detector.evidence(clip)), None
    if mate is not None and clip.track is not None and clip.audio is not None:
        other = with_sound(clip, clip_of_record(store.read(mate, pictures=())))
        swapped = track_evidence(other, detector.evidence(other))
    if path is not None:
        arrays = {**_arrays(own, "own"), **({} if swapped is None else _arrays(swapped, "swapped"))}
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        save_file(arrays, new)
        new.replace(path)
    return own, swapped


def _arrays(track: TrackEvidence, prefix: str) -> dict[str, np.ndarray]:
    values: dict[str, Any] = {"start": np.array([track.track_id, track.start_tick]), "audio_valid": track.audio_valid}
    values |= {"visible": track.visible, "lip_motion": track.lip_motion}
    values |= {f"evidence.{f.name}": getattr(track.evidence, f.name) for f in dataclasses.fields(Evidence)}
    if track.quality is not None:
        values |= {f"quality.{f.name}": getattr(track.quality, f.name) for f in dataclasses.fields(Quality)}
    return {f"{prefix}.{name}": np.array(value, order="C") for name, value in values.items() if value is not None}


def _read(arrays: dict[str, np.ndarray], prefix: str) -> TrackEvidence:
    own = {name.removeprefix(f"{prefix}."): value for name, value in arrays.items() if name.startswith(f"{prefix}.")}
    evidence: dict[str, Any] = {n.removeprefix("evidence."): v for n, v in own.items() if n.startswith("evidence.")}
    if "probability" in evidence:
        evidence["probability"] = float(evidence["probability"])
    quality = {n.removeprefix("quality."): v for n, v in own.items() if n.startswith("quality.")}
    return TrackEvidence(
        track_id=int(own["start"][0]),
        start_tick=int(own["start"][1]),
        evidence=Evidence(**evidence),
        quality=Quality(**quality) if quality else None,
        visible=own.get("visible"),
        audio_valid=own["audio_valid"],
        lip_motion=own.get("lip_motion"),
    )


def _table_clip(row: dict[str, Any], i: int, own: TrackEvidence, swapped: TrackEvidence | None) -> TableClip:
    return TableClip(
        row=i,
        source=str(row.get("source") or ""),
        generator=str(row.get("generator") or ""),
        identity=str(row.get("identity") or row["path"]),
        film=str(film_of(row)),
        visual_fake=flag(row.get("visual_fake")),
        audio_fake=flag(row.get("audio_fake")),
        own=own,
        swapped=swapped,
    )


def sound_mates(store: RecordStore, rows: Sequence[int]) -> dict[int, int]:
    """For each genuine clip, the next genuine one of the same source that is not of the same recording."""
    by_source: dict[str, list[int]] = {}
    for i in rows:
        row = store.index[i]
        if str(row.get("visual_fake")) == "0" and str(row.get("audio_fake")) == "0":
            by_source.setdefault(str(row.get("source")), []).append(i)
    mates = {}
    for group in by_source.values():
        for n, i in enumerate(group):
            after = (j for j in (*group[n + 1 :], *group[:n]) if not same_recording(store.index[i], store.index[j]))
            if (mate := next(after, None)) is not None:
                mates[i] = mate
    return mates


def with_sound(clip: Clip, other: Clip) -> Clip:
    """The face of one clip with the sound of another, repeated or cut to its length."""
    assert other.audio is not None and clip.audio is not None
    audio = np.resize(other.audio, len(clip.audio)).astype(np.float32)
    return dataclasses.replace(clip, audio=audio, audio_valid=np.resize(other.audio_valid, clip.n_ticks))


def track_evidence(clip: Clip, evidence: Evidence) -> TrackEvidence:
    """A clip's evidence with what is measured of its picture, on a clock of its own."""
    track = clip.track
    return TrackEvidence(
        track_id=-1 if track is None else track.track_id,
        start_tick=0,
        evidence=evidence,
        quality=None if track is None else track.quality,
        visible=None if track is None else track.visible,
        audio_valid=clip.audio_valid,
        lip_motion=None if track is None else lip_activity(mouth_opening(track.landmarks), track.visible),
    )

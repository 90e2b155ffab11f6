"""What networks say of prepared clips, measured once and kept in a folder.

Running the encoders over a clip takes a second, the fusion head over what they say takes a hundredth of that. So both
are kept apart: another head over the same encoders, or another calibration, measures nothing again.

A folder has a folder for each set of encoders (named after a digest of them) with an entry for each clip, and in that a
folder for each head with an entry for each clip. Entries are whole or not there.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from avdetect.data.records import clip_of_record
from avdetect.data.store import RecordStore
from avdetect.detector import Detector
from avdetect.fusion_stream import with_fusion
from avdetect.sync.speaking import lip_activity, mouth_opening
from avdetect.types import Clip, Evidence, Quality
from avdetect.verdict import TrackEvidence
from avdetect.whole_file import replacing

FORMAT = "avdetect.evidence/2"
"""Part of each entry's name: entries of another format are measured again."""
HEAD = ("sync", "classes")
"""Fields of the evidence that the fusion head adds."""
Change = Callable[[Clip, str], Clip]


class EvidenceFolder:
    """Evidence of one detector.

    Args:
        detector: its calibration does not matter.
        folder: where evidence is kept, shared by all detectors; nothing is kept if not given.
    """

    def __init__(self, detector: Detector, folder: Path | None):
        self._detector = detector
        self._home = None if folder is None else Path(folder) / encoders_digest(detector)[:16]
        if self._home is not None:
            self._heads = self._home / model_digest(detector)[:16]
            self._heads.mkdir(parents=True, exist_ok=True)

    def of(
        self, store: RecordStore, i: int, mate: int | None = None, *, change: Change | None = None, changed: str = ""
    ) -> tuple[TrackEvidence, TrackEvidence | None] | None:
        """What the detector finds in a clip with its own sound and with another clip's; ``None`` for an empty clip.

        Args:
            store: the records.
            i: row of its index.
            mate: row of the clip whose sound is the other one; none is heard if not given or without a face.
            change: what is done to the clip (and its key) before; the other sound is not changed.
            changed: name of the change, by which its evidence is found again.

        Raises:
            ValueError: a change without a name, where evidence is kept.
        """
        if self._home is None:
            return self._measured(store, i, mate, change, head=True)
        if change is not None and not changed:
            raise ValueError("a change of clips needs a name, under which its evidence is kept")
        whose = [f"{store.index[j]['key']} {store.index[j].get('sha256')}" for j in (i, mate) if j is not None]
        name = hashlib.sha256("\n".join([FORMAT, *whose, *([changed] if changed else [])]).encode()).hexdigest()[:24]
        encoded, headed = (home / f"{name}.safetensors" for home in (self._home, self._heads))
        if encoded.is_file():
            stored = load_file(encoded)
        else:
            measured = self._measured(store, i, mate, change, head=False)
            if measured is None:
                return None
            stored = _pack(measured)
            _save(stored, encoded)
        if headed.is_file():
            return _unpack({**stored, **load_file(headed)})
        own, swapped = (None if t is None else self._headed(t) for t in _unpack(stored))
        assert own is not None, "an entry has the clip's own sound"
        _save({k: v for k, v in _pack((own, swapped)).items() if k.rpartition(".")[2] in HEAD}, headed)
        return own, swapped

    def _measured(
        self, store: RecordStore, i: int, mate: int | None, change: Change | None, *, head: bool
    ) -> tuple[TrackEvidence, TrackEvidence | None] | None:
        own, swapped = (
            None if clip is None else track_evidence(clip, self._detector.evidence(clip, head=head))
            for clip in own_and_swapped(store, i, mate, change)
        )
        return None if own is None else (own, swapped)

    def _headed(self, track: TrackEvidence) -> TrackEvidence:
        return dataclasses.replace(track, evidence=with_fusion(self._detector, track.evidence))


def model_digest(detector: Detector) -> str:
    """SHA-256 of the networks: their configuration and parameters, whatever the calibration and the card say."""
    return _digest(detector, fusion=True)


def encoders_digest(detector: Detector) -> str:
    """The same of the networks without the fusion head."""
    return _digest(detector, fusion=False)


def _digest(detector: Detector, *, fusion: bool) -> str:
    from avdetect.bundle import flat_parameters

    config = detector.net.config if fusion else dataclasses.replace(detector.net.config, fusion=None)
    digest = hashlib.sha256(repr(config).encode())
    for name, value in sorted(flat_parameters(detector.net).items()):
        if fusion or not name.startswith("fusion."):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(np.asarray(value[...], np.float32)).tobytes())
    return digest.hexdigest()


def own_and_swapped(
    store: RecordStore, i: int, mate: int | None, change: Change | None
) -> tuple[Clip | None, Clip | None]:
    """A clip and the same with another clip's sound; ``None`` for an empty one. As `EvidenceFolder.of`."""
    clip = clip_of_record(store.read(i))
    if clip.track is None and clip.audio is None:
        return None, None
    clip = clip if change is None else change(clip, str(store.index[i]["key"]))
    if mate is None or clip.track is None or clip.audio is None:
        return clip, None
    return clip, with_sound(clip, clip_of_record(store.read(mate, pictures=())))


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


def _pack(tracks: tuple[TrackEvidence, TrackEvidence | None]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for prefix, track in zip(("own", "swapped"), tracks, strict=True):
        if track is None:
            continue
        values: dict[str, Any] = {"start": [track.track_id, track.start_tick], "audio_valid": track.audio_valid}
        values |= {"visible": track.visible, "lip_motion": track.lip_motion}
        values |= {f"evidence.{f.name}": getattr(track.evidence, f.name) for f in dataclasses.fields(Evidence)}
        if track.quality is not None:
            values |= {f"quality.{f.name}": getattr(track.quality, f.name) for f in dataclasses.fields(Quality)}
        found |= {f"{prefix}.{n}": np.array(v, order="C") for n, v in values.items() if v is not None}
    return found


def _unpack(arrays: dict[str, np.ndarray]) -> tuple[TrackEvidence, TrackEvidence | None]:
    return _track(arrays, "own"), _track(arrays, "swapped") if "swapped.start" in arrays else None


def _track(arrays: dict[str, np.ndarray], prefix: str) -> TrackEvidence:
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


def _save(arrays: dict[str, np.ndarray], path: Path) -> None:
    with replacing(path) as half:
        save_file(arrays, half)

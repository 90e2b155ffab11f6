"""A detector: the networks of a bundle, compiled for a few fixed shapes, with calibration and card.

``Detector.evidence(clip)`` says what it sees in a clip, ``Detector.score(clip)`` judges it. Files go through
`avdetect.inference`, which feeds the same streams piece by piece.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from avdetect.calibration import Calibration
from avdetect.models import audio as audio_model
from avdetect.models import fusion as fusion_model
from avdetect.models import sync as sync_model
from avdetect.models.detector import DetectorNet
from avdetect.models.frontend import CMN_RADIUS
from avdetect.report.schema import Report
from avdetect.streams import Arrays, Batched, WindowedStream
from avdetect.types import MAX_LAG, SAMPLES_PER_TICK, Clip, Evidence, FaceTrack, MediaInfo

LAGS = np.arange(-MAX_LAG, MAX_LAG + 1, dtype=np.int32)
VISUAL_STRIDE = 5
"""The face CNN looks at every fifth tick of a track; the ticks between are interpolated."""
VISUAL_BATCH = 8
LIPS_STEP, SOUND_STEP, FUSION_STEP = 128, 192, 384


class Detector:
    """Networks ready to run.

    Args:
        net: the networks; put into evaluation mode.
        calibration: from logits to decisions.
        card: ``name``, ``version``, ``sha256`` and whatever else a bundle's card says.
    """

    def __init__(self, net: DetectorNet, calibration: Calibration, *, card: dict[str, Any]):
        net.eval()
        self.net, self.calibration, self.card = net, calibration, card
        self.pairs = [n for n in ("sync_landmarks", "sync_pixels") if getattr(net, n) is not None]
        reaches = [sync_model.reach(getattr(net, n).config) for n in self.pairs]
        self._sync_reach = max(reaches, default=0)
        audio_reach = 0 if net.audio is None else audio_model.reach(net.audio.config) + audio_model.POOL_RADIUS
        self._sound_halo = CMN_RADIUS + max(audio_reach, self._sync_reach, 1) + 1
        self._jitted = {
            "lips": _compiled(net, _lips),
            "sound": _compiled(net, _sound),
            "visual": _compiled(net, lambda n, faces: n.visual(faces.astype(jnp.float32))),
            "mismatch": _compiled(net, lambda n, s, known, speech: n.fusion.mismatch(s, known, speech)),
            "classes": _compiled(net, lambda n, logits, present: n.fusion.classes(logits, present)),
        }

    def cache_sizes(self) -> dict[str, int]:
        """How many shapes each network was compiled for (at most one each, whatever was scored)."""
        return {name: function.jitted._cache_size() for name, function in self._jitted.items()}

    # ------------------------------------------------------------------ streams
    def sound_stream(self) -> SoundStream:
        """For the sound of a file, from its first tick."""
        return SoundStream(self)

    def track_stream(self, sound: SoundStream | None) -> TrackStream:
        """For one face track and the sound of its file."""
        return TrackStream(self, sound)

    def evidence(self, clip: Clip) -> Evidence:
        """What the networks say of a clip."""
        from avdetect.clips import cut_track

        sound = None
        if clip.audio is not None:
            sound = self.sound_stream()
            sound.push(clip.audio, clip.audio_valid)
            sound.finish()
        if clip.track is None:
            assert sound is not None, "a clip has a face or sound"
            return sound.evidence()
        stream = self.track_stream(sound)
        track = cut_track(clip.track, 0, clip.track.n_ticks)
        stream.push(track, offset=-track.start_tick)
        return stream.evidence()

    def score(self, clip: Clip) -> Report:
        """The report on a clip (its file entry is empty)."""
        from avdetect.sync.speaking import lip_activity
        from avdetect.verdict import NO_FACE_TRACK, Analysis, TrackEvidence, judge

        track = clip.track
        found = TrackEvidence(
            track_id=NO_FACE_TRACK if track is None else track.track_id,
            start_tick=clip.start_tick,
            evidence=self.evidence(clip),
            quality=None if track is None else track.quality,
            visible=None if track is None else track.visible,
            audio_valid=clip.audio_valid,
            boxes=None if track is None else track.boxes,
            lip_motion=None if track is None else lip_activity(track.landmarks, track.visible),
        )
        seconds = clip.n_ticks * SAMPLES_PER_TICK / 16_000
        from avdetect.types import AudioInfo, VideoInfo

        info = MediaInfo(
            path="",
            container="clip",
            duration_s=seconds,
            start_s=0.0,
            video=None if track is None else VideoInfo("", 0, 0, 25.0, is_still=clip.n_ticks == 1),
            audio=None if clip.audio is None else AudioInfo("", 16_000, 1),
        )
        return judge(Analysis(info, "", [found]), self.calibration, model=self.card)


class SoundStream:
    """Embeddings, voice logits and speech of a file's sound, tick by tick."""

    def __init__(self, detector: Detector):
        self._detector = detector
        call = detector._jitted["sound"]
        self._windows = WindowedStream(
            lambda a: {n: np.asarray(v)[0] for n, v in call(a["audio"].reshape(1, -1), a["valid"][None]).items()},
            step=SOUND_STEP,
            halo=detector._sound_halo,
        )
        self._results: list[Arrays] = []

    def push(self, audio: np.ndarray, valid: np.ndarray) -> None:
        """Add ``640 n`` samples and whether each of their ``n`` ticks is covered."""
        ticks = audio.reshape(-1, SAMPLES_PER_TICK).astype(np.float32, copy=False)
        self._keep(self._windows.push({"audio": ticks, "valid": valid}))

    def finish(self) -> None:
        """No more sound will come."""
        self._keep(self._windows.finish())

    def _keep(self, results: list[Arrays]) -> None:
        for result in results:
            self._results.append({n: _half(n, a) for n, a in result.items()})

    def take(self, start: int, stop: int) -> Arrays:
        """Results of ticks ``start`` to ``stop``; ticks that the sound does not have are zeros and not ``known``."""
        joined = self._joined()
        total = len(joined["known"]) if joined else 0
        low, high = min(max(start, 0), total), min(max(stop, 0), total)
        out = {}
        for name, array in joined.items():
            out[name] = np.zeros((stop - start, *array.shape[1:]), array.dtype)
            out[name][low - start : high - start] = array[low:high]
        return out

    def _joined(self) -> Arrays:
        if len(self._results) > 1:
            self._results = [{n: np.concatenate([r[n] for r in self._results]) for n in self._results[0]}]
        return self._results[0] if self._results else {}

    def evidence(self) -> Evidence:
        """Of sound without a face."""
        sound = self._joined()
        t = len(sound["known"])
        nothing = np.full(t, np.nan, np.float32)
        audio, speech = voice(sound)
        similarity = np.full((t, len(LAGS)), np.nan, np.float32)
        classes = self._detector_classes(nothing, audio, nothing)
        return Evidence(nothing, audio, nothing, similarity, LAGS, speech, classes)

    def _detector_classes(self, *logits: np.ndarray) -> np.ndarray | None:
        return four_way(self._detector, *logits)


def _half(name: str, array: np.ndarray) -> np.ndarray:
    """Embeddings are kept as float16: a two-hour file then takes 92 MB."""
    return array.astype(np.float16) if name.startswith("sync_") else array


def voice(sound: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Voice logits and speech probabilities, NaN where the sound was not measured."""
    known = sound["known"]
    audio = np.where(known, sound["audio"], np.nan).astype(np.float32)
    speech = np.where(known, 1 / (1 + np.exp(-sound["speech"])), np.nan).astype(np.float32)
    return audio, speech


class TrackStream:
    """Evidence of one face track, fed with its pieces in order."""

    def __init__(self, detector: Detector, sound: SoundStream | None):
        self._detector, self._sound = detector, sound
        net = detector.net
        self._start: int | None = None
        self._ticks = 0
        self._lips: list[Arrays] = []
        self._windows = None
        if detector.pairs:
            call = detector._jitted["lips"]
            self._windows = WindowedStream(
                lambda a: {
                    n: np.asarray(v)[0] for n, v in call(a["points"][None], a["mouths"][None], a["valid"][None]).items()
                },
                step=LIPS_STEP,
                halo=detector._sync_reach,
            )
        self._visual = Batched(detector._jitted["visual"], size=VISUAL_BATCH) if net.visual is not None else None
        self._looked: list[int] = []

    def push(self, track: FaceTrack, *, offset: int = 0) -> None:
        """Add a piece; ``offset`` moves its ticks to the clock of the sound."""
        if self._start is None:
            self._start = track.start_tick + offset
        if self._visual is not None:
            for i in range(-self._ticks % VISUAL_STRIDE, track.n_ticks, VISUAL_STRIDE):
                if track.visible[i]:
                    self._visual.push(track.faces[i])
                    self._looked.append(self._ticks + i)
        if self._windows is not None:
            points = track.landmarks[:, sync_model.LIP_POINTS].astype(np.float32)
            pieces = {"points": points, "mouths": track.mouths, "valid": track.visible}
            self._lips += [_small(r) for r in self._windows.push(pieces)]
        self._ticks += track.n_ticks

    def evidence(self) -> Evidence:
        """What the networks say of the track; call once, after the sound was finished."""
        detector, t = self._detector, self._ticks
        assert self._start is not None, "a track has at least one piece"
        visual = self._visual_logits()
        similarity = np.full((t, len(LAGS)), np.nan, np.float32)
        audio = speech = sync = np.full(t, np.nan, np.float32)
        if self._sound is not None:
            audio, speech = voice(self._sound.take(self._start, self._start + t))
        if self._windows is not None:
            self._lips += [_small(r) for r in self._windows.finish()]
            if self._sound is not None:
                lips = {n: np.concatenate([r[n] for r in self._lips]) for n in self._lips[0]}
                heard = self._sound.take(self._start - MAX_LAG, self._start + t + MAX_LAG)
                similarity = similarity_matrix(lips, heard, detector.pairs)
        if detector.net.fusion is not None and np.isfinite(similarity).any():
            sync = mismatch(detector, similarity, speech)
        classes = four_way(detector, visual, audio, sync)
        return Evidence(visual, audio, sync, similarity, LAGS, speech, classes)

    def _visual_logits(self) -> np.ndarray:
        """Logits of the ticks looked at, linear between them, NaN where no look was within a stride."""
        out = np.full(self._ticks, np.nan, np.float32)
        if self._visual is None or not self._looked:
            return out
        looked, logits = np.array(self._looked), self._visual.finish()
        ticks = np.arange(self._ticks)
        near = np.abs(ticks[:, None] - looked[np.clip(_nearest(looked, ticks), 0, len(looked) - 1)][:, None])[:, 0]
        filled = np.interp(ticks, looked, logits)
        return np.where(near < VISUAL_STRIDE, filled, np.nan).astype(np.float32)


def _nearest(sorted_values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    right = np.searchsorted(sorted_values, wanted).clip(1, max(1, len(sorted_values) - 1))
    if len(sorted_values) == 1:
        return np.zeros(len(wanted), int)
    left = right - 1
    closer = np.abs(sorted_values[right] - wanted) < np.abs(sorted_values[left] - wanted)
    return np.where(closer, right, left)


def _small(result: Arrays) -> Arrays:
    return {n: _half(n, a) for n, a in result.items()}


def similarity_matrix(lips: Arrays, heard: Arrays, pairs: list[str]) -> np.ndarray:
    """Mean over the pairs of the cosine of lips at tick ``i`` and sound at tick ``i + lag``; NaN where unknown.

    Args:
        lips: embeddings and ``known`` for ``t`` ticks.
        heard: the same for the sound, ``MAX_LAG`` ticks more on either side.
        pairs: names of the embeddings.
    """
    t = len(lips["known"])
    out = np.full((t, len(LAGS)), np.nan, np.float32)
    seen = {n: lips[n].astype(np.float32) for n in pairs}
    sounds = {n: heard[n].astype(np.float32) for n in pairs}
    for j in range(len(LAGS)):
        both = lips["known"] & heard["in_sync_reach"][j : j + t]
        mean = sum(np.einsum("td,td->t", seen[n], sounds[n][j : j + t]) for n in pairs) / len(pairs)
        out[:, j] = np.where(both, mean, np.nan)
    return out


def mismatch(detector: Detector, similarity: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Mismatch logit per tick, NaN where no lag is known."""
    call = detector._jitted["mismatch"]
    stream = WindowedStream(
        lambda a: {"sync": np.asarray(call(a["similarity"][None], a["valid"][None], a["speech"][None]))[0]},
        step=FUSION_STEP,
        halo=fusion_model.reach(detector.net.fusion.config),
    )
    known = np.isfinite(similarity)
    pieces = {
        "similarity": np.where(known, similarity, 0).astype(np.float32),
        "valid": known,
        "speech": np.nan_to_num(speech).astype(np.float32),
    }
    results = stream.push(pieces) + stream.finish()
    sync = np.concatenate([r["sync"] for r in results])
    return np.where(known.any(axis=1), sync, np.nan).astype(np.float32)


def four_way(detector: Detector, *logits: np.ndarray) -> np.ndarray | None:
    """Log-probabilities of the four classes from the mean visual, audio and mismatch logits of a clip."""
    if detector.net.fusion is None:
        return None
    present = np.array([np.isfinite(x).any() for x in logits])
    if not present[:2].any():
        return None
    means = np.array([np.nanmean(x) if p else 0.0 for x, p in zip(logits, present, strict=True)], np.float32)
    return np.asarray(detector._jitted["classes"](means[None], present[None]))[0]


def _lips(net: DetectorNet, points: jax.Array, mouths: jax.Array, valid: jax.Array) -> dict[str, jax.Array]:
    reach = max(sync_model.reach(p.config) for p in (net.sync_landmarks, net.sync_pixels) if p is not None)
    out = {"known": sync_model.erode(valid, reach)}
    if net.sync_landmarks is not None:
        out["sync_landmarks"] = net.sync_landmarks.embed_lips(points)
    if net.sync_pixels is not None:
        out["sync_pixels"] = net.sync_pixels.embed_lips(sync_model.normalise_mouths(mouths))
    return out


def _sound(net: DetectorNet, audio: jax.Array, valid: jax.Array) -> dict[str, jax.Array]:
    pairs = {n: getattr(net, n) for n in ("sync_landmarks", "sync_pixels") if getattr(net, n) is not None}
    reach = max((sync_model.reach(p.config) for p in pairs.values()), default=0)
    out = {"in_sync_reach": sync_model.erode(valid, reach), "known": valid}
    out |= {n: p.embed_sound(audio, valid) for n, p in pairs.items()}
    if net.audio is not None:
        out["audio"], out["speech"] = net.audio(audio, valid)
        out["known"] = sync_model.erode(valid, audio_model.reach(net.audio.config))
    else:
        out["audio"] = jnp.full(valid.shape, jnp.nan)
        out["speech"] = jnp.full(valid.shape, jnp.nan)
    return out


def _compiled(net: DetectorNet, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function(net, *arrays)`` under jit, the parameters passed as arguments rather than baked in."""
    graph, state = nnx.split(net)

    @jax.jit
    def run(state: nnx.State, *arrays: jax.Array) -> Any:
        return function(nnx.merge(graph, state), *arrays)

    def call(*arrays: Any) -> Any:
        return run(state, *arrays)

    call.jitted = run  # type: ignore[attr-defined]
    return call

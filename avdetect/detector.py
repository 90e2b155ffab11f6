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
from avdetect.models import sync as sync_model
from avdetect.models.detector import DetectorNet
from avdetect.models.frontend import CMN_RADIUS
from avdetect.models.registry import context_of, reach_of, shaped
from avdetect.report.schema import Report
from avdetect.sound_stream import SoundStream
from avdetect.sync.speaking import lip_activity, mouth_opening
from avdetect.track_stream import TrackStream
from avdetect.types import SAMPLE_RATE, TICK_RATE, AudioInfo, Clip, Evidence, MediaInfo, VideoInfo
from avdetect.verdict import NO_FACE_TRACK, Analysis, TrackEvidence, judge

PAIRS = ("sync_landmarks", "sync_pixels")


class Detector:
    """Networks ready to run.

    Args:
        net: the networks; put into evaluation mode.
        calibration: from logits to decisions.
        card: ``name``, ``version``, ``sha256`` and whatever else a bundle's card says.

    Attributes:
        pairs: names of the lips-and-sound pairs that exist.
        sync_reach: ticks on either side that their embeddings depend on.
        sound_halo: ticks on either side that anything heard depends on.
        fusion_reach: ticks on either side that a mismatch logit depends on.
    """

    def __init__(self, net: DetectorNet, calibration: Calibration, *, card: dict[str, Any]):
        net.eval()
        self.net, self.calibration, self.card = net, calibration, card
        self.pairs = [name for name in PAIRS if getattr(net, name) is not None]
        self.sync_reach = _sync_reach(net)
        of_pairs = CMN_RADIUS + self.sync_reach + 1  # one tick for the spectra's windows
        self.sound_halo = max(of_pairs, context_of(net.config, "audio"))
        self.fusion_reach = reach_of(net.config, "fusion")
        self._graph, state = nnx.split(net)
        self._state = jax.device_put(state)
        self._jitted = {name: jax.jit(self._bound(function)) for name, function in _FUNCTIONS.items()}

    def _bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # The parameters are arguments: baked in as constants they would be copied into every compiled program.
        return lambda state, *arrays: function(nnx.merge(self._graph, state), *arrays)

    def run(self, name: str, *arrays: np.ndarray, batched: bool = False) -> Any:
        """Run one of the compiled networks; host arrays in, host arrays out, a batch axis of one taken off."""
        out = self._jitted[name](self._state, *arrays)
        return jax.tree.map(lambda x: np.asarray(x) if batched else np.asarray(x)[0], out)

    def cache_sizes(self) -> dict[str, int]:
        """For how many shapes each network was compiled: at most one, whatever was scored."""
        return {name: function._cache_size() for name, function in self._jitted.items()}  # pyright: ignore

    def classes(self, *logits: np.ndarray) -> np.ndarray | None:
        """Log-probabilities of RVRA, FVRA, RVFA, FVFA from visual, audio and mismatch logits (NaN = unknown)."""
        present = np.array([np.isfinite(x).any() for x in logits])
        if self.net.fusion is None or not present[:2].any():
            return None
        means = np.array([np.nanmean(x) if p else 0.0 for x, p in zip(logits, present, strict=True)], np.float32)
        return self.run("classes", means[None], present[None])

    def evidence(self, clip: Clip, *, head: bool = True) -> Evidence:
        """What the networks say of a clip; without ``head``, mismatch and classes are left to the fusion head."""
        sound = None
        if clip.audio is not None:
            sound = SoundStream(self)
            sound.push(clip.audio, clip.audio_valid)
            sound.finish()
        if clip.track is None:
            assert sound is not None, "a clip has a face or sound"
            return sound.evidence(head=head)
        stream = TrackStream(self, sound)
        stream.push(clip.track, start_tick=0)
        return stream.evidence(head=head)

    def score(self, clip: Clip) -> Report:
        """The report on a clip (what it says of a file is empty)."""
        track = clip.track
        found = TrackEvidence(
            track_id=NO_FACE_TRACK if track is None else track.track_id,
            start_tick=clip.start_tick,
            evidence=self.evidence(clip),
            quality=None if track is None else track.quality,
            visible=None if track is None else track.visible,
            audio_valid=clip.audio_valid,
            boxes=None if track is None else track.boxes,
            lip_motion=None if track is None else lip_activity(mouth_opening(track.landmarks), track.visible),
        )
        info = MediaInfo(
            path="",
            container="clip",
            duration_s=clip.n_ticks / TICK_RATE,
            start_s=0.0,
            video=None if track is None else VideoInfo("", 0, 0, TICK_RATE, is_still=clip.n_ticks == 1),
            audio=None if clip.audio is None else AudioInfo("", SAMPLE_RATE, 1),
        )
        return judge(Analysis(info, "", [found]), self.calibration, model=self.card)


def _sync_reach(net: DetectorNet) -> int:
    return max((sync_model.reach(getattr(net, n).config) for n in PAIRS if getattr(net, n) is not None), default=0)


def _lips(net: DetectorNet, points: jax.Array, mouths: jax.Array, valid: jax.Array) -> dict[str, jax.Array]:
    out = {"known": sync_model.erode(valid, _sync_reach(net))}
    if net.sync_landmarks is not None:
        out["sync_landmarks"] = net.sync_landmarks.embed_lips(points)
    if net.sync_pixels is not None:
        out["sync_pixels"] = net.sync_pixels.embed_lips(sync_model.normalise_mouths(mouths))
    return out


def _sound(net: DetectorNet, audio: jax.Array, valid: jax.Array) -> dict[str, jax.Array]:
    out = {"known": valid, "sync_known": sync_model.erode(valid, _sync_reach(net))}
    for name in PAIRS:
        if getattr(net, name) is not None:
            out[name] = getattr(net, name).embed_sound(audio, valid)
    if net.audio is not None:
        out["audio"], out["speech"] = shaped(net.config, "audio", net.audio(audio, valid), valid.shape, valid.shape)
        out["known"] = sync_model.erode(valid, reach_of(net.config, "audio"))
    return out


def _visual(net: DetectorNet, faces: jax.Array, mouths: jax.Array) -> jax.Array:
    logits = net.visual(faces.astype(jnp.float32), mouths.astype(jnp.float32))
    return shaped(net.config, "visual", logits, faces.shape[:1])


def _mismatch(net: DetectorNet, similarity: jax.Array, known: jax.Array, speech: jax.Array) -> jax.Array:
    return shaped(net.config, "fusion", net.fusion.mismatch(similarity, known, speech), speech.shape)


def _classes(net: DetectorNet, logits: jax.Array, present: jax.Array) -> jax.Array:
    return shaped(net.config, "fusion", net.fusion.classes(logits, present), (len(logits), 4))


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lips": _lips,
    "sound": _sound,
    "visual": _visual,
    "mismatch": _mismatch,
    "classes": _classes,
}

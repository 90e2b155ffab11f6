"""Clips to a detector, in the batches that it can take; whatever it does wrong is said of it by name."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from avdetect.clips import cut_clip
from avdetect.detectors.answers import why_not
from avdetect.detectors.named import Named
from avdetect.detectors.stitch import stitch
from avdetect.detectors.windows import Window, cover
from avdetect.media.errors import MediaError
from avdetect.plugin_errors import PluginError
from avdetect.types import Clip, Evidence

T = TypeVar("T")
Take = Callable[[Evidence], None]


def guard(named: Named, what: str, call: Callable[[], T]) -> T:
    """Call code of the detector. What it prints goes to stderr: stdout is for data.

    Raises:
        PluginError: it raised something, or tried to leave the program.
        MediaError: it read the file itself, which cannot be read.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return call()
    except (MediaError, PluginError):
        raise
    except (Exception, SystemExit) as error:
        text = str(error) or "no further message"
        raise named.blame(f"{what} failed: {type(error).__name__}: {text}") from error


def ask(named: Named, clips: Sequence[Clip]) -> list[Evidence]:
    """One call.

    Raises:
        PluginError: it fails, or answers otherwise than its contract says.
    """
    given = [read_only(clip) for clip in clips]
    answer: Any = guard(named, "evidence()", lambda: named.detector.evidence(given))
    if reason := why_not(answer, clips):
        raise named.blame(reason)
    return list(answer)


def read_only(clip: Clip) -> Clip:
    """The clip with arrays that cannot be written to, which other detectors get too, and without its label."""
    return Clip(track=_locked(clip.track), audio=_locked(clip.audio), audio_valid=_locked(clip.audio_valid))


def _locked(thing: Any) -> Any:
    if isinstance(thing, np.ndarray):
        view = thing.view()
        view.flags.writeable = False
        return view
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return dataclasses.replace(
            thing, **{f.name: _locked(getattr(thing, f.name)) for f in dataclasses.fields(thing)}
        )
    return thing


def why_unfit(named: Named, clip: Clip) -> str:
    """Why the detector cannot be asked about a clip; empty if it can."""
    if "picture" in named.needs and (clip.track is None or not clip.track.visible.any()):
        return "it needs a face, and none is to be seen"
    if "sound" in named.needs and (clip.audio is None or not clip.audio_valid.any()):
        return "it needs sound, and there is none"
    return ""


class Batches:
    """Collects clips until there are as many as the detector takes.

    One that compiles for fixed shapes gets clips of one length and kind together, and the last of them again and again
    where a batch is not full; any other gets clips of all lengths as they come.
    """

    def __init__(self, named: Named):
        self.named = named
        self._waiting: dict[object, list[tuple[Clip, Take]]] = {}

    def add(self, clip: Clip, take: Take) -> None:
        """A clip, and who gets its evidence; asks as soon as a batch is full."""
        shape = (clip.n_ticks, clip.track is None, clip.audio is None) if self.named.detector.jittable else None
        waiting = self._waiting.setdefault(shape, [])
        waiting.append((clip, take))
        if len(waiting) == self.named.contract.batch:
            self._ask(shape)

    def finish(self) -> None:
        """Ask about all that wait."""
        for shape in list(self._waiting):
            self._ask(shape)

    def _ask(self, shape: object) -> None:
        waiting = self._waiting.pop(shape)
        clips = [clip for clip, _ in waiting]
        if self.named.detector.jittable:
            clips += [clips[-1]] * (self.named.contract.batch - len(clips))
        for (_, take), evidence in zip(waiting, ask(self.named, clips), strict=False):
            take(evidence)


def evidence_of(named: Named, clip: Clip) -> Evidence:
    """What a detector says of a clip of any length; NaN where it cannot be asked.

    Raises:
        PluginError: it fails, or answers otherwise than its contract says.
    """
    parts: list[tuple[Window, Evidence]] = []
    batches = Batches(named)
    for window in cover(clip.n_ticks, named.contract, fixed=named.detector.jittable):
        piece = cut_clip(clip, *window)
        if not why_unfit(named, piece):
            batches.add(piece, lambda evidence, window=window: parts.append((window, evidence)))
    batches.finish()
    return joined(named, parts, clip.n_ticks)


def joined(named: Named, parts: Sequence[tuple[Window, Evidence]], n_ticks: int) -> Evidence:
    """As :func:`stitch`; what does not fit together is said of the detector."""
    try:
        return stitch(parts, n_ticks)
    except ValueError as error:
        raise named.blame(str(error)) from error

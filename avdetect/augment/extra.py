"""Augmentations that a configuration adds to the chain by name: built in, installed, or named by their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avdetect.augment import AUGMENTATIONS
from avdetect.types import Clip, Label


def parse_extra(texts: Sequence[str]) -> list[tuple[str, float]]:
    """``("blur=0.3", "hum.py:HUM=1")`` as names and the share of clips that each is applied to.

    Raises:
        ValueError: one is not of that form, or its share is not in [0, 1].
    """
    out = []
    for text in texts:
        name, _, share = text.rpartition("=")
        try:
            value = float(share)
        except ValueError:
            value = -1.0
        if not name or not 0 <= value <= 1:
            raise ValueError(f"augment.extra has {text!r}; it must be name=share with a share of clips in 0 ... 1")
        out.append((name, value))
    return out


def check_extra(texts: Sequence[str]) -> None:
    """Load them all, so that what cannot be used is known before training begins.

    Raises:
        ValueError: see :func:`parse_extra`.
        PluginError: see `avdetect.registry.Registry.get`.
    """
    for name, _ in parse_extra(texts):
        AUGMENTATIONS.get(name)


def add_extra(clip: Clip, rng: np.random.Generator, texts: Sequence[str]) -> Clip:
    """Apply each of them with its probability, in order, none of them shown the label.

    What one of them draws does not depend on how much another one has drawn.

    Raises:
        PluginError: one failed, or gave back what is no clip of this shape.
    """
    hidden = replace(clip, label=Label())
    for name, share in parse_extra(texts):
        chance, seed = rng.random(), int(rng.integers(2**62))
        if chance < share:
            made = _applied(name, hidden, np.random.default_rng(seed))
            hidden = replace(made, label=Label())  # nor what another one wrote there
    return replace(hidden, label=clip.label)


def _applied(name: str, clip: Clip, rng: np.random.Generator) -> Clip:
    augmentation = AUGMENTATIONS.get(name)
    try:
        made = augmentation(clip, rng)
        reason = _why_wrong(clip, made)
    except Exception as error:
        raise AUGMENTATIONS.blame(name, f"it failed: {type(error).__name__}: {error}") from error
    if reason:
        raise AUGMENTATIONS.blame(name, reason)
    return made


def _why_wrong(before: Clip, after: object) -> str:
    if not isinstance(after, Clip):
        return f"it gave {type(after).__name__} instead of a Clip"
    for part in ("audio", "audio_valid"):
        if (reason := _differs(part, getattr(before, part), getattr(after, part))) != "":
            return reason
    if (before.track is None) != (after.track is None):
        return f"it {'made up' if before.track is None else 'lost'} the face track"
    if before.track is not None and after.track is not None:
        for part in ("faces", "mouths", "landmarks", "visible"):
            if (reason := _differs(part, getattr(before.track, part), getattr(after.track, part))) != "":
                return reason
    if after.audio is not None and not np.isfinite(after.audio).all():
        return "its sound is not finite"
    return ""


def _differs(part: str, before: np.ndarray | None, after: np.ndarray | None) -> str:
    was, now = (None if x is None else (np.shape(x), np.asarray(x).dtype.name) for x in (before, after))
    return "" if was == now else f"it changed {part} from {was} to {now}; shape and type must stay"
